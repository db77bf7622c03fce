"""Tensors of indices: positions (arange) and integer inputs such as labels; and the masks that comparisons of these give.

The elements of the tensor behind are δ(index, mark): so an index moves as an element does, and is renamed where it stands.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes import powers, sums
from sympy_validation.all_sizes.symbols import UNIT, Index, Lookup, is_number, number_index
from sympy_validation.all_sizes.terms import ONE, ZERO, Delta, Entry, Polynomial, only
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.sizes import Factor, Factors, dim
from sympy_validation.foreign.tensor import Storage, axis_indices, int_shape, places, vectorized


def mark(size: Factor) -> Index:
    """The index that stands beside the one that is meant."""
    return Index("?", size)


def index_of(P: Polynomial) -> Index:
    """The index that an element of the tensor behind stands for."""
    if P == ONE:
        return UNIT
    (delta,) = P.atoms
    assert isinstance(delta, Delta)
    return delta.i if delta.j.name == "?" else delta.j


def below(row: Index, column: Index, k: int) -> Polynomial:
    """[column <= row + k], as an arbitrary mask for each k and pair of sizes."""
    if (is_number(row) and is_number(column)) or (UNIT in (row, column) and isinstance(row.size, int) and isinstance(column.size, int)):
        return ONE if _number(column) <= _number(row) + k else ZERO
    if isinstance(row, Lookup) or isinstance(column, Lookup):
        raise NotCaptured("an order of labels")
    if row == column:
        return ONE if k >= 0 else ZERO
    variable = Current.run.fixed_map(f"below{k}", row.size, column.size, lambda _, m, n: 1 - 2 * np.tri(m, n, k))
    return powers.indicator(only(Entry(variable, row, column)))


def _number(index: Index) -> int:
    return 0 if index == UNIT else int(index.name[1:])


def _as_number(name: str) -> Any:
    """The method of an index that counts as the number that it is."""
    return lambda self, *others: getattr(self.as_tensor(), name)(*others)


class Labels:
    """A tensor whose elements are indices of an axis of one size."""

    __array_ufunc__ = None

    def __init__(self, behind: Any, size: Factor, distinct: bool = False) -> None:
        self.behind, self.size, self.distinct = behind, size, distinct

    @property
    def dims(self) -> tuple[Factors, ...]:
        """Its axes."""
        dims: tuple[Factors, ...] = self.behind.dims
        return dims

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes as the user's code sees them."""
        shape: tuple[Any, ...] = self.behind.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.dims)

    def moved(self, f: Callable[[Any], Any]) -> Labels:
        """Its elements at other places."""
        return Labels(f(self.behind), self.size, self.distinct)

    def indices(self, dims: Sequence[Factors]) -> Any:
        """The elements as polynomials in terms of the axes of a larger shape."""
        return np.broadcast_to(self.behind.aligned(dims), int_shape(dims))

    def __getitem__(self, key: Any) -> Labels:
        return self.moved(lambda x: x[key])

    def one_hot(self, size: Any = None) -> Any:
        """1 at the index, 0 elsewhere, along a new last axis."""
        if size is not None and not (isinstance(size, int) and size == -1) and dim(size).form != dim(self.size).form:
            raise ShapesDiffer(f"a one-hot of length {size} for an index below {dim(self.size)}")
        dims = [*self.dims, dim(self.size).factors]
        array = self.behind.with_axis(self.ndim).aligned(dims)
        if isinstance(self.size, int):
            parts = [vectorized(lambda P, k=k: sums.delta(index_of(P), number_index(k, self.size)), array) for k in range(self.size)]
            return Storage.make(dims, np.stack(parts, axis=-1).reshape(int_shape(dims)))
        own = axis_indices(self.ndim, (self.size,))[0]
        return Storage.make(dims, vectorized(lambda P: sums.delta(index_of(P), own), array))

    def reshape(self, *shape: Any) -> Labels:
        """Its elements in another shape."""
        return self.moved(lambda x: x.reshape(*shape))

    view = reshape

    def flatten(self, *_: Any) -> Labels:
        """One axis."""
        return self.reshape(-1)

    ravel = flatten

    def unsqueeze(self, axis: int) -> Labels:
        """A new axis of length 1."""
        return self.moved(lambda x: x.with_axis(axis))

    def squeeze(self, *axes: int) -> Labels:
        """Without axes of length 1."""
        return self.moved(lambda x: x.without_axes(axes or None))

    def same(self, *_: Any, **__: Any) -> Labels:
        """What changes no value."""
        return self

    astype = to = long = type = copy = clone = detach = contiguous = same

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotCaptured("an index in the hands of NumPy itself")

    def numel(self) -> Any:
        """The number of elements."""
        return self.behind.elements

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def _other(self, other: Any) -> Any:
        """A number as an index; None if it is none of this size."""
        if isinstance(other, Labels):
            return other
        if not isinstance(other, int) or isinstance(other, bool):
            raise NotCaptured("a comparison of an index with something that is none")
        if other < 0 or (isinstance(self.size, int) and other >= self.size):
            return None
        if other and not isinstance(self.size, int):
            raise SizeNeeded([str(self.size)], f"a comparison of an index with the number {other}")
        return Labels(Storage.make((), sums.delta(number_index(other, self.size), mark(self.size))), self.size)

    def _compare(self, other: Any, f: Callable[[Index, Index], Polynomial]) -> Any:
        dims = Storage.joint(self.behind, other.behind)
        arrays = (self.indices(dims), other.indices(dims))
        return Storage.make(dims, vectorized(lambda P, Q: f(index_of(P), index_of(Q)), *arrays))

    def __eq__(self, other: object) -> Any:
        found = self._other(other)
        return Storage.of(0) if found is None else self._compare(found, sums.delta)

    def __ne__(self, other: object) -> Any:
        return 1 - (self == other)

    def __ge__(self, other: Any) -> Any:
        if isinstance(other, int) and other <= 0:
            return Storage.of(1)
        found = self._other(other)
        return Storage.of(0) if found is None else self._compare(found, lambda i, j: below(i, j, 0))

    def __lt__(self, other: Any) -> Any:
        return 1 - (self >= other)

    def __le__(self, other: Any) -> Any:
        found = self._other(other)
        return Storage.of(int(other >= 0)) if found is None else self._compare(found, lambda i, j: below(j, i, 0))

    def __gt__(self, other: Any) -> Any:
        return 1 - (self <= other)

    __hash__ = object.__hash__

    def __len__(self) -> int:
        return operator.index(self.shape[0])

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def __index__(self) -> int:
        if not self.ndim and is_number(index_of(self.behind.array[()])):
            return _number(index_of(self.behind.array[()]))
        raise NotCaptured("the value of an index as a number")

    __int__ = __index__

    def as_tensor(self) -> Any:
        """An index with a known number as this; any other is no number of a formula."""
        found = [index_of(P) for _, P in self.behind.elements_in_order()]
        if all(is_number(i) or i == UNIT for i in found):
            array = np.array([_number(i) for i in found]).reshape(self.behind.array.shape)
            return Storage.make(self.dims, vectorized(lambda c: Storage.of(int(c)).array[()], array))
        raise SizeNeeded(
            dim(self.size).names() if not any(isinstance(i, Lookup) for i in found) else [], "an index as a number of a formula"
        )

    __add__, __radd__, __mul__, __rmul__ = map(_as_number, ("__add__", "__radd__", "__mul__", "__rmul__"))
    __sub__, __rsub__, __truediv__, __pow__ = map(_as_number, ("__sub__", "__rsub__", "__truediv__", "__pow__"))
    __rtruediv__, __rpow__, __neg__ = map(_as_number, ("__rtruediv__", "__rpow__", "__neg__"))


