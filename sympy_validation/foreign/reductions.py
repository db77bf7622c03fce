"""Sums, means, variances and maxima over axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Index, fresh
from sympy_validation.all_sizes.terms import ONE, Polynomial, combination
from sympy_validation.foreign.elementwise import less
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.in_place import InPlaceTensor
from sympy_validation.foreign.recorded import operation
from sympy_validation.foreign.sizes import count
from sympy_validation.foreign.tensor import Storage, int_shape, renamed, vectorized

Axes = Any


def total(polynomials: Iterable[Polynomial]) -> Polynomial:
    """Their sum."""
    return combination((P, 1) for P in polynomials)


def larger(P: Polynomial, Q: Polynomial) -> Polynomial:
    """The larger of two numbers."""
    return P + multiply(less(P - Q), Q - P)


def folded(array: Any, axes: tuple[int, ...], f: Callable[[Iterable[Polynomial]], Polynomial]) -> Any:
    """f of the elements along axes of an array."""
    if not axes:
        return array
    rest = [k for k in range(array.ndim) if k not in axes]
    flat = np.transpose(array, [*rest, *axes]).reshape(*(array.shape[k] for k in rest), -1)
    result = np.empty(flat.shape[:-1], dtype=object)
    for at in np.ndindex(result.shape):
        result[at] = f(flat[at])
    return result


class Reductions(InPlaceTensor):
    """Operations that fold axes."""

    def chosen_axes(self, axis: Axes) -> list[int]:
        """The axes as numbers from 0."""
        if axis is None or axis == ():
            return list(range(self.ndim))
        return sorted({self.axis(a) for a in (axis if isinstance(axis, (tuple, list, range)) else (axis,))})

    def _fold(self, axes: list[int], keepdims: bool, symbolic: Any, concrete: Any) -> Any:
        bound: dict[Index, Any] = {i: fresh(i.size) for a in axes for i in self.indices()[a]}
        array = renamed(self.array, bound)
        if bound:
            array = vectorized(lambda P: symbolic(P, list(bound.values())), array)
        array = folded(array, tuple(n for a in axes for n in self.array_axes(a)), concrete)
        dims = [() if k in axes else factors for k, factors in enumerate(self.dims)]
        result = Storage.make(dims, array.reshape(int_shape(dims)) if isinstance(array, np.ndarray) else array)
        return result if keepdims else result.without_axes(axes).copy()

    @operation
    def sum(self, axis: Axes = None, keepdims: bool = False) -> Any:
        """The sum over axes."""
        return self._fold(self.chosen_axes(axis), keepdims, sums.sum_over, total)

    def count(self, axis: Axes) -> Any:
        """The number of elements along axes."""
        return Storage.make((), count(f for a in self.chosen_axes(axis) for f in self.dims[a]))

    @operation
    def mean(self, axis: Axes = None, keepdims: bool = False) -> Any:
        """The mean over axes."""
        return self.sum(axis, keepdims) / self.count(axis)

    @operation
    def var(self, axis: Axes = None, keepdims: bool = False, ddof: Any = 0) -> Any:
        """The variance over axes, by n - ddof."""
        centred = self - self.mean(axis, True)
        return (centred * centred).sum(axis, keepdims) / (self.count(axis) - ddof)

    @operation
    def max(self, axis: Axes = None, keepdims: bool = False) -> Any:
        """The largest element over axes."""
        return self._fold(self.chosen_axes(axis), keepdims, _largest, lambda elements: reduce(larger, elements))

    def min(self, axis: Axes = None, keepdims: bool = False) -> Any:
        """The smallest element over axes."""
        return -((-self).max(axis, keepdims))

    @operation
    def prod(self, axis: Axes = None, keepdims: bool = False) -> Any:
        """The product over axes of known lengths."""
        return self._fold(self.chosen_axes(axis), keepdims, _no_product, lambda elements: multiply(ONE, *elements))


def _largest(P: Polynomial, indices: list[Index]) -> Polynomial:
    for k in indices:
        P = sums.maximum(P, k)
    return P


def _no_product(P: Polynomial, indices: list[Index]) -> Polynomial:
    raise NotCaptured(f"a product over {' and '.join(str(i.size) for i in indices)}")
