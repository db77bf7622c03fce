"""The elements of a tensor with some indices: reading them, and putting others in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Index, fresh, is_number, number_index
from sympy_validation.all_sizes.terms import ONE, ZERO, combination
from sympy_validation.foreign.labels import Labels, index_of
from sympy_validation.foreign.sizes import Factors
from sympy_validation.foreign.tensor import Storage, as_array, axis_indices, int_shape, renamed, vectorized


def zeros(shape: tuple[int, ...]) -> Any:
    """An array of 0."""
    return np.full(shape, ZERO, dtype=object)


def put(array: Any, key: tuple[Any, ...], value: Any) -> None:
    """Assigns an array of objects, or the one object of an array without axes."""
    array[key] = value if value.ndim else value[()]


class Gather:
    """The elements of a tensor with some indices along neighbouring axes."""

    def __init__(self, dims: Sequence[Factors], first: int, labels: Sequence[Labels]) -> None:
        self.dims, self.first, self.labels = list(dims), first, labels
        self.axes = Storage.joint(*(x.behind for x in labels))
        last = first + len(labels)
        self.result = [*self.dims[:first], *self.axes, *self.dims[last:]]
        # The indices of the labels stand in terms of the axes of the result.
        full = [*self.axes, *[()] * (len(self.dims) - last)]
        self.targets = list[Any]()
        for x in labels:
            wide = Storage.make([*x.dims, *[()] * (len(self.dims) - last)], x.behind.array)
            array: Any = np.broadcast_to(wide.aligned([*[()] * first, *full]), int_shape(self.axes))
            self.targets.append(array)

    def _kept(self) -> dict[Index, Index]:
        """The indices of the other axes: those of the tensor, and those of the result."""
        moves: dict[Index, Index] = {}
        last, shift = self.first + len(self.labels), len(self.axes) - len(self.labels)
        for k, factors in enumerate(self.dims):
            if not self.first <= k < last:
                moves.update(zip(axis_indices(k, factors), axis_indices(k + shift * (k >= last), factors), strict=True))
        return moves

    def _sizes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        last = self.first + len(self.labels)
        return int_shape(self.dims[: self.first]), int_shape(self.axes), int_shape(self.dims[last:])

    def get(self, array: Any) -> Any:
        """The elements, at the indices of the result."""
        before, middle, after = self._sizes()
        result = np.empty((*before, *middle, *after), dtype=object)
        for at in np.ndindex(middle):
            targets = [index_of(t[at]) for t in self.targets]
            put(result, (slice(None),) * len(before) + at, self._picked(array, targets, len(before)))
        return result

    def _picked(self, array: Any, targets: list[Index], p: int) -> Any:
        """The elements at one index for each axis."""
        renaming = self._kept()
        for k, (x, target) in enumerate(zip(self.labels, targets, strict=True)):
            if isinstance(x.size, int):
                if x.size == 1:
                    continue
                if is_number(target):
                    array = as_array(np.take(array, int(target.name[1:]), axis=p))
                else:
                    parts = [
                        vectorized(
                            lambda P, n=n, target=target, x=x: multiply(sums.delta(target, number_index(n, x.size)), P),
                            as_array(np.take(array, n, axis=p)),
                        )
                        for n in range(x.size)
                    ]
                    array = vectorized(lambda *Ps: combination((P, 1) for P in Ps), *parts)
            else:
                renaming[axis_indices(self.first + k, (x.size,))[0]] = target
        return renamed(array, renaming)

    def spread(self, array: Any) -> Any:
        """Σ over the result of its elements, each at its place in the tensor."""
        before, middle, _ = self._sizes()
        own = [i for k, factors in enumerate(self.axes) for i in axis_indices(self.first + k, factors)]
        bound = {i: fresh(i.size) for i in own}
        back = {new: old for old, new in self._kept().items()} | bound
        total = zeros(int_shape(self.dims))
        for at in np.ndindex(middle):
            part = renamed(as_array(array[(slice(None),) * len(before) + at]), back)
            deltas = [(x, index_of(t[at])) for x, t in zip(self.labels, self.targets, strict=True)]
            total = vectorized(lambda a, b: a + b, total, self._placed(part, deltas, bound, len(before)))
        return total

    def _placed(self, part: Any, deltas: Any, bound: dict[Index, Index], p: int) -> Any:
        shape = [x.size for x, _ in deltas if isinstance(x.size, int) and x.size > 1]
        result = np.empty((*part.shape[:p], *shape, *part.shape[p:]), dtype=object)
        for numbers in np.ndindex(*shape):
            known = iter(numbers)
            factors = []
            for k, (x, target) in enumerate(deltas):
                target = index_of(sums.substitute(sums.delta(target, Index("?", x.size)), bound)) if x.size != 1 else target
                if not isinstance(x.size, int):
                    factors.append(sums.delta(axis_indices(self.first + k, (x.size,))[0], target))
                elif x.size > 1:
                    factors.append(sums.delta(number_index(next(known), x.size), target))
            one = multiply(ONE, *factors)
            placed = vectorized(lambda P, one=one: sums.sum_over(multiply(one, P), list(bound.values())), part)
            put(result, (slice(None),) * p + numbers, placed)
        return result
