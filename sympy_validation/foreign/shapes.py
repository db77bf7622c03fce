"""Permuting, regrouping and repeating axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd
from typing import Any

import numpy as np

from sympy_validation.all_sizes.symbols import Index
from sympy_validation.foreign.errors import ShapesDiffer, SizeNeeded
from sympy_validation.foreign.recorded import operation
from sympy_validation.foreign.reductions import Reductions
from sympy_validation.foreign.sizes import Dim, Factor, Factors, dim, form_of, merged, undim
from sympy_validation.foreign.tensor import Storage, View, axis_indices, int_shape, renamed


def as_shape(shape: Sequence[Any]) -> tuple[Any, ...]:
    """The sizes, which may be given as one tuple."""
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else tuple(shape)


def permuted(array: Any, dims: Sequence[Factors], order: Sequence[int]) -> Any:
    """The array with its axes in another order."""
    groups, at = [], 0
    for factors in dims:
        n = len(int_shape([factors]))
        groups.append(list(range(at, at + n)))
        at += n
    renaming: dict[Index, Index] = {}
    for new, old in enumerate(order):
        renaming.update(zip(axis_indices(old, dims[old]), axis_indices(new, dims[old]), strict=True))
    return renamed(np.transpose(array, [n for old in order for n in groups[old]]), renaming)


class Shapes(Reductions):
    """Operations that move elements and do not change them."""

    @operation
    def permute(self, *order: Any) -> Any:
        """Its axes in another order."""
        order = tuple(self.axis(a) for a in as_shape(order))
        if sorted(order) != list(range(self.ndim)):
            raise ShapesDiffer(f"{order} is not an order of the axes of the shape {self.shape}")
        back, dims = [order.index(k) for k in range(self.ndim)], [self.dims[k] for k in order]
        view = View(self, lambda base: permuted(base, self.dims, order), lambda new: permuted(new, dims, back))
        return Storage.make(dims, permuted(self.array, self.dims, order), view)

    def swapaxes(self, a: Any, b: Any) -> Any:
        """Two axes exchanged."""
        order = list(range(self.ndim))
        a, b = self.axis(a), self.axis(b)
        order[a], order[b] = b, a
        return self.permute(*order)

    @property
    def T(self) -> Any:
        """All axes in the opposite order."""
        return self.permute(*reversed(range(self.ndim))) if self.ndim else self

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.swapaxes(-1, -2)

    @operation
    def reshape(self, *shape: Any) -> Any:
        """Its elements, in their order, in another shape."""
        sizes = as_shape(shape)
        dims = [merged(factors) for factors in regrouped(self, sizes)]
        certain = self.view_of is None
        view = View(self, None, None)
        if certain:
            view = View(self, lambda base: moved(base, self.dims, dims), lambda new: moved(new, dims, self.dims))
        return Storage.make(dims, moved(self.array, self.dims, dims), view)

    @operation
    def expand(self, *shape: Any) -> Any:
        """Repeated along axes of length 1, and along new ones in front."""
        sizes = as_shape(shape)
        offset = len(sizes) - self.ndim
        if offset < 0:
            raise ShapesDiffer(f"{self.shape} cannot be repeated to {sizes}")
        keep = [isinstance(size, int) and size == -1 for size in sizes]
        dims = [
            self.dims[k - offset] if k >= offset and (keep[k] or self.dims[k - offset]) else dim(size).factors
            for k, size in enumerate(sizes)
        ]
        for k, size in enumerate(sizes):
            if not keep[k] and dim(undim(dims[k])).form != dim(size).form:
                raise ShapesDiffer(f"{self.shape} cannot be repeated to {sizes}")
        return Storage.make(dims, self.widened(dims), View(self, lambda base: self.widened(dims), None))

    def widened(self, dims: Sequence[Factors]) -> Any:
        """The array at the indices of a larger shape, repeated."""
        return np.broadcast_to(self.aligned(dims), int_shape(dims)).copy()

    def with_axis(self, a: Any) -> Any:
        """A new axis of length 1."""
        dims = list(self.dims)
        at = int(a) % (self.ndim + 1)
        dims.insert(at, ())
        return self._regrouped(dims)

    def without_axes(self, axes: Iterable[int] | None) -> Any:
        """Without those of the axes that have length 1."""
        drop = {k for k in (range(self.ndim) if axes is None else map(self.axis, axes)) if not self.dims[k]}
        return self._regrouped([factors for k, factors in enumerate(self.dims) if k not in drop])

    def _regrouped(self, dims: Sequence[Factors]) -> Any:
        view = View(self, lambda base: moved(base, self.dims, dims), lambda new: moved(new, dims, self.dims))
        return Storage.make(dims, moved(self.array, self.dims, dims), view)


def moved(array: Any, old: Sequence[Factors], new: Sequence[Factors]) -> Any:
    """The array of a tensor whose factors, in their order, are grouped to other axes."""
    before = [i for k, factors in enumerate(old) for i in axis_indices(k, factors)]
    after = [i for k, factors in enumerate(new) for i in axis_indices(k, factors)]
    return renamed(array.reshape(int_shape(new)), dict(zip(before, after, strict=True)))


def regrouped(x: Any, shape: Sequence[Any]) -> list[Factors]:
    """The axes of the new shape, each with its factors."""
    source: list[Factor] = [factor for factors in x.dims for factor in factors]
    unknown = [k for k, size in enumerate(shape) if isinstance(size, int) and size == -1]
    if len(unknown) > 1:
        raise ShapesDiffer("a reshape with two sizes of -1")
    end = unknown[0] if unknown else len(shape)
    dims = [_take(source, size, x, shape) for size in shape[:end]]
    if not unknown:
        if source:
            raise ShapesDiffer(f"a reshape of {x.shape} to {tuple(shape)}")
        return dims
    backwards = source[::-1]
    tail = [_take(backwards, size, x, shape)[::-1] for size in reversed(shape[end + 1 :])]
    return [*dims, tuple(backwards[::-1]), *tail[::-1]]


def _take(source: list[Factor], size: Any, x: Any, shape: Sequence[Any]) -> Factors:
    """The next factors whose product is the size; an int may be split."""
    want, found = dim(size), list[Factor]()
    missing = [f for f in want.factors if not isinstance(f, int)]
    number = undim(f for f in want.factors if isinstance(f, int))
    while missing or number > 1:
        if not source:
            raise ShapesDiffer(f"a reshape of {x.shape} to {tuple(shape)}")
        factor = source.pop(0)
        if isinstance(factor, int):
            common = gcd(factor, number)
            if common == 1 or (factor % number and number % factor):
                words = f"a reshape of {x.shape} to {tuple(shape)}: the factors do not stand in this order"
                if all(isinstance(f, int) for factors in x.dims for f in factors):
                    raise ShapesDiffer(words)
                raise SizeNeeded({name for s in x.shape if isinstance(s, Dim) for name in s.names()}, words)
            found.append(common)
            number //= common
            if factor != common:
                source.insert(0, factor // common)
        elif factor in missing:
            missing.remove(factor)
            found.append(factor)
        else:
            whole = form_of(x.dims and [f for factors in x.dims for f in factors]) == form_of(
                [f for s in shape if s != -1 for f in dim(s).factors]
            )
            words = f"a reshape of {x.shape} to {tuple(shape)}: state the sizes as products, in the order of their numbering"
            if whole or -1 in [s for s in shape if isinstance(s, int)]:
                raise SizeNeeded({name for s in (*x.shape, *shape) if isinstance(s, Dim) for name in s.names()}, words)
            raise ShapesDiffer(words)
    return tuple(found)
