"""Misprints in the paper on bridges (DAB): each printed formula is refuted, each corrected one proved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.trees import Tree
from nerva_core.theory.bridge_theory import map_gradient
from sympy_validation.errata.erratum import Erratum, Ops, erratum
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.bridges import POSTERIOR, UndetachedDAB, dab, gradient, gradient_of
from sympy_validation.theorems.tools import equation


def errata() -> Iterator[Erratum]:
    """All errata that are formulas, in the order of the text."""
    yield likelihood()
    yield prior()
    yield squared_error()
    yield detached()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def minus_log_density(ops: Ops, E: Any, sigma: Any) -> Tree:
    """-Σ log N(e; 0, σ²), up to a constant, from the normal density."""
    return -ops.elements_sum(ops.log(ops.normal_pdf(E / sigma)))


def minus_log_likelihood(ops: Ops, Phi: Any, X: Matrix, H: Matrix, sigma: Any, sigma_phi: Any) -> Tree:
    """-log of the likelihood (7)."""
    return minus_log_density(ops, H - X @ ops.transpose(Phi), sigma)


def minus_log_prior(ops: Ops, Phi: Any, X: Matrix, H: Matrix, sigma: Any, sigma_phi: Any) -> Tree:
    """-log of the prior."""
    return minus_log_density(ops, Phi, sigma_phi)


def minus_log_posterior(ops: Ops, *variables: Any) -> Tree:
    """-log of likelihood times prior (8)."""
    return minus_log_likelihood(ops, *variables) + minus_log_prior(ops, *variables)


def residual_gradient(ops: Ops, Phi: Any, X: Matrix, H: Matrix) -> Tree:
    """∂ Σ (h - Φ x)² / ∂Φ = -2 (H - X · Φᵀ)ᵀ · X."""
    return -2 * (ops.transpose(H - X @ ops.transpose(Phi)) @ X)


def theorem(tested: Any, objective: Any) -> Iterator[Theorem]:
    """That the tested expression is the derivative of the objective by Φ."""
    return equation("", "∂/∂Φ", "", POSTERIOR, tested, gradient_of(objective))


def likelihood() -> Erratum:
    """The sign and the factor 1/2 of the likelihood."""

    def tested(c: Any) -> Tree:
        return lambda ops, Phi, X, H, sigma, sigma_phi: c * residual_gradient(ops, Phi, X, H) / (sigma * sigma)

    return erratum(
        "003-09",
        where="DAB, equation (9), likelihood",
        printed="-log likelihood = Σ_i -(z_i - φ x_i)² / σ² + const",
        corrected="-log likelihood = Σ_i (z_i - φ x_i)² / (2σ²) + const",
        wrong=theorem(tested(-1), minus_log_likelihood),
        right=theorem(tested(0.5), minus_log_likelihood),
    )


def prior() -> Erratum:
    """The sign, the factor 1/2, and a prior that is counted N times."""

    def printed(ops: Ops, Phi: Any, X: Matrix, H: Matrix, sigma: Any, sigma_phi: Any) -> Tree:
        return ops.scale(ops.shape(X)[0], -2 * Phi / (sigma_phi * sigma_phi))

    return erratum(
        "003-10",
        where="DAB, equation (9), prior",
        printed="-log prior = Σ_i -φ² / σ_φ² + const",
        corrected="-log prior = φ² / (2σ_φ²) + const, once",
        wrong=theorem(printed, minus_log_prior),
        right=theorem(lambda ops, Phi, X, H, sigma, sigma_phi: Phi / (sigma_phi * sigma_phi), minus_log_prior),
    )


def squared_error() -> Erratum:
    """Equation (10) is the limit of a flat prior."""

    def printed(ops: Ops, Phi: Any, X: Matrix, H: Matrix, sigma: Any, sigma_phi: Any) -> Tree:
        return residual_gradient(ops, Phi, X, H) / (2 * sigma * sigma)

    return erratum(
        "003-12",
        where="DAB, equation (10)",
        printed="2σ² (-log posterior) = |z - φ x|² + const",
        corrected="2σ² (-log posterior) = |z - φ x|² + (σ² / σ_φ²) |φ|² + const",
        wrong=theorem(printed, minus_log_posterior),
        right=theorem(map_gradient, minus_log_posterior),
    )


def detached() -> Erratum:
    """Without a detached H the penalty does not condition the layer before."""
    return erratum(
        "003-31",
        where="DAB, section 5.3.1 and the code of section 7.1",
        printed="the penalty γ |H - S|² on the returned H and S conditions the input: DX = the gradient of ⟨DY + DS, S⟩",
        corrected="with the penalty γ |stopgrad(H) - S|², DX = the gradient of ⟨DY + DS, S⟩",
        wrong=gradient(dab(kind=UndetachedDAB), "DX"),
        right=gradient(dab(), "DX"),
    )
