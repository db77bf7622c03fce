"""Elementary functions to the last digits, where frameworks lose some.

Written with operators and a backend's own operations, so the same lines serve every framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps

LIMIT = 40.0
"""Beyond it, e^(-x²/2) is 0 in float64."""

# Chebyshev approximation of (1 + t) Φ(-t) e^(t²/2) for t >= 0, as a polynomial in (t - 5) / (t + 5); its error is below 1e-17.
COEFFICIENTS = (
    0.46151582985003775, -0.09155228183400904, 0.031030368425963708, 0.010002352385229382, -0.026401042966308307,
    0.024536963243678652, -0.015170415402514863, 0.006522000667783896, -0.00167607234455447, 7.791597409338989e-06,
    0.00018233414511643846, -5.3607581114872155e-05, -9.89609775927982e-06, 9.059824681256517e-06, -7.034644683529523e-08,
    -1.307448601923542e-06, 1.278782218208423e-07, 1.962780992006596e-07, -2.6286205089825472e-08, -3.0952017557858215e-08,
    3.6273731633692593e-09, 4.401159622683741e-09, -2.822077229003034e-10, -3.8158162624960354e-10,
)  # fmt: skip


def expm1(ops: MatrixOps, X: Any) -> Any:
    """e^x - 1: a difference for |x| > 1, else the Taylor series, x + x² Σ x^k / (k + 2)!, whose rest is below 1e-17."""
    small = ops.clip(X, -1.0, 1.0)
    total = small * 0.0
    for k in range(16, -1, -1):
        total = total * small + 1 / math.factorial(k + 2)
    large = ops.exp(X) + -1.0  # TensorFlow would compile exp - 1 to its own expm1
    return ops.where(ops.less(ops.abs(X), ops.full(1.0, *ops.shape(X))), small + small * small * total, large)


def log1p(ops: MatrixOps, X: Any, of_framework: Callable[[Any], Any]) -> Any:
    """log(1 + x): where x < -1/4 as it is written, as XLA's log1p is off by 100 ulp near -0.4."""
    return ops.where(ops.less(X, ops.full(-0.25, *ops.shape(X))), ops.log(X + 1.0), of_framework(X))


def tanh(ops: MatrixOps, X: Any) -> Any:
    """-E / (2 + E) with E = e^(-2|x|) - 1, and the sign of x."""
    E = ops.expm1(ops.abs(X) * -2.0)
    return ops.hadamard(ops.sign(X), E / (-2.0 - E))


def _tail(T: Any) -> Any:
    """Φ(-t) e^(t²/2) for t >= 0."""
    s = (T - 5.0) / (T + 5.0)
    result = s * COEFFICIENTS[-1] + COEFFICIENTS[-2]
    for coefficient in COEFFICIENTS[-3::-1]:
        result = result * s + coefficient
    return result / (T + 1.0)


def _bell(ops: MatrixOps, X: Any, rint: Callable[[Any], Any]) -> Any:
    """e^(-x²/2) for |x| <= 40, as e^(-h²/2) e^((h - x)(h + x)/2), with h the multiple of 1/64 nearest to x, whose square is exact.

    With a rounded square it is off by x² ulp. The second factor is 1 + expm1, as XLA would join two exponentials to one.
    """
    H = rint(X * 64.0) * 0.015625
    return ops.exp(H * H * -0.5) * (1.0 + ops.expm1((H - X) * (H + X) * 0.5))


def normal_pdf(ops: MatrixOps, X: Any, rint: Callable[[Any], Any]) -> Any:
    """φ(x)."""
    return _bell(ops, ops.clip(X, -LIMIT, LIMIT), rint) * 0.3989422804014327


def normal_cdf(ops: MatrixOps, X: Any, rint: Callable[[Any], Any]) -> Any:
    """Φ(x): for t = |x|, Φ(-t) = (Φ(-t) e^(t²/2)) e^(-t²/2) and Φ(t) = 1 - Φ(-t)."""
    T = ops.minimum(ops.abs(X), ops.full(LIMIT, *ops.shape(X)))
    lower = _tail(T) * _bell(ops, T, rint)
    return ops.where(ops.less(X, ops.zeros(*ops.shape(X))), lower, 1.0 - lower)


def inv_lengths(ops: MatrixOps, X: Any, epsilon: float) -> Any:
    """1 / √(x · xᵀ + ε) as 1 / (m √(x/m · xᵀ/m + ε/m²)), with m the largest element of a row, or 1: no square overflows."""
    scale = ops.reciprocal(ops.maximum(ops.rows_max(ops.abs(X)), ops.ones(ops.shape(X)[0], 1)))
    S = X * scale
    return ops.inv_sqrt(ops.rows_sum(S * S) + scale * scale * epsilon) * scale


def norm(ops: MatrixOps, X: Any) -> Any:
    """‖X‖ as m ‖X / m‖, with m the largest element, or 1: no square overflows."""
    scale = ops.maximum(ops.columns_max(ops.rows_max(ops.abs(X))), ops.ones(1, 1))
    S = X / scale
    return ops.sqrt(ops.elements_sum(S * S)) * scale
