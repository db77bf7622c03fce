"""Windows of tensors: convolution, its adjoint, pooling, and what moves pixels between channels.

A window has a known size, the axes may have any: a window is cut out of the axes once for each of its places (i, j), by the linear map
from the positions p of the windows to the elements p s + i d.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.gather import zeros
from sympy_validation.foreign.parts import mapped
from sympy_validation.foreign.placements import placement
from sympy_validation.foreign.products import LETTERS, Products
from sympy_validation.foreign.sizes import Dim, as_one, dim, rounded_quotient, undim
from sympy_validation.foreign.tensor import Storage, View, axis_indices, int_shape

MOST_PLACES = 32
"""The largest window, in elements."""


def each(value: Any, n: int) -> tuple[Any, ...]:
    """One number for each of n axes, from one for all or a list of them."""
    if isinstance(value, (tuple, list)):
        return tuple(value) * n if len(value) == 1 else tuple(value)
    return (value,) * n


def known(sizes: Sequence[Any], what: str) -> tuple[int, ...]:
    """Sizes that must be numbers."""
    names = {name for size in sizes if isinstance(size, Dim) for name in size.names()}
    if names:
        raise SizeNeeded(names, f"{what} of the size {' x '.join(map(str, sizes))}")
    return tuple(int(size) for size in sizes)


def length_of(whole: Any, window: int, stride: int, dilation: int) -> Any:
    """How many windows an axis has."""
    rest = whole - dilation * (window - 1) - 1
    return (rounded_quotient(rest.form, stride) if isinstance(rest, Dim) else rest // stride) + 1


def every(x: Any, a: int, start: Any, step: int, length: Any) -> Any:
    """The elements start, start + step, ... along an axis, so many of them."""
    if isinstance(undim(x.dims[a]), int) and isinstance(length, int):
        return x.sliced(a, slice(start, start + step * (length - 1) + 1, step))
    whole, part = x.dims[a], as_one(length)
    if len(whole) > 1 and isinstance(start, int) and whole[-1] == step:  # of (T s) every s-th is an axis T
        return every(x.sliced(a, slice(start % step, None, step)), a, start // step, 1, length)
    if step == 1 and start == 0 and dim(length).form == dim(undim(whole)).form:
        return x
    if len(whole) != 1 or len(part) != 1 or not isinstance(whole[0], Size) or not isinstance(part[0], Size):
        raise SizeNeeded([*dim(undim(whole)).names(), *dim(length).names()], f"windows of an axis of length {dim(undim(whole))}")
    (i,), (j,) = x.indices()[a], axis_indices(a, part)
    S = placement(start, part[0], whole[0], step)
    return Storage.make([*x.dims[:a], part, *x.dims[a + 1 :]], mapped(x.array, S, i, j, up=False))


def placed(x: Any, a: int, start: Any, step: int, whole: Any) -> Any:
    """The adjoint of ``every``: the elements at start, start + step, ... of an axis of the whole length, and 0 elsewhere."""
    part = x.dims[a]
    if isinstance(undim(part), int) and isinstance(whole, int):
        p = len(int_shape(x.dims[:a]))
        array = x.array if part else np.expand_dims(x.array, p)
        wide = zeros((*array.shape[:p], whole, *array.shape[p + 1 :]))
        wide[(slice(None),) * p + (slice(start, start + step * (array.shape[p] - 1) + 1, step),)] = array
        dims = [*x.dims[:a], dim(whole).factors, *x.dims[a + 1 :]]
        return Storage.make(dims, wide.reshape(int_shape(dims)))
    if step == 1 and start == 0 and dim(whole).form == dim(undim(part)).form:
        return x
    factors = dim(whole).factors
    if len(factors) > 1 and isinstance(start, int) and factors[-1] == step:
        return _interleaved(placed(x, a, start // step, 1, undim(factors[:-1])), a, start % step, step)
    if len(part) != 1 or len(factors) != 1 or not isinstance(part[0], Size) or not isinstance(factors[0], Size):
        raise SizeNeeded([*dim(undim(part)).names(), *dim(whole).names()], f"windows of an axis of length {dim(whole)}")
    (j,), (i,) = x.indices()[a], axis_indices(a, factors)
    S = placement(start, part[0], factors[0], step)
    return Storage.make([*x.dims[:a], factors, *x.dims[a + 1 :]], mapped(x.array, S, i, j, up=True))


def _interleaved(x: Any, a: int, r: int, step: int) -> Any:
    """An axis (T step) that has the elements at r, r + step, ... and is 0 elsewhere."""
    p = len(int_shape(x.dims[: a + 1]))
    wide = zeros((*x.array.shape[:p], step, *x.array.shape[p:]))
    wide[(slice(None),) * p + (r,)] = x.array if x.array.ndim else x.array[()]
    dims = [*x.dims[:a], (*x.dims[a], step), *x.dims[a + 1 :]]
    return Storage.make(dims, wide.reshape(int_shape(Storage.make(dims, wide).dims)))


def windows(x: Any, axes: Sequence[int], size: Sequence[Any], stride: Any = 1, dilation: Any = 1, lengths: Any = None) -> Any:
    """The windows along some axes, whose elements stand along new axes behind the others. It is a copy."""
    n = len(axes)
    size, stride, dilation = known(size, "a window"), each(stride, n), each(dilation, n)
    if int(np.prod(size)) > MOST_PLACES:
        raise NotCaptured(f"a window of {' x '.join(map(str, size))}: of more than {MOST_PLACES} elements")
    if lengths is None:
        lengths = [length_of(undim(x.dims[a]), k, s, d) for a, k, s, d in zip(axes, size, stride, dilation, strict=True)]
    parts = []
    for place in itertools.product(*map(range, size)):
        part = x
        for a, i, s, d, length in zip(axes, place, stride, dilation, lengths, strict=True):
            part = every(part, a, i * d, s, length)
        parts.append(part)
    joined = Storage.stacked(parts)
    joined = joined.permute(*range(1, joined.ndim), 0)
    return joined.reshape(*joined.shape[:-1], *size).copy()


def overlapped(x: Any, axes: Sequence[int], wholes: Sequence[Any], stride: Any = 1, dilation: Any = 1) -> Any:
    """The adjoint of ``windows``: each element of a window added at its place in the axes, which have these lengths."""
    n = len(axes)
    stride, dilation = each(stride, n), each(dilation, n)
    total: Any = 0
    for place in itertools.product(*(range(k) for k in known(x.shape[x.ndim - n :], "a window"))):
        part = x[(Ellipsis, *place)]
        for a, i, s, d, whole in zip(axes, place, stride, dilation, wholes, strict=True):
            part = placed(part, a, i * d, s, whole)
        total = total + part
    return total


# Convolution ----------------------------------------------------------------------------------------------------------


def both_sides(padding: Any, size: Sequence[int], dilation: Sequence[int]) -> list[tuple[Any, Any]]:
    """The padding before and behind each axis."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        return [(d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(size, dilation, strict=True)]
    return [(p[0], p[1]) if isinstance(p, (tuple, list)) else (p, p) for p in each(padding, len(size))]


