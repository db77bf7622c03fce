"""Errata of the Activated Gradients paper in its theorems 4 to 6 and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.gradient_activations import Arctan, Identity
from nerva_core.theory.gradient_theory import gap_bound
from sympy_validation.errata.erratum import Erratum, erratum
from sympy_validation.errata.statements import Pair, at, c, equal, less
from sympy_validation.theorem import Theorem

G, STEEP = Arctan(0.1, 20.0), Arctan(10.0, 1.0)


X = {"X": ("N", "D")}


def errata() -> Iterator[Erratum]:
    """Those of these theorems, in the order of the text."""
    yield from theorem_4()
    yield from theorem_5()
    yield from theorem_6()
    yield one_step()


def theorem_4() -> Iterator[Erratum]:
    """The bound of equation (26) is smaller with the GAF only above the noise floor."""

    def bounds(gap: float) -> Pair:
        """With the GAF (l = 3.1, c = 0.122) and without it (l = 10, c = 0.1), for M = M_G = 1 and k = 2."""
        return lambda ops: (ops.full(gap_bound(2, gap, 3.1, 0.122, 1, 1), 1, 1), ops.full(gap_bound(2, gap, 10, 0.1, 1, 1), 1, 1))

    def mean(activation: Any) -> Iterator[Theorem]:
        """E G(g) = G(E g) for gradients g that are equally likely, the rows of X."""
        return equal(
            "E G(g)",
            X,
            lambda ops, X: ops.columns_mean(activation.value(ops, X)),
            lambda ops, X: activation.value(ops, ops.columns_mean(X)),
        )

    yield erratum(
        "001-28",
        where="Activated Gradients, Assumption 4 (b)",
        printed="the activated stochastic gradient is an estimate without bias: E G(g) = G(E g)",
        corrected="it is if G is linear, as without a GAF; with one, Assumption 4 needs constants of its own",
        wrong=mean(G),
        right=mean(Identity()),
    )
    yield erratum(
        "001-27",
        where="Activated Gradients, Theorem 4",
        printed="the bound (26) is smaller with the GAF, from any start; at E[L(w₁) - L*] = 0",
        corrected="it is if E[L(w₁) - L*] >= M / (2 c M_G), the noise floor, here 5; bounds are compared, not rates",
        wrong=less(bounds(0)),
        right=less(bounds(5)),
    )


def theorem_5() -> Iterator[Erratum]:
    """f(g) = G(g) - g."""

    def f(g: float) -> Callable[[Any], Any]:
        return lambda ops: at(G.value, g)(ops) - c(g)(ops)

    zero = c(0.0)
    yield erratum(
        "001-36",
        where="Activated Gradients, Theorem 5",
        printed="the limit of f(g) = G(g) - g for g → 0+ is greater than f(0) = 0",
        corrected="the limit is f(0) = 0; f is positive right of 0 because f′(0) = αβ - 1 > 0, here 1",
        wrong=less(lambda ops: (zero(ops), f(0.0)(ops))),
        right=less(lambda ops: (zero(ops), at(G.derivative, 0.0)(ops) - c(1.0)(ops))),
    )

    def slope(ops: MatrixOps, X: Matrix) -> Tree:
        return G.derivative(ops, X) - ops.ones(*ops.shape(X))

    def closed(ops: MatrixOps, X: Matrix) -> Tree:
        square = ops.hadamard(20 * X, 20 * X)
        one = ops.ones(*ops.shape(X))
        return ops.hadamard(one - square, ops.reciprocal(one + square))

    yield erratum(
        "001-37",
        where="Activated Gradients, Theorem 5",
        printed="f(g) = G(g) - g is increasing: f′(g) > 0",
        corrected="f′(g) = (αβ - 1 - β²g²) / (1 + β²g²), which is positive for |g| < √(αβ - 1) / β only (here α = 0.1, β = 20)",
        wrong=equal(
            "f′(g) > 0", X, lambda ops, X: ops.less(ops.zeros(*ops.shape(X)), slope(ops, X)), lambda ops, X: ops.ones(*ops.shape(X))
        ),
        right=equal("f′(g)", X, slope, closed),
    )
    yield erratum(
        "001-40",
        where="Activated Gradients, Theorem 5, last line",
        printed="f(g) is in (-ε₃, 0) for all g < 0; at g = -1",
        corrected="f(g) < 0 for g in (-ε₃, 0); at g = -0.05",
        wrong=less(lambda ops: (f(-1.0)(ops), zero(ops))),
        right=less(lambda ops: (f(-0.05)(ops), zero(ops))),
    )


def theorem_6() -> Iterator[Erratum]:
    """Sums of enlarged terms, and paths."""

    def sums(a: float, b: float) -> Pair:
        return lambda ops: (ops.abs(c(a + b)(ops)), ops.abs(at(G.value, a)(ops) + at(G.value, b)(ops)))

    yield erratum(
        "001-42",
        where="Activated Gradients, Theorem 6",
        printed="|gᵢ| < |G(gᵢ)| for all i gives |Σ gᵢ| < |Σ G(gᵢ)|; for 0.11 and -0.105",
        corrected="it does if all gᵢ have one sign; for 0.05 and 0.1",
        wrong=less(sums(0.11, -0.105)),
        right=less(sums(0.05, 0.1)),
    )

    def moved(activation: Any, curvature: float, eta: float) -> Callable[[Any], Any]:
        """|w₂ - w₀| after two steps of gradient descent from w₀ = 0.05."""

        def distance(ops: MatrixOps) -> Tree:
            start = w = ops.full(0.05, 1, 1)
            for _ in range(2):
                w = w - eta * activation.value(ops, curvature * w)
            return ops.abs(w - start)

        return distance

    def paths(curvature: float, eta: float) -> Pair:
        return lambda ops: (moved(Identity(), curvature, eta)(ops), moved(G, curvature, eta)(ops))

    yield erratum(
        "001-43",
        where="Activated Gradients, Theorem 6",
        printed="gradient descent moves further with the GAF while |g| < ε₃; on w²/2 from 0.05 with η = 0.95, two steps",
        corrected="it does along a direction of negative curvature; on -w²/2 from 0.05 with η = 0.1, two steps",
        wrong=less(paths(1.0, 0.95)),
        right=less(paths(-1.0, 0.1)),
    )


def one_step() -> Erratum:
    """The step 1 / l."""

    def after(k: float, l: float) -> Iterator[Theorem]:  # noqa: E741
        return equal("w", {"w": (1, 1)}, lambda ops, w: w - (k / l) * w, lambda ops, w: ops.zeros(1, 1))

    return erratum(
        "001-48",
        where="Activated Gradients, section IV-B (b)",
        printed="one step with η = 1 / l reaches the minimum of any quadratic; w₂ of w₁² + 0.2 w₂², where l = 2 and k₂ = 0.4",
        corrected="in one dimension, or with equal curvatures; w₁, where k₁ = l = 2",
        wrong=after(0.4, 2.0),
        right=after(2.0, 2.0),
    )
