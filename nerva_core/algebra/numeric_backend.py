"""Numeric backends: matrix operations on a framework's arrays, and how that framework runs a training step.

A backend is a class in a package that declares it under the entry-point group ``nerva_core.backends``; it is found by
name, so a backend of another distribution works without an edit here. A module of a backend imports its framework when
the backend is constructed, not when the module is loaded.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import reprlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar, Literal, TypeVar, cast, get_args

import numpy as np

from nerva_core.algebra.errors import NervaError, NotInstalledError, did_you_mean
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, map_tree, named_leaves, with_leaves
from nerva_core.algebra.workers import Alone, Workers

DType = Literal["float32", "float64"]
Kept = Literal[DType, "bfloat16"]
"""How matrices may be kept: in the dtype in which is computed, or in half of it."""
F = TypeVar("F", bound=Callable[..., Any])


def computed_in(kept: Kept) -> DType:
    """The dtype in which is computed; that of bfloat16 has its range."""
    return "float32" if kept == "bfloat16" else kept


ENTRY_POINTS = "nerva_core.backends"


class Backend(MatrixOps[M]):
    """Matrix operations on the arrays of one framework, in one dtype, on one device."""

    name: ClassVar[str]
    """The name users give."""
    requires: ClassVar[str]
    """The module that must be there to import."""
    extra: ClassVar[str] = ""
    """The optional dependency of this project that installs it; empty if it is always there."""

    workers: Workers = Alone()
    """The processes that share out the rows of every batch, this one among them."""

    narrows: ClassVar[bool] = False
    """Whether it can keep matrices in bfloat16."""

    def __init__(self, dtype: Kept = "float32", device: str = "cpu", join: bool = False) -> None:
        """``join`` the other workers, which the launcher of this process tells of; NervaError if this backend has no way to."""
        known = get_args(Kept if self.narrows else DType)
        if dtype not in known:
            why = f"; {self.name} has no bfloat16, but jax, torch and tensorflow have" if dtype in get_args(Kept) else ""
            raise NervaError(f"dtype must be one of {', '.join(map(repr, known))}, got {dtype!r}{why}")
        self.storage: Kept = dtype
        """How matrices are kept."""
        self.dtype: DType = computed_in(dtype)
        """In what is computed."""
        self.device = device
        self._compiled: dict[Callable[..., Any], Any] = {}  # here and not in a global cache, so that it goes with the backend
        self.joins = join
        self.start()
        if join and self.workers.count == 1:
            raise NervaError(f"backend {self.name!r} runs in one process; the backends of this project take several workers")

    @abstractmethod
    def start(self) -> None:
        """Import the framework, join the other workers if it ``joins``, and prepare ``self.device``; NervaError if that is not there."""

    @abstractmethod
    def devices(self) -> list[str]:
        """The devices that this framework finds on this machine."""

    @abstractmethod
    def matrix(self, values: Any) -> M:
        """A matrix with the given values (anything NumPy reads), in this backend's dtype, on its device; a vector is a row.

        NervaError for values of more than two dimensions.
        """

    def _array(self, values: Any) -> Array:
        """A copy of the values of a matrix in this backend's dtype."""
        try:
            given = np.asarray(values)
            if given.dtype.kind == "c" or (given.dtype.kind == "O" and any(value is None for value in given.flat)):
                raise TypeError("NumPy would drop the imaginary parts, or take None for nan")
            array = np.array(given, dtype=self.dtype, ndmin=2)
        except (TypeError, ValueError) as error:
            raise NervaError(
                f"ops.matrix: a matrix is made of real numbers, in rows of one length, got {reprlib.repr(values)}: {error}"
            ) from error
        require_matrix("ops.matrix", array)
        return array

    @abstractmethod
    def to_numpy(self, X: M) -> Array:
        """The values of X as a NumPy array."""

    def stored(self, X: M) -> M:
        """X as it is kept: in bfloat16, if it has more than one element and matrices are kept so."""
        return X

    def widened(self, X: M) -> M:
        """X in the dtype in which is computed."""
        return X

    def at_once(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(ops, *arguments)`` on matrices of this backend, one operation after the other."""
        return function(self, *arguments)

    def constant(self, rows: Sequence[Sequence[Scalar]]) -> M:
        return self.matrix(rows)

    def masked_softmax(self, S: M, mask: M) -> M:
        """The definition for S less its largest element under the mask, so that nothing overflows."""
        _, n = self.shape(S)
        shown = self.where(mask, S, self.full(float(np.finfo(self.dtype).min), *self.shape(S)))
        largest = self.column_repeat(self.rows_max(shown), n)
        return super().masked_softmax(self.where(mask, S, largest) - largest, mask)

    def matrices(self, tree: Tree) -> Any:
        """A tree of NumPy matrices, such as the parameters of a network, as a tree of this backend's matrices."""
        return map_tree(self.matrix, tree)

    @abstractmethod
    def scalar(self, c: float) -> Any:
        """A number as a compiled step takes it: an argument, not a constant of the compilation."""

    @abstractmethod
    def take_rows(self, X: M, indices: Any) -> M:
        """The rows of X with the given indices, in that order."""

    def segment(self, X: M, offset: int, m: int, n: int) -> M:
        """m n elements of the row X, from an offset on, as an m x n matrix."""
        return self.reshape(self.take_columns(X, range(offset, offset + m * n)), m, n)

    def all_sum(self, before: M, *parts: M) -> M:
        """The sum of the parts of all workers, rows of one shape, as a binary tree over all of them in the order of the workers.

        ``before`` is what must be there first, so that all workers add up several sums in the same order.
        """
        total: M = self.workers.sum(parts)
        return total

    def gathered(self, values: Sequence[float]) -> Array:
        """Some numbers of every worker, whose dtype holds them exactly: a row for each."""
        return np.concatenate([self.to_numpy(row) for row in self.workers.gather(self.matrix([list(values)]))])

    def compile(self, function: F) -> F:
        """The function, compiled if the framework compiles. Its arguments are matrices, scalars and (nested) tuples of them."""
        return function

    def run_steps(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, Array]:
        """Run ``state, outputs = step(ops, state, *data, *input)`` for each input in turn: (the last state, all outputs).

        The step is written in the operations ``ops`` that it is given, which are these or an interpretation of them. ``inputs``
        is a tree of NumPy arrays, at least one, with a leading axis over the steps. A step is given integers for rows, matrices,
        and numbers of shape (). The given state is consumed: its matrices may be overwritten. ``outputs`` is a tree of 1 x 1
        matrices, at least one; all of them are fetched once, as an array with a row for every step and a column for every leaf. A
        framework that compiles runs all steps in one call.
        """
        return self.run_plainly(step, state, data, inputs)

    def run_plainly(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, Array]:
        """The definition of ``run_steps``: the equations themselves, one operation after the other; nothing is overwritten."""
        rows = []
        for given in zip(*leaves(inputs), strict=True):
            state, outputs = self.at_once(step, state, *data, *with_leaves(inputs, map(self._argument, given)))
            rows.append(list(leaves(outputs)))
        return state, self._fetch(rows)

    def _fetch(self, rows: list[list[M]]) -> Array:
        """Rows of 1 x 1 matrices as one array."""
        return np.array([[self.to_numpy(value)[0, 0] for value in row] for row in rows])

    def _argument(self, array: Array) -> Any:
        if array.dtype.kind == "i":
            return array
        return self.scalar(float(array)) if array.ndim == 0 else self.matrix(array)

    def converted(self, inputs: Any) -> Any:
        """The inputs of steps, NumPy arrays: matrices and numbers in this backend's dtype."""
        return map_tree(lambda a: a if a.dtype.kind == "i" else a.astype(self.dtype, copy=False), inputs)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.storage, self.device)  # what is compiled is compiled again

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dtype={self.storage!r}, device={self.device!r})"

    def _device_missing(self) -> NervaError:
        return NervaError(f"backend {self.name!r} finds no device {self.device!r}; {did_you_mean(self.device, self.devices())}")


