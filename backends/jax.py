"""JAX. Steps are compiled with ``jax.jit``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends import accurate, xla
from backends import grid_lookup as steps
from backends.jax_workers import JaxWorkers
from backends.numpy import Array, NumpyBackend
from backends.sparse_xla import JaxPatternOps
from backends.windows_jax import JaxWindowOps
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.numeric_backend import F
from nerva_core.algebra.trees import Tree, leaves
from nerva_core.interpreters.stored import Narrowing


class JaxBackend(JaxWindowOps, JaxPatternOps, Narrowing[Array], NumpyBackend):
    """Matrix operations on JAX arrays: those of NumPy, from ``jax.numpy``.

    float64 switches ``jax_enable_x64`` on for the whole process, as JAX knows no narrower switch that also holds
    while a step is compiled; float32 arrays stay float32.
    """

    name = "jax"
    requires = "jax"
    extra = "jax"
    _all: JaxWorkers | None = None

    def start(self) -> None:
        import jax
        import jax.numpy
        import jax.scipy.special
        from jax.experimental.xla_metadata import set_xla_metadata

        self.jax, self.xp, self.special = jax, jax.numpy, jax.scipy.special
        self._metadata = set_xla_metadata
        if self.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        with xla.loops_for_sums("jax", jax.__version__):
            if self.joins:
                self.workers = self._all = JaxWorkers(jax, self.device.partition(":")[0])
            names = self.devices()
        if self.device not in names:
            raise self._device_missing()
        platform, _, index = self.device.partition(":")
        if platform != "cpu":
            jax.config.update("jax_default_matmul_precision", "highest")  # not products of fewer digits
        self._device = jax.local_devices(backend=platform)[int(index or 0)]

    def devices(self) -> list[str]:
        """Those of this process, by their numbers in it."""
        found = {platform: len(self._of_platform(platform)) for platform in ("cpu", "gpu", "tpu")}
        return [name for platform, count in found.items() for k in range(count) for name in ([platform] * (k == 0) + [f"{platform}:{k}"])]

    def _of_platform(self, platform: str) -> list[Any]:
        try:
            return list(self.jax.local_devices(backend=platform))
        except RuntimeError:
            return []

    def matrix(self, values: Any) -> Array:
        return self.stored(self.jax.device_put(self._array(values), self._device))

    def stored(self, X: Array) -> Array:
        return X.astype("bfloat16") if self.storage == "bfloat16" and X.size > 1 else X

    def widened(self, X: Array) -> Array:
        return X.astype(self.dtype)

    def to_numpy(self, X: Array) -> np.ndarray[Any, Any]:
        return np.asarray(self.widened(X))

    def scalar(self, c: float) -> Any:
        return np.asarray(c, dtype=self.dtype)

    def again(self, X: Array) -> Array:
        return self.jax.lax.optimization_barrier(X)

    def stop_gradient(self, X: Array) -> Array:
        return self.jax.lax.stop_gradient(X)

    def expm1(self, X: Array) -> Array:
        # XLA's expm1 is off by 5 ulp for small x.
        return accurate.expm1(self, X)

    def log1p(self, X: Array) -> Array:
        return accurate.log1p(self, X, self.xp.log1p)

    def tanh(self, X: Array) -> Array:
        # XLA's tanh is off by 6 ulp near 1.
        return accurate.tanh(self, X)

    def shift_columns(self, X: Array, o: int) -> Array:
        return self._apart(lambda X: super(JaxBackend, self).shift_columns(X, o), X)

    def scan(
        self,
        body: Callable[..., tuple[Any, Any]],
        state: tuple[Array, ...],
        given: tuple[Array, ...],
        length: Size,
        reverse: bool = False,
        names: tuple[str, ...] = (),
    ) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """While a step is compiled, one loop; outside, where a loop would be compiled again each time, the definition."""
        if not any(isinstance(F, self.jax.core.Tracer) for F in given):
            return super().scan(body, state, given, length, reverse, names)
        found: tuple[Any, Any] = self.jax.lax.scan(lambda state, members: body(state, *members), state, given, reverse=reverse)
        return found

    def step_function(self, X: Array, s: Sequence[Scalar], T: Array) -> Array:
        return self.xp.take_along_axis(T, self._intervals(X, steps.points(s, self.dtype)), axis=0, mode="promise_in_bounds")

    def interval_sums(self, Y: Array, X: Array, s: Sequence[Scalar]) -> Array:
        cells, n = len(s) + 1, X.shape[-1]

        def sums(Y: Array, J: Array) -> Array:
            index = (J * n + self.xp.arange(n)).astype("uint32")  # a signed one might count from the end
            result = self.xp.zeros(cells * n, self.dtype).at[index.reshape(-1)].add(Y.reshape(-1), mode="promise_in_bounds")
            return result.reshape(cells, n)

        return self._apart(sums, Y, self._intervals(X, steps.points(s, self.dtype)))

    def _intervals(self, X: Array, points: steps.GridPoints) -> Array:
        return self._apart(lambda X: self._number_below(X, points), X)

    def _number_below(self, X: Array, points: steps.GridPoints) -> Array:
        if len(points.values) <= steps.FEW:  # XLA makes one loop of them
            return sum((point < X).astype("int32") for point in points.values)
        if points.progression is None:
            return super()._intervals(X, points)
        lax = self.jax.lax
        inside = lax.clamp(self.scalar(points.first), X, self.scalar(points.last))
        nearest = lax.round((inside - points.first) * points.per_unit, lax.RoundingMethod.TO_NEAREST_EVEN)
        return nearest.astype("int32") + (points.progression(nearest) < X)

    def _apart(self, f: Callable[..., Array], *arguments: Array) -> Array:
        """f(arguments), compiled apart, so that XLA keeps the arguments and the result in memory.

        Fused with what comes before and after, an index takes many times as long: it is computed again for every use, and element by
        element, without vector instructions.
        """
        if not any(isinstance(X, self.jax.core.Tracer) for X in arguments):
            return f(*arguments)
        with self._metadata(inlineable="false"):
            return self.jax.jit(f)(*arguments)

    def compile(self, function: F) -> F:
        compiled: F = self.jax.jit(function)
        return compiled

    def run_steps(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, np.ndarray[Any, Any]]:
        if step not in self._compiled:
            self._compiled[step] = self._scan(step)
        state, outputs = self._compiled[step](state, data, self.converted(inputs))
        return state, self.to_numpy(outputs)

    def _scan(self, step: Callable[..., tuple[Any, Any]]) -> Any:
        def scan(state: Tree, data: Any, stacked: Any) -> Any:
            def body(state: Tree, given: Any) -> Any:
                state, outputs = xla.run_step(self, self._apart, step, state, *data, *given)
                return state, self.xp.concatenate(list(leaves(outputs)), axis=1)[0]

            return self.jax.lax.scan(body, state, stacked)

        return self.jax.jit(scan, donate_argnums=0) if self._all is None else self._all.compiled(scan)
