"""The primitives of JAX, on tensors of symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import windows
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.jax_gather import Sizes, gather, known, scatter_add
from sympy_validation.foreign.labels import Labels, positions
from sympy_validation.foreign.products import LETTERS, Products
from sympy_validation.foreign.sizes import Dim, undim
from sympy_validation.foreign.tensor import Storage

Rule = Callable[..., Any]


class NeverTrue:
    """A comparison of an index with 0, as JAX makes it to wrap negative ones: an index is within its bounds."""


def _index_or(operation: Rule) -> Rule:
    """Of an index and what would be added to wrap it, the index."""

    def rule(p: Any, size: Sizes, x: Any, y: Any) -> Any:
        if isinstance(x, Labels) or isinstance(y, Labels):
            return x if isinstance(x, Labels) else y
        return operation(Storage.of(x), Storage.of(y))

    return rule


def _two(operation: Rule) -> Rule:
    return lambda p, size, x, y: operation(Storage.of(x), Storage.of(y))


def _one(operation: Rule) -> Rule:
    return lambda p, size, x: operation(Storage.of(x))


def _compare(operation: Rule) -> Rule:
    def rule(p: Any, size: Sizes, x: Any, y: Any) -> Any:
        if isinstance(x, Labels) and isinstance(y, Labels):
            return operation(x, y)
        if isinstance(x, Labels) or isinstance(y, Labels):
            index, number = (x, y) if isinstance(x, Labels) else (y, x)
            known = [P.terms.get((), 0) for _, P in Storage.of(number).elements_in_order()]
            if len(known) == 1 and known[0] == 0 and operation(1, 0) is False:
                return NeverTrue()
            if len(set(known)) == 1:
                return operation(index, int(known[0])) if isinstance(x, Labels) else operation(int(known[0]), index)
            raise NotCaptured("a comparison of an index with something else")
        return operation(Storage.of(x), Storage.of(y))

    return rule


def _select(p: Any, size: Sizes, condition: Any, *cases: Any) -> Any:
    if isinstance(condition, NeverTrue):
        return cases[0]
    if len(cases) != 2:
        raise NotCaptured("a choice between more than two")
    return Storage.of(condition).where(cases[1], cases[0])


def _maximum(p: Any, size: Sizes, x: Any, y: Any) -> Any:
    x, y = Storage.of(x), Storage.of(y)
    infinite = [k for k, a in enumerate((x, y)) if a.ndim == 0 and a.array[()] == -Storage.of(float("inf")).array[()]]
    return (y, x)[infinite[0]] if infinite else x.maximum(y)


def _broadcast(p: Any, size: Sizes, x: Any, *_: Any) -> Any:
    shape, at = p["shape"], p["broadcast_dimensions"]
    if isinstance(x, Labels):
        return x.moved(lambda b: _placed(b, shape, at, size))
    return _placed(Storage.of(x), shape, at, size)


def _placed(x: Any, shape: Any, at: Any, size: Sizes) -> Any:
    for k in range(len(shape)):
        if k not in at:
            x = x.with_axis(k)
    own = [x.dims[k] for k in range(len(shape))]
    return x.expand(*(undim(factors) if factors else size(s) for factors, s in zip(own, shape, strict=True)))


def _dot_general(p: Any, size: Sizes, x: Any, y: Any) -> Any:
    (cx, cy), (bx, by) = p["dimension_numbers"]
    letters = iter(LETTERS)
    a: list[str] = [""] * x.ndim
    b: list[str] = [""] * y.ndim
    for i, j in (*zip(bx, by, strict=True), *zip(cx, cy, strict=True)):
        a[i] = b[j] = next(letters)
    a, b = [s or next(letters) for s in a], [s or next(letters) for s in b]
    out = [a[i] for i in bx] + [s for k, s in enumerate(a) if k not in (*bx, *cx)] + [s for k, s in enumerate(b) if k not in (*by, *cy)]
    return Products.einsum(f"{''.join(a)},{''.join(b)}->{''.join(out)}", x, y)


def _reshape(p: Any, size: Sizes, x: Any, *_: Any) -> Any:
    shape = [size(s) for s in p.get("new_sizes", ())]
    return x.moved(lambda b: b.reshape(*shape)) if isinstance(x, Labels) else Storage.of(x).reshape(*shape)


def _squeeze(p: Any, size: Sizes, x: Any) -> Any:
    return x.moved(lambda b: b.without_axes(p["dimensions"])) if isinstance(x, Labels) else x.without_axes(p["dimensions"])


def _slice(p: Any, size: Sizes, x: Any) -> Any:
    strides = p["strides"] or (1,) * x.ndim
    for a, (low, high, step) in enumerate(zip(p["start_indices"], p["limit_indices"], strides, strict=True)):
        start, stop = size(low), size(high)
        whole = undim(x.dims[a])
        if not (isinstance(start, int) and start == 0 and stop == whole and step == 1):
            end = None if isinstance(stop, Dim) == isinstance(whole, Dim) and stop == whole else stop
            x = x.sliced(a, slice(start, end, step if step != 1 else None))
    return x


def _pad(p: Any, size: Sizes, x: Any, value: Any) -> Any:
    config = p["padding_config"]
    if any(inner for _, _, inner in config):
        raise NotCaptured("padding between the elements")
    widths = [(size(low), size(high)) for low, high, _ in config]
    for a, (low, high) in enumerate(widths):
        if (isinstance(low, int) and low < 0) or (isinstance(high, int) and high < 0):
            start = -low if low < 0 else 0
            x = x.sliced(a, slice(start, undim(x.dims[a]) + min(high, 0)))
            widths[a] = (max(low, 0), max(high, 0))
    return x.pad(widths, value)


def _iota(p: Any, size: Sizes) -> Any:
    shape, d = [size(s) for s in p["shape"]], p["dimension"]
    labels = positions(shape[d])
    for k in range(len(shape)):
        if k != d:
            labels = labels.unsqueeze(k)
    return labels.moved(lambda b: b.expand(*shape)) if len(shape) > 1 else labels


def _split(p: Any, size: Sizes, x: Any) -> Any:
    return list(f.parts_of(x, [size(s) for s in p["sizes"]], p["axis"]))


def _cumsum(p: Any, size: Sizes, x: Any) -> Any:
    if p.get("reverse"):
        a = x.axis(p["axis"])
        n = undim(x.dims[a])
        ones = f.triangle(f.filled((n, n), 1))
        return (x.swapaxes(a, -1) @ ones).swapaxes(a, -1)
    return f.cumulative_sum(x, p["axis"])


def _reverse(p: Any, size: Sizes, x: Any) -> Any:
    return f.flipped(x, p["dimensions"])


def _sum(p: Any, size: Sizes, x: Any) -> Any:
    return Storage.of(x).sum(tuple(p["axes"])) if p["axes"] else x


def _largest(p: Any, size: Sizes, x: Any) -> Any:
    return Storage.of(x).max(tuple(p["axes"])) if p["axes"] else x


def _same(p: Any, size: Sizes, x: Any, *_: Any) -> Any:
    return x


def _clamp(p: Any, size: Sizes, low: Any, x: Any, high: Any) -> Any:
    return f.clip(x, low, high)


def _dynamic_slice(p: Any, size: Sizes, x: Any, *starts: Any) -> Any:
    for a, (start, length) in enumerate(zip(starts, p["slice_sizes"], strict=True)):
        number = start if isinstance(start, int) else start.__index__() if isinstance(start, Labels) else int(known(start))
        if undim(x.dims[a]) != size(length):
            x = x.sliced(a, slice(number, number + size(length)))
    return x


def _convolution(p: Any, size: Sizes, x: Any, w: Any) -> Any:
    """conv_general_dilated: axes in any order, and elements of the input and of the window at distances."""
    if p["batch_group_count"] != 1:
        raise NotCaptured("a convolution with groups in the batch")
    spec = p["dimension_numbers"]
    x, w = Storage.of(x).permute(*spec.lhs_spec), Storage.of(w).permute(*spec.rhs_spec)
    for k, d in enumerate(p["lhs_dilation"], start=2):
        if d != 1:
            x = windows.placed(x, k, 0, d, (undim(x.dims[k]) - 1) * d + 1)
    pads = [(size(low), size(high)) for low, high in p["padding"]]
    for k, (low, high) in enumerate(pads):
        if isinstance(low, int) and isinstance(high, int) and min(low, high) < 0:
            x = windows.every(x, k + 2, max(-low, 0), 1, undim(x.dims[k + 2]) + min(low, 0) + min(high, 0))
            pads[k] = (max(low, 0), max(high, 0))
    y = windows.convolution(x, w, None, p["window_strides"], pads, p["rhs_dilation"], size(p["feature_group_count"]))
    return y.permute(*(spec.out_spec.index(k) for k in range(y.ndim)))


def _reduce_window(kind: str) -> Rule:
    """The sum or the largest element of each window."""

    def rule(p: Any, size: Sizes, x: Any, *_: Any) -> Any:
        if any(d != 1 for d in p.get("base_dilation") or ()):
            raise NotCaptured("windows of dilated elements")
        x = Storage.of(x).pad([(size(a), size(b)) for a, b in p["padding"]], -float("inf") if kind == "max" else 0)
        lengths = [size(n) for n in p["window_dimensions"]]
        axes = [a for a, n in enumerate(lengths) if n != 1 or p["window_strides"][a] != 1]
        chosen = [[values[a] for a in axes] for values in (lengths, p["window_strides"], p.get("window_dilation") or (1,) * x.ndim)]
        found = windows.windows(x, axes, *chosen)
        return getattr(found, kind)(tuple(range(x.ndim, found.ndim)))

    return rule


def _permute(p: Any, size: Sizes, x: Any) -> Any:
    order = p["permutation"]
    return x.moved(lambda b: b.permute(*order)) if isinstance(x, Labels) else Storage.of(x).permute(*order)


RULES: dict[str, Rule] = {
    "add": _index_or(lambda x, y: x + y),
    "add_any": _two(lambda x, y: x + y),
    "sub": _index_or(lambda x, y: x - y),
    "mul": _two(lambda x, y: x * y),
    "div": _two(lambda x, y: x / y),
    "neg": _one(lambda x: -x),
    "exp": _one(lambda x: x.exp()),
    "log": _one(lambda x: x.log()),
    "tanh": _one(lambda x: x.tanh()),
    "logistic": _one(lambda x: x.sigmoid()),
    "sqrt": _one(lambda x: x.sqrt()),
    "rsqrt": _one(lambda x: x**-0.5),
    "square": _one(lambda x: x * x),
    "sin": _one(lambda x: x.sin()),
    "cos": _one(lambda x: x.cos()),
    "erf": _one(lambda x: x.erf()),
    "erfc": _one(lambda x: 1 - x.erf()),
    "log1p": _one(lambda x: (1 + x).log()),
    "expm1": _one(lambda x: x.exp() - 1),
    "abs": _one(abs),
    "sign": _one(f.sign),
    "floor": _one(f.floor),
    "round": _one(f.rounded),
    "atan": _one(lambda x: x.arctan()),
    "integer_pow": lambda p, size, x: x ** p["y"],
    "pow": _two(lambda x, y: x**y),
    "max": _maximum,
    "min": _two(lambda x, y: x.minimum(y)),
    "stop_gradient": _one(lambda x: x.stop()),
    "select_n": _select,
    "lt": _compare(lambda x, y: x < y),
    "gt": _compare(lambda x, y: x > y),
    "le": _compare(lambda x, y: x <= y),
    "ge": _compare(lambda x, y: x >= y),
    "eq": _compare(lambda x, y: x == y),
    "ne": _compare(lambda x, y: x != y),
    "not": _one(lambda x: ~x),
    "and": _two(lambda x, y: x & y),
    "or": _two(lambda x, y: x | y),
    "is_finite": _one(lambda x: f.filled_like(x, 1)),
    "reduce_sum": _sum,
    "reduce_max": _largest,
    "reduce_min": lambda p, size, x: x.min(tuple(p["axes"])),
    "reduce_prod": lambda p, size, x: x.prod(tuple(p["axes"])),
    "broadcast_in_dim": _broadcast,
    "dot_general": _dot_general,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "expand_dims": _reshape,
    "transpose": _permute,
    "convert_element_type": _same,
    "copy": _same,
    "copy_p": _same,
    "optimization_barrier": _same,
    "reduce_precision": _same,
    "concatenate": lambda p, size, *xs: Products.concatenate([Storage.of(x) for x in xs], p["dimension"]),
    "stack": lambda p, size, *xs: Products.stack([Storage.of(x) for x in xs], p.get("axis", p.get("dimension", 0))),
    "gather": gather,
    "scatter-add": scatter_add,
    "iota": _iota,
    "slice": _slice,
    "split": _split,
    "pad": _pad,
    "conv_general_dilated": _convolution,
    "reduce_window_sum": _reduce_window("sum"),
    "reduce_window_max": _reduce_window("max"),
    "cumsum": _cumsum,
    "rev": _reverse,
    "clamp": _clamp,
    "dynamic_slice": _dynamic_slice,
    "dim_as_value": lambda p, size: Storage.of(size(p["dim"])),
    "cosh": _one(lambda x: (x.exp() + (-x).exp()) / 2),
    "sinh": _one(lambda x: (x.exp() - (-x).exp()) / 2),
}