setattr(Labels, "int", Labels.same)  # noqa: B010 - in the class it would hide the type


def positions(n: Any) -> Labels:
    """0, 1, ..., n - 1."""
    factors = dim(n).factors
    if len(factors) > 1:
        raise SizeNeeded(dim(n).names(), f"the positions of the product {dim(n)}")
    size = factors[0] if factors else 1
    if isinstance(size, int):
        array = np.array([sums.delta(number_index(k, size), mark(size)) for k in range(size)], dtype=object)
        return Labels(Storage.make([factors], array if size > 1 else array[0]), size, distinct=True)
    return Labels(Storage.make([factors], sums.delta(axis_indices(0, factors)[0], mark(size))), size, distinct=True)


def numbered(values: Any, size: Factor) -> Labels:
    """Known numbers as indices of an axis of this size."""
    array = np.asarray(values)
    if not isinstance(size, int) and (array != 0).any():
        raise SizeNeeded([str(size)], "elements of an axis by their numbers")
    deltas = vectorized(lambda k: sums.delta(number_index(int(k) % size if isinstance(size, int) else 0, size), mark(size)), array)
    dims = [(n,) for n in array.shape]
    return Labels(
        Storage.make(dims, deltas.reshape(int_shape([tuple(f for f in d if f > 1) for d in dims]))),
        size,
        len(set(array.flat)) == array.size,
    )


def label_input(name: str, dims: Sequence[Factors], size: Factor) -> Labels:
    """An integer input: any indices below the size."""
    array = vectorized(lambda at: sums.delta(Lookup(name, at.indices, size), mark(size)), places(dims))
    return Labels(Storage.make(dims, array), size)
