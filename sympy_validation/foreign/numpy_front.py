"""NumPy as a user's code sees it: the functions of the module, on tensors of symbols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import windows
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.keywords import function, method, same
from sympy_validation.foreign.labels import Labels, positions
from sympy_validation.foreign.products import LETTERS, Products
from sympy_validation.foreign.shapes import as_shape
from sympy_validation.foreign.sizes import Dim
from sympy_validation.foreign.tensor import Storage


def arange(*ends: Any, **given: Any) -> Any:
    """Positions, or known numbers."""
    if len(ends) == 1:
        return positions(ends[0])
    if all(isinstance(end, int) for end in ends):
        return list_of_numbers(np.arange(*ends))
    if isinstance(ends[0], int) and ends[0] == 0 and len(ends) == 2:
        return positions(ends[1])
    raise NotCaptured("positions that do not begin with 0")


def list_of_numbers(values: Any) -> Any:
    """Known integers, which may be an index."""
    return np.asarray(values)


def array(x: Any, *_: Any, **__: Any) -> Any:
    """A copy, or a tensor of what a list has."""
    return x.copy() if isinstance(x, Products) else x if isinstance(x, Labels) else Storage.of(x)


def asarray(x: Any, *_: Any, **__: Any) -> Any:
    """The same array, or a tensor of what a list has."""
    return x if isinstance(x, (Storage, Labels)) else Storage.of(x)


def add_at(x: Any, key: Any, value: Any) -> None:
    """np.add.at."""
    x.increase_at(key, value)


def subtract_at(x: Any, key: Any, value: Any) -> None:
    """np.subtract.at."""
    x.increase_at(key, -Storage.of(value))


def split(x: Any, parts: Any, axis: int = 0) -> Any:
    """Parts of one length, or parts that end at these places."""
    if not isinstance(parts, (list, tuple, np.ndarray)):
        return list(f.equal_parts(x, parts, axis))
    ends = [0, *parts, x.shape[axis]]
    return list(f.parts_of(x, [b - a for a, b in pairwise(ends)], axis))


def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeated to a shape."""
    return Storage.of(x).expand(*as_shape((shape,)))


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, else y."""
    if x is None:
        raise NotCaptured("where with one argument: the number of what it gives depends on the data")
    return Storage.of(condition).where(x, y)


def pad(x: Any, widths: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """With elements more before and behind."""
    if mode != "constant":
        raise NotCaptured(f"padding of the kind {mode}")
    if isinstance(widths, int):
        widths = (widths, widths)
    if not isinstance(widths[0], (tuple, list)):
        widths = [tuple(widths)] * x.ndim
    return x.pad(widths * x.ndim if len(widths) == 1 else widths, constant_values)


def squared(x: Any) -> Any:
    """x²."""
    x = Storage.of(x)
    return x * x


def binary(name: str) -> Callable[..., Any]:
    """A function of two operands."""

    def call(x: Any, y: Any, **given: Any) -> Any:
        out = given.pop("out", None)
        found = getattr(Storage.of(x), name)(Storage.of(y))
        return found if out is None else out.assign(found)

    return call


def swapped_less(x: Any, y: Any) -> Any:
    """[x > y]."""
    return Storage.of(x) > Storage.of(y)


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes."""
    x, y = Storage.of(x), Storage.of(y)
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    left, right = (
        [t.axis(a) for a in (side if isinstance(side, (tuple, list, range)) else (side,))] for t, side in zip((x, y), axes, strict=True)
    )
    a, b = list(LETTERS[: x.ndim]), list(LETTERS[x.ndim : x.ndim + y.ndim])
    for i, j in zip(left, right, strict=True):
        b[j] = a[i]
    out = [c for k, c in enumerate(a) if k not in left] + [c for k, c in enumerate(b) if k not in right]
    return Products.einsum(f"{''.join(a)},{''.join(b)}->{''.join(out)}", x, y)


def taken(x: Any, index: Any, axis: Any) -> Any:
    """The parts with an index along an axis."""
    if axis is None:
        raise NotCaptured("take without an axis")
    return x[(slice(None),) * x.axis(axis) + (index,)]


