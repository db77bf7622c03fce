"""Theory beside the bridge: the linear bridge as an estimate (DAB, section 4.1), and the score function (section 2)."""

from __future__ import annotations

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.memory import Array


def score_function_gradient(ops: MatrixOps[M], P: M, Z: M, F: M) -> M:
    """F ∂ log p(Z) / ∂P = (F · 1ᵀ) ⊙ (Z - P) / (P ⊙ (1 - P)): for draws Z of Bernoulli(P) its mean is ∂ E[F] / ∂P (REINFORCE).

    P and Z are N x D, and F, the loss of each draw, is N x 1; P must not have an element 0 or 1. (Erratum 003-06: unbiased.)
    """
    N, D = ops.shape(P)
    variance = ops.hadamard(P, ops.ones(N, D) - P)
    return ops.hadamard(ops.column_repeat(F, D), ops.hadamard(Z - P, ops.reciprocal(variance)))


def map_objective(ops: MatrixOps[M], Phi: M, X: M, H: M, sigma: Scalar, sigma_phi: Scalar) -> M:
    """|H - X · Φᵀ|² / (2σ²) + |Φ|² / (2σ_φ²): -log of the posterior of a linear bridge, up to a constant (errata 003-09 .. 003-11).

    Φ is M x D, X is N x D, H is N x M; the noise of H has the variance σ², the prior of Φ the variance σ_φ².
    """
    E = H - X @ ops.transpose(Phi)
    likelihood = ops.elements_sum(ops.hadamard(E, E))
    prior = ops.elements_sum(ops.hadamard(Phi, Phi))
    result: M = likelihood / (2 * sigma * sigma) + prior / (2 * sigma_phi * sigma_phi)
    return result


def map_gradient(ops: MatrixOps[M], Phi: M, X: M, H: M, sigma: Scalar, sigma_phi: Scalar) -> M:
    """∂ map_objective / ∂Φ = (Φ · (Xᵀ · X + λ I) - Hᵀ · X) / σ² with λ = σ² / σ_φ²."""
    _, D = ops.shape(X)
    XX = ops.transpose(X) @ X + (sigma * sigma / (sigma_phi * sigma_phi)) * ops.identity(D)
    result: M = (Phi @ XX - ops.transpose(H) @ X) / (sigma * sigma)
    return result


def map_bridge(X: Array, H: Array, sigma: float = 1.0, sigma_phi: float = np.inf) -> Array:
    """Φ = Hᵀ X (Xᵀ X + λ I)⁻¹, where ``map_gradient`` is 0: ridge regression, and least squares for a flat prior (erratum 003-12).

    NervaError if the flat prior leaves Φ undetermined.
    """
    XX = X.T @ X + (sigma / sigma_phi) ** 2 * np.eye(X.shape[1])
    if np.linalg.matrix_rank(XX) < len(XX):
        raise NervaError(f"the {X.shape[0]} samples do not determine a bridge of {X.shape[1]} inputs; give a prior, sigma_phi < inf")
    solution: Array = np.linalg.solve(XX, X.T @ H).T
    return solution
