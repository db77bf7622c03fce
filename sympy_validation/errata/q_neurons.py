"""Errata of the q-neurons paper: each printed formula is refuted, each corrected one proved, for any f and g where they occur."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import Activation, ReLU
from sympy_validation.claims import RealVariable
from sympy_validation.errata.erratum import Erratum, Ops, erratum
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.q_calculus import SUBJECT, D, exchanged, g_q, product, product_rule, theorem
from sympy_validation.theorems.tools import equation


def errata() -> Iterator[Erratum]:
    """All errata that are formulas, in the order of their numbers."""
    yield proposition_2()
    yield q_relu()
    yield from noise()
    yield from lemma_3()
    yield from corollary_4()
    yield from product_rules()
    yield partial_derivative()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def proposition_2() -> Erratum:
    """The sentence after it."""

    def p_derivative(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        """D_p g_q, where g_q(x) = x D_q f(x)."""
        return (1 / (1 - p)) * ops.hadamard(g_q(ops, X, q, f) - g_q(ops, p * X, q, f), ops.reciprocal(X))

    def corrected(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return (1 / (1 - p)) * D(ops, f, X, 1, q) - (p / (1 - p)) * D(ops, f, X, p, p * q)

    return erratum(
        "000-12",
        where="q-neurons, after Proposition 2",
        printed="the p-derivative of g_q agrees with f: D_p g_q = f",
        corrected="D_p g_q = D_q f / (1 - p) - p D_{p,pq} f / (1 - p), equation (4)",
        wrong=theorem("D_p g_q", "", lambda ops, X, p, q, f, g: f(ops, X), p_derivative),
        right=theorem("D_p g_q", "", corrected, p_derivative),
    )


def q_relu() -> Erratum:
    """It is relu for q > 0 only."""
    X: dict[str, Any] = {"X": ("N", "D"), "r": RealVariable(0)}

    def q_activation(ops: Ops, X: Matrix, r: Any) -> Tree:
        return g_q(ops, X, -r, ReLU())

    def corrected(space: Space, X: Matrix, r: Any) -> Tree:
        ops = space.ops
        left = ops.less(X, ops.zeros(*ops.shape(X)))
        return (1 / (1 + r)) * ops.hadamard(ops.ones(*ops.shape(X)) + (r - 1) * left, X)

    return erratum(
        "000-18",
        where="q-neurons, section 3",
        printed="g_q is very similar to f for relu, also for q = -r < 0: g_q(x) = relu(x)",
        corrected="for q = -r < 0 it is x / (1 + r) for x > 0 and r x / (1 + r) for x < 0; for q > 0 it is relu",
        wrong=equation("", "q-relu", "", X, q_activation, lambda space, X, r: ReLU()(space.ops, X), methods=("entries",)),
        right=equation("", "q-relu", "", X, q_activation, corrected, methods=("all sizes",)),
    )


NOISE: dict[str, Any] = {"epsilon": ("N", "D"), "scale": RealVariable(0), "phi": RealVariable(0)}


def q(ops: Ops, epsilon: Any, scale: Any, phi: Any, side: int) -> Tree:
    """q = 1 ± (λ|ε| + φ)."""
    one = ops.ones(*ops.shape(epsilon))
    return one + side * (scale * ops.abs(epsilon) + phi * one)


def noise() -> Iterator[Erratum]:
    """Which distance φ bounds: that of q from 1."""

    def at_least(side: int) -> Iterator[Theorem]:
        """[|q| >= φ] = 1."""
        return equation(
            "",
            "|q| >= φ",
            "",
            NOISE,
            lambda ops, epsilon, scale, phi: ops.greater_equal(
                ops.abs(q(ops, epsilon, scale, phi, side)), ops.full(phi, *ops.shape(epsilon))
            ),
            lambda space, epsilon, scale, phi: space.ops.ones(*space.ops.shape(epsilon)),
            methods=("entries",),
        )

    def distance() -> Iterator[Theorem]:
        """(q - 1)² = (λ|ε| + φ)² on both sides."""

        def squared(ops: Ops, epsilon: Any, scale: Any, phi: Any) -> Tree:
            left, right = (q(ops, epsilon, scale, phi, side) - ops.ones(*ops.shape(epsilon)) for side in (-1, 1))
            return -ops.hadamard(left, right)

        def expected(space: Space, epsilon: Any, scale: Any, phi: Any) -> Tree:
            d = scale * space.ops.abs(epsilon) + space.ops.full(phi, *space.ops.shape(epsilon))
            return space.ops.hadamard(d, d)

        return equation("", "(q - 1)²", "", NOISE, squared, expected)

    corrected = "(q - 1)² = (λ|ε| + φ)², so φ is the smallest value of |q - 1|"
    yield erratum(
        "000-19",
        where="q-neurons, below equation (6)",
        printed="φ is the smallest absolute value of q",
        corrected=corrected,
        wrong=at_least(-1),
        right=distance(),
    )
    yield erratum(
        "000-20",
        where="q-neurons, Figure 1",
        printed="q is in (-∞, -φ] ∪ [φ, ∞)",
        corrected="q is in (-∞, 1 - φ] ∪ [1 + φ, ∞): (q - 1)² = (λ|ε| + φ)²",
        wrong=at_least(-1),
        right=distance(),
    )


def lemma_3() -> Iterator[Erratum]:
    """Df(px) in it is the derivative of x → f(px), which is p f'(px)."""

    def limit(tested: Callable[..., Any]) -> Iterator[Theorem]:
        """f'(px), the limit of D_{p,q} f(x), as a multiple of the derivative of f(px) or of f'(px)."""
        return equation(
            SUBJECT,
            "limit",
            "",
            {"X": ("N", "D"), "p": RealVariable(0)},
            tested,
            lambda space, X, p: (1 / p) * derivative_of_scaled(space, X, p),
            given=lambda space, X, p: (X, p, space.unknown_function("f")),
        )

    def derivative_of_scaled(space: Space, X: Matrix, p: Any) -> Tree:
        """d/dx [f(px)]."""
        return space.gradient(space.ops.ones(*space.ops.shape(X)), space.unknown_function("f")(space.ops, p * X), "X")

    for number, where, a in (("000-28", "Lemma 3, first limit", "q"), ("000-31", "Lemma 3, end of the proof", "p")):
        yield erratum(
            number,
            where=f"q-neurons, {where}",
            printed=f"(1/{a}) D f({a}x), the limit of D_{{p,q}} f(x), is (1/{a}) f′({a}x)",
            corrected=f"it is f′({a}x) = (1/{a}) d/dx [f({a}x)]",
            wrong=limit(lambda ops, X, p, f: (1 / p) * f.gradient(ops, p * X)),
            right=limit(lambda ops, X, p, f: f.gradient(ops, p * X)),
        )


