"""Functions that the libraries have in common, by the operations of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.constants import PI
from sympy_validation.foreign.elementwise import FLOOR, ROUND
from sympy_validation.foreign.errors import NotCaptured, SizeNeeded
from sympy_validation.foreign.labels import Labels, below, index_of, positions
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.sizes import Dim, dim, undim
from sympy_validation.foreign.tensor import Storage, int_shape, vectorized


def as_tensor(x: Any) -> Any:
    """A number, array or tensor as a tensor."""
    return Storage.of(x)


def pi() -> Any:
    """π as a tensor without axes."""
    return Storage.make((), PI)


def filled(shape: Any, value: Any) -> Any:
    """A tensor with one value everywhere."""
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    dims = [dim(size).factors for size in sizes]
    array = np.empty(int_shape(dims), dtype=object)
    array[...] = as_tensor(value).array[()]
    return Storage.make(dims, array)


def filled_like(x: Any, value: Any) -> Any:
    """A tensor of the same shape with one value everywhere."""
    return filled(tuple(undim(d) for d in x.dims), value)


def eye(n: Any, m: Any = None) -> Any:
    """The identity."""
    if m is not None and dim(m).form != dim(n).form:
        raise NotCaptured("an identity that is not square")
    i = positions(n)
    return i[:, None] == i[None, :]


def triangle(x: Any, k: Any = 0, *, upper: bool = False) -> Any:
    """The elements on and below diagonal k, or on and above it; 0 elsewhere."""
    x = as_tensor(x)
    rows, columns = (positions(undim(d)) for d in x.dims[-2:])
    a, b = rows[:, None], columns[None, :]
    dims = Storage.joint(a.behind, b.behind)
    number = int(k) - upper

    def lower(P: Any, Q: Any) -> Any:
        return below(index_of(P), index_of(Q), number)

    mask = Storage.make(dims, vectorized(lower, a.indices(dims), b.indices(dims)))
    return x * (1 - mask if upper else mask)


def softmax(x: Any, axis: Any = -1) -> Any:
    """e^x over its sum."""
    e = (x - Products.max(x, axis, True)).exp()
    return e / e.sum(axis, True)


def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """The logarithm of the sum of exponentials."""
    return x.exp().sum(axis, keepdims).log()


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """x less its logsumexp."""
    return x - logsumexp(x, axis, True)


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return (1 + as_tensor(x).exp()).log()


def relu(x: Any) -> Any:
    """The larger of x and 0."""
    x = as_tensor(x)
    return x * (x > 0)


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x between two bounds."""
    x = as_tensor(x)
    x = x if low is None else x.maximum(low)
    return x if high is None else x.minimum(high)


