"""TensorFlow. Steps are compiled with ``tf.function`` and XLA, which fuses what stands between two products."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from backends import accurate, xla
from backends import grid_lookup as steps
from backends.loops_tensorflow import TensorFlowLoopOps
from backends.quiet import silent
from backends.sparse_xla import TensorFlowPatternOps
from backends.tensorflow_workers import TensorFlowWorkers
from backends.windows_tensorflow import TensorFlowWindowOps
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import F
from nerva_core.algebra.trees import Tree, leaves, map_tree
from nerva_core.interpreters.stored import Narrowing

Tensor = Any


class TensorFlowBackend(TensorFlowLoopOps, TensorFlowWindowOps, TensorFlowPatternOps, Narrowing[Tensor]):
    """Matrix operations on TensorFlow tensors."""

    name = "tensorflow"
    requires = "tensorflow"
    extra = "tensorflow"
    _all: TensorFlowWorkers | None = None

    def start(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings, but no notes of the compiler while a user trains
        with silent(2):  # it writes notes as it starts
            import tensorflow as tf

            self.tf = tf
            self._dtype = tf.as_dtype(self.dtype)
            if self.joins:
                self.workers = self._all = TensorFlowWorkers(tf)
            if self.device not in self.devices():
                raise self._device_missing()
            tf.config.experimental.enable_tensor_float_32_execution(False)  # no products of fewer digits on a GPU
            with xla.loops_for_sums("tensorflow", tf.__version__):
                self.compile(lambda X: X + X)(tf.zeros([1, 1]))  # the first operation starts the runtime, which writes its notes too

    def devices(self) -> list[str]:
        found = [device.name.removeprefix("/physical_device:").lower() for device in self.tf.config.list_physical_devices()]
        return [name for full in found for name in ([full.removesuffix(":0")] if full.endswith(":0") else []) + [full]]

    def matrix(self, values: Any) -> Tensor:
        with self.tf.device(self.device):
            return self.stored(self.tf.constant(self._array(values)))

    def stored(self, X: Tensor) -> Tensor:
        return self.tf.cast(X, "bfloat16") if self.storage == "bfloat16" and X.shape.num_elements() != 1 else X

    def widened(self, X: Tensor) -> Tensor:
        return self.tf.cast(X, self._dtype)

    def to_numpy(self, X: Tensor) -> Array:
        array: Array = self.widened(X).numpy()
        return array

    def scalar(self, c: float) -> Any:
        return self.tf.constant(c, dtype=self._dtype)

    def take_rows(self, X: Tensor, indices: Any) -> Tensor:
        return self.tf.gather(X, indices, axis=-2)

    def compile(self, function: F) -> F:
        compiled: F = self.tf.function(function, autograph=False, reduce_retracing=True, jit_compile=True)
        return compiled

    def run_steps(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, Array]:
        if step not in self._compiled:
            self._compiled[step] = self._loop(step)
        given = map_tree(self.tf.constant, self.converted(inputs))
        if self._all is not None:
            return self._all.called(self._compiled[step], state, data, given)
        state, outputs = self._compiled[step](state, data, given)
        return state, self.to_numpy(outputs)

    def _loop(self, step: Callable[..., tuple[Any, Any]]) -> Any:
        tf = self.tf

        def loop(state: Tree, data: Any, stacked: Any) -> Any:
            count = tf.shape(next(leaves(stacked)))[0]

            def body(k: Any, state: Tree, outputs: Any) -> Any:
                given = map_tree(lambda array: array[k], stacked)
                state, values = self._run_step(step, state, *data, *given)
                return k + 1, state, outputs.write(k, tf.concat(list(leaves(values)), axis=1)[0])

            start = (tf.constant(0), state, tf.TensorArray(self._dtype, size=count))
            _, state, outputs = tf.while_loop(lambda k, *_: k < count, body, start)
            return state, outputs.stack()

        return self.compile(loop) if self._all is None else tf.function(loop, autograph=False, reduce_retracing=True)

    def _run_step(self, step: Callable[..., tuple[Any, Any]], *arguments: Any) -> Any:
        """XLA knows no collectives of several processes."""
        return xla.run_step(self, self._apart, step, *arguments) if self._all is None else self._all.run(step, self, *arguments)

    def _apart(self, f: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
        """f(X), where XLA keeps it in memory: it fuses nothing with what is in a branch. Both branches are the same."""

        def branch() -> Tensor:
            return f(X)

        return self.tf.cond(X[0, 0] < 0, branch, branch)

    def _leading(self, X: Tensor) -> list[Size]:
        """The number of members, if X is a family; where a step is compiled for any number, that is a tensor."""
        return [X.shape[0] if X.shape[0] is not None else self.tf.shape(X)[0]] if len(X.shape) == 3 else []

    def _beside(self, *matrices: Tensor) -> list[Tensor]:
        """The matrices, each as often as a family among them has members."""
        leading = max(map(self._leading, matrices), key=len)
        return [self.tf.broadcast_to(X, [*leading, *self.shape(X)]) for X in matrices]

    def _number(self, c: Scalar | Size) -> Tensor:
        # tf.cast alone would round a Python float to float32 first.
        return self.tf.cast(c, self._dtype) if self.tf.is_tensor(c) else self.tf.constant(c, dtype=self._dtype)

    # The primitives.

    def shape(self, X: Tensor) -> tuple[Size, Size]:
        static = X.shape[-2:]
        if None not in static:
            return static[0], static[1]
        dynamic = self.tf.shape(X)  # a size that is unknown when the step is compiled
        return static[0] or dynamic[-2], static[1] or dynamic[-1]

    def full(self, c: Scalar, m: Size, n: Size) -> Tensor:
        return self.tf.fill([m, n], self._number(c))

    def identity(self, n: Size) -> Tensor:
        return self.tf.eye(n, dtype=self._dtype)

    def transpose(self, X: Tensor) -> Tensor:
        return self.tf.linalg.matrix_transpose(X)

    def hadamard(self, X: Tensor, Y: Tensor) -> Tensor:
        return X * Y

    def scale(self, c: Scalar | Size, X: Tensor) -> Tensor:
        return self._number(c) * X

    def divide(self, X: Tensor, c: Scalar | Size) -> Tensor:
        return X / self._number(c)

    def diag(self, X: Tensor) -> Tensor:
        return self.tf.linalg.diag_part(X)[..., None]

    def Diag(self, x: Tensor) -> Tensor:
        return self.tf.linalg.diag(self.tf.reshape(x, [-1]))

    def rows_max(self, X: Tensor) -> Tensor:
        return self.tf.reduce_max(X, axis=-1, keepdims=True)

    def reshape(self, X: Tensor, m: Size, n: Size) -> Tensor:
        return self.tf.reshape(X, [*self._leading(X), m, n])

    def take_columns(self, X: Tensor, columns: Sequence[int]) -> Tensor:
        return self.tf.gather(X, list(columns), axis=-1)

    def join_columns(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.concat(self._beside(X, Y), axis=-1)

    def members(self, F: Tensor) -> Size:
        return self._leading(F)[0] if len(F.shape) == 3 else 1

    def family(self, *matrices: Tensor) -> Tensor:
        return self.tf.stack(matrices)

    def member(self, F: Tensor, k: int) -> Tensor:
        return F[k] if len(F.shape) == 3 else F

    def exp(self, X: Tensor) -> Tensor:
        return self.tf.exp(X)

    def log(self, X: Tensor) -> Tensor:
        return self.tf.math.log(X)

    def reciprocal(self, X: Tensor) -> Tensor:
        return self.tf.math.reciprocal(X)

    def sqrt(self, X: Tensor) -> Tensor:
        return self.tf.sqrt(X)

    def arctan(self, X: Tensor) -> Tensor:
        return self.tf.atan(X)

    def normal_cdf(self, X: Tensor) -> Tensor:
        return accurate.normal_cdf(self, X, self.tf.round)

    def normal_pdf(self, X: Tensor) -> Tensor:
        return accurate.normal_pdf(self, X, self.tf.round)

    def less(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.cast(X < Y, self._dtype)

    # Overrides: the same functions, fused or in a form that neither overflows nor cancels.

    def inv_lengths(self, X: Tensor, epsilon: Scalar) -> Tensor:
        return accurate.inv_lengths(self, X, epsilon)

    def norm(self, X: Tensor) -> Tensor:
        return accurate.norm(self, X)

    def column_repeat(self, x: Tensor, n: Size) -> Tensor:
        return self.tf.repeat(x, n, axis=-1)

    def row_repeat(self, x: Tensor, m: Size) -> Tensor:
        return self.tf.repeat(x, m, axis=-2)

    def columns_sum(self, X: Tensor) -> Tensor:
        return self.tf.reduce_sum(X, axis=-2, keepdims=True)

    def rows_sum(self, X: Tensor) -> Tensor:
        return self.tf.reduce_sum(X, axis=-1, keepdims=True)

    def split(self, X: Tensor, m: Size, n: Size) -> Tensor:
        rows, columns = self.shape(X)
        blocks = self.tf.reshape(X, [rows // m, m, columns // n, n])
        return self.tf.reshape(self.tf.transpose(blocks, [0, 2, 1, 3]), [-1, m, n])

    def join(self, F: Tensor, k: Size) -> Tensor:
        (m, n), members = self.shape(F), self.members(F)
        blocks = self.tf.reshape(F, [k, members // k, m, n])
        return self.tf.reshape(self.tf.transpose(blocks, [0, 2, 1, 3]), [k * m, members // k * n])

    def members_sum(self, F: Tensor) -> Tensor:
        return self.tf.reduce_sum(F, axis=0) if len(F.shape) == 3 else F

    def column_part(self, X: Tensor, k: int, count: int) -> Tensor:
        width = self.shape(X)[1] // count
        return X[..., k * width : (k + 1) * width]

    def column_range(self, X: Tensor, first: Size, count: Size) -> Tensor:
        return X[..., first : first + count]

    def join_column_parts(self, *parts: Tensor) -> Tensor:
        return self.tf.concat(parts, axis=-1)

    def transpose_columns(self, X: Tensor, m: Size) -> Tensor:
        rows, columns = self.shape(X)
        blocks = self.tf.reshape(X, [*self._leading(X), rows, m, columns // m])
        return self.tf.reshape(self.tf.linalg.matrix_transpose(blocks), [*self._leading(X), rows, columns])

    def first_maxima(self, X: Tensor) -> Tensor:
        return self.tf.one_hot(self.tf.argmax(X, axis=-1), self.shape(X)[1], dtype=self._dtype)

    def one_hot(self, x: Tensor, n: Size) -> Tensor:
        return self.tf.cast(x == self.tf.range(self.tf.cast(n, self._dtype)), self._dtype)

    def rows_at(self, E: Tensor, x: Tensor) -> Tensor:
        return self.tf.gather(E, self.tf.cast(self.tf.reshape(x, [-1]), "int32"))

    def sort_rows(self, X: Tensor) -> Tensor:
        return self.tf.sort(X, axis=-1)

    def stop_gradient(self, X: Tensor) -> Tensor:
        return self.tf.stop_gradient(X)

    def expm1(self, X: Tensor) -> Tensor:
        # TensorFlow's expm1 is off by 5 ulp for small x.
        return accurate.expm1(self, X)

    def log1p(self, X: Tensor) -> Tensor:
        return accurate.log1p(self, X, self.tf.math.log1p)

    def sigmoid(self, X: Tensor) -> Tensor:
        E = self.tf.exp(-self.tf.abs(X))
        return self.tf.where(X < 0, E, self.tf.ones_like(E)) / (1 + E)

    def log_sigmoid(self, X: Tensor) -> Tensor:
        return self.tf.minimum(X, 0) - self.tf.math.log1p(self.tf.exp(-self.tf.abs(X)))

    def softplus(self, X: Tensor) -> Tensor:
        return self.tf.maximum(X, 0) + self.tf.math.log1p(self.tf.exp(-self.tf.abs(X)))

    def tanh(self, X: Tensor) -> Tensor:
        # TensorFlow's tanh is off by 5 ulp near 1.
        return accurate.tanh(self, X)

    def xlogy(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.math.xlogy(X, Y)

    def quotient(self, X: Tensor, Y: Tensor) -> Tensor:
        return X / self.tf.where(X == 0, self.tf.ones_like(Y), Y)

    def less_equal(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.cast(X <= Y, self._dtype)

    def equal(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.cast(X == Y, self._dtype)

    def where(self, C: Tensor, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.where(C != 0, X, Y)

    def maximum(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.maximum(X, Y)

    def minimum(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.tf.minimum(X, Y)

    def abs(self, X: Tensor) -> Tensor:
        return self.tf.abs(X)

    def sign(self, X: Tensor) -> Tensor:
        return self.tf.sign(X)

    def shift_columns(self, X: Tensor, o: int) -> Tensor:
        n = self.shape(X)[1]
        padded = self.tf.pad(X, [*[[0, 0]] * (len(X.shape) - 1), [max(o, 0), max(-o, 0)]])
        return padded[..., :n] if o > 0 else padded[..., -o:]

    def step_function(self, X: Tensor, s: Sequence[Scalar], T: Tensor) -> Tensor:
        return self.tf.gather(self.tf.reshape(T, [-1]), self._cell_index(X, s))

    def interval_sums(self, Y: Tensor, X: Tensor, s: Sequence[Scalar]) -> Tensor:
        cells, n = len(s) + 1, self.shape(X)[1]
        index = self.tf.reshape(self._cell_index(X, s), [-1])
        return self.tf.reshape(self.tf.math.unsorted_segment_sum(self.tf.reshape(Y, [-1]), index, cells * n), [cells, n])

    def _cell_index(self, X: Tensor, s: Sequence[Scalar]) -> Tensor:
        """The place, in a matrix with one row an interval, of the interval and column of each element."""
        n = self.shape(X)[1]
        return self._intervals(X, steps.points(s, self.dtype)) * n + self.tf.range(n)

    def _intervals(self, X: Tensor, points: steps.GridPoints) -> Tensor:
        """The number of grid points below each element."""
        if not points.even:
            return self.tf.reshape(self.tf.searchsorted(points.values, self.tf.reshape(X, [-1])), self.tf.shape(X))
        inside = self.tf.clip_by_value(self.tf.where(X == X, X, points.first), points.first, points.last)
        nearest = self.tf.cast(self.tf.round((inside - points.first) * points.per_unit), "int32")
        return nearest + self.tf.cast(self.tf.gather(points.values, nearest) < X, "int32")