def joined(axis_of: Callable[[Any], int]) -> Callable[..., Any]:
    """A concatenation along an axis that follows from the parts."""

    def call(parts: Sequence[Any], *_: Any, **__: Any) -> Any:
        tensors = [Storage.of(x) for x in parts]
        if axis_of(tensors[0]) == -9:
            return Products.stack(tensors, 0)
        return Products.concatenate(tensors, axis_of(tensors[0]))

    return call


def clip(x: Any, low: Any, high: Any, given: dict[str, Any]) -> Any:
    """Between two bounds, by their two sets of names."""
    return f.clip(x, given.get("a_min", given.get("min", low)), given.get("a_max", given.get("max", high)))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm."""
    return f.norm(x, ord, axis, keepdims)


UNARY = ("exp", "log", "sqrt", "tanh", "sin", "cos", "sigmoid", "erf", "arctan")
COMMON: dict[str, Any] = {name: method(name) for name in (*UNARY, "sum", "mean", "var", "swapaxes", "reshape", "prod")} | {
    "abs": lambda x, **_: abs(Storage.of(x)),
    "absolute": lambda x, **_: abs(Storage.of(x)),
    "zeros": lambda *shape, **given: f.filled(as_shape(shape[:1]) if isinstance(shape[0], (tuple, list)) else _sizes(shape), 0),
    "ones": lambda *shape, **given: f.filled(as_shape(shape[:1]) if isinstance(shape[0], (tuple, list)) else _sizes(shape), 1),
    "empty": lambda *shape, **given: f.filled(as_shape(shape[:1]) if isinstance(shape[0], (tuple, list)) else _sizes(shape), 0),
    "zeros_like": lambda x, **_: f.filled_like(x, 0),
    "ones_like": lambda x, **_: f.filled_like(x, 1),
    "empty_like": lambda x, **_: f.filled_like(x, 0),
    "full": lambda shape, value, **_: f.filled(shape, value),
    "full_like": lambda x, value, **_: f.filled_like(x, value),
    "eye": lambda n, m=None, **_: f.eye(n, m),
    "identity": lambda n, **_: f.eye(n),
    "arange": arange,
    "log1p": lambda x: (1 + Storage.of(x)).log(),
    "expm1": lambda x: Storage.of(x).exp() - 1,
    "log2": lambda x: Storage.of(x).log() / Storage.of(2).log(),
    "square": squared,
    "reciprocal": lambda x: 1 / Storage.of(x),
    "sinh": lambda x: (Storage.of(x).exp() - (-Storage.of(x)).exp()) / 2,
    "cosh": lambda x: (Storage.of(x).exp() + (-Storage.of(x)).exp()) / 2,
    "tan": lambda x: Storage.of(x).sin() / Storage.of(x).cos(),
    "atan": method("arctan"),
    "sign": f.sign,
    "floor": f.floor,
    "round": lambda x, *_: f.rounded(x),
    "where": where,
    "maximum": binary("maximum"),
    "minimum": binary("minimum"),
    "add": binary("add"),
    "subtract": binary("sub"),
    "multiply": binary("mul"),
    "divide": binary("div"),
    "true_divide": binary("div"),
    "power": binary("pow"),
    "pow": binary("pow"),
    "matmul": binary("matmul"),
    "einsum": function(Products.einsum),
    "negative": lambda x: -Storage.of(x),
    "outer": f.outer,
    "logaddexp": lambda x, y: (Storage.of(x).exp() + Storage.of(y).exp()).log(),
    "greater": swapped_less,
    "less": lambda x, y: Storage.of(x) < Storage.of(y),
    "greater_equal": lambda x, y: Storage.of(x) >= Storage.of(y),
    "less_equal": lambda x, y: Storage.of(x) <= Storage.of(y),
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "logical_not": lambda x: 1 - Storage.of(x).truth(),
    "logical_and": lambda x, y: Storage.of(x) & y,
    "logical_or": lambda x, y: Storage.of(x) | y,
    "stack": function(Products.stack),
    "tril": lambda x, k=0, diagonal=0: f.triangle(x, k or diagonal),
    "triu": lambda x, k=0, diagonal=0: f.triangle(x, k or diagonal, upper=True),
    "moveaxis": f.moved_axis,
    "isnan": lambda x: f.filled_like(Storage.of(x), 0),
    "isinf": lambda x: f.filled_like(Storage.of(x), 0),
    "cumsum": lambda x, axis=None, **given: f.cumulative_sum(x, given.get("dim", axis)),
    "diag": f.diagonal,
    "roll": lambda x, shift, axis=None, dims=None: f.rolled(x, shift, dims if dims is not None else axis),
    "broadcast_to": broadcast_to,
    "trace": lambda x: f.diagonal(x).sum(),
}  # fmt: skip


def _sizes(shape: Sequence[Any]) -> tuple[Any, ...]:
    """The sizes of zeros(2, 3) and zeros((2, 3), float)."""
    return tuple(size for size in shape if isinstance(size, (int, Dim)) and not isinstance(size, type))


NUMPY: dict[str, Any] = COMMON | {
    "max": method("max"),
    "amax": method("max"),
    "min": method("min"),
    "amin": method("min"),
    "std": method("std"),
    "dot": f.dot,
    "vdot": lambda x, y: (Storage.of(x) * y).sum(),
    "inner": lambda x, y: Storage.of(x).matmul(Storage.of(y).T),
    "transpose": method("transpose"),
    "concatenate": function(Products.concatenate),
    "hstack": joined(lambda x: 0 if x.ndim == 1 else 1),
    "vstack": joined(lambda x: -9 if x.ndim == 1 else 0),
    "expand_dims": lambda x, axis: Storage.of(x).with_axis(axis),
    "squeeze": method("squeeze"),
    "ravel": method("ravel"),
    "pad": pad,
    "copy": lambda x, *_: x.copy(),
    "array": array,
    "asarray": asarray,
    "ascontiguousarray": same,
    "atleast_2d": lambda x: x if x.ndim > 1 else x.with_axis(0),
    "clip": lambda x, low=None, high=None, **given: clip(x, low, high, given),
    "split": split,
    "array_split": split,
    "flip": lambda x, axis=None: f.flipped(x, range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)),
    "repeat": f.repeated,
    "tile": lambda x, times: f.tiled(x, times if isinstance(times, (tuple, list)) else (times,)),
    "tensordot": tensordot,
    "sliding_window_view": windows.sliding,
    "as_strided": windows.by_strides,
    "take": lambda x, index, axis=None, **_: taken(x, index, axis),
    "heaviside": lambda x, _: Storage.of(x) > 0,
    "nan_to_num": same,
    "take_along_axis": lambda x, index, axis: f.take_along(x, index, axis),
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.elements,
    "linalg.norm": norm,
    "special.expit": method("sigmoid"),
    "special.softmax": lambda x, axis=-1: f.softmax(x, axis),
    "special.logsumexp": lambda x, axis=None, keepdims=False: f.logsumexp(x, axis, keepdims),
    "special.log_softmax": lambda x, axis=-1: f.log_softmax(x, axis),
    "special.erf": method("erf"),
    "expit": method("sigmoid"),
    "softmax": lambda x, axis=-1: f.softmax(x, axis),
    "logsumexp": lambda x, axis=None, keepdims=False, **_: f.logsumexp(x, axis, keepdims),
    "log_softmax": lambda x, axis=-1: f.log_softmax(x, axis),
    "pi": f.pi,
}  # fmt: skip
"""The functions of NumPy and, by the same names, of scipy.special. ``pi`` is made anew for each use."""

MATH: dict[str, Any] = {
    "sqrt": method("sqrt"),
    "exp": method("exp"),
    "log": method("log"),
    "tanh": method("tanh"),
    "prod": f.product_of_all,
    "pow": binary("pow"),
    "sin": method("sin"),
    "cos": method("cos"),
    "pi": f.pi,
}
