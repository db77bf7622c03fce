"""Tensors of any order with symbolic sizes: the data, broadcasting, and views.

An axis is a tuple of factors. Factors that are ints are axes of an array; those that are sizes are indices of the polynomials in it.
So a tensor of shape (3, T, 2·A) is a 3 x 2 array of polynomials with an index for T and one for A.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import UNIT, Index, Place, Size, Variable, number_index, place_of, product_of
from sympy_validation.all_sizes.terms import ONE, Entry, Polynomial, constant, only
from sympy_validation.foreign.constants import constant_of, reading
from sympy_validation.foreign.errors import NoModel, NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.sizes import Dim, Factors, FloorSize, SumSize, count, dim, merged, undim

X = TypeVar("X", bound="Storage")


def vectorized(f: Callable[..., Any], *arrays: Any) -> Any:
    """An array of the values of f, also where the arrays have no axes."""
    return as_array(np.frompyfunc(f, len(arrays), 1)(*arrays))


def as_array(value: Any) -> Any:
    """An object array; one element as an array without axes."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def axis_indices(k: int, factors: Factors) -> list[Index]:
    """The indices of axis number k, one for each factor that is a size."""
    sizes = [factor for factor in factors if isinstance(factor, Size)]
    return [Index(f"i{k}_{n}", size) for n, size in enumerate(sizes)]


def int_shape(dims: Iterable[Factors]) -> tuple[int, ...]:
    """The shape of the array: the factors that are ints, in their order."""
    return tuple(factor for factors in dims for factor in factors if isinstance(factor, int))


def renamed(array: Any, renaming: dict[Index, Index]) -> Any:
    """The polynomials at other indices."""
    renaming = {i: k for i, k in renaming.items() if i != k}
    return vectorized(lambda P: sums.substitute(P, renaming), array) if renaming else array


@dataclass
class View:
    """How a tensor is a part of another. ``None`` where it depends on the memory whether a library gives a view or a copy."""

    base: Storage
    get: Callable[[Any], Any] | None
    """The part of the base's array."""
    spread: Callable[[Any], Any] | None
    """The part's array at its place in the base, and 0 elsewhere."""
    cover: Any = None
    """1 where the part lies in the base, and 0 elsewhere; None if it is all of it."""
    key: Any = None


