"""PyTorch as a user's code sees it: the functions of the modules and the methods of tensors, on tensors of symbols."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import numpy_front as n
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.keywords import function, method, plain, same
from sympy_validation.foreign.labels import Labels, positions
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.shapes import as_shape
from sympy_validation.foreign.sizes import dim
from sympy_validation.foreign.tensor import Storage, View


class TorchTensor(Products):
    """A tensor of PyTorch."""

    scalars_are_memory = True
    requires_grad = True
    is_cuda = False
    grad = None

    def _fold(self, axes: Any, keepdims: bool, symbolic: Any, concrete: Any) -> Any:
        return super()._fold(axes, keepdims, symbolic, concrete)

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

    def sum_to_size(self, *shape: Any) -> Any:
        """The sum over what was repeated."""
        return summed_to(self, [dim(s).factors for s in as_shape(shape)])

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

    def gather(self, axis: Any, index: Any) -> Any:
        """The elements with an index along one axis."""
        return f.take_along(self, index, axis)

    def scatter_add_(self, axis: Any, index: Any, value: Any) -> Any:
        """Adds at an index along one axis."""
        return self.assign(self + f.put_along(self, index, axis, value)[1])

    def scatter_(self, axis: Any, index: Any, value: Any) -> Any:
        """Writes at an index along one axis."""
        one, new = f.put_along(self, index, axis, value)
        return self.assign(self * (1 - one) + new)

    def scatter(self, axis: Any, index: Any, value: Any) -> Any:
        """A copy with values at an index."""
        return self.copy().scatter_(axis, index, value)

    def scatter_add(self, axis: Any, index: Any, value: Any) -> Any:
        """A copy with values added at an index."""
        return self.copy().scatter_add_(axis, index, value)

    def index_add_(self, axis: Any, index: Any, value: Any) -> Any:
        """Adds at an index along an axis, as often as it occurs."""
        self.increase_at((slice(None),) * self.axis(axis) + (index,), value)
        return self

    def index_select(self, axis: Any, index: Any) -> Any:
        """The parts with an index."""
        return self[(slice(None),) * self.axis(axis) + (index,)]

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

    def unfold(self, *_: Any) -> Any:
        """Windows of an axis."""
        raise NotCaptured("unfold")

    def __len__(self) -> int:
        return self.shape[0].__index__()  # type: ignore[no-any-return]

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


def layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5) -> Any:
    """Layer normalization over the last axes."""
    n_axes = len(shape) if isinstance(shape, (tuple, list)) else 1
    return f.normalized(x, range(x.ndim - n_axes, x.ndim), weight, bias, eps)


def rms_norm(x: Any, shape: Any, weight: Any = None, eps: Any = None) -> Any:
    """x over the root of its mean square."""
    axes = tuple(range(x.ndim - (len(shape) if isinstance(shape, (tuple, list)) else 1), x.ndim))
    y = x / ((x * x).mean(axes, True) + (2.0**-52 if eps is None else eps)).sqrt()
    return y if weight is None else y * weight


def nll_loss(x: Any, y: Any, weight: Any = None, reduction: str = "mean", **_: Any) -> Any:
    """Minus the logarithms of the probabilities of the labels."""
    if weight is not None:
        raise NotCaptured("class weights")
    return reduced(-x[positions(x.shape[0]), y], reduction)


def cross_entropy(x: Any, y: Any, weight: Any = None, reduction: str = "mean", **given: Any) -> Any:
    """The cross entropy of softmax with labels or with probabilities."""
    if given.get("label_smoothing"):
        raise NotCaptured("label smoothing inside cross_entropy")
    logs = f.log_softmax(x, 1)
    if isinstance(y, Labels):
        return nll_loss(logs, y, weight, reduction)
    return reduced(-(logs * y).sum(1), reduction)


def reduced(x: Any, reduction: str) -> Any:
    """The mean, the sum, or all."""
    return x.mean() if reduction == "mean" else x.sum() if reduction == "sum" else x


def attention(q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False, scale: Any = None) -> Any:
    """softmax(Q Kᵀ / √A) V."""
    if dropout_p:
        raise NotCaptured("dropout: it is random")
    scores = q @ k.swapaxes(-1, -2) * (1 / Storage.of(q.shape[-1]).sqrt() if scale is None else scale)
    if is_causal:
        attn_mask = f.triangle(f.filled((scores.shape[-2], scores.shape[-1]), 1))
    if attn_mask is not None:
        scores = attn_mask.where(scores, -float("inf"))
    return f.softmax(scores, -1) @ v


class NoGradient:
    """no_grad and enable_grad, as a context and as a decorator."""

    def __call__(self, g: Any = None, *_: Any, **__: Any) -> Any:
        return g if callable(g) else self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def torch_max(x: Any, *axes: Any, **given: Any) -> Any:
    """The largest element, along an axis with places, or of two tensors."""
    return x.max(*axes, **given)


def losses(g: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A loss of an element, with a reduction."""
    return lambda x, y, *_, reduction="mean", **__: reduced(g(x, y), reduction)


