"""Gradient activations and the variants of the GAF, for all sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nerva_core.equations.activations import Activation
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Elementwise, GradientActivation
from nerva_core.equations.gradient_activations import Identity as IdentityGradient
from nerva_core.equations.optimizers import GAF, GradientDescent, Momentum, Nesterov
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("D"))


CURVED = [G for G in GRADIENT_ACTIVATIONS if issubclass(G, Elementwise)]


def with_symbols(ops: AllSizesOps, kind: type[Elementwise]) -> Elementwise:
    """With arbitrary positive numbers for its parameters."""
    return kind(**{field.name: ops.scalar(field.name, positive=True) for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", CURVED, ids=lambda kind: kind.__name__)
def test_the_derivatives_of_gradient_activations(ops: AllSizesOps, X: SymbolicMatrix, kind: type[Elementwise]) -> None:
    """For all α, β > 0: G' is the derivative of G, G'' that of G', and G that of its integral where this has a closed form."""
    G = with_symbols(ops, kind)
    rules = [(G.value, G.derivative), (G.derivative, G.second_derivative)]
    rules += [(G.integral, G.value)] if kind.integral is not Elementwise.integral else []
    for rule, derivative in rules:
        assert ops.is_zero(ops.gradient(ops.elements_sum(rule(ops, X)), X) - derivative(ops, X))
    assert not ops.is_zero(ops.gradient(ops.elements_sum(G.value(ops, X)), X) - 2 * G.derivative(ops, X))


@dataclasses.dataclass(frozen=True)
class AnyGradientActivation(GradientActivation):
    """An arbitrary function."""

    activation: Activation

    def value(self, ops: Any, X: Any) -> Any:
        return self.activation.value(ops, X)


@pytest.mark.parametrize("optimizer", [GradientDescent, Momentum, Nesterov], ids=lambda kind: kind.__name__)
def test_the_variants_of_the_gaf(ops: AllSizesOps, X: SymbolicMatrix, optimizer: type[Any]) -> None:
    """For every function G: what Algorithm 1 and the released code do; with the identity all variants are the optimizer."""
    inner = optimizer() if optimizer is GradientDescent else optimizer(ops.scalar("mu"))
    g, Delta = ops.variable("g", *ops.shape(X)), ops.variable("Delta", *ops.shape(X))
    eta, state = ops.scalar("eta"), type(inner.init(ops, X))
    G = AnyGradientActivation(ops.unknown_activation("f"))

    def theta(rule: Any, D: Any) -> Any:
        return rule.update(ops, state(D) if state is not tuple else (), X, g, eta)[0]

    def step(D: Any, g: Any) -> Any:
        """What the optimizer adds to θ, after the step D and with the gradient g, for η = 1."""
        if optimizer is GradientDescent:
            return -g
        return inner.mu * D - g if optimizer is Momentum else inner.mu * (inner.mu * D - g) - g

    assert ops.is_zero(theta(GAF(inner, G), Delta) - X - step(Delta, eta * G(ops, g)))
    assert ops.is_zero(theta(GAF(inner, G, variant="printed"), Delta) - X - G(ops, step(Delta, eta * g)))
    assert ops.is_zero(theta(GAF(inner, G, variant="momentum-buffer"), Delta) - X - eta * G(ops, step(Delta, g)))
    for variant, before in (("gradient-first", eta * Delta), ("printed", eta * Delta), ("momentum-buffer", Delta)):
        activated = GAF(inner, IdentityGradient(), variant=variant)
        assert ops.is_zero(theta(activated, before) - theta(inner, eta * Delta))