def require_matrix(where: str, X: Any) -> None:
    """NervaError for what is not a matrix: equations would sum over the wrong axes. An interpretation's own values pass."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 2:
        raise NervaError(
            f"{where}: every value is a matrix, but this one has the shape {tuple(shape)}; "
            "make its rows the examples: images are N x (height · width · channels), a vector is 1 x n or n x 1"
        )
    if X is None or isinstance(X, (bool, int, float, str, list, dict)):
        raise NervaError(f"{where}: every value is a matrix, got {reprlib.repr(X)}; ops.matrix makes one of numbers in rows")


def require_matrices(where: str, tree: Tree) -> None:
    """``require_matrix`` for every leaf of a tree, such as the parameters of a network, which is named."""
    for name, leaf in named_leaves(tree):
        require_matrix(f"{where}: {name}" if name else where, leaf)


def _declared() -> dict[str, metadata.EntryPoint]:
    found = metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: point for point in sorted(found, key=lambda point: point.name)}


def backend_classes() -> dict[str, type[Backend]]:
    """All declared backends by name, whether or not their framework is installed. One that cannot be loaded is left out."""
    classes = {}
    for name, point in _declared().items():
        with contextlib.suppress(Exception):  # the fault of its distribution, which must not keep the others from working
            classes[name] = point.load()
    return classes


def backend(name: str, dtype: Kept | str = "float32", device: str = "cpu", join: bool = False) -> Backend:
    """Make the backend called ``name`` (numpy, jax, torch, tensorflow, or one of another distribution), which may ``join`` other workers.

    NervaError for an unknown name, dtype or device; NotInstalledError if its framework is missing.
    """
    declared = _declared()
    if name not in declared:
        raise NervaError(f"unknown backend {name!r}; {did_you_mean(name, declared)}")
    try:
        chosen: type[Backend] = declared[name].load()
    except Exception as error:
        raise NervaError(f"backend {name!r} is declared as {declared[name].value}, which cannot be loaded: {error}") from None
    try:
        return chosen(cast("Kept", dtype), device, join)  # which checks it
    except NervaError:
        raise
    except ImportError as error:
        raise _not_installed(chosen, f"backend {name!r} needs {chosen.requires}, which cannot be imported ({error})") from None
    except Exception as error:  # as where a variable of the environment asks for a device that is not there
        raise NervaError(f"backend {name!r} cannot be started: {_reason(error)}{_environment(chosen.requires)}") from None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}{f': {error}' if str(error) else ''}"


def _environment(framework: str) -> str:
    """The variables of the environment that a framework reads, as the end of a message."""
    prefixes = {"jax": ("JAX_", "XLA_"), "tensorflow": ("TF_", "XLA_"), "torch": ("TORCH_", "PYTORCH_"), "keras": ("KERAS_",)}
    found = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(prefixes.get(framework, ("CUDA_",))))
    return f"; the environment has {', '.join(found)}" if found else ""


def _not_installed(chosen: type[Backend], what: str) -> NotInstalledError:
    package = f"'nerva[{chosen.extra}]'" if chosen.extra else chosen.requires
    return NotInstalledError(f"{what}; install it with: pip install {package}")


def backends_named(text: str | None) -> list[str]:
    """The backends in a text, separated by commas; without a text, all that are installed. No framework is imported.

    NervaError for an unknown name, NotInstalledError if the framework of a named one is missing.
    """
    classes = backend_classes()
    if text is None:
        return [name for name, chosen in classes.items() if importlib.util.find_spec(chosen.requires)]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in classes:
            raise NervaError(f"unknown backend {name!r}; {did_you_mean(name, classes)}")
        if not importlib.util.find_spec(classes[name].requires):
            raise _not_installed(classes[name], f"backend {name!r} is not installed")
    return names


@dataclass(frozen=True)
class BackendStatus:
    """The state of a backend on this machine."""

    name: str
    version: str | None
    devices: list[str]
    hint: str


def statuses() -> list[BackendStatus]:
    """The state of every declared backend: its version and devices, or how to install it."""
    result = []
    for name, chosen in backend_classes().items():
        try:
            devices = backend(name).devices()
            result.append(BackendStatus(name, getattr(importlib.import_module(chosen.requires), "__version__", "unknown"), devices, ""))
        except NotInstalledError as error:
            result.append(BackendStatus(name, None, [], str(error).rpartition("; ")[2]))
        except NervaError as error:
            result.append(BackendStatus(name, "cannot be started", [], str(error)))
    return result


def require(module: str, extra: str) -> Any:
    """Import an optional module; if it is missing, say which extra installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise NotInstalledError(f"this needs {module} ({error}); install it with: pip install 'nerva[{extra}]'") from None
    except Exception as error:
        raise NervaError(f"this needs {module}, which cannot be imported: {_reason(error)}{_environment(module)}") from None
