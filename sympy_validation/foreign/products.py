"""Products over axes (einsum, matmul), and joining of tensors (stack, concatenate, pad)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Size, fresh
from sympy_validation.all_sizes.terms import ONE, ZERO
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.gather import zeros
from sympy_validation.foreign.parts import TensorParts, mapped
from sympy_validation.foreign.placements import placement
from sympy_validation.foreign.recorded import operation
from sympy_validation.foreign.reductions import folded, total
from sympy_validation.foreign.sizes import Dim, Factors, dim, undim
from sympy_validation.foreign.tensor import Storage, axis_indices, int_shape, renamed, vectorized

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Products(TensorParts):
    """Operations on several tensors, as static methods."""

    @staticmethod
    @operation
    def einsum(words: str, *operands: Any) -> Any:
        """Σ over the letters that the result has not."""
        tensors = [Storage.of(x) for x in (operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands)]
        inputs, output = _letters(words, tensors)
        sizes: dict[str, Factors] = {}
        for letters, x in zip(inputs, tensors, strict=True):
            if len(letters) != x.ndim:
                raise ShapesDiffer(f"einsum {words} of a tensor of shape {x.shape}")
            if len(set(letters)) < len(letters):
                raise NotCaptured(f"einsum {words}: a letter that an operand has twice")
            for letter, factors in zip(letters, x.dims, strict=True):
                if sizes.setdefault(letter, factors) != factors:
                    if not sizes[letter]:
                        sizes[letter] = factors
                    elif factors:
                        raise ShapesDiffer(f"einsum {words}: {letter} is {undim(sizes[letter])} and {undim(factors)}")
        inner = [letter for letter in sizes if letter not in output]
        order = [*output, *inner]
        dims = [sizes[letter] for letter in order]
        arrays = [_at_letters(x, letters, order).aligned(dims) for x, letters in zip(tensors, inputs, strict=True)]
        product = vectorized(multiply, *arrays) if len(arrays) > 1 else arrays[0]
        bound = {i: fresh(i.size) for k in range(len(output), len(order)) for i in axis_indices(k, dims[k])}
        if bound:
            product = vectorized(lambda P: sums.sum_over(P, list(bound.values())), renamed(product, bound))
        outer = len(int_shape(dims[: len(output)]))
        product = folded(product, tuple(range(outer, product.ndim)), total)
        return Storage.make(dims[: len(output)], product)

    @operation
    def matmul(self, y: Any) -> Any:
        """The product of matrices, over the axes before the last two."""
        x, y = self, Storage.of(y)
        if not (x.ndim and y.ndim):
            raise ShapesDiffer(f"a matrix product of the shapes {x.shape} and {y.shape}")
        n = max(x.ndim, y.ndim) - 2
        a, b = LETTERS[max(n - x.ndim + 2, 0) : n], LETTERS[max(n - y.ndim + 2, 0) : n]
        left = a + "yz" if x.ndim > 1 else "z"
        right = b + "zx" if y.ndim > 1 else "z"
        out = LETTERS[: max(n, 0)] + "y" * (x.ndim > 1) + "x" * (y.ndim > 1)
        return Products.einsum(f"{left},{right}->{out}", x, y)

    def __matmul__(self, y: Any) -> Any:
        return self.matmul(y)

    def __rmatmul__(self, y: Any) -> Any:
        return Storage.of(y).matmul(self)

    @staticmethod
    @operation
    def stack(parts: Sequence[Any], axis: int = 0) -> Any:
        """Tensors of one shape along a new axis."""
        result = Storage.stacked([Storage.of(part) for part in parts])
        a = axis % result.ndim
        order = list(range(1, result.ndim))
        order.insert(a, 0)
        return result.permute(*order).copy() if a else result

    @staticmethod
    @operation
    def concatenate(parts: Sequence[Any], axis: Any = 0) -> Any:
        """Tensors behind each other along an axis."""
        tensors = [Storage.of(part) for part in parts]
        a = tensors[0].axis(axis)
        others = [[*x.dims[:a], *x.dims[a + 1 :]] for x in tensors]
        if any(x != others[0] for x in others):
            raise ShapesDiffer(f"a concatenation of {' and '.join(str(x.shape) for x in tensors)}")
        found = [_leading_int(x.dims[a]) for x in tensors]
        if len({rest for _, rest in found}) == 1:
            arrays = [np.moveaxis(_with_leading_axis(x, a, n), 0, 0) for x, (n, _) in zip(tensors, found, strict=True)]
            p = len(int_shape(tensors[0].dims[:a]))
            joined = np.concatenate(arrays, axis=p)
            dims = [*tensors[0].dims[:a], (joined.shape[p], *found[0][1]), *tensors[0].dims[a + 1 :]]
            return Storage.make(dims, joined)
        return _joined(tensors, a)

    @operation
    def pad(self, widths: Sequence[tuple[Any, Any]], value: Any = 0) -> Any:
        """With so many elements more before and behind along each axis."""
        x: Any = self
        for a, (before, behind) in enumerate(widths):
            if not (isinstance(before, int) and before == 0 and isinstance(behind, int) and behind == 0):
                x = _padded(x, a, before, behind, value)
        return x


def _letters(words: str, tensors: Sequence[Any]) -> tuple[list[str], str]:
    inputs, arrow, output = words.replace(" ", "").partition("->")
    names = inputs.split(",")
    if "..." in words:
        free = list(LETTERS.upper())
        width = max(x.ndim - len(name.replace("...", "")) for name, x in zip(names, tensors, strict=True) if "..." in name)
        ellipsis = "".join(free[:width])
        names = [
            name.replace(
                "...", ellipsis[width - (x.ndim - len(name.replace("...", ""))) :] if x.ndim - len(name.replace("...", "")) else ""
            )
            for name, x in zip(names, tensors, strict=True)
        ]
        output = output.replace("...", ellipsis)
    if not arrow:
        joined = "".join(names)
        output = "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    return names, output


def _at_letters(x: Any, letters: str, order: Sequence[str]) -> Any:
    """The tensor with its axes in the order of the letters, and axes of length 1 where it has none."""
    present = [letter for letter in order if letter in letters]
    y = x.permute(*(letters.index(letter) for letter in present)) if present else x
    for k, letter in enumerate(order):
        if letter not in letters:
            y = y.with_axis(k)
    return y


def _leading_int(factors: Factors) -> tuple[int, Factors]:
    return (factors[0], factors[1:]) if factors and isinstance(factors[0], int) else (1, factors)


def _with_leading_axis(x: Any, a: int, n: int) -> Any:
    """The array with an axis for the leading int of axis a, also if that is 1."""
    p = len(int_shape(x.dims[:a]))
    return x.array if n > 1 else np.expand_dims(x.array, p)


def _length(x: Any, a: int) -> Any:
    factors = x.dims[a]
    return undim(factors)


def _joined(tensors: Sequence[Any], a: int) -> Any:
    """Parts of different lengths: each at its place in an axis whose length is the sum."""
    whole: Any = 0
    for x in tensors:
        whole = whole + _length(x, a)
    (size,) = whole.factors if len(whole.factors) == 1 else (None,)
    if not isinstance(size, Size):
        raise SizeNeeded(whole.names(), f"a concatenation to the length {whole}")
    start: Any = 0
    result: Any = 0
    for x in tensors:
        result = result + _at(x, a, start, size)
        start = start + _length(x, a)
    return result


def _at(x: Any, a: int, start: Any, whole: Size) -> Any:
    """The tensor at its place in a longer axis, and 0 elsewhere."""
    factors = x.dims[a]
    if len(factors) != 1 or not isinstance(factors[0], Size):
        raise SizeNeeded(dim(whole).names(), f"a part of length {undim(factors)} of an axis of length {whole}")
    (j,), (i,) = x.indices()[a], axis_indices(a, (whole,))
    S = placement(start, factors[0], whole)
    return Storage.make([*x.dims[:a], (whole,), *x.dims[a + 1 :]], mapped(x.array, S, i, j, up=True))


def _padded(x: Any, a: int, before: Any, behind: Any, value: Any) -> Any:
    factors = x.dims[a]
    length = undim(factors)
    if isinstance(length, int) and isinstance(before, int) and isinstance(behind, int):
        fill = Storage.of(value).array[()]
        p = len(int_shape(x.dims[:a]))
        array = x.array if factors else np.expand_dims(x.array, p)
        widths = [(0, 0)] * array.ndim
        widths[p] = (before, behind)
        wide = np.pad(array, widths, constant_values=cast(Any, ZERO))
        inside = np.pad(np.full(array.shape, True), widths, constant_values=False)
        wide = np.where(inside, wide, as_fill(fill, wide.shape))
        return Storage.make([*x.dims[:a], (length + before + behind,), *x.dims[a + 1 :]], wide)
    whole = length + before + behind
    if len(whole.factors) != 1 or not isinstance(whole, Dim):
        raise SizeNeeded(whole.names(), f"padding to the length {whole}")
    y = _at(x, a, before, whole.factors[0])
    if Storage.of(value).array[()] == ZERO:
        return y
    ones = Storage.make(x.dims, np.full(x.array.shape, ONE, dtype=object))
    return y + value * (1 - _at(ones, a, before, whole.factors[0]))


def as_fill(value: Any, shape: tuple[int, ...]) -> Any:
    """An array of one value."""
    result = zeros(shape)
    result[...] = value
    return result
