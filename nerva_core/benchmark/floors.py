"""The floor: a step's products of matrices and nothing else, in each framework. No step that computes them can be faster.

Forward X · Wᵀ, backward DYᵀ · X and, except in the first layer, DY · W. Where a framework has several ways to compute a product,
the fastest is taken.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import leaves
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, NoCounterpartError, import_tensorflow, import_torch
from nerva_core.layers import Linear

Rows = Array

INPUTS = 4
"""Different first inputs, used in turn, so that no compiler moves a product out of the loop."""


class Floor(Contender):
    """``candidates`` maps a way of computing the products to a function that does so for a number of steps."""

    name = "matrix products"
    usual: ClassVar[str] = ""
    """The way in which the framework's own layers multiply, if it is one of several."""

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        given = list(zip(problem.layers, problem.params, strict=True))
        for layer, params in given:
            if not isinstance(layer, Linear) and any(1 not in theta.shape for theta in leaves(params)):
                raise NoCounterpartError(f"only the products of linear layers are counted, not those of {type(layer).__name__}")
        weights = [p.W for layer, p in given if isinstance(layer, Linear)]
        if not weights:
            raise NoCounterpartError("there is no linear layer, so there are no products of matrices")
        rng, N, dtype = np.random.default_rng(0), problem.rows.shape[1], problem.config.dtype
        self.W = [np.ascontiguousarray(W, dtype) for W in weights]
        self.X = [rng.normal(size=(N, W.shape[1])).astype(dtype) for W in self.W]
        self.DY = [rng.normal(size=(N, W.shape[0])).astype(dtype) for W in self.W]
        self.inputs = rng.normal(size=(INPUTS, *self.X[0].shape)).astype(dtype)
        candidates = self.candidates(threads)
        steps = len(problem.rows)
        times = {name: _fastest(run, steps) for name, run in candidates.items()}
        fastest = min(times, key=lambda name: times[name])
        self.run = candidates[fastest]
        self.usual_products = times[self.usual] / times[fastest] if self.usual in times else 1.0
        gain = f", {self.usual_products:.2f} x as fast as {self.usual}" if self.usual in times and fastest != self.usual else ""
        self.note = fastest + gain

    @abstractmethod
    def candidates(self, threads: int) -> dict[str, Callable[[int], None]]:
        """The ways to compute the products, by name."""

    def losses(self, rows: Rows) -> list[float]:
        return []

    def epoch(self, rows: Rows) -> None:
        self.run(len(rows))


def _fastest(run: Callable[[int], None], steps: int) -> float:
    times = []
    for _ in range(4):
        started = time.perf_counter()
        run(steps)
        times.append(time.perf_counter() - started)
    return min(times[1:])  # the first compiles


class NumpyFloor(Floor):
    """``numpy.matmul`` into buffers, with the weights stored by rows or by columns."""

    backend = "numpy"

    def candidates(self, threads: int) -> dict[str, Callable[[int], None]]:
        return {"weights by rows": self._into_buffers(np.ascontiguousarray), "weights by columns": self._into_buffers(np.asfortranarray)}

    def _into_buffers(self, layout: Callable[[Any], Any]) -> Callable[[int], None]:
        W = [layout(w) for w in self.W]
        Y, DX = [np.empty_like(D) for D in self.DY], [np.empty_like(X) for X in self.X]
        DW = [np.empty_like(w) for w in W]

        def run(steps: int) -> None:
            for _ in range(steps):
                for k, w in enumerate(W):
                    np.matmul(self.X[k], w.T, out=Y[k])
                for k in reversed(range(len(W))):
                    np.matmul(self.DY[k].T, self.X[k], out=DW[k])
                    if k:
                        np.matmul(self.DY[k], W[k], out=DX[k])

        return run


