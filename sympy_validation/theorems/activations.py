"""Every activation: ``gradient`` is the derivative of ``value``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import ACTIVATIONS, Activation, LeakyReLU, Sigmoid, SReLU
from sympy_validation.claims import ActivationGradient, RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about, equation

X = {"X": ("N", "D")}
PIECEWISE = ("off the kinks",)


def theorems() -> Iterator[Theorem]:
    """The table for the activations."""
    for entry in ACTIVATIONS:
        yield from activation_theorems(entry)
    yield from specification_forms()


def activation_theorems(entry: type[Activation]) -> Iterator[Theorem]:
    """The theorems of one activation, for all values of its parameters."""
    claim = ActivationGradient(lambda space: symbolic(entry, space))
    yield from about(f"activations.{entry.__name__}", claim, "{} = d/dx value, for all values of its parameters")


def specification_forms() -> Iterator[Theorem]:
    """The published form of a rule is the one that is computed."""

    def sigmoid_prime(space: Space, X: Matrix) -> Tree:
        S = space.ops.sigmoid(X)
        return space.ops.hadamard(S, space.ops.ones(*space.ops.shape(X)) - S)

    def leaky_relu(ops: MatrixOps, alpha: Any, X: Matrix) -> Tree:
        return LeakyReLU(alpha=alpha).value(ops, X)

    def leaky_relu_form(space: Space, alpha: Any, X: Matrix) -> Tree:
        return space.ops.maximum(alpha * X, X)

    yield from equation(
        "activations.Sigmoid", "gradient", "σ(X) ⊙ σ(-X) = σ(X) ⊙ (1 - σ(X))", X, Sigmoid().gradient, sigmoid_prime, name="specification"
    )
    yield from equation(
        "activations.LeakyReLU",
        "value",
        "leaky-relu(X) = max(αX, X)",
        {"alpha": RealVariable(), **X},
        leaky_relu,
        leaky_relu_form,
        name="specification",
    )
    yield from equation(
        "activations.SReLU",
        "value",
        "srelu with its default parameters 0, 0, 0, 1 = min(max(X, 0), 1)",
        X,
        SReLU().value,
        lambda space, X: space.ops.clip(X, 0, 1),
        name="default",
        methods=("entries",),
    )
