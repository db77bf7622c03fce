from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.gradient_activations import (
    GRADIENT_ACTIVATIONS,
    Arctan,
    Elementwise,
    GradientActivation,
    Identity,
    Log,
    NormClipping,
    Tanh,
    ValueClipping,
    at,
    expansion_radius,
    fixed_point,
    objections,
)
from nerva_core.equations.optimizers import GAF, GradientDescent
from nerva_core.training.config import make_config
from tests.autodiff import VJP
from tests.conftest import installed, load_frameworks, make_backend
from tests.helpers import examples
from tests.reference import ReferenceOps, mp

THREE = (Arctan, Tanh, Log)
ENTRIES = [*examples(GRADIENT_ACTIVATIONS), *(G(0.2, 10.0) for G in THREE), ValueClipping(0.7)]
ELEMENTWISE = [G for G in ENTRIES if isinstance(G, Elementwise)]
each = pytest.mark.parametrize("G", ENTRIES, ids=repr)
each_elementwise = pytest.mark.parametrize("G", ELEMENTWISE, ids=repr)

X = np.random.default_rng(11).normal(size=(5, 4)) * np.array([[1e-4], [0.01], [0.1], [0.6], [4]])
"""Random, so no element is at a kink."""


# The derivatives ----------------------------------------------------------------------


@functools.cache
def exact(G: Elementwise) -> tuple[Any, Any, Any]:
    """G, G' and G'': the code of ``value`` on numbers of 400 digits, the derivatives by differences with a step of 1e-60."""
    reference, h = ReferenceOps(), mp.mpf(10) ** -60
    Z, H = reference.matrix(X), reference.full(h, *X.shape)
    below, value, above = (G.value(reference, W) for W in (Z - H, Z, Z + H))
    return tuple(Y.astype(float) for Y in (value, (above - below) / (2 * h), (above - 2 * value + below) / h**2))


def check_derivatives(ops: Backend, G: Elementwise) -> None:
    for rule, expected in zip((G.value, G.derivative, G.second_derivative), exact(G), strict=True):
        np.testing.assert_allclose(ops.to_numpy(rule(ops, ops.matrix(X))), expected, rtol=1e-10, atol=1e-13, err_msg=str(rule))


@each_elementwise
def test_the_derivatives_are_those_of_the_value(ops: Backend, G: Elementwise) -> None:
    check_derivatives(ops, G)


