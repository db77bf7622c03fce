"""Errata that no theorem of the table can state: of frameworks' calls, of tables, of conditions on spaces. Most have a check that runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Remark(NamedTuple):
    """One erratum: where it is, what is printed, what is right, what shows it, and whether it does."""

    number: str
    where: str
    printed: str
    corrected: str
    shown: str
    shows: Callable[[], bool] | None = None
    """A computation of what is shown; None where it is read."""


def _diverges() -> bool:
    theta = 1.0
    for _ in range(100):  # G = -0.45 θ², so |∇G(θ) - ∇G(θ̃)| = 0.9 |θ - θ̃|
        theta -= 0.5 * (-0.9 * theta)
    return theta > 1e15


def _no_fixed_point() -> bool:
    x = np.linspace(1, 50, 500)
    a, b = np.meshgrid(x, x)
    apart = a != b
    contracted = np.abs((a + 1 / a) - (b + 1 / b))[apart] < np.abs(a - b)[apart]
    return bool(contracted.all() and (x + 1 / x > x).all())


def _columns_sum_is_flat() -> bool:
    X = np.ones((2, 3))
    rows = X.sum(axis=1)
    return X.sum(axis=0).ndim == 1 and np.tile(rows, (1, 3)).shape == (1, 6) and X.sum(axis=1, keepdims=True).shape == (2, 1)


REMARKS = (
    Remark(
        "004-05",
        "Table 2, TensorFlow, reciprocal",
        "inverse(X)",
        "tf.math.reciprocal(X)",
        "tf.linalg.inv is the inverse of a matrix, and there is no tf.inverse",
    ),
    Remark(
        "004-06",
        "Table 2, NumPy, Diag(x)",
        "diag(x)",
        "diag(x.flatten())",
        "np.diag of a 1 x n matrix is its first element",
        lambda: np.diag(np.array([[1.0, 2.0]])).tolist() == [1.0],
    ),
    Remark(
        "004-07",
        "Table 2, NumPy, JAX, PyTorch, sums, means and extremes",
        "sum(X, axis)",
        "sum(X, axis, keepdims=True)",
        "without keepdims the result is no row or column, and column_repeat of it is 1 x mn",
        _columns_sum_is_flat,
    ),
    Remark("004-08", "Table 2, TensorFlow, transpose", "X.T", "tf.transpose(X)", "tensors of TensorFlow have no T"),
    Remark(
        "001-52",
        "Activated Gradients, section IV-D",
        "all kinds of GAFs improve",
        "all but one in Tables I and II",
        "Table II prints -0.22 for DenseNet-169 with arctan (0.2, 10)",
    ),
    Remark(
        "003-01",
        "DAB, equation (1)",
        "the Robbins-Monro iteration converges",
        "if E G is nondecreasing, Σ a_t = ∞ and Σ a_t² < ∞",
        "with E G decreasing it goes away from the root",
    ),
    Remark(
        "003-02",
        "DAB, equation (2)",
        "|∇G(θ) - ∇G(θ̃)| <= K |θ - θ̃| with K < 1 makes the update θ - a ∇G(θ) converge",
        "it contracts if and only if G is strongly convex, c > 0, and 0 < a < 2 / l",
        "G = -0.45 θ² has K = 0.9, and the update diverges",
        _diverges,
    ),
    Remark(
        "003-04",
        "DAB, Theorem 1 (Banach)",
        "a contractive map of a metric space has a unique fixed point",
        "of a nonempty complete one, with a constant q < 1 such that d(Fx, Fy) <= q d(x, y)",
        "x + 1/x on [1, ∞) brings all points nearer to each other and has none",
        _no_fixed_point,
    ),
    Remark(
        "003-11",
        "DAB, equation (8)",
        "-log posterior is proportional to -log Π_i N N",
        "-Σ_i log N(z_i) - log N(φ) + const",
        "the prior stands outside the product, and logarithms are equal up to a constant",
    ),
    Remark("003-13", "DAB, equation (7)", "Π_i N(φ z¹, σ²)", "Π_i N(φ z¹_i, σ²)", "the sample has an index"),
    Remark(
        "003-17",
        "DAB, section 5.1.1",
        "sorting takes O(log T) operations",
        "Θ(T log T) comparisons; O(log T) is the depth of a network that sorts",
        "T! orders need log₂ T! comparisons",
        lambda: math.log2(math.factorial(15)) > 10 * math.log2(15),
    ),
    Remark(
        "003-18",
        "DAB, Figure 5",
        "0.00097 bits per pixel, 786 bits",
        "786 / (3 · 512²) = 0.0009995",
        "0.00097 would be 763 bits",
        lambda: round(786 / (3 * 512**2), 7) == 0.0009995 and round(0.00097 * 3 * 512**2) == 763,
    ),
    Remark(
        "003-20",
        "DAB, Table 2",
        "sort improves by 0.1 %, statistically significant",
        "by 0.06 points, which five runs do not show",
        "92.93 - 92.87; Welch's t = 1.15 with five runs each, p = 0.29",
        lambda: round(92.93 - 92.87, 2) == 0.06,
    ),
    Remark(
        "003-23",
        "DAB, Table 2, top-k",
        "(sort-row ⊕ sort-col)[0:k]",
        "descending sorts, and the first k of each line",
        "ascending, [0:k] are the smallest",
        lambda: np.sort([3, 1, 2])[:1].tolist() == [1],
    ),
    Remark("003-26", "DAB, Bernoulli", "z ~ Bern(f(x))", "f(x) in [0, 1], as a sigmoid is", "f(x) must be a probability"),
    Remark(
        "003-33",
        "DAB, section 7.1, backward",
        "return grad[0], None, None, None",
        "(grad[0], None) and a None for every further input",
        "four gradients are right for four inputs at most; with three arguments beside x and the bridge there are five",
    ),
    Remark("003-34", "DAB, section 7.1", "DAB loss (Equation 4.1)", "section 4.1, equation (10)", "there is no equation 4.1"),
)
