"""Errata that no theorem of the table can state: of frameworks' calls, of tables, of conditions on spaces. Most have a check that runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
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


def _three_means_differ() -> bool:
    X = np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    means = [X.mean(axis=1, keepdims=True), X.mean(axis=0), X.mean()]
    codes = [mean <= X for mean in means]
    return not any(np.array_equal(a, b) for k, a in enumerate(codes) for b in codes[:k])


def _masses(sigma: float) -> list[float]:
    """The probabilities of TMAF's ten intervals under N(0, σ²)."""
    points = [-math.inf, -1.4, -0.92, -0.56, -0.26, 0.0, 0.26, 0.56, 0.92, 1.4, math.inf]
    below = [(1 + math.erf(point / (sigma * math.sqrt(2)))) / 2 for point in points]
    return [b - a for a, b in pairwise(below)]


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
        "003-07",
        "DAB, equation (4)",
        "log of the product p(y|z²) p_φ(z²|z¹) p(z¹|x)",
        "log ∫∫ of it dz¹ dz², which with Dirac distributions is (5); p(z²|z¹) has no φ",
        "the logarithm of a product of Dirac distributions is not defined, and the hard function has no parameters",
    ),
    Remark("003-08", "DAB, section 4", "f: ℝᴺ → ℝᴹ, and N samples", "another symbol for the samples", "N is the dimension and the number"),
    Remark(
        "003-11",
        "DAB, equation (8)",
        "-log posterior is proportional to -log Π_i N N",
        "-Σ_i log N(z_i) - log N(φ) + const",
        "the prior stands outside the product, and logarithms are equal up to a constant",
    ),
    Remark("003-13", "DAB, equation (7)", "Π_i N(φ z¹, σ²)", "Π_i N(φ z¹_i, σ²)", "the sample has an index"),
    Remark(
        "003-14",
        "DAB, section 4.1, central limit theorem",
        "the rate of convergence is proportional to 1/√N",
        "at most C ρ / (σ³ √N) (Berry and Esseen)",
        "it is a bound, and of the mean of many terms, not of one residual",
    ),
    Remark(
        "003-16",
        "DAB, section 5.1",
        "(1/N) Σ (f(X_i) = Y_i), Y = sort(X)",
        "mean_i Π_t [argmax_c f(X_i)_tc = y_it], Y = argsort(X)",
        "f(X_i) is a table of T x T numbers; the classes are the indices that sort",
    ),
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
    Remark(
        "003-24",
        "DAB, Table 2, k-means",
        "kmeans(x, k=10)",
        "the points replaced by their centroids, the centroids, or the numbers of the clusters",
        "the output is not said, and the bridge must have its shape",
    ),
    Remark(
        "003-25",
        "DAB, section 5.2, binary",
        "mean(x)",
        "the mean of the sample, of the feature over the batch, or of the batch",
        "the three give different codes",
        _three_means_differ,
    ),
    Remark("003-26", "DAB, Bernoulli", "z ~ Bern(f(x))", "f(x) in [0, 1], as a sigmoid is", "f(x) must be a probability"),
    Remark(
        "003-27",
        "DAB, section 5.2, objectives",
        "E log p(x z) - KL(q(z x) p(z)), as the text at hand has it",
        "E log p(x|z) - KL(q(z|x) ‖ p(z)); E log p(x|z) + γ log q(z_hard|f_φ(z))",
        "the bars are lost",
    ),
    Remark(
        "003-33",
        "DAB, section 7.1, backward",
        "return grad[0], None, None, None",
        "(grad[0], None) and a None for every further input",
        "four gradients are right for four inputs at most; with three arguments beside x and the bridge there are five",
    ),
    Remark("003-34", "DAB, section 7.1", "DAB loss (Equation 4.1)", "section 4.1, equation (10)", "there is no equation 4.1"),
    Remark(
        "003-35",
        "DAB, equation (10)",
        "the L2 loss",
        "the sum over the features, and over the batch a sum or the mean",
        "it is not said; with a mean over M features too, γ counts M times less",
    ),
    Remark(
        "002-04",
        "TMAF, section 2",
        "T_l: [C(ℝᵈ)]ⁿ → [C(ℝᵈ)]ⁿ",
        "into piecewise continuous functions",
        "α(y) y jumps where t jumps at a grid point that is not 0",
    ),
    Remark("002-05", "TMAF, section 2", "{T_l} for l = 1, ..., L", "l = 1, ..., L - 1", "the last layer has no activation"),
    Remark(
        "002-06",
        "TMAF, section 2",
        "the proposed network is clearly not worse",
        "it contains ReLU if and only if 0 is a grid point",
        "and what it can represent is not what it learns",
    ),
    Remark(
        "002-07",
        "TMAF, section 3.1",
        "each of the ten intervals has probability 0.1",
        "0.0808, 0.0980, 0.1090, 0.1097, 0.1026, and these again",
        "normal probabilities of the printed intervals",
        lambda: [round(mass, 4) for mass in _masses(1.0)[:5]] == [0.0808, 0.0980, 0.1090, 0.1097, 0.1026],
    ),
    Remark(
        "002-08",
        "TMAF, section 3.1",
        "with respect to a Gaussian distribution",
        "of no standard deviation",
        "-1.4 asks for 1.092, -0.26 for 1.026",
        lambda: all(max(abs(mass - 0.1) for mass in _masses(k / 1000)) > 0.002 for k in range(500, 2000)),
    ),
    Remark(
        "000-08",
        "q-neurons, Proposition 1 with equation (6)",
        "for small λ g_q is f′(x) x",
        "for small λ and small φ",
        "Var(q) = λ² + 2 λ φ √(2/π) + φ², which is φ² for λ = 0",
        lambda: math.isclose(float(np.var(1 + np.array([-1.0, 1.0]) * 1e-3)), 1e-6),
    ),
)
