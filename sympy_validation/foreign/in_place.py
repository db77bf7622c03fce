"""Changes of tensors in place: x[...] = y, x += y."""

from __future__ import annotations

from typing import Any

import numpy as np

from sympy_validation.all_sizes.terms import constant
from sympy_validation.foreign.elementwise import ElementwiseTensor
from sympy_validation.foreign.errors import ShapesDiffer
from sympy_validation.foreign.tensor import Storage, as_array


class InPlaceTensor(ElementwiseTensor):
    """A tensor whose memory can be changed."""

    scalars_are_memory = False
    """Whether a tensor without axes is memory, as in PyTorch."""

    def assign(self, y: Any) -> Any:
        """The values of y in the memory of this."""
        new = Storage.of(y)
        if Storage.joint(self, new) != list(self.dims):
            raise ShapesDiffer(f"a change in place from {self.shape} to {new.shape}")
        array = new.aligned(self.dims)
        self.write(array if array.shape == self.array.shape else as_array(array + _zeros(self.array.shape)))
        return self

    def __iadd__(self, y: Any) -> Any:
        return self._plus(Storage.of(y))

    def __isub__(self, y: Any) -> Any:
        return self._plus(-Storage.of(y))

    def _plus(self, y: Any) -> Any:
        if self.view_of and self.view_of.spread:
            self.increase(as_array(y.aligned(self.dims) + _zeros(self.array.shape)))
            return self
        return self.assign(self + y) if self.ndim else self._number(self + y)

    def _number(self, value: Any) -> Any:
        """A scalar of NumPy is no memory; a tensor of PyTorch without axes is."""
        return self.assign(value) if self.view_of or type(self).scalars_are_memory else value

    def __imul__(self, y: Any) -> Any:
        return self.assign(self * y) if self.ndim else self._number(self * y)

    def __itruediv__(self, y: Any) -> Any:
        return self.assign(self / y) if self.ndim else self._number(self / y)

    def __ipow__(self, y: Any) -> Any:
        return self.assign(self**y) if self.ndim else self._number(self**y)


def _zeros(shape: tuple[int, ...]) -> Any:
    return np.full(shape, constant(0), dtype=object)
