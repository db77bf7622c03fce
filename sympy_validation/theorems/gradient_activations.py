"""Every gradient activation: its derivatives, its oddness and its integral, which makes the equivalent losses; norm clipping has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import Activation
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Elementwise, GradientActivation, ValueClipping
from sympy_validation.claims import ActivationGradient
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about, equation

Rule = Callable[[MatrixOps, Any], Any]


@dataclass(frozen=True)
class Pair(Activation):
    """A rule, and another that should be its derivative."""

    rule: Rule
    slope: Rule

    def value(self, ops: MatrixOps[M], X: M) -> M:
        Y: M = self.rule(ops, X)
        return Y

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        Y: M = self.slope(ops, X)
        return Y


def theorems() -> Iterator[Theorem]:
    """The table for the gradient activations."""
    for entry in GRADIENT_ACTIVATIONS:
        if issubclass(entry, Elementwise):
            yield from elementwise(entry)
        else:
            yield from norms(entry)
    yield from equivalent_losses()


def elementwise(entry: type[Elementwise]) -> Iterator[Theorem]:
    """G' and G'' are derivatives, G is odd; if its integral P is given in closed form, P' = G and P(0) = 0."""
    subject = f"gradient activations.{entry.__name__}"

    def derivative(rule: str, slope: str) -> ActivationGradient:
        def pair(space: Space) -> Pair:
            G = symbolic(entry, space)
            return Pair(getattr(G, rule), getattr(G, slope))

        return ActivationGradient(pair)

    claims = [("value", "derivative", "G′ = d/dg G"), ("derivative", "second_derivative", "G″ = d/dg G′")]
    if "integral" in vars(entry):
        claims.append(("integral", "value", "G = d/dg of its integral"))
    for rule, slope, statement in claims:
        theorem = f"{statement}, for all values of its parameters"
        yield from about(subject, derivative(rule, slope), theorem, methods=("all sizes",), name=slope)

    def odd(space: Space, X: Matrix) -> Tree:
        return -symbolic(entry, space).value(space.ops, X)

    yield from equation(
        subject,
        "value",
        "G(-g) = -G(g)",
        {"X": ("N", "D")},
        lambda ops, G, X: G.value(ops, -X),
        odd,
        given=lambda space, X: (symbolic(entry, space), X),
        methods=("all sizes",) if entry is ValueClipping else ("entries",),  # the arctangent is odd, and clipping has two kinks
        name="odd",
    )


def norms(entry: type[GradientActivation]) -> Iterator[Theorem]:
    """A gradient activation of all elements together keeps the direction of the gradient."""

    def total(ops: MatrixOps, X: Matrix, Y: Matrix) -> Tree:
        """X Σ Y."""
        return ops.hadamard(X, ops.fill(ops.elements_sum(Y), *ops.shape(X)))

    def turned(space: Space, X: Matrix) -> Tree:
        return total(space.ops, X, symbolic(entry, space).value(space.ops, X))

    yield from equation(
        f"gradient activations.{entry.__name__}",
        "value",
        "G(X) Σ_ij X_ij = X Σ_ij G(X)_ij: the direction is kept",
        {"X": ("N", "D")},
        lambda ops, G, X: total(ops, G.value(ops, X), X),
        turned,
        given=lambda space, X: (symbolic(entry, space), X),
        name="direction",
    )


QUADRATIC: dict[str, Any] = {"k": (1, "D"), "w": (1, "D")}
"""The curvatures and the parameters of the loss Σ_n k_n w_n² / 2, whose gradient is k ⊙ w."""


def equivalent_losses() -> Iterator[Theorem]:
    """The loss Σ_n P(k_n w_n) / k_n has the gradient G(k ⊙ w), for the integral P of G: section III-B."""
    for entry in GRADIENT_ACTIVATIONS:
        if "integral" not in vars(entry):
            continue

        def loss_gradient(space: Space, k: Any, w: Any, entry: Any = entry) -> Tree:
            P = symbolic(entry, space).integral(space.ops, space.ops.hadamard(k, w))
            loss = space.ops.elements_sum(space.ops.hadamard(P, space.ops.reciprocal(k)))
            return space.gradient(space.ops.ones(1, 1), loss, "w")

        yield from equation(
            f"gradient activations.{entry.__name__}",
            "gradient",
            "G(k ⊙ w) = ∂/∂w Σ_n P(k_n w_n) / k_n, the equivalent loss of Σ_n k_n w_n² / 2",
            QUADRATIC,
            lambda ops, G, k, w: G.value(ops, ops.hadamard(k, w)),
            loss_gradient,
            given=lambda space, k, w, entry=entry: (symbolic(entry, space), k, w),
            methods=("all sizes",),
            name="equivalent loss",
        )


def rotation(space: Space, G: GradientActivation, k: Any, w: Any) -> Tree:
    """J - Jᵀ of the field G(k ⊙ w), D x D: its curl. It is 0 if and only if the field is the gradient of a loss."""
    J = space.jacobian(G.value(space.ops, space.ops.hadamard(k, w)), "w")
    return J - space.ops.transpose(J)