class TorchFloor(Floor):
    """``torch.mm`` into buffers, the products of ``torch.nn.functional.linear``, or oneDNN's linear layer."""

    backend = "torch"
    usual = "torch.nn.functional.linear"

    def candidates(self, threads: int) -> dict[str, Callable[[int], None]]:
        torch = import_torch(threads)
        W, X, DY = ([torch.tensor(array) for array in arrays] for arrays in (self.W, self.X, self.DY))
        Y, DX, DW = ([torch.empty_like(x) for x in tensors] for tensors in (DY, X, W))

        def mm(k: int, backward: bool) -> None:
            if not backward:
                torch.mm(X[k], W[k].T, out=Y[k])
                return
            torch.mm(DY[k].T, X[k], out=DW[k])
            if k:
                torch.mm(DY[k], W[k], out=DX[k])

        def by(linear: Callable[[Any, Any], Any]) -> Callable[[int, bool], None]:
            """Products with a function of (A, B) that gives A · Bᵀ."""

            def product(k: int, backward: bool) -> None:
                if not backward:
                    linear(X[k], W[k])
                    return
                linear(DY[k].T, X[k].T)
                if k:
                    linear(DY[k], W[k].T)

            return product

        def repeated(product: Callable[[int, bool], None]) -> Callable[[int], None]:
            def run(steps: int) -> None:
                with torch.inference_mode():
                    for _ in range(steps):
                        for k in range(len(W)):
                            product(k, False)
                        for k in reversed(range(len(W))):
                            product(k, True)

            return run

        ways = {"torch.mm": mm, "torch.nn.functional.linear": by(torch.nn.functional.linear)}
        if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise") and self.inputs.dtype == np.float32:
            onednn = torch.ops.mkldnn._linear_pointwise.default
            ways["oneDNN"] = by(lambda A, B: onednn(A, B, None, "none", [], ""))
        return {name: repeated(product) for name, product in ways.items()}


class JaxFloor(Floor):
    """``lax.scan`` over steps that compute the products."""

    backend = "jax"

    def candidates(self, threads: int) -> dict[str, Callable[[int], None]]:
        import jax

        if self.inputs.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        W, inputs = list(map(jax.numpy.asarray, self.W)), jax.numpy.asarray(self.inputs)

        def repeated(W: list[Any], by_columns: bool) -> Callable[[int], None]:
            def step(_: Any, k: Any) -> Any:
                return _products(W, inputs[k % INPUTS], lambda x: x.T, jax.numpy.matmul, by_columns), None

            scan = jax.jit(lambda steps, start: jax.lax.scan(step, start, steps)[0])
            return lambda steps: scan(jax.numpy.arange(steps), W)[0].block_until_ready()

        return {"W": repeated(W, False), "Wᵀ": repeated([w.T for w in W], True)}


class TensorFlowFloor(Floor):
    """A loop in ``tf.function``, plain or compiled by XLA."""

    backend = "tensorflow"

    def candidates(self, threads: int) -> dict[str, Callable[[int], None]]:
        tf = import_tensorflow(threads)
        W, inputs = [tf.constant(w) for w in self.W], tf.constant(self.inputs)

        def repeated(W: list[Any], by_columns: bool, xla: bool) -> Callable[[int], None]:
            def loop(steps: Any) -> Any:
                def body(k: Any, _: Any) -> Any:
                    return k + 1, _products(W, inputs[k % INPUTS], tf.transpose, tf.matmul, by_columns)

                return tf.while_loop(lambda k, _: k < steps, body, (0, W), parallel_iterations=1)[1]

            compiled = tf.function(loop, jit_compile=xla)
            return lambda steps: compiled(tf.constant(steps))[0].numpy()[0, 0]

        stored = {"W": (W, False), "Wᵀ": ([tf.transpose(w) for w in W], True)}
        return {name + ", XLA" * xla: repeated(*way, xla) for name, way in stored.items() for xla in (False, True)}


def _products(
    W: list[Any], X: Any, transpose: Callable[[Any], Any], matmul: Callable[[Any, Any], Any], by_columns: bool = False
) -> list[Any]:
    """The products of a step on a linear network; what it returns, DW, depends on all of them. With ``by_columns`` W is given as Wᵀ."""
    Xs = [X]
    for w in W:
        Xs.append(matmul(Xs[-1], w if by_columns else transpose(w)))
    DW, DY = [], Xs.pop()
    for k in reversed(range(len(W))):
        DW.append(matmul(transpose(Xs[k]), DY) if by_columns else matmul(transpose(DY), Xs[k]))
        if k:
            DY = matmul(DY, transpose(W[k]) if by_columns else W[k])
    return DW[::-1]


FLOORS: tuple[type[Floor], ...] = (NumpyFloor, TorchFloor, JaxFloor, TensorFlowFloor)