@pytest.mark.parametrize("framework", list(VJP))
@each_elementwise
def test_the_derivatives_are_what_each_framework_derives(framework: str, G: Elementwise) -> None:
    if not installed(framework):
        pytest.skip(f"{framework} is not installed")
    ops = make_backend(framework, "float64")
    load_frameworks()
    rules = [(G.value, G.derivative), (G.derivative, G.second_derivative)]
    for rule, derivative in rules if isinstance(G, THREE) else rules[:1]:  # of a constant torch derives nothing
        _, (expected,) = VJP[framework](lambda Z, rule=rule: rule(ops, Z), [X], np.ones_like(X))
        np.testing.assert_allclose(ops.to_numpy(derivative(ops, ops.matrix(X))), expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(
    ("G", "formula"),
    [
        (Arctan(0.3, 7.0), lambda g: 0.3 * math.atan(7 * g)),
        (Tanh(0.3, 7.0), lambda g: 0.3 * math.tanh(7 * g)),
        (Log(0.3, 7.0), lambda g: 0.3 * (math.log(max(7 * g, 0) + 1) - math.log(max(-7 * g, 0) + 1))),
        (Identity(), lambda g: g),
        (ValueClipping(0.3), lambda g: max(-0.3, min(0.3, g))),
    ],
)
def test_the_values_are_the_printed_ones(ops: Backend, G: Elementwise, formula: Callable[[float], float]) -> None:
    np.testing.assert_allclose(ops.to_numpy(G(ops, ops.matrix(X))), np.vectorize(formula)(X), rtol=1e-13, atol=1e-15)


with_closed_form = pytest.mark.parametrize("G", [G for G in ELEMENTWISE if type(G).integral is not Elementwise.integral], ids=repr)


@functools.cache
def exact_integral(G: Elementwise) -> Any:
    return G.integral(ReferenceOps(), ReferenceOps().matrix(X)).astype(float)


@with_closed_form
def test_the_integral_has_the_value_as_its_derivative(G: Elementwise) -> None:
    reference, h = ReferenceOps(), mp.mpf(10) ** -60
    Z, H = reference.matrix(X), reference.full(h, *X.shape)
    difference = (G.integral(reference, Z + H) - G.integral(reference, Z - H)) / (2 * h)
    np.testing.assert_allclose(difference.astype(float), exact(G)[0], rtol=1e-13, atol=1e-15)


@with_closed_form
def test_the_integral_on_every_backend(ops: Backend, G: Elementwise) -> None:
    np.testing.assert_allclose(ops.to_numpy(G.integral(ops, ops.matrix(X))), exact_integral(G), rtol=1e-10, atol=1e-14)
    assert ops.to_numpy(G.integral(ops, ops.matrix(0.0))).item() == pytest.approx(0, abs=1e-17)


@each_elementwise
def test_the_integral_is_what_quadrature_gives(G: Elementwise) -> None:
    g = np.linspace(-0.4, 0.4, 9)
    np.testing.assert_allclose(at(G.integral, g), at(functools.partial(Elementwise.integral, G), g), rtol=0, atol=2e-6)


@each
def test_large_gradients_stay_finite(ops_of_dtype: Backend, G: GradientActivation) -> None:
    ops = ops_of_dtype
    result = ops.to_numpy(G(ops, ops.matrix([[-1e8, -1e4, 0.0, 1e4, 1e8]])))
    assert result.dtype == ops.dtype
    assert np.isfinite(result).all()
    np.testing.assert_allclose(result, -result[:, ::-1], rtol=4 * np.finfo(ops.dtype).eps)


def test_the_second_derivative_of_the_log_type_jumps_at_zero() -> None:
    np.testing.assert_allclose(at(Log().second_derivative, [-1e-12, 0.0, 1e-12]), [40, 0, -40], rtol=1e-9)


# Clipping by the norm ----------------------------------------------------------------------


def test_norm_clipping_keeps_the_direction_and_bounds_the_norm(ops: Backend, rng: np.random.Generator) -> None:
    for threshold, Y in ((0.1, rng.normal(size=(3, 4))), (10.0, rng.normal(size=(1, 4))), (1.0, np.zeros((2, 2)))):
        clipped = ops.to_numpy(NormClipping(threshold)(ops, ops.matrix(Y)))
        np.testing.assert_allclose(clipped, Y * min(1, threshold / max(float(np.linalg.norm(Y)), 1e-300)), rtol=1e-14)
    assert not isinstance(NormClipping(), Elementwise)


# Definition 1, the fixed point and the radius ----------------------------------------------------------------------


@pytest.mark.parametrize("G", [G(alpha, beta) for G in THREE for alpha, beta in ((0.1, 20), (0.2, 10), (10, 0.1), (0.1, 5), (1, 1000))])
def test_the_three_meet_definition_1_whatever_alpha_and_beta(G: Elementwise) -> None:
    assert objections(G) == []


@dataclass(frozen=True)
class Square(Elementwise):
    """g²: not odd, and decreasing for g < 0."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.hadamard(X, X)

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = 2.0 * X
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.full(2.0, *ops.shape(X))


@dataclass(frozen=True)
class Steep(Elementwise):
    """2g + arctan(g): meets all but the third condition, so that one does not follow from the others."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = 2.0 * X + Arctan(1.0, 1.0).value(ops, X)
        return result

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = ops.full(2.0, *ops.shape(X)) + Arctan(1.0, 1.0).derivative(ops, X)
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return Arctan(1.0, 1.0).second_derivative(ops, X)


@dataclass(frozen=True)
class WrongSecond(Arctan):
    """With a second derivative that is off by a thousandth."""

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = 1.001 * super().second_derivative(ops, X)
        return result


BEND = "g G''(g) is not negative for all g != 0"
DERIVATIVES = "its derivatives are not those that are given, or it is not continuously differentiable"


@pytest.mark.parametrize(
    ("G", "reasons"),
    [
        (Identity(), {BEND}),
        (ValueClipping(), {BEND}),
        (Steep(), {"it exceeds the gradient for large gradients"}),
        (Square(), {"it is not increasing", "it is not odd", "it exceeds the gradient for large gradients", BEND}),
        (WrongSecond(), {DERIVATIVES}),
    ],
)
def test_what_is_not_a_gradient_activation_function_is_told_why(G: Elementwise, reasons: set[str]) -> None:
    assert set(objections(G)) == reasons


def test_alpha_and_beta_are_positive() -> None:
    for G in THREE:
        for wrong in ({"alpha": 0.0}, {"alpha": -0.1}, {"beta": 0.0}, {"beta": -1.0}):
            with pytest.raises(NervaError, match="must be > 0"):
                G(**wrong)
    with pytest.raises(NervaError, match="threshold must be > 0"):
        NormClipping(0.0)


@pytest.mark.parametrize(
    ("G", "expected"),
    [
        (Arctan(0.1, 20), 0.11656),
        (Tanh(0.1, 20), 0.09575),
        (Log(0.1, 20), 0.12564),
        (Arctan(0.2, 10), 0.23311),
        (Tanh(0.2, 10), 0.19150),
        (Log(0.2, 10), 0.25129),
    ],
    ids=repr,
)
def test_the_fixed_points(G: Elementwise, expected: float) -> None:
    found = fixed_point(G)
    assert found == pytest.approx(expected, abs=5e-6)
    assert at(G.value, found).item() == pytest.approx(found, rel=1e-14)
    assert at(G.value, 0.999 * found).item() > 0.999 * found
    assert at(G.value, 1.001 * found).item() < 1.001 * found


def test_no_gradient_is_enlarged_unless_the_slope_at_zero_exceeds_one() -> None:
    for G in (Arctan(0.1, 10), Tanh(0.1, 9), Log(0.01, 1), Identity(), ValueClipping()):
        assert fixed_point(G) == 0
        assert expansion_radius(G) == 0
    assert fixed_point(Steep()) == expansion_radius(Steep()) == math.inf


@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 20.0), (0.2, 10.0), (3.0, 5.0)])
def test_the_expansion_radii_in_closed_form(alpha: float, beta: float) -> None:
    product = alpha * beta
    assert expansion_radius(Arctan(alpha, beta)) == pytest.approx(math.sqrt(product - 1) / beta, rel=1e-12)
    assert expansion_radius(Tanh(alpha, beta)) == pytest.approx(math.acosh(math.sqrt(product)) / beta, rel=1e-12)
    assert expansion_radius(Log(alpha, beta)) == pytest.approx((product - 1) / beta, rel=1e-12)