def smooth_l1(d: Any) -> Any:
    """d² / 2 for |d| < 1, else |d| - 1/2."""
    return (abs(d) < 1).where(0.5 * d * d, abs(d) - 0.5)


TORCH: dict[str, Any] = n.COMMON | {
    "max": torch_max,
    "min": lambda x, *axes, **given: x.min(*axes, **given),
    "amax": lambda x, *axes, **given: x.amax(*axes, **given),
    "sum": lambda x, *axes, **given: x.sum(*axes, **given),
    "mean": lambda x, *axes, **given: x.mean(*axes, **given),
    "var": lambda x, *axes, **given: x.var(*axes, **given),
    "std": lambda x, *axes, **given: x.std(*axes, **given),
    "cat": function(Products.concatenate),
    "concat": function(Products.concatenate),
    "rsqrt": lambda x: Storage.of(x) ** -0.5,
    "relu": f.relu,
    "leaky_relu": lambda x, negative_slope=0.01, **_: (x > 0).where(x, negative_slope * x),
    "elu": lambda x, alpha=1.0, **_: (x > 0).where(x, alpha * (x.exp() - 1)),
    "mm": method("matmul"),
    "bmm": method("matmul"),
    "mv": method("matmul"),
    "dot": method("matmul"),
    "transpose": lambda x, a, b: x.swapaxes(a, b),
    "t": lambda x: x.T,
    "permute": lambda x, order: x.permute(*order),
    "unsqueeze": lambda x, axis: x.with_axis(axis),
    "squeeze": lambda x, *axes, **given: x.squeeze(*axes, **given),
    "flatten": lambda x, *axes, **given: x.flatten(*axes, **given),
    "clamp": lambda x, low=None, high=None, **given: f.clip(x, given.get("min", low), given.get("max", high)),
    "clip": lambda x, low=None, high=None, **given: f.clip(x, given.get("min", low), given.get("max", high)),
    "clamp_min": lambda x, low: f.clip(x, low),
    "tensor": lambda x, **_: Storage.of(x),
    "as_tensor": lambda x, **_: x if isinstance(x, Labels) else Storage.of(x),
    "softmax": lambda x, dim=-1, **_: f.softmax(x, dim),
    "log_softmax": lambda x, dim=-1, **_: f.log_softmax(x, dim),
    "logsumexp": lambda x, dim=-1, keepdim=False, **_: f.logsumexp(x, dim, keepdim),
    "gelu": lambda x, approximate="none": f.gelu(x, approximate == "tanh"),
    "silu": lambda x, **_: x * x.sigmoid(),
    "mish": lambda x, **_: x * f.softplus(x).tanh(),
    "softplus": lambda x, *_: f.softplus(x),
    "logsigmoid": lambda x: -f.softplus(-x),
    "hardtanh": lambda x, min_val=-1.0, max_val=1.0: f.clip(x, min_val, max_val),
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "one_hot": lambda y, num_classes=None: y.one_hot(num_classes),
    "norm": lambda x, *given, **more: x.norm(*given, **more),
    "normalize": lambda x, p=2, dim=1, eps=1e-12: x / f.norm(x, p, dim, True),
    "split": lambda x, length, dim=0: x.split(length, dim),
    "chunk": lambda x, n, dim=0: x.chunk(n, dim),
    "masked_fill": lambda x, mask, value: x.masked_fill(mask, value),
    "gather": lambda x, dim, index: x.gather(dim, index),
    "index_select": lambda x, dim, index: x.index_select(dim, index),
    "nll_loss": nll_loss,
    "cross_entropy": cross_entropy,
    "mse_loss": losses(lambda x, y: (x - y) * (x - y)),
    "l1_loss": losses(lambda x, y: abs(x - y)),
    "smooth_l1_loss": losses(lambda x, y: smooth_l1(x - y)),
    "binary_cross_entropy": losses(lambda x, y: -(y * x.log() + (1 - y) * (1 - x).log())),
    "binary_cross_entropy_with_logits": losses(lambda x, y: f.softplus(x) - x * y),
    "scaled_dot_product_attention": attention,
    "linear": lambda x, w, b=None: x @ w.T if b is None else x @ w.T + b,
    "addmm": lambda b, x, y, **_: b + x @ y,
    "baddbmm": lambda b, x, y, **_: b + x @ y,
    "embedding": lambda y, table, *_, **__: table[y],
    "finfo": lambda *_: SimpleNamespace(min=-float("inf"), max=float("inf"), eps=2.0**-52, tiny=0.0),
    "mul": lambda x, y: Storage.of(x) * y,
    "div": lambda x, y: Storage.of(x) / y,
    "sub": lambda x, y: Storage.of(x) - y,
    "neg": lambda x: -x,
    "flip": lambda x, dims: f.flipped(x, dims),
    "pad": lambda x, widths, mode="constant", value=0: torch_pad(x, widths, mode, value),
    "no_grad": NoGradient(),
    "enable_grad": NoGradient(),
    "inference_mode": NoGradient(),
    "is_tensor": lambda x: True,
    "is_grad_enabled": lambda: False,
    "unbind": lambda x, dim=0: x.unbind(dim),
    "clone": lambda x, **_: x.copy(),
    "detach": lambda x: x.detach(),
    "repeat_interleave": lambda x, times, dim=None: f.repeated(x, times, dim),
    "square": n.squared,
}  # fmt: skip


