"""XLA on the processor: the options and the rewriting with which it compiles a step well."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.interpreters.traced import Traced, TracingOps

OPTION = "xla_cpu_disable_tiled_emitter"
KNOWN_TO = {"jax": "0.10.", "tensorflow": "2.21."}
"""The versions that are known to have it: an option that XLA does not know ends the process."""


@contextlib.contextmanager
def loops_for_sums(package: str, version: str) -> Iterator[None]:
    """What is compiled first must be compiled in here: XLA reads its flags from the environment, once. Those of the user stay.

    By its default, XLA computes a sum of two matrices five times as slowly as the product of a matrix and a number. With this
    option it does not, and a training step takes a tenth less.
    """
    given = os.environ.get("XLA_FLAGS")
    if not version.startswith(KNOWN_TO[package]) or "xla_backend_extra_options" in (given or ""):
        yield
        return
    os.environ["XLA_FLAGS"] = f"{given or ''} --xla_backend_extra_options={OPTION}".strip()
    try:
        yield
    finally:
        if given is None:
            del os.environ["XLA_FLAGS"]
        else:
            os.environ["XLA_FLAGS"] = given


LARGE = 2**22
"""Products with as many multiplications take much longer than a copy of a factor; so may one of which a size is not known yet."""


class CopiedTransposes(TracingOps[M]):
    """The operations of a backend. In a large product Aᵀ · B, such as DYᵀ · X, Aᵀ is copied first: ``apart(f, A)`` is f(A), in memory.

    XLA multiplies by a transposed left factor up to a third more slowly than by a copy of it, and does not make the copy by
    itself.
    """

    def __init__(self, inner: MatrixOps[M], apart: Callable[[Callable[[M], M], M], M]) -> None:
        super().__init__(inner)
        self.apart = apart
        self._transposed: dict[int, tuple[Traced[M], Traced[M]]] = {}
        """By identity, each transpose and what it is the transpose of."""

    def perform(self, name: str, arguments: tuple[Any, ...], positions: tuple[int, ...]) -> Traced[M]:
        """As the backend's operation of this name."""
        if name == "matmul" and id(arguments[0]) in self._transposed and self._is_large(*arguments):
            X, Y = arguments
            _, A = self._transposed[id(X)]
            arguments = Traced(self, self.apart(self.inner.transpose, A.value)), Y
        result = super().perform(name, arguments, positions)
        if name == "transpose":
            self._transposed[id(result)] = result, arguments[0]
        return result

    def scan(self, *arguments: Any, **named: Any) -> tuple[Any, Any]:
        return self.scan_inside(*arguments, **named)

    def _is_large(self, X: Traced[M], Y: Traced[M]) -> bool:
        """TensorFlow leaves sizes open once a step has met batches of several sizes."""
        sizes: tuple[Any, ...] = (*self.shape(X), self.shape(Y)[1])
        return not all(isinstance(size, int) for size in sizes) or sizes[0] * sizes[1] * sizes[2] >= LARGE


def run_step(ops: Backend[M], apart: Callable[[Callable[[M], M], M], M], step: Callable[..., Any], *arguments: Any) -> Any:
    """``step(ops, *arguments)`` as it is to be compiled for the device of the backend. Of others than the processor nothing is known."""
    if ops.storage == "bfloat16":
        return ops.at_once(step, *arguments)
    return CopiedTransposes(ops, apart).call(step, *arguments) if ops.device.startswith("cpu") else step(ops, *arguments)