# A new gradient activation is one entry ----------------------------------------------------------------------


@pytest.fixture
def fourth() -> Iterator[type[Elementwise]]:
    """α βg / √(1 + β²g²), defined as a user would, and taken from the table again."""
    before = dict(GRADIENT_ACTIVATIONS.entries), dict(GRADIENT_ACTIVATIONS._by_key)

    @GRADIENT_ACTIVATIONS.add
    @dataclass(frozen=True)
    class Algebraic(Elementwise):
        """α βg / √(1 + β²g²)."""

        alpha: float = 0.1
        beta: float = 20.0

        def value(self, ops: MatrixOps[M], X: M) -> M:
            result: M = self.alpha * ops.hadamard(self.beta * X, self._root(ops, X))
            return result

        def derivative(self, ops: MatrixOps[M], X: M) -> M:
            R = self._root(ops, X)
            result: M = (self.alpha * self.beta) * ops.hadamard(R, ops.hadamard(R, R))
            return result

        def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
            R = self._root(ops, X)
            fifth = ops.hadamard(ops.hadamard(R, ops.hadamard(R, R)), ops.hadamard(R, R))
            result: M = (-3 * self.alpha * self.beta**2) * ops.hadamard(self.beta * X, fifth)
            return result

        def _root(self, ops: MatrixOps[M], X: M) -> M:
            Z = self.beta * X
            return ops.inv_sqrt(ops.ones(*ops.shape(X)) + ops.hadamard(Z, Z))

    yield Algebraic
    GRADIENT_ACTIVATIONS.entries, GRADIENT_ACTIVATIONS._by_key = before


def test_a_new_entry_works_at_once(fourth: type[Elementwise], ops: Backend) -> None:
    G = fourth()
    check_derivatives(ops, G)
    assert objections(G) == []
    assert fixed_point(G) == pytest.approx(math.sqrt(3) / 20, rel=1e-12)  # 2 = √(1 + (20g)²)
    config = make_config({"optimizer": "GAF(Momentum(0.5), algebraic, alpha=0.2)"})
    assert isinstance(config.optimizer, GAF)
    assert config.optimizer.activation == replace(G, alpha=0.2)
    theta, _ = GAF(GradientDescent(), G).update(ops, (), ops.matrix(X), ops.matrix(X), 0.5)
    np.testing.assert_allclose(ops.to_numpy(theta), X - 0.5 * exact(G)[0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(at(G.integral, 0.3).item(), 0.1 / 20 * (math.sqrt(37) - 1), rtol=1e-9)  # by quadrature


def test_the_checks_refuse_a_derivative_that_is_off_by_a_thousandth() -> None:
    ops = make_backend("numpy", "float64")
    with pytest.raises(AssertionError):
        check_derivatives(ops, WrongSecond())
