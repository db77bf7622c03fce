"""NumPy's functions that write into memory that is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backends.plan.program import Call, Cell, Kernels
from backends.plan.rewrites import BY_CELL_INDEX
from nerva_core.algebra.memory import on_cache_line
from nerva_core.algebra.numeric_backend import Backend

if TYPE_CHECKING:
    from backends.numpy import NumpyBackend

Array = Any

UFUNCS: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "hadamard": np.multiply,
    "negate": np.negative,
    "divide": np.divide,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "arctan": np.arctan,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "abs": np.absolute,
    "sign": np.sign,
}
"""Operations that are one function of NumPy with the same arguments."""

LATTICE: dict[str, Any] = {"maximum": np.maximum, "minimum": np.minimum}
"""Those that take ``out`` by its name only."""

COMPARISONS: dict[str, Any] = {"less": np.less, "less_equal": np.less_equal, "equal": np.equal}

REDUCTIONS: dict[str, tuple[Any, int]] = {
    "columns_sum": (np.add.reduce, -2),
    "rows_sum": (np.add.reduce, -1),
    "rows_max": (np.maximum.reduce, -1),
}


class NumpyKernels(Kernels):
    """Calls of NumPy."""

    backend: NumpyBackend
    elementwise = frozenset({*UFUNCS, *LATTICE, *COMPARISONS, "scale", "reciprocal"})

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._booleans: dict[int, Array] = {}

    def empty(self, count: int, dtype: Any) -> Array:
        return on_cache_line((count,), dtype)

    def exclusive(self, array: Array, others: Sequence[Array]) -> Array:
        flags = array.flags
        if flags.writeable and flags.c_contiguous and flags.aligned and not any(np.may_share_memory(array, other) for other in others):
            return array
        return array.copy()

    def calls(self, name: str, arguments: tuple[Any, ...], out: Array) -> list[Call]:
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        if name not in BY_CELL_INDEX and any(a.dtype != out.dtype for a in arrays if a.dtype.kind != "i"):
            return [self.plain(name, arguments, out)]
        if name in UFUNCS:
            return [partial(UFUNCS[name], *map(self._operand, arguments), out)]
        if name in LATTICE:
            return [partial(LATTICE[name], *arguments, out=out)]
        if name in REDUCTIONS:
            function, axis = REDUCTIONS[name]
            return [partial(function, arguments[0], axis, None, out, True)]
        if name in COMPARISONS:
            X, Y = arguments
            return self._compare(COMPARISONS[name], X, Y, out)
        special: Callable[..., list[Call]] | None = getattr(self, f"_{name}", None)
        return special(*arguments, out) if special else [self.plain(name, arguments, out)]

    def copy(self, source: Array, target: Array) -> Call:
        return partial(np.copyto, target, source)

    def loader(self, target: Array) -> Callable[[Array], Any]:
        return partial(np.copyto, target, casting="same_kind")

    def collector(self, outputs: list[Array], steps: int) -> tuple[Callable[[int], Any], Callable[[], Array]]:
        results = np.empty((steps, len(outputs)), outputs[0].dtype)

        def note(i: int) -> None:
            results[i] = [output[0, 0] for output in outputs]

        return note, lambda: results

    def _operand(self, argument: Any) -> Any:
        """An argument as an array of the backend's dtype, which NumPy reads faster than a Python number."""
        if isinstance(argument, Cell):
            return argument.array
        return np.asarray(argument, self.backend.dtype) if type(argument) in (int, float) else argument

    def _matmul(self, X: Array, Z: Array, out: Array) -> list[Call]:
        two = X.ndim == Z.ndim == 2
        return [partial(np.dot if two else np.matmul, X, Z, out)]  # of two matrices they are the same, and dot is quicker to start

    def _scale(self, c: Any, X: Array, out: Array) -> list[Call]:
        return [partial(np.multiply, X, self._operand(c), out)]

    def _reciprocal(self, X: Array, out: Array) -> list[Call]:
        return [partial(np.divide, np.asarray(1, X.dtype), X, out)]

    def _take_rows(self, X: Array, indices: Array, out: Array) -> list[Call]:
        return [partial(X.take, indices, -2, out, "clip")]  # any other mode goes through a buffer

    def _cell_index(self, X: Array, s: Sequence[float], out: Array) -> list[Call]:
        return [lambda: np.copyto(out, self.backend._cell_index(X, s))]

    def _values_at(self, J: Array, T: Array, out: Array) -> list[Call]:
        return [partial(T.reshape(-1).take, J, None, out, "clip")]

    def _sums_at(self, Y: Array, J: Array, out: Array) -> list[Call]:
        return [lambda: np.copyto(out.reshape(-1), np.bincount(J.reshape(-1), Y.reshape(-1), out.size))]

    def _compare(self, function: Any, X: Array, Y: Array, out: Array) -> list[Call]:
        condition = self._conditions(out)
        return [partial(function, X, Y, condition), partial(np.copyto, out, condition)]

    def _where(self, C: Array, X: Array, Y: Array, out: Array) -> list[Call]:
        condition, zero = self._conditions(out), np.zeros((), C.dtype)
        return [partial(np.not_equal, C, zero, condition), partial(np.copyto, out, Y), partial(np.copyto, out, X, where=condition)]

    def _conditions(self, out: Array) -> Array:
        """A matrix of booleans of the shape of ``out``; all of one size share their memory."""
        if out.size not in self._booleans:
            self._booleans[out.size] = self.empty(out.size, bool)
        return self._booleans[out.size].reshape(out.shape)
