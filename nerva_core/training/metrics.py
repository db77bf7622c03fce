"""Metrics of the paper on bridges, besides losses and accuracies (DAB, sections 5.1 - 5.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.layers import Layer

MOST_ROWS = 500
"""Rows of which an earth mover distance is computed: it takes the cube of their number."""


def all_or_none_accuracy(Y: Array, T: Array, classes: int) -> float:
    """The fraction of rows of which every position is right: mean_i Π_p [argmax_c y_ipc = t_ip] (section 5.1, erratum 003-16).

    Y is N x (P · classes), the outputs of the P positions one after the other; T is N x P, class numbers.
    """
    predicted = Y.reshape(len(Y), -1, classes).argmax(axis=2)
    return float((predicted == T).all(axis=1).mean())


def earth_mover_distance(X: Array, H: Array) -> float:
    """The least mean distance |x_i - h_π(i)| over all pairings π of the rows of X and H: the distance of the two sets of points.

    Of matrices of different widths the rows have no distance; there it is that of their elements, as numbers, a mean over the
    rows.
    """
    if len(X) != len(H):
        raise NervaError(f"earth_mover_distance: both need the same number of rows, got {len(X)} and {len(H)}")
    if X.shape != H.shape:
        from scipy.stats import wasserstein_distance

        return float(np.mean([wasserstein_distance(x, h) for x, h in zip(X, H, strict=True)]))
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    distances = cdist(X, H)
    return float(distances[linear_sum_assignment(distances)].mean())


def hard_distance(ops: Any, network: Layer, params: Tree, state: Tree, X: Any) -> float | None:
    """The earth mover distance between the input, laid out like the output, and the output of the first hard layer (Figure 6, middle).

    None if there is no such layer.
    """
    for layer, before, after in network.evaluations(ops, params, state, X):
        hard = getattr(layer, "hard", None)
        if isinstance(hard, HardFunction):
            return earth_mover_distance(ops.to_numpy(hard.laid_out(ops, before)), ops.to_numpy(after))
    return None


def bits_per_pixel(hard: HardFunction, columns: int, pixels: int) -> float:
    """log₂(levels) bits for each of the columns of a hard output, over the pixels: log₂ 3 for signum (section 5.2, erratum 003-18)."""
    levels = hard.levels()
    if levels is None:
        raise NervaError(f"{type(hard).__name__} has no finite number of values, so it has no number of bits")
    return columns * math.log2(levels) / pixels


def linear_probe(Ztrain: Array, Ttrain: Array, Ztest: Array, Ttest: Array) -> float:
    """The test accuracy of a linear classifier on representations Z (section 5.2), a logistic regression of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    return float(LogisticRegression(max_iter=1000).fit(Ztrain, Ttrain).score(Ztest, Ttest))


SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The weights of the five scales (Wang, Simoncelli and Bovik 2003)."""
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
"""The side and standard deviation, in pixels, of the Gaussian window of local means and variances (Wang et al. 2004)."""


def ms_ssim(A: Array, B: Array, largest: float = 1.0, weights: Sequence[float] = SSIM_WEIGHTS) -> float:
    """The multi-scale structural similarity of two images, m x n, with pixels from 0 to ``largest``; 1 for equal ones (section 5.2).

    Π_s c_s^w_s · l_S^w_S: with local means μ, variances and covariances σ, c = mean (2σ_AB + C_2) / (σ_A² + σ_B² + C_2) on each
    scale but the last, where l = mean (2μ_A μ_B + C_1) / (μ_A² + μ_B² + C_1) · (the same fraction); each scale halves both sides.
    A negative mean counts as 0. NervaError for images that are too small for so many scales: give fewer weights.
    """
    least = SSIM_WINDOW * 2 ** (len(weights) - 1)
    if A.shape != B.shape or A.ndim != 2 or min(A.shape) < least:
        raise NervaError(
            f"ms_ssim: expected two images of the same m x n, at least {least} x {least} for {len(weights)} scales, "
            f"got {A.shape} and {B.shape}; for smaller ones give fewer weights"
        )
    factors = []
    for s in range(len(weights)):
        luminance, contrast = _similarity(A, B, largest)
        factors.append(max(0.0, float((luminance * contrast if s == len(weights) - 1 else contrast).mean())))
        A, B = _halved(A), _halved(B)
    return float(np.prod(np.power(factors, weights)))


def _similarity(A: Array, B: Array, largest: float) -> tuple[Array, Array]:
    """The luminance, and the contrast and structure, around each pixel whose window lies in the image."""
    from scipy.ndimage import correlate1d

    edge = SSIM_WINDOW // 2
    window = np.exp(-((np.arange(SSIM_WINDOW) - edge) ** 2) / (2 * SSIM_SIGMA**2))
    window /= window.sum()

    def mean(X: Array) -> Array:
        inside: Array = correlate1d(correlate1d(X, window, axis=0), window, axis=1)[edge:-edge, edge:-edge]
        return inside

    C1, C2 = (0.01 * largest) ** 2, (0.03 * largest) ** 2
    mu_A, mu_B = mean(A), mean(B)
    variances, covariance = mean(A * A + B * B) - mu_A**2 - mu_B**2, mean(A * B) - mu_A * mu_B
    return (2 * mu_A * mu_B + C1) / (mu_A**2 + mu_B**2 + C1), (2 * covariance + C2) / (variances + C2)


def _halved(X: Array) -> Array:
    """The means of the squares of four pixels; a last odd row or column counts twice."""
    X = np.pad(X, [(0, size % 2) for size in X.shape], mode="edge")
    m, n = X.shape
    result: Array = X.reshape(m // 2, 2, n // 2, 2).mean(axis=(1, 3))
    return result
