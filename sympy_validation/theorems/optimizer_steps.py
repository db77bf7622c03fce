"""Some steps of an optimizer with arbitrary gradients, which its theorems are about."""

from __future__ import annotations

from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.optimizers import (
    Optimizer,
)
from sympy_validation.claims import RealVariable

Ops = MatrixOps


STEPS = 3


GRADIENTS = tuple(f"G{t}" for t in range(1, STEPS + 1))
"""Dθ of the steps, which are arbitrary: they need not be those of any loss."""


MATRICES: dict[str, Any] = {"theta": ("K", "D"), **dict.fromkeys(GRADIENTS, ("K", "D"))}


ETA: dict[str, Any] = {"eta": RealVariable(0)}


MU: dict[str, Any] = {"mu": RealVariable(0, 1)}


def steps(ops: Ops, optimizer: Optimizer, theta: Matrix, gradients: tuple[Any, ...], *etas: Any) -> tuple[Any, Any]:
    """(θ, state) after a step with each of the gradients; the last learning rate is used for the steps that remain."""
    state = optimizer.init(ops, theta)
    for t, G in enumerate(gradients, start=1):
        eta = etas[min(t, len(etas)) - 1]
        theta, state = optimizer.update(ops, state, theta, G, *optimizer.scalars(eta, t))
    return theta, state


def theta_and_delta(result: tuple[Any, Any]) -> tuple[Any, Any]:
    """(θ, Δ) of the (θ, state) of Momentum."""
    theta, state = result
    return theta, state.Delta


def weighted(weights: tuple[Any, ...], matrices: tuple[Any, ...]) -> Tree:
    """Σ w_t A_t."""
    total = weights[0] * matrices[0]
    for w, A in zip(weights[1:], matrices[1:], strict=True):
        total = total + w * A
    return total


def average(rho: Scalar, matrices: tuple[Any, ...]) -> Tree:
    """(1 - ρ) Σ ρ^(T-t) A_t: the average, from 0, after T steps."""
    T = len(matrices)
    return weighted(tuple((1 - rho) * rho ** (T - t) for t in range(1, T + 1)), matrices)


def total(matrices: tuple[Any, ...]) -> Tree:
    """Σ A_t."""
    return weighted((1,) * len(matrices), matrices)