def partial_derivative() -> Erratum:
    """The second form of A.2, in one coordinate."""

    def form(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, step: Any) -> Tree:
        difference = f(ops, X + (p - 1) * step) - f(ops, X + (q - 1) * step)
        return ops.hadamard(difference, ops.reciprocal((p - q) * X))

    def derivative(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return D(ops, f, X, p, q)

    return erratum(
        "000-40",
        where="q-neurons, A.2, second form",
        printed="D_{p,q,x_i} F(x) = (F(x + (p_i - 1) e_i) - F(x + (q_i - 1) e_i)) / ((p_i - q_i) x_i)",
        corrected="D_{p,q,x_i} F(x) = (F(x + (p_i - 1) x_i e_i) - F(x + (q_i - 1) x_i e_i)) / ((p_i - q_i) x_i)",
        wrong=theorem("D F", "", lambda ops, X, p, q, f, g: form(ops, X, p, q, f, ops.ones(*ops.shape(X))), derivative),
        right=theorem("D F", "", lambda ops, X, p, q, f, g: form(ops, X, p, q, f, X), derivative),
    )


def bregman_form(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, sign: int) -> Tree:
    """f'(px) + B_f(qx : px) / (± x (q - p)), with the Bregman divergence B_f(a : b) = f(a) - f(b) - (a - b) f'(b)."""
    slope = f.gradient(ops, p * X)
    divergence = f(ops, q * X) - f(ops, p * X) - ops.hadamard((q - p) * X, slope)
    return slope + ops.hadamard(divergence, ops.reciprocal((sign * (q - p)) * X))


def corollary_4() -> Iterator[Erratum]:
    """The signs of the denominators."""

    def form(sign: int) -> Callable[..., Any]:
        return lambda ops, X, p, q, f, g: bregman_form(ops, X, p, q, f, sign)

    def derivative(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return D(ops, f, X, p, q)

    for number, line, a, b in (("000-32", 1, "p", "q"), ("000-33", 2, "q", "p")):
        wrong, right = (form(sign) if line == 1 else exchanged(form(sign)) for sign in (-1, 1))
        yield erratum(
            number,
            where=f"q-neurons, Corollary 4, line {line}",
            printed=f"D_{{p,q}} f(x) = f'({a}x) + B_f({b}x : {a}x) / (x ({a} - {b}))",
            corrected=f"D_{{p,q}} f(x) = f'({a}x) + B_f({b}x : {a}x) / (x ({b} - {a}))",
            wrong=theorem("D f", "", wrong, derivative),
            right=theorem("D f", "", right, derivative),
        )


def product_rules() -> Iterator[Erratum]:
    """A sum where a product is meant."""

    def printed(ops: Ops, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return f(ops, p * X) + D(ops, g, X, p, q) + ops.hadamard(g(ops, q * X), D(ops, f, X, p, q))

    for number, line, a, b in (("000-36", 1, "p", "q"), ("000-37", 2, "q", "p")):
        wrong, right = (rule if line == 1 else exchanged(rule) for rule in (printed, product_rule))
        yield erratum(
            number,
            where=f"q-neurons, A.1, product rule, line {line}",
            printed=f"D(fg) = f({a}x) + D g + g({b}x) D f",
            corrected=f"D(fg) = f({a}x) D g + g({b}x) D f",
            wrong=theorem("D(fg)", "", wrong, product),
            right=theorem("D(fg)", "", right, product),
        )
