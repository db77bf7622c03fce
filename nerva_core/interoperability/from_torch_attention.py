"""Attention and transformer encoders of ``torch.nn``, read by ``from_torch``, which see all positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.activations import GELU, Activation, ReLU
from nerva_core.layers import (
    ActivationLayer,
    Dropout,
    Layer,
    LayerNorm,
    Linear,
    MultiHeadAttention,
    Residual,
    Sequential,
    TransformerBlock,
)


def attention(m: Any, r: Any) -> None:
    """``MultiheadAttention`` of a sequence to itself."""
    r.channels = m.embed_dim
    r.add(_attention(m), _of_attention(m))


def encoder_layer(m: Any, r: Any) -> None:
    """``TransformerEncoderLayer``: a block, or with dropout the layers that it is made of, as torch drops inside the perceptron too."""
    r.channels = D = m.self_attn.embed_dim
    heads, K, activation = _attention(m.self_attn), m.linear1.out_features, _activation(m)
    norms = [LayerNorm(norm.eps) for norm in (m.norm1, m.norm2)]
    plain = m.self_attn.dropout == m.dropout.p == m.dropout1.p == m.dropout2.p == 0
    if plain and K % D == 0 and norms == [LayerNorm()] * 2:
        layer: Layer = TransformerBlock(heads.heads, False, K // D, activation, m.norm_first)
    else:
        first = [heads, *_dropout(m.dropout1)]
        second = [Linear(K), ActivationLayer(activation), *_dropout(m.dropout), Linear(D), *_dropout(m.dropout2)]
        parts = ([norms[0], *first], [norms[1], *second]) if m.norm_first else (first, second)
        residuals = [Residual(Sequential(tuple(part))) for part in parts]
        order = residuals if m.norm_first else [residuals[0], norms[0], residuals[1], norms[1]]
        layer = Sequential(tuple(order))
    of_heads, of_norms = _of_attention(m.self_attn), [_of_norm(m.norm1, D), _of_norm(m.norm2, D)]
    perceptron = [array for linear in (m.linear1, m.linear2) for array in _of_linear(linear)]
    in_order = [of_norms[0], of_heads, of_norms[1], perceptron] if m.norm_first else [of_heads, of_norms[0], perceptron, of_norms[1]]
    r.add(layer, [array for arrays in in_order for array in arrays])


def encoder(m: Any, r: Any) -> None:
    """``TransformerEncoder``: its layers, and a norm if there is one."""
    for layer in m.layers:
        encoder_layer(layer, r)
    if m.norm is not None:
        r.add(LayerNorm(m.norm.eps), _of_norm(m.norm, r.channels))


def _attention(m: Any) -> MultiHeadAttention:
    if not m.batch_first:
        raise NervaError(f"{type(m).__name__}: sequences come first in the rows here; make it with batch_first=True")
    if m.in_proj_weight is None or m.bias_k is not None or m.add_zero_attn:
        raise NervaError(f"{type(m).__name__}: attention to keys and values of other sizes, or to added ones, has no equal here")
    return MultiHeadAttention(m.num_heads, dropout=float(m.dropout))


def _dropout(m: Any) -> list[Layer]:
    return [Dropout(float(m.p))] if m.p else []


def _activation(m: Any) -> Activation:
    known: dict[int, Activation] = {1: ReLU(), 2: GELU()}
    if m.activation_relu_or_gelu not in known:
        raise NervaError(f"{type(m).__name__}: the activations relu and gelu have an equal here, got {m.activation!r}")
    return known[m.activation_relu_or_gelu]


def _of_attention(m: Any) -> list[Any]:
    bias = np.zeros((1, 3 * m.embed_dim)) if m.in_proj_bias is None else m.in_proj_bias[None]
    return [m.in_proj_weight, bias, *_of_linear(m.out_proj)]


def _of_linear(m: Any) -> list[Any]:
    return [m.weight, np.zeros((1, m.out_features)) if m.bias is None else m.bias[None]]


def _of_norm(m: Any, D: int) -> list[Any]:
    if m.weight is None:
        raise NervaError("LayerNorm with trained weights has an equal here")
    return [m.weight[None], np.zeros((1, D)) if m.bias is None else m.bias[None]]
