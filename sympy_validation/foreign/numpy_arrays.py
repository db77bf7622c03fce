"""Arrays of NumPy, with the methods that a user's code calls."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import windows
from sympy_validation.foreign.keywords import plain
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.shapes import as_shape


class NumpyTensor(Products):
    """An array of NumPy."""

    dtype = np.dtype(float)

    @property
    def size(self) -> Any:
        """The number of elements."""
        return self.elements

    @property
    def strides(self) -> tuple[windows.Stride, ...]:
        """The distances in memory of neighbours, which only serve to make windows."""
        return tuple(windows.Stride(k) for k in range(self.ndim))

    def _reduced(self, name: str, axis: Any, keepdims: bool, given: dict[str, Any]) -> Any:
        return getattr(super(), name)(axis, keepdims, **{k: v for k, v in plain(given).items() if k == "ddof"})

    def sum(self, axis: Any = None, keepdims: bool = False, **given: Any) -> Any:
        return self._reduced("sum", axis, keepdims, given)

    def mean(self, axis: Any = None, keepdims: bool = False, **given: Any) -> Any:
        return self._reduced("mean", axis, keepdims, given)

    def var(self, axis: Any = None, keepdims: bool = False, ddof: Any = 0, **given: Any) -> Any:
        return self._reduced("var", axis, keepdims, given | {"ddof": ddof})

    def max(self, axis: Any = None, keepdims: bool = False, **given: Any) -> Any:
        return self._reduced("max", axis, keepdims, given)

    def min(self, axis: Any = None, keepdims: bool = False, **given: Any) -> Any:
        return self._reduced("min", axis, keepdims, given)

    def std(self, axis: Any = None, keepdims: bool = False, **given: Any) -> Any:
        """The root of the variance."""
        return self.var(axis, keepdims, **given).sqrt()

    def transpose(self, *order: Any) -> Any:
        """Its axes in another order, or in the opposite one."""
        order = as_shape(order)
        return self.permute(*order) if order and order != (None,) else self.T

    def astype(self, kind: Any, **_: Any) -> Any:
        """A copy; in real arithmetic of the same values."""
        narrow = kind in (np.float32, np.float16, "float32", "float16", "f4")
        return f.narrow(self.copy()) if narrow else self.copy()

    def flatten(self, *_: Any) -> Any:
        """A copy with one axis."""
        return self.reshape(-1).copy()

    def ravel(self, *_: Any) -> Any:
        """One axis."""
        return self.reshape(-1)

    def squeeze(self, axis: Any = None) -> Any:
        """Without axes of length 1."""
        return self.without_axes(None if axis is None else axis if isinstance(axis, tuple) else (axis,))

    def reshape(self, *shape: Any, **given: Any) -> Any:
        return super().reshape(*shape, **plain(given))

    def repeat(self, times: Any, axis: Any = None) -> Any:
        """Each element several times."""
        return f.repeated(self, times, axis)

    def dot(self, y: Any) -> Any:
        """The product over the last axis and the last but one."""
        return f.dot(self, y)

    def clip(self, low: Any = None, high: Any = None, **given: Any) -> Any:
        """Between two bounds."""
        return f.clip(self, low if low is not None else given.get("min"), high if high is not None else given.get("max"))

    def cumsum(self, axis: Any = None) -> Any:
        """The sums up to each element."""
        return f.cumulative_sum(self, axis)

    def fill(self, value: Any) -> None:
        """One value everywhere."""
        self.assign(f.filled_like(self, value))

    def item(self) -> Any:
        """The one element."""
        return self.reshape(())

    def __len__(self) -> int:
        return operator.index(self.shape[0])

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))