def in_groups(x: Any, axis: int, groups: Any) -> Any:
    """An axis of channels as two: the groups, and the channels of each."""
    return x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])


def contracted(x: Any, w: Any, groups: Any, n: int) -> Any:
    """Σ over the channels and the window: x is N C positions window, and w is F C/groups window."""
    positions, window = LETTERS[:n], LETTERS[n : 2 * n]
    if isinstance(groups, int) and groups == 1:
        return Products.einsum(f"uv{positions}{window},wv{window}->uw{positions}", x, w)
    y = Products.einsum(f"ugv{positions}{window},gwv{window}->ugw{positions}", in_groups(x, 1, groups), in_groups(w, 0, groups))
    return y.reshape(y.shape[0], w.shape[0], *y.shape[3:])


def convolution(x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1) -> Any:
    """Y(n, f, p) = b(f) + Σ_c,k W(f, c, k) X(n, c, p s + k d - padding), for x of N C positions."""
    x, w = Storage.of(x), Storage.of(w)
    n = w.ndim - 2
    if x.ndim == n + 1:
        return convolution(x.with_axis(0), w, bias, stride, padding, dilation, groups).without_axes([0])
    if x.ndim != n + 2:
        raise ShapesDiffer(f"a convolution of the shape {x.shape} with {w.shape}")
    size, dilation = known(w.shape[2:], "a window"), each(dilation, n)
    wide = x.pad([(0, 0), (0, 0), *both_sides(padding, size, dilation)])
    y = contracted(windows(wide, range(2, n + 2), size, stride, dilation), w, groups, n)
    return y if bias is None else y + Storage.of(bias).reshape(-1, *[1] * n)


