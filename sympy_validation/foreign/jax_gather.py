"""Reading and adding at indices, as JAX has it: its gather and scatter-add, on tensors of symbols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes.terms import Polynomial
from sympy_validation.foreign import functions as f
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.labels import Labels, numbered
from sympy_validation.foreign.sizes import Dim, dim, undim
from sympy_validation.foreign.tensor import Storage

Sizes = Callable[[Any], Any]
"""A size of JAX as one of ours."""


def gather(p: Any, size: Sizes, x: Any, index: Any) -> Any:
    """The parts of x that begin at an index, or at known places."""
    q = p["dimension_numbers"]
    if not isinstance(index, Labels):
        places = Storage.of(index)
        if places.ndim == 1:
            return _part(
                q, p["slice_sizes"], size, x, [int(P.terms.get((), 0)) for _, P in places.elements_in_order() if P.terms.keys() <= {()}]
            )
        if len(q.start_index_map) != 1:
            return _gather_of_numbers(q, x, places)
        factors = x.dims[q.start_index_map[0]]
        array = np.array([int(known(P)) for _, P in places.elements_in_order()]).reshape(places.array.shape)
        index = numbered(array, factors[0] if len(factors) == 1 else 1).moved(lambda b: b.reshape(*places.shape))
    if len(q.start_index_map) != 1 or index.dims[-1]:
        raise NotCaptured("a gather by more than one index")
    (a,) = q.start_index_map
    labels = index.moved(lambda b: b.without_axes([b.ndim - 1]))
    if q.operand_batching_dims:
        return _gather_along(q, x, labels, a)
    if tuple(q.collapsed_slice_dims) != (a,):
        raise NotCaptured("this gather")
    return _ordered(q, x[(slice(None),) * a + (labels,)], range(a, a + labels.ndim))


def _ordered(q: Any, found: Any, batch: Sequence[int]) -> Any:
    """The axes of what was gathered at their places: those of the indices, and the others."""
    kept = [k for k in range(found.ndim) if k not in batch]
    rest = [k for k in range(found.ndim) if k not in q.offset_dims]
    order = [0] * found.ndim
    for target, source in zip([*sorted(q.offset_dims), *rest], [*kept, *batch], strict=True):
        order[target] = source
    return found.permute(*order)


def _gather_of_numbers(q: Any, x: Any, places: Any) -> Any:
    """Elements whose numbers along several axes of known lengths are known, such as w[:, :, ::-1, ::-1]."""
    axes = q.start_index_map
    lengths = [undim(x.dims[a]) for a in axes]
    if tuple(q.collapsed_slice_dims) != tuple(axes) or any(isinstance(n, Dim) for n in lengths) or q.operand_batching_dims:
        raise NotCaptured("this gather")
    numbers = np.array([int(known(P)) for _, P in places.elements_in_order()]).reshape(places.shape)
    y = x.permute(*axes, *(k for k in range(x.ndim) if k not in axes))
    array = y.array.reshape(*lengths, *y.array.shape[sum(n > 1 for n in lengths) :])
    batch = numbers.shape[:-1]
    dims = [*((n,) for n in batch), *y.dims[len(axes) :]]
    picked = array[tuple(np.moveaxis(numbers, -1, 0))]
    return _ordered(q, Storage.make(dims, picked.reshape([n for n in picked.shape if n > 1])), range(len(batch)))


def _part(q: Any, sizes: Any, size: Sizes, x: Any, starts: list[int]) -> Any:
    """A slice whose first elements are known."""
    if len(starts) != len(q.start_index_map):
        raise NotCaptured("a slice that begins where it is computed")
    for a, start in zip(q.start_index_map, starts, strict=True):
        length, whole = size(sizes[a]), undim(x.dims[a])
        if not (start == 0 and dim(length).form == dim(whole).form):
            x = (
                x.sliced(a, slice(start, start + length))
                if not (isinstance(whole, Dim) and isinstance(length, int) and length == 1)
                else x.element(a, start).with_axis(a)
            )
    return x.without_axes(q.collapsed_slice_dims)


def _gather_along(q: Any, x: Any, labels: Any, a: int) -> Any:
    """One element for each place along an axis, as take_along_axis has it."""
    if tuple(q.collapsed_slice_dims) != (a,) or q.offset_dims:
        raise NotCaptured("this gather")
    if labels.ndim == x.ndim:
        return f.take_along(x, labels, a)
    wide = labels.moved(lambda b: b.with_axis(a))
    return f.take_along(x, wide, a).without_axes([a])


def scatter_add(p: Any, size: Sizes, x: Any, index: Any, value: Any) -> Any:
    """x with values added at an index, as often as it occurs."""
    q = p["dimension_numbers"]
    if (
        not isinstance(index, Labels)
        or tuple(q.scatter_dims_to_operand_dims) != tuple(q.inserted_window_dims)
        or len(q.inserted_window_dims) != 1
    ):
        raise NotCaptured("this scatter")
    if q.operand_batching_dims or index.dims[-1]:
        raise NotCaptured("this scatter")
    (a,) = q.inserted_window_dims
    labels = index.moved(lambda b: b.without_axes([b.ndim - 1]))
    if a:
        raise NotCaptured("a scatter along an axis that is not the first")
    window = list(q.update_window_dims)
    value = value.permute(*(k for k in range(value.ndim) if k not in window), *window)
    result = Storage.of(x).copy()
    result.increase_at((labels,), value)
    return result


def known(x: Any) -> Any:
    """The number that a polynomial or a tensor is; NotCaptured if it is none."""
    terms = (x if isinstance(x, Polynomial) else Storage.of(x).array[()]).terms
    if terms.keys() <= {()}:
        return terms.get((), 0)
    raise NotCaptured("a place that is computed")