def norm(x: Any, p: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The root of the sum of squares, or the sum of absolute values."""
    if p == 1:
        return abs(x).sum(axis, keepdims)
    if p not in (None, 2, 2.0, "fro"):
        raise NotCaptured(f"the norm of order {p}")
    return (x * x).sum(axis, keepdims).sqrt()


def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    x = as_tensor(x)
    return (x > 0) - (x < 0)


def floor(x: Any) -> Any:
    """The next integer below."""
    return as_tensor(x).apply(FLOOR)


def rounded(x: Any) -> Any:
    """The next integer."""
    return as_tensor(x).apply(ROUND)


def cumulative_sum(x: Any, axis: Any) -> Any:
    """The sums of the elements up to each."""
    if axis is None:
        raise NotCaptured("a cumulative sum of all elements")
    a = x.axis(axis)
    n = undim(x.dims[a])
    ones = triangle(filled((n, n), 1))
    moved = x.swapaxes(a, -1)
    return (moved @ ones.T).swapaxes(a, -1).copy()


def flipped(x: Any, axes: Sequence[int]) -> Any:
    """In the opposite order along axes of known lengths."""
    for a in axes:
        if any(isinstance(f, Size) for f in x.dims[x.axis(a)]):
            raise SizeNeeded(dim(undim(x.dims[x.axis(a)])).names(), "the opposite order of an axis")
        x = x.sliced(x.axis(a), slice(None, None, -1))
    return x


def rolled(x: Any, shift: int, axis: int) -> Any:
    """Moved along an axis of a known length, in a circle."""
    a = x.axis(axis)
    n = undim(x.dims[a])
    if isinstance(n, Dim):
        raise SizeNeeded(n.names(), "a roll along an axis")
    k = shift % n
    return x if not k else Products.concatenate([x.sliced(a, slice(n - k, n)), x.sliced(a, slice(0, n - k))], a)


def repeated(x: Any, times: Any, axis: Any) -> Any:
    """Each element several times."""
    if axis is None:
        raise NotCaptured("a repetition of all elements")
    a = x.axis(axis)
    wide = x.with_axis(a + 1)
    shape = [undim(d) for d in wide.dims]
    shape[a + 1] = times
    merged = [undim(d) for d in x.dims]
    merged[a] = merged[a] * times
    return wide.expand(*shape).reshape(*merged).copy()


def tiled(x: Any, times: Sequence[Any]) -> Any:
    """The whole several times along each axis."""
    x = as_tensor(x)
    times = [*[1] * (x.ndim - len(times)), *times]
    for _ in range(len(times) - x.ndim):
        x = x.with_axis(0)
    for a, n in enumerate(times):
        if not (isinstance(n, int) and n == 1):
            shape, merged = [undim(d) for d in x.with_axis(a).dims], [undim(d) for d in x.dims]
            shape[a], merged[a] = n, n * merged[a] if not isinstance(merged[a], int) else merged[a] * n
            x = x.with_axis(a).expand(*shape).reshape(*merged)
    return x.copy()


def parts_of(x: Any, lengths: Sequence[Any], axis: int) -> tuple[Any, ...]:
    """Parts of these lengths along an axis."""
    a, start = x.axis(axis), 0
    found = []
    for length in lengths:
        found.append(x.sliced(a, slice(start, start + length)))
        start = start + length
    return tuple(found)


def equal_parts(x: Any, n: int, axis: int) -> tuple[Any, ...]:
    """n parts of one length along an axis."""
    if isinstance(n, Dim):
        raise SizeNeeded(n.names(), "a split into as many parts as a size")
    length = undim(x.dims[x.axis(axis)]) // n
    return parts_of(x, [length] * n, axis)


def diagonal(x: Any) -> Any:
    """A diagonal matrix of a vector, or the diagonal of a matrix."""
    if x.ndim == 1:
        return x[:, None] * eye(undim(x.dims[0]))
    return (x * eye(undim(x.dims[0]))).sum(-1)


def dot(x: Any, y: Any) -> Any:
    """NumPy's dot: over the last axis of x and the last but one of y."""
    x, y = as_tensor(x), as_tensor(y)
    if 0 in (x.ndim, y.ndim):
        return x * y
    if y.ndim > 2:
        raise NotCaptured("a dot with a tensor of more than two axes")
    return x.matmul(y)


def outer(x: Any, y: Any) -> Any:
    """x yᵀ."""
    return as_tensor(x)[:, None] * as_tensor(y)[None, :]


def moved_axis(x: Any, source: Any, target: Any) -> Any:
    """One axis at another place."""
    order = [k for k in range(x.ndim) if k != x.axis(source)]
    order.insert(x.axis(target), x.axis(source))
    return x.permute(*order)


def gelu(x: Any, tanh: bool = False) -> Any:
    """x Φ(x), or its approximation by tanh."""
    if tanh:
        return 0.5 * x * (1 + ((2 / pi()).sqrt() * (x + 0.044715 * x**3)).tanh())
    return 0.5 * x * (1 + (x / as_tensor(2).sqrt()).erf())


def normalized(x: Any, axes: Sequence[int], weight: Any, bias: Any, eps: Any) -> Any:
    """(x - μ) / √(σ² + eps) · weight + bias."""
    centred = x - x.mean(axes, True)
    y = centred / (Products.var(x, axes, True) + eps).sqrt()
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def product_of_all(values: Any) -> Any:
    """The product of sizes or numbers."""
    result: Any = 1
    for value in values:
        result = result * value
    return result


def narrow(x: Any) -> Any:
    """A cast to a shorter type: in real arithmetic the same."""
    Current.run.narrow = True
    return x


def take_along(x: Any, index: Any, axis: Any) -> Any:
    """The elements with an index along one axis, one for each place."""
    a = x.axis(axis)
    if not isinstance(index, Labels):
        raise NotCaptured("an index that is computed")
    if index.dims[a]:
        raise NotCaptured("more than one index along an axis at each place")
    flat = index.moved(lambda b: b.without_axes([a]))
    one_hot = flat.one_hot().permute(*range(a), x.ndim - 1, *range(a, x.ndim - 1))
    return (x * one_hot).sum(a, True)


def put_along(x: Any, index: Any, axis: Any, value: Any) -> Any:
    """x with a value added at an index along one axis, one for each place."""
    a = x.axis(axis)
    if not isinstance(index, Labels) or index.dims[a]:
        raise NotCaptured("this index of a scatter")
    flat = index.moved(lambda b: b.without_axes([a]))
    one_hot = flat.one_hot().permute(*range(a), x.ndim - 1, *range(a, x.ndim - 1))
    return one_hot, one_hot * value