class Storage:
    """The data of a tensor."""

    __array_priority__ = 1000
    __array_ufunc__ = None
    kind: ClassVar[Any]
    """The class of all tensors, with all operations."""

    def __init__(self, dims: Iterable[Iterable[Any]], array: Any, view: View | None = None) -> None:
        self.dims: tuple[Factors, ...] = tuple(merged(factors) for factors in dims)
        self._array = as_array(array)
        self.view_of = view
        self.version = 0
        self._seen = self.root.version
        self.variable: Variable | None = None
        for size in (f for factors in self.dims for f in factors if isinstance(f, (SumSize, FloorSize))):
            Current.run.sums[size.name] = size

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NoModel(f"the method or attribute .{name}")

    # Views.

    @property
    def root(self) -> Storage:
        """The tensor that owns the memory."""
        return self.view_of.base.root if self.view_of else self

    @property
    def array(self) -> Any:
        """The polynomials; of a view those that its base has now."""
        if self.view_of and self._seen != self.root.version:
            if self.view_of.get is None:
                raise NotCaptured("a value that is a view or a copy, as the memory is laid out, of something that was changed since")
            self._array = self.view_of.get(self.view_of.base.array)
            self._seen = self.root.version
        return self._array

    def write(self, array: Any) -> None:
        """Other values in the same memory; all views of it see them."""
        if self.view_of:
            new, base, cover = self._spread(array), self.view_of.base, self.view_of.cover
            if cover is not None:
                new = vectorized(lambda old, c, n: multiply(old, ONE - c) + n, base.array, cover, new)
            base.write(new)
        else:
            self.version += 1
        self._array, self._seen = as_array(array), self.root.version
        self.variable = None

    def increase(self, array: Any) -> None:
        """The sum of the values and others, in the same memory."""
        if self.view_of:
            self.view_of.base.increase(self._spread(array))
            self.array  # noqa: B018 - reads the view anew
        else:
            self.write(vectorized(lambda a, b: a + b, self._array, array))

    def _spread(self, array: Any) -> Any:
        assert self.view_of
        if self.view_of.spread is None:
            raise NotCaptured("a change in place of what is a view or a copy, as the memory is laid out, or is repeated")
        return self.view_of.spread(array)

    # Structure.

    @classmethod
    def make(cls, dims: Iterable[Iterable[Any]], array: Any, view: View | None = None) -> Any:
        """A tensor with all operations."""
        return Storage.kind(dims, array, view)

    @classmethod
    def of(cls, value: Any) -> Any:
        """A number, a size, or an array of numbers as a tensor."""
        if isinstance(value, Storage):
            return value
        if isinstance(value, Dim):
            return cls.make((), count(value.factors))
        if isinstance(value, (list, tuple)):
            return cls.stacked([cls.of(item) for item in value])
        if isinstance(value, np.generic):
            return cls.of(value.item())
        if isinstance(value, bool):
            return cls.make((), constant(int(value)))
        if isinstance(value, (int, float)) or type(value).__name__ == "Fraction":
            if condition := reading(value):
                Current.run.conditions.add(condition)
            return cls.make((), constant_of(value))
        if hasattr(value, "as_tensor"):
            return value.as_tensor()
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if hasattr(value, "shape") and hasattr(value, "tolist"):
            array = np.asarray(value)
            return cls.make([(n,) if n > 1 else () for n in array.shape], vectorized(lambda c: cls.of(c).array[()], array.squeeze()))
        raise NotCaptured(f"a {type(value).__name__} in the place of a number or an array")

    @classmethod
    def stacked(cls, parts: Sequence[Any]) -> Any:
        """Tensors of one shape along a new first axis."""
        dims = cls.joint(*parts)
        arrays = [np.broadcast_to(part.aligned(dims), int_shape(dims)) for part in parts]
        moved = [renamed(a, dict(_moves(dims, 1))) for a in arrays]
        array = np.empty((len(parts), *int_shape(dims)), dtype=object)
        for k, a in enumerate(moved):
            array[k] = a if a.ndim else a[()]
        return cls.make([(len(parts),), *dims], array if len(parts) > 1 else array[0])

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes as the user's code sees them."""
        return tuple(undim(factors) for factors in self.dims)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.dims)

    @property
    def elements(self) -> Any:
        """The number of elements."""
        return undim(f for factors in self.dims for f in factors)

    def indices(self) -> list[list[Index]]:
        """For each axis, the indices of its factors."""
        return [axis_indices(k, factors) for k, factors in enumerate(self.dims)]

    def axis(self, a: Any) -> int:
        """The number of an axis, from a number that may count from the end."""
        k = int(a)
        if not -self.ndim <= k < self.ndim:
            raise ShapesDiffer(f"axis {a} of a tensor of shape {self.shape}")
        return k % self.ndim

    def array_axes(self, k: int) -> list[int]:
        """The axes of the array that belong to an axis."""
        before = len(int_shape(self.dims[:k]))
        return list(range(before, before + len(int_shape(self.dims[k : k + 1]))))

    def aligned(self, dims: Sequence[Factors]) -> Any:
        """The array at the indices of a larger shape; its axes of length 1 are repeated by NumPy's rule."""
        offset = len(dims) - self.ndim
        renaming, shape, ints = dict[Index, Index](), list[int](), iter(self.array.shape)
        for k, factors in enumerate(dims):
            own = self.dims[k - offset] if k >= offset else ()
            if own and own != factors:
                raise ShapesDiffer(f"the shapes {self.shape} and {tuple(undim(d) for d in dims)} do not fit")
            for _ in int_shape([factors]):
                shape.append(next(ints) if own else 1)
            if own:
                renaming.update(zip(axis_indices(k - offset, own), axis_indices(k, own), strict=True))
        return renamed(as_array(self.array).reshape(shape), renaming)

    @staticmethod
    def joint(*tensors: Any) -> list[Factors]:
        """The shape to which all are broadcast."""
        n = max(x.ndim for x in tensors)
        dims: list[Factors] = [()] * n
        for x in tensors:
            for k, factors in enumerate(x.dims, start=n - x.ndim):
                if dims[k] and factors and dims[k] != factors:
                    same = dim(undim(dims[k])).form == dim(undim(factors)).form
                    shapes = " and ".join(str(y.shape) for y in tensors)
                    if same:
                        raise SizeNeeded(dim(undim(factors)).names(), f"axes of one length that are numbered in two ways: {shapes}")
                    raise ShapesDiffer(f"the shapes {shapes} do not fit")
                dims[k] = dims[k] or factors
        return dims

    def elements_in_order(self) -> Iterator[tuple[tuple[int, ...], Polynomial]]:
        """The polynomials with their numbers in the array."""
        for at in itertools.product(*map(range, self.array.shape)):
            yield at, self.array[at]


def _moves(dims: Sequence[Factors], by: int) -> Iterator[tuple[Index, Index]]:
    for k, factors in enumerate(dims):
        yield from zip(axis_indices(k, factors), axis_indices(k + by, factors), strict=True)


def elementwise(f: Callable[..., Polynomial], *operands: Any) -> Any:
    """f of the elements of broadcast operands."""
    tensors = [Storage.of(x) for x in operands]
    dims = Storage.joint(*tensors)
    return Storage.make(dims, vectorized(f, *(x.aligned(dims) for x in tensors)))


@dataclass(frozen=True)
class IndexList:
    """Indices that NumPy takes as one element."""

    indices: list[Index]


def places(dims: Sequence[Factors]) -> Any:
    """For each element of the array, the place with one index for every factor."""
    shape = int_shape(dims)
    result = np.empty(shape, dtype=object)
    for at in itertools.product(*map(range, shape)):
        numbers = iter(zip(at, shape, strict=True))
        place: list[Index] = []
        for k, factors in enumerate(dims):
            symbolic = iter(axis_indices(k, factors))
            place += [number_index(*next(numbers)) if isinstance(factor, int) else next(symbolic) for factor in factors]
        result[at] = IndexList(place)
    return result


def place(indices: Sequence[Index]) -> Place:
    """The row of a variable with these indices of its factors."""
    return place_of(list(indices))


def variable_tensor(name: str, dims: Sequence[Factors], *, positive: bool = False, fixed: bool = False) -> Any:
    """An input of the code: arbitrary numbers."""
    dims = [merged(factors) for factors in dims]
    flat = [factor for factors in dims for factor in factors]
    variable = Variable(name, product_of(*flat), 1, positive, fixed=fixed)
    tensor = Storage.make(dims, vectorized(lambda at: only(Entry(variable, place(at.indices), UNIT)), places(dims)))
    tensor.variable = variable
    if positive:
        Current.run.conditions.add(f"{name} > 0")
    return tensor


Dim.is_made_a_tensor_by(lambda size: Storage.of(size))
