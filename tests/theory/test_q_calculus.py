"""The identities of the paper, as corrected, for symbolic functions; what is printed wrongly is refuted by exact numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.theory.q_calculus import (
    bregman,
    bregman_form,
    elementwise_derivative,
    gradient,
    partial_derivative,
    pq_derivative,
    pq_differential,
    q_activation,
    q_derivative,
)

p, q, a, b, h = sp.symbols("p q a b h", positive=True)
x, y = sp.symbols("x y", real=True, nonzero=True)
f, g = sp.Function("f"), sp.Function("g")

D, Dq, Dp = (lambda F: pq_derivative(F, p, q)), (lambda F: q_derivative(F, q)), (lambda F: q_derivative(F, p))


def same(left: Any, right: Any) -> bool:
    return bool(sp.simplify(left - right) == 0)


def product(t: Any) -> Any:
    return f(t) * g(t)


def ratio(t: Any) -> Any:
    return f(t) / g(t)


# The calculus (equations 1, 2, 8 and A.1) ----------------------------------------------------------------------

IDENTITIES = {
    "000-03: D_{1,q} = D_{q,1} = D_q": (lambda: pq_derivative(f, q, 1)(x), lambda: Dq(f)(x)),
    "000-25: D_{p,q} = d_{p,q} f / d_{p,q} x": (
        lambda: D(f)(x),
        lambda: pq_differential(f, p, q)(x) / pq_differential(lambda t: t, p, q)(x),
    ),
    "000-25: D_{p,q} = D_{q,p}": (lambda: D(f)(x), lambda: pq_derivative(f, q, p)(x)),
    "000-25: d_{p,q} x = (q - p) x": (lambda: pq_differential(lambda t: t, p, q)(x), lambda: (q - p) * x),
    "000-25: d_{p,q} = - d_{q,p}": (lambda: pq_differential(f, p, q)(x), lambda: -pq_differential(f, q, p)(x)),
    "000-35: linearity": (lambda: D(lambda t: f(t) + a * g(t))(x), lambda: D(f)(x) + a * D(g)(x)),
    "000-36: product rule": (lambda: D(product)(x), lambda: f(p * x) * D(g)(x) + g(q * x) * D(f)(x)),
    "000-37: product rule": (lambda: D(product)(x), lambda: f(q * x) * D(g)(x) + g(p * x) * D(f)(x)),
    "000-38: ratio rule": (lambda: D(ratio)(x), lambda: (g(q * x) * D(f)(x) - f(q * x) * D(g)(x)) / (g(p * x) * g(q * x))),
    "000-39: ratio rule": (lambda: D(ratio)(x), lambda: (g(p * x) * D(f)(x) - f(p * x) * D(g)(x)) / (g(p * x) * g(q * x))),
    "000-32: Corollary 4": (lambda: D(f)(x), lambda: bregman_form(f, p, q)(x)),
    "000-33: Corollary 4": (lambda: D(f)(x), lambda: bregman_form(f, q, p)(x)),
    "000-04: g_q(x) = x D_q f(x)": (lambda: q_activation(f, q)(x), lambda: x * Dq(f)(x)),
    "000-09: Proposition 2": (
        lambda: Dp(q_activation(f, q))(x),
        lambda: Dq(f)(x) / (1 - p) - p / (1 - p) * pq_derivative(f, p, p * q)(x),
    ),
    "000-11: (D_q f)(px) = D_{p,pq} f(x)": (lambda: Dq(f)(p * x), lambda: pq_derivative(f, p, p * q)(x)),
    "000-11: D_q [f(p x)] = p (D_q f)(px)": (lambda: Dq(lambda t: f(p * t))(x), lambda: p * Dq(f)(p * x)),
    "000-43: the pseudo-code A.3": (lambda: (f(x * (1 + h)) - f(x)) / h, lambda: q_activation(f, 1 + h)(x)),
    "000-07: g_q' = (f'(x) - q f'(qx)) / (1 - q)": (
        lambda: q_activation(lambda t: t**3 + sp.exp(t), q)(x).diff(x),
        lambda: (3 * x**2 + sp.exp(x) - q * (3 * (q * x) ** 2 + sp.exp(q * x))) / (1 - q),
    ),
}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identities_hold_for_all_functions_and_numbers(identity: str) -> None:
    left, right = IDENTITIES[identity]
    assert same(left(), right())


def cube(t: Any) -> Any:
    return t**3


def square(t: Any) -> Any:
    return t**2


P, Q, X = Fraction(2), Fraction(3), Fraction(5)
DF, DG = pq_derivative(cube, P, Q)(X), pq_derivative(square, P, Q)(X)

MISPRINTS = {
    "000-36": (lambda: pq_derivative(lambda t: t**5, P, Q)(X), lambda: cube(P * X) + DG + square(Q * X) * DF),
    "000-37": (lambda: pq_derivative(lambda t: t**5, P, Q)(X), lambda: cube(Q * X) + DG + square(P * X) * DF),
    "000-32": (lambda: DG, lambda: 2 * P * X + bregman(square, lambda t: 2 * t)(Q * X, P * X) / (X * (P - Q))),
    "000-33": (lambda: DG, lambda: 2 * Q * X + bregman(square, lambda t: 2 * t)(P * X, Q * X) / (X * (Q - P))),
    "000-12: D_p g_q = f": (lambda: q_derivative(q_activation(square, Q), P)(X), lambda: square(X)),
    "000-40: a shift without x_i": (
        lambda: partial_derivative(lambda s, t: s * s * t, 0, P, Q)((X, Fraction(1))),
        lambda: ((X + P - 1) ** 2 - (X + Q - 1) ** 2) / ((P - Q) * X),
    ),
}


@pytest.mark.parametrize("erratum", MISPRINTS)
def test_misprints_are_false(erratum: str) -> None:
    left, right = MISPRINTS[erratum]
    assert left() != right()


def test_what_the_p_derivative_of_g_q_is() -> None:
    """(1 + p)(1 + q) x for f = x² (erratum 000-12)."""
    assert q_derivative(q_activation(square, Q), P)(X) == (1 + P) * (1 + Q) * X


def test_numbers_are_exact_and_zero_has_the_derivative() -> None:
    assert pq_derivative(square, P, Q)(X) == (P + Q) * X
    assert pq_derivative(cube, 2, 3)(5) == 19 * 25
    assert q_derivative(sp.exp, 3, derivative=sp.exp)(0) == 1
    assert pq_derivative(square, 2, 3, derivative=lambda t: 2 * t + 7)(0.0) == 7
    assert q_activation(square, Fraction(1, 2))(Fraction(0)) == 0


def test_the_branch_at_zero_of_expressions() -> None:
    t = sp.Symbol("t", real=True)
    value = D(sp.sin)(t)
    assert value.subs(t, 0) == 1
    assert same(value.subs(t, x), (sp.sin(p * x) - sp.sin(q * x)) / ((p - q) * x))
    assert D(sp.exp)(sp.Integer(0)) == 1
    assert D(lambda s: s**2 + 3 * s)(sp.Symbol("zero", zero=True)) == 3


# Limits ----------------------------------------------------------------------

SMOOTH = [sp.sin, sp.exp, lambda t: t**3 - 2 * t, lambda t: sp.log(1 + sp.exp(t))]


@pytest.mark.parametrize("F", SMOOTH)
def test_limits_are_derivatives(F: Any) -> None:
    """At x = 3/7, exactly: x → 0 (000-02, 000-29), q → 1 (000-01), p → q (000-28, where f'(qx)/q is printed), and Proposition 1."""
    at, half = sp.Rational(3, 7), sp.Rational(1, 2)
    t = sp.Symbol("t", real=True)
    first, second = sp.diff(F(t), t), sp.diff(F(t), t, 2)
    assert same(sp.limit(pq_derivative(F, 2, half)(x), x, 0), first.subs(t, 0))
    assert same(sp.limit(q_derivative(F, 1 + h)(at), h, 0), first.subs(t, at))
    to_q = sp.limit(pq_derivative(F, half + h, half)(at), h, 0)
    assert same(to_q, first.subs(t, half * at))
    assert sp.N(to_q - 2 * first.subs(t, half * at)) != 0
    assert same(sp.limit(q_activation(F, 1 + h)(at), h, 0), at * first.subs(t, at))
    slope = sp.diff(q_activation(F, 1 + h)(t), t).subs(t, at)
    assert same(sp.limit(slope, h, 0), first.subs(t, at) + at * second.subs(t, at))


def test_the_limit_of_every_differentiable_function() -> None:
    """g_q - f'(x) x and g_q' - f'(x) - f''(x) x are 0 at q = 1 in the Taylor series of f (Proposition 1)."""
    c = sp.symbols("c:5")
    F = lambda t: sum((ck * (t - x) ** k / sp.factorial(k) for k, ck in enumerate(c)), start=sp.S.Zero)  # noqa: E731
    t = sp.Symbol("t", real=True, nonzero=True)
    assert same(sp.limit(q_activation(F, 1 + h)(x), h, 0), c[1] * x)
    slope = sp.simplify(sp.diff(q_activation(F, 1 + h)(t), t).subs(t, x))
    assert same(sp.limit(slope, h, 0), c[1] + c[2] * x)


def test_taylor_form() -> None:
    """D_{p,q} f(x) = f'(px) + x (q - p) f''(ε) / 2 for an ε between px and qx (equation 10): for t³, ε = (2p + q) x / 3."""
    assert same(D(cube)(x), 3 * (p * x) ** 2 + x * (q - p) / 2 * 6 * (2 * p + q) * x / 3)
    rng = np.random.default_rng(3)
    for p_, q_, x_ in rng.uniform(-2, 2, size=(50, 3)):
        second = (pq_derivative(np.exp, p_, q_)(x_) - np.exp(p_ * x_)) * 2 / (x_ * (q_ - p_))
        assert min(p_ * x_, q_ * x_) < np.log(second) < max(p_ * x_, q_ * x_)


s = sp.Symbol("s", positive=True)


def sigmoid(t: Any) -> Any:
    return 1 / (1 + sp.exp(-t))


TABLE_1 = {
    "sigmoid": (sigmoid, lambda t: t * sigmoid(t) * (1 - sigmoid(t)), (s, -s)),
    "tanh": (sp.tanh, lambda t: t / sp.cosh(t) ** 2, (s, -s)),
    "relu": (lambda t: sp.Max(t, 0), lambda t: sp.Max(t, 0), (s, -s)),
    "softplus": (lambda t: sp.log(1 + sp.exp(t)), lambda t: t * sigmoid(t), (s, -s)),
    "elu(0.5)": (
        lambda t: sp.Piecewise((t, t >= 0), ((sp.exp(t) - 1) / 2, True)),
        lambda t: sp.Piecewise((t, t >= 0), (t * sp.exp(t) / 2, True)),
        (s, -s),
    ),
}


@pytest.mark.parametrize("row", TABLE_1)
def test_table_1(row: str, ops: Backend) -> None:
    """The printed column f'(x) x is the limit of g_q, the same at x = 0 (000-13 to 000-17), and what QLimit computes."""
    F, printed, signs = TABLE_1[row]
    for t in signs:
        limit = sp.diff(F(q * t), q).subs(q, 1).doit()  # of (f(qt) - f(t)) / (q - 1)
        for value in (sp.Rational(1, 3), sp.Integer(2)):
            assert abs(sp.N((limit - printed(t)).subs(s, value), 50)) < sp.Float("1e-45")
    assert q_activation(F, sp.Rational(1, 2))(sp.Integer(0)) == printed(sp.Integer(0)) == 0
    points = [-3.0, -0.5, 0.0, 0.25, 2.0]
    exact = [float(printed(sp.Rational(str(point)))) for point in points]
    limit_of = ACTIVATIONS.parse(f"QLimit({row})")
    np.testing.assert_allclose(ops.to_numpy(limit_of.value(ops, ops.matrix([points])))[0], exact, rtol=1e-14, atol=1e-16)


# Several variables and matrices ----------------------------------------------------------------------

G = sp.Function("G")
H = sp.Function("H")


def test_gradient_of_symbolic_functions() -> None:
    """A.2: each part changes one variable; linear (000-42)."""
    p2, q2 = sp.symbols("p2 q2", positive=True)
    first, second = gradient(G, (p, p2), (q, q2))((x, y))
    assert same(first, (G(p * x, y) - G(q * x, y)) / ((p - q) * x))
    assert same(second, (G(x, p2 * y) - G(x, q2 * y)) / ((p2 - q2) * y))
    assert same(first, (G(x + (p - 1) * x, y) - G(x + (q - 1) * x, y)) / ((p - q) * x))  # 000-40
    both = gradient(lambda s, t: a * G(s, t) + b * H(s, t), (p, p2), (q, q2))((x, y))
    parts = zip(gradient(G, (p, p2), (q, q2))((x, y)), gradient(H, (p, p2), (q, q2))((x, y)), strict=True)
    assert all(same(left, a * of_g + b * of_h) for left, (of_g, of_h) in zip(both, parts, strict=True))


def test_gradient_at_a_zero_and_its_limit() -> None:
    def F(s: Any, t: Any) -> Any:
        return s**2 * t + sp.exp(s)

    assert gradient(F, (2, 2), (3, 3))((sp.Integer(0), sp.Integer(1)))[0] == 1
    limit = [sp.limit(part, h, 0) for part in gradient(F, (1, 1), (1 + h, 1 + h))((x, y))]
    assert all(same(part, sp.diff(F(x, y), t)) for part, t in zip(limit, (x, y), strict=True))
    derivatives = (lambda s, t: 2 * s * t, lambda s, t: s * s)
    assert gradient(lambda s, t: s * s * t, (2, 2), (3, 3), derivatives)((0, 4.0)) == (0, 0)


@pytest.mark.parametrize("text", ["tanh", "relu", "elu(0.5)", "softplus", "sigmoid", "gelu"])
def test_matrices(text: str, ops: Backend) -> None:
    """Element by element the derivative of the same numbers, and f'(0) where the element is 0."""
    activation = ACTIVATIONS.parse(text)
    Z = np.array([[-2.0, -0.5, 0.0], [0.25, 1.0, 3.0]])

    def value(z: Any) -> Any:
        return ops.to_numpy(activation.value(ops, ops.matrix(z))).item()

    def derivative(z: Any) -> Any:
        return ops.to_numpy(activation.gradient(ops, ops.matrix(z))).item()

    expected = np.vectorize(pq_derivative(value, 1.5, -0.25, derivative))(Z)
    actual = ops.to_numpy(elementwise_derivative(ops, activation, 1.5, -0.25, ops.matrix(Z)))
    np.testing.assert_allclose(actual, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: pq_derivative(cube, 2, 2), "p and q that differ, got 2 twice"),
        (lambda: q_derivative(cube, 1), "p and q that differ"),
        (lambda: q_activation(cube, 1), "a q other than 1"),
        (lambda: q_derivative(cube, 2)(0), "the derivative at 0 is needed"),
        (lambda: gradient(G, (2,), (3, 4)), "one number for each variable, got 1 and 2"),
        (lambda: gradient(G, (2, 2), (3, 4))((1, 2, 3)), "a function of 2 variables, got 3"),
    ],
)
def test_mistakes(wrong: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        wrong()
