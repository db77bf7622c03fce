"""PyTorch as a user's code sees it: the functions of the modules, on tensors of symbols."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sympy_validation.foreign import functions as f
from sympy_validation.foreign import numpy_front as n
from sympy_validation.foreign import windows
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.keywords import function, method, same
from sympy_validation.foreign.labels import Labels, positions
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.tensor import Storage
from sympy_validation.foreign.torch_tensor import TorchTensor


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
    smoothing = given.get("label_smoothing", 0)
    logs = f.log_softmax(x, 1)
    if not isinstance(y, Labels):
        if smoothing or weight is not None:
            raise NotCaptured("label smoothing or weights with probabilities")
        found = -(logs * y).sum(1)
        return found.sum() / x.shape[0] if reduction == "mean" else reduced(found, reduction)
    plain = nll_loss(logs, y, weight, reduction)
    return (1 - smoothing) * plain + smoothing * reduced(-logs.mean(1), reduction) if smoothing else plain


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


def losses(g: Callable[..., Any]) -> Callable[..., Any]:
    """A loss of an element, with a reduction."""

    def call(x: Any, y: Any, reduction: str = "mean", **given: Any) -> Any:
        known = {"beta", "delta", "log_target", "pos_weight"} & set(inspect.signature(g).parameters)
        others = {name for name, value in given.items() if name not in known and value is not None}
        if others:
            raise NotCaptured(f"a loss with {', '.join(sorted(others))}")
        found = g(x, y, **{name: value for name, value in given.items() if name in known})
        return found.sum() / x.shape[0] if reduction == "batchmean" else reduced(found, reduction)

    return call


def smooth_l1(x: Any, y: Any, beta: Any = 1.0) -> Any:
    """d² / 2β for |d| < β, else |d| - β/2."""
    d = x - y
    return (abs(d) < beta).where(0.5 * d * d / beta, abs(d) - 0.5 * beta)


def huber(x: Any, y: Any, delta: Any = 1.0) -> Any:
    """d² / 2 for |d| < δ, else δ (|d| - δ/2)."""
    return delta * smooth_l1(x, y, delta)


def binary_cross_entropy_of_logits(x: Any, y: Any, pos_weight: Any = None) -> Any:
    """-(w y log σ(x) + (1 - y) log(1 - σ(x)))."""
    if pos_weight is None:
        return f.softplus(x) - x * y
    return pos_weight * y * f.softplus(-x) + (1 - y) * f.softplus(x)


def divergence(x: Any, y: Any, log_target: bool = False) -> Any:
    """y (log y - x), of x that are logarithms."""
    return y.exp() * (y - x) if log_target else y * (y.log() - x)


def cosine_similarity(x: Any, y: Any, dim: int = 1, **_: Any) -> Any:
    """x · y / (|x| |y|)."""
    return (x * y).sum(dim) / (f.norm(x, 2, dim) * f.norm(y, 2, dim))


def gated(x: Any, dim: int = -1) -> Any:
    """The first half times the sigmoid of the second."""
    a, b = x.chunk(2, dim)
    return a * b.sigmoid()


def softplus(x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    """log(1 + e^βx) / β."""
    return f.softplus(x) if isinstance(beta, int) and beta == 1 else f.softplus(beta * x) / beta


def torch_names(g: Callable[..., Any]) -> Callable[..., Any]:
    """A function of x, w and bias by the names that PyTorch gives them."""

    def call(*operands: Any, **given: Any) -> Any:
        names = {"input": "x", "weight": "w"}
        return g(*operands, **{names.get(name, name): value for name, value in given.items()})

    return call


def pool(k: int, kind: str) -> Callable[..., Any]:
    """Pooling over k axes."""

    def call(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, **given: Any) -> Any:
        plain = {"dilation": 1, "count_include_pad": given.get("count_include_pad")}
        if any(value is not None and value is not False and plain.get(name) is not value for name, value in given.items()):
            raise NotCaptured(f"pooling with {', '.join(given)}")
        if padding and given.get("count_include_pad") is False:
            raise NotCaptured("pooling that does not count the padding")
        return windows.pooled(x, kernel_size, stride, padding, k, kind)

    return call


def adaptive_mean(x: Any, size: Any, n: int) -> Any:
    """The mean over the last n axes."""
    if tuple(windows.each(size, n)) != (1,) * n:
        raise NotCaptured("adaptive pooling to more than one element")
    return x.mean(tuple(range(x.ndim - n, x.ndim)), True)


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
    "softplus": softplus,
    "kl_div": losses(divergence),
    "huber_loss": losses(huber),
    "cosine_similarity": cosine_similarity,
    "glu": gated,
    "relu6": lambda x, **_: f.clip(x, 0.0, 6.0),
    "hardsigmoid": lambda x, **_: f.clip(x + 3, 0.0, 6.0) / 6,
    "hardswish": lambda x, **_: x * f.clip(x + 3, 0.0, 6.0) / 6,
    "softsign": lambda x: x / (1 + abs(x)),
    "celu": lambda x, alpha=1.0, **_: (x > 0).where(x, alpha * ((x / alpha).exp() - 1)),
    "tanhshrink": lambda x: x - x.tanh(),
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
    "smooth_l1_loss": losses(smooth_l1),
    "binary_cross_entropy": losses(lambda x, y: -(y * x.log() + (1 - y) * (1 - x).log())),
    "binary_cross_entropy_with_logits": losses(binary_cross_entropy_of_logits),
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
    "tensordot": lambda x, y, dims=2: n.tensordot(x, y, dims),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), torch_names(windows.convolution)),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), torch_names(windows.transposed_convolution)),
    **dict.fromkeys(("conv1d_input", "conv2d_input", "conv3d_input"), windows.gradient_of_input),
    **dict.fromkeys(("conv1d_weight", "conv2d_weight", "conv3d_weight"), windows.gradient_of_weight),
    **{f"avg_pool{k}d": pool(k, "mean") for k in (1, 2, 3)},
    **{f"max_pool{k}d": pool(k, "max") for k in (1, 2, 3)},
    "adaptive_avg_pool1d": lambda x, size: adaptive_mean(x, size, 1),
    "adaptive_avg_pool2d": lambda x, size: adaptive_mean(x, size, 2),
    "unfold": windows.columns,
    "fold": windows.from_columns,
    "pixel_shuffle": windows.shuffled,
    "pixel_unshuffle": windows.unshuffled,
    "as_strided": windows.by_strides,
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
    for name in ("eq", "ne", "gt", "lt", "ge", "le", "abs"):
        setattr(TorchTensor, name, getattr(TorchTensor, f"__{name}__"))
    others = {"multiply": "mul", "divide": "div", "subtract": "sub", "logical_not": "__invert__", "clone": "copy", "detach": "alias"}
    for name, own in others.items():
        setattr(TorchTensor, name, getattr(TorchTensor, own))
    setattr(TorchTensor, "float", f.narrow)  # noqa: B010 - the name of a type


_methods()
