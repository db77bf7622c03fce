"""Tensors of PyTorch, with the methods that a user's code calls."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import windows
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.keywords import plain
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.shapes import as_shape
from sympy_validation.foreign.sizes import dim as size_of
from sympy_validation.foreign.tensor import Storage, View


class TorchTensor(Products):
    """A tensor of PyTorch."""

    scalars_are_memory = True
    dtype: ClassVar[Any]
    device: ClassVar[Any]
    requires_grad = True
    is_cuda = False
    grad = None

    def size(self, d: Any = None) -> Any:
        """The shape, or one size."""
        return self.shape if d is None else self.shape[d]

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def numel(self) -> Any:
        """The number of elements."""
        return self.elements

    def sum(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        return super().sum(*_axes(axes, keepdims, plain(given)))

    def mean(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        return super().mean(*_axes(axes, keepdims, plain(given)))

    def var(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        given = plain(given)
        if axes and isinstance(axes[-1], bool) and "unbiased" not in given and len(axes) in (1, 2):
            given["unbiased"], axes = axes[-1], axes[:-1]
        ddof = given.pop("correction", given.pop("ddof", int(given.pop("unbiased", True))))
        return super().var(*_axes(axes, keepdims, given), ddof)

    def std(self, *axes: Any, **given: Any) -> Any:
        """The root of the variance."""
        return self.var(*axes, **given).sqrt()

    def max(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        return self._extreme("max", axes, keepdims, plain(given))

    def min(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        return self._extreme("min", axes, keepdims, plain(given))

    def _extreme(self, name: str, axes: Any, keepdims: bool, given: dict[str, Any]) -> Any:
        base = getattr(Products, name)
        if axes and isinstance(axes[0], Storage):
            return getattr(self, name + "imum")(axes[0])
        if name == "min":
            return _Extreme(-Products.max(-self, *_axes(axes, keepdims, given)), axes or given)
        return _Extreme(base(self, *_axes(axes, keepdims, given)), axes or given)

    def amax(self, *axes: Any, keepdims: bool = False, **given: Any) -> Any:
        """The largest elements."""
        return Products.max(self, *_axes(axes, keepdims, plain(given)))

    def transpose(self, a: Any, b: Any) -> Any:
        """Two axes exchanged."""
        return self.swapaxes(a, b)

    def t(self) -> Any:
        """The transpose of a matrix."""
        return self.T

    def view(self, *shape: Any) -> Any:
        """In another shape, in the same memory."""
        shape = as_shape(shape)
        return self.reshape(*shape)

    def flatten(self, first: int = 0, last: int = -1, **given: Any) -> Any:
        """Neighbouring axes as one."""
        a, b = self.axis(given.get("start_dim", first)), self.axis(given.get("end_dim", last))
        return self.reshape(*self.shape[:a], f.product_of_all(self.shape[a : b + 1]), *self.shape[b + 1 :])

    def squeeze(self, axis: Any = None, **given: Any) -> Any:
        """Without axes of length 1."""
        axis = given.get("dim", axis)
        return self.without_axes(None if axis is None else axis if isinstance(axis, tuple) else (axis,))

    def expand_as(self, y: Any) -> Any:
        """Repeated to the shape of another."""
        return self.expand(*y.shape)

    def view_as(self, y: Any) -> Any:
        """In the shape of another."""
        return self.reshape(*y.shape)

    reshape_as = view_as

    def sum_to_size(self, *shape: Any) -> Any:
        """The sum over what was repeated."""
        return summed_to(self, [size_of(s).factors for s in as_shape(shape)])

    def dtype_cast(self, *kinds: Any, **given: Any) -> Any:
        """A cast or a move to a device: in real arithmetic the same."""
        return f.narrow(self) if "float32" in str(kinds) + str(given) or "half" in str(kinds) else self

    def contiguous(self, *_: Any, **__: Any) -> Any:
        """Itself or, as the memory is laid out, a copy."""
        return Storage.make(self.dims, self.array, View(self, None, None)) if self.view_of else self

    def masked_fill(self, mask: Any, value: Any) -> Any:
        """A value where the mask holds."""
        return Storage.of(mask).where(value, self)

    def masked_fill_(self, mask: Any, value: Any) -> Any:
        """A value where the mask holds, in place."""
        return self.assign(self.masked_fill(mask, value))

    def gather(self, dim: Any, index: Any) -> Any:
        """The elements with an index along one axis."""
        return f.take_along(self, index, dim)

    def scatter_add_(self, dim: Any, index: Any, value: Any) -> Any:
        """Adds at an index along one axis."""
        return self.assign(self + f.put_along(self, index, dim, value)[1])

    def scatter_(self, dim: Any, index: Any, value: Any) -> Any:
        """Writes at an index along one axis."""
        one, new = f.put_along(self, index, dim, value)
        return self.assign(self * (1 - one) + new)

    def scatter(self, dim: Any, index: Any, value: Any) -> Any:
        """A copy with values at an index."""
        return self.copy().scatter_(dim, index, value)

    def scatter_add(self, dim: Any, index: Any, value: Any) -> Any:
        """A copy with values added at an index."""
        return self.copy().scatter_add_(dim, index, value)

    def index_add_(self, dim: Any, index: Any, value: Any) -> Any:
        """Adds at an index along an axis, as often as it occurs."""
        self.increase_at((slice(None),) * self.axis(dim) + (index,), value)
        return self

    def index_select(self, dim: Any, index: Any) -> Any:
        """The parts with an index."""
        return self[(slice(None),) * self.axis(dim) + (index,)]

    def narrow(self, axis: Any, start: Any, length: Any) -> Any:
        """A slice of an axis."""
        return self.sliced(self.axis(axis), slice(start, start + length))

    def split(self, length: Any, dim: int = 0) -> Any:
        """Parts of this length, or of these lengths."""
        if isinstance(length, (list, tuple)):
            return f.parts_of(self, length, dim)
        n = self.shape[self.axis(dim)] // length
        return f.equal_parts(self, n, dim)

    def chunk(self, n: int, dim: int = 0) -> Any:
        """As many parts of one length."""
        return f.equal_parts(self, n, dim)

    def unbind(self, dim: int = 0) -> Any:
        """The parts along an axis."""
        a = self.axis(dim)
        return tuple(self.element(a, k) for k in range(self.shape[a].__index__()))

    def norm(self, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
        """The norm of all, or along an axis."""
        return f.norm(self, p, dim, keepdim)

    def tensor_split(self, n: int, dim: int = 0) -> Any:
        """As many parts of one length."""
        return f.equal_parts(self, n, dim)

    def repeat(self, *times: Any) -> Any:
        """The whole several times."""
        return f.tiled(self, as_shape(times))

    def repeat_interleave(self, times: Any, dim: Any = None) -> Any:
        """Each element several times."""
        return f.repeated(self, times, dim)

    def new_zeros(self, *shape: Any, **_: Any) -> Any:
        """Zeros."""
        return f.filled(as_shape(shape), 0)

    def new_ones(self, *shape: Any, **_: Any) -> Any:
        """Ones."""
        return f.filled(as_shape(shape), 1)

    def zero_(self) -> Any:
        """0 everywhere."""
        return self.assign(f.filled_like(self, 0))

    def fill_(self, value: Any) -> Any:
        """One value everywhere."""
        return self.assign(f.filled_like(self, value))

    def copy_(self, x: Any, *_: Any) -> Any:
        """The values of another."""
        return self.assign(x)

    def diag(self) -> Any:
        """The diagonal, or a diagonal matrix."""
        return f.diagonal(self)

    def item(self) -> Any:
        """The one element."""
        return self.reshape(())

    def masked_select(self, *_: Any) -> Any:
        """A part whose length depends on the data."""
        raise NotCaptured("masked_select: the number of elements depends on the data")

    def backward(self, *_: Any) -> Any:
        """Automatic differentiation inside of the code."""
        raise NotCaptured("automatic differentiation inside of the code")

    def unfold(self, dimension: Any, size: Any, step: Any) -> Any:
        """Windows of an axis, whose elements stand along a new last axis."""
        return windows.frozen(windows.windows(self, [self.axis(dimension)], [size], step), self)

    def stride(self, d: Any = None) -> Any:
        """The distances in memory of neighbours, which only serve to make windows."""
        found = tuple(windows.Stride(k) for k in range(self.ndim))
        return found if d is None else found[d]

    def as_strided(self, size: Any, stride: Any) -> Any:
        """Windows by the distances in memory."""
        return windows.by_strides(self, size, stride)

    def __len__(self) -> int:
        return operator.index(self.shape[0])

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))


class _Extreme:
    """What max gives along an axis: the values, and indices that are not captured. Without an axis it is the value."""

    def __new__(cls, values: Any, along: Any) -> Any:
        if not along:
            return values
        self = super().__new__(cls)
        self.values = values
        return self

    values: Any

    @property
    def indices(self) -> Any:
        """The places of the largest elements."""
        raise NotCaptured("the places of the largest elements")

    def __iter__(self) -> Any:
        return iter((self.values, None))

    def __getitem__(self, k: int) -> Any:
        return self.values if k == 0 else self.indices


def _axes(axes: Any, keepdims: bool, given: dict[str, Any]) -> tuple[Any, bool]:
    """The axes and whether they are kept, from what stands in a call."""
    axes = list(axes)
    if len(axes) > 1 and isinstance(axes[-1], bool):
        keepdims = axes.pop()
    axis: Any = given.get("axis", (axes[0] if len(axes) == 1 else tuple(axes)) if axes else None)
    return axis, given.get("keepdims", keepdims)


def summed_to(x: Any, dims: Any) -> Any:
    """The sum over the axes along which a tensor of these dims was repeated."""
    extra = x.ndim - len(dims)
    axes = [k for k in range(x.ndim) if k < extra or (not dims[k - extra] and x.dims[k])]
    return x.sum(tuple(axes), keepdims=True).without_axes(range(extra)) if axes else x