def transposed_convolution(
    x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: Any = 1, dilation: Any = 1
) -> Any:
    """The adjoint of the convolution with these weights, and a bias."""
    x, w = Storage.of(x), Storage.of(w)
    n = w.ndim - 2
    size = known(w.shape[2:], "a window")
    strides, dilations, paddings, more = (each(value, n) for value in (stride, dilation, padding, output_padding))
    lengths = [(x.shape[k + 2] - 1) * strides[k] - 2 * paddings[k] + dilations[k] * (size[k] - 1) + 1 + more[k] for k in range(n)]
    y = gradient_of_input((x.shape[0], w.shape[1] * groups, *lengths), w, x, stride, padding, dilation, groups)
    return y if bias is None else y + Storage.of(bias).reshape(-1, *[1] * n)


def gradient_of_input(shape: Any, w: Any, dy: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1) -> Any:
    """The gradient of the input of a convolution, which has this shape."""
    w, dy = Storage.of(w), Storage.of(dy)
    n = w.ndim - 2
    size, dilation = known(w.shape[2:], "a window"), each(dilation, n)
    pads = both_sides(padding, size, dilation)
    positions, window = LETTERS[:n], LETTERS[n : 2 * n]
    if isinstance(groups, int) and groups == 1:
        parts = Products.einsum(f"uw{positions},wv{window}->uv{positions}{window}", dy, w)
    else:
        parts = Products.einsum(f"ugw{positions},gwv{window}->ugv{positions}{window}", in_groups(dy, 1, groups), in_groups(w, 0, groups))
        parts = parts.reshape(parts.shape[0], shape[1], *parts.shape[3:])
    wholes = [length + low + high for length, (low, high) in zip(shape[2:], pads, strict=True)]
    wide = overlapped(parts, range(2, n + 2), wholes, stride, dilation)
    for k, (low, _) in enumerate(pads):
        wide = every(wide, k + 2, low, 1, shape[k + 2])
    return wide


def gradient_of_weight(x: Any, shape: Any, dy: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1) -> Any:
    """The gradient of the weights of a convolution, which have this shape."""
    x, dy = Storage.of(x), Storage.of(dy)
    n = dy.ndim - 2
    size, dilation = known(shape[2:], "a window"), each(dilation, n)
    wide = x.pad([(0, 0), (0, 0), *both_sides(padding, size, dilation)])
    parts = windows(wide, range(2, n + 2), size, stride, dilation, dy.shape[2:])
    positions, window = LETTERS[:n], LETTERS[n : 2 * n]
    if isinstance(groups, int) and groups == 1:
        return Products.einsum(f"uw{positions},uv{positions}{window}->wv{window}", dy, parts)
    dw = Products.einsum(f"ugw{positions},ugv{positions}{window}->gwv{window}", in_groups(dy, 1, groups), in_groups(parts, 1, groups))
    return dw.reshape(*shape)


# Pooling, and columns of windows --------------------------------------------------------------------------------------


def pooled(x: Any, size: Any, stride: Any, padding: Any, n: int, kind: str) -> Any:
    """The mean or the largest element of each window of the last n axes."""
    x = Storage.of(x)
    size = each(size, n)
    stride = size if stride is None or stride == () or stride == [] else stride
    pads = both_sides(padding, size, (1,) * n)
    wide = x.pad([(0, 0)] * (x.ndim - n) + pads, -float("inf") if kind == "max" else 0)
    found = windows(wide, range(x.ndim - n, x.ndim), size, stride)
    return getattr(Products, kind)(found, tuple(range(found.ndim - n, found.ndim)))