def torch_pad(x: Any, widths: Any, mode: str, value: Any) -> Any:
    """Padding of the last axes, given from the last to the first."""
    if mode != "constant":
        raise NotCaptured(f"padding of the kind {mode}")
    pairs = [(widths[k], widths[k + 1]) for k in range(0, len(widths), 2)]
    return x.pad([*[(0, 0)] * (x.ndim - len(pairs)), *pairs[::-1]], value or 0)


def in_place(name: str) -> Callable[..., Any]:
    """The operation that changes the tensor."""

    def call(x: Any, *operands: Any, **given: Any) -> Any:
        if name == "add" and x.view_of and not given:
            x += operands[0]
            return x
        alpha = given.pop("alpha", 1)
        operands = tuple(alpha * y if alpha != 1 else y for y in operands)
        return x.assign(getattr(x, name)(*operands, **given))

    return call


def _methods() -> None:
    """The methods that are functions too, those that change the tensor, and those that change no value."""
    for name in ("softmax", "log_softmax", "logsumexp", "rsqrt", "square", "relu", "clamp", "clip", "unsqueeze", "tril", "triu", "cumsum",
                 "flip", "roll", "log1p", "expm1", "reciprocal", "mm", "bmm", "mv", "dot", "addmm", "sign", "floor", "round",
                 "moveaxis", "clamp_min", "isnan", "isinf", "outer"):  # fmt: skip
        setattr(TorchTensor, name, TORCH[name])
    for name in ("add", "sub", "mul", "div", "exp", "log", "sqrt", "neg", "sigmoid", "tanh", "clamp", "relu", "pow"):
        setattr(TorchTensor, name + "_", in_place(name))
    for name in ("type_as", "double", "cpu", "cuda", "requires_grad_", "bool", "numpy", "bfloat16"):
        setattr(TorchTensor, name, same)
    for name in ("to", "type", "half"):
        setattr(TorchTensor, name, TorchTensor.dtype_cast)
    TorchTensor.float = f.narrow  # type: ignore[attr-defined]
    TorchTensor.clone = TorchTensor.copy  # type: ignore[attr-defined]
    TorchTensor.detach = TorchTensor.alias  # type: ignore[attr-defined]
    TorchTensor.abs = lambda self: abs(self)  # type: ignore[attr-defined]
    TorchTensor.eq = lambda self, y: self == y  # type: ignore[attr-defined]
    TorchTensor.ne = lambda self, y: self != y  # type: ignore[attr-defined]
    TorchTensor.gt = lambda self, y: self > y  # type: ignore[attr-defined]
    TorchTensor.lt = lambda self, y: self < y  # type: ignore[attr-defined]
    TorchTensor.ge = lambda self, y: self >= y  # type: ignore[attr-defined]
    TorchTensor.le = lambda self, y: self <= y  # type: ignore[attr-defined]
    TorchTensor.multiply, TorchTensor.divide, TorchTensor.subtract = TorchTensor.mul, TorchTensor.div, TorchTensor.sub  # type: ignore[attr-defined]
    TorchTensor.logical_not = TorchTensor.__invert__  # type: ignore[attr-defined]


_methods()