def columns(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """unfold of PyTorch: N, C · window, positions."""
    x = Storage.of(x)
    size = each(kernel_size, 2)
    wide = x.pad([(0, 0), (0, 0), *both_sides(padding, size, each(dilation, 2))])
    found = windows(wide, (2, 3), size, stride, dilation).permute(0, 1, 4, 5, 2, 3)
    n, c, i, j, h, w = found.shape
    return found.reshape(n, c * (i * j), h * w).copy()


def from_columns(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """fold of PyTorch: the adjoint of unfold."""
    x = Storage.of(x)
    size, lengths = known(each(kernel_size, 2), "a window"), each(output_size, 2)
    dilation, stride = each(dilation, 2), each(stride, 2)
    pads = both_sides(padding, size, dilation)
    wholes = [length + low + high for length, (low, high) in zip(lengths, pads, strict=True)]
    positions = [length_of(m, k, s, d) for m, k, s, d in zip(wholes, size, stride, dilation, strict=True)]
    parts = x.reshape(x.shape[0], x.shape[1] // int(np.prod(size)), *size, *positions).permute(0, 1, 4, 5, 2, 3)
    wide = overlapped(parts, (2, 3), wholes, stride, dilation)
    for k, (low, _) in enumerate(pads):
        wide = every(wide, k + 2, low, 1, lengths[k])
    return wide


def shuffled(x: Any, r: int) -> Any:
    """pixel_shuffle: channels (C r r) to pixels."""
    x = Storage.of(x)
    n, c, h, w = x.shape
    parts = x.reshape(n, c // (r * r), r, r, h, w).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // (r * r), h * r, w * r).copy()


def unshuffled(x: Any, r: int) -> Any:
    """pixel_unshuffle: pixels to channels (C r r)."""
    x = Storage.of(x)
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4)
    return parts.reshape(n, c * (r * r), h // r, w // r).copy()


# Views of memory by strides -------------------------------------------------------------------------------------------


class Stride:
    """The distance in memory of neighbours along an axis of a tensor, or of elements that are some steps apart."""

    def __init__(self, axis: int, step: int = 1) -> None:
        self.axis, self.step = axis, step

    def __mul__(self, n: Any) -> Stride:
        if isinstance(n, int) and n > 0:
            return Stride(self.axis, self.step * n)
        raise NotCaptured(f"a stride times {n}")

    __rmul__ = __mul__

    def __getattr__(self, name: str) -> Any:
        raise NotCaptured("an address in memory that is computed")


def by_strides(x: Any, shape: Any, strides: Any, **_: Any) -> Any:
    """as_strided, where each axis is one of x, or the positions and the elements of windows of one."""
    if not all(isinstance(s, Stride) for s in strides) or len(shape) != len(strides):
        raise NotCaptured("strides that are not those of the array: write them by x.strides")
    pairs = [[k for k, s in enumerate(strides) if s.axis == a] for a in range(x.ndim)]
    window = [min(pair, key=lambda k: shape[k] if isinstance(shape[k], int) else MOST_PLACES) for pair in pairs if len(pair) == 2]
    plain = [k for k in range(len(shape)) if k not in window]
    if sorted(strides[k].axis for k in plain) != list(range(x.ndim)) or len({strides[k].axis for k in window}) < len(window):
        raise NotCaptured("strides that are not those of windows along axes")
    axes = [strides[k].axis for k in window]
    lengths = {strides[k].axis: (shape[k], strides[k].step) for k in plain}
    for k in plain:
        a = strides[k].axis
        if a not in axes:
            x = every(x, a, 0, strides[k].step, shape[k])
    found = windows(
        x, axes, [shape[k] for k in window], [lengths[a][1] for a in axes], [strides[k].step for k in window], [lengths[a][0] for a in axes]
    )
    order = [strides[k].axis if k in plain else x.ndim + window.index(k) for k in range(len(shape))]
    return frozen(found.permute(*order), x)


def sliding(x: Any, window_shape: Any, axis: Any = None, **_: Any) -> Any:
    """sliding_window_view of NumPy."""
    x = Storage.of(x)
    size = tuple(window_shape) if isinstance(window_shape, (tuple, list)) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return frozen(windows(x, [x.axis(a) for a in axes], size), x)


def frozen(found: Any, x: Any) -> Any:
    """A view that cannot be written to; if what it shows is changed, it is refused."""
    return Storage.make(found.dims, found.array, View(x, None, None))
