"""Errata of the Activated Gradients paper: each printed statement is refuted by exact numbers, each corrected one proved.

G is the shipped gradient activation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.gradient_activations import Arctan, Log, NormClipping
from sympy_validation.errata import gaf_theorems
from sympy_validation.errata.erratum import Erratum, erratum
from sympy_validation.errata.statements import at, c, distance, equal, less
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.gradient_activations import QUADRATIC, rotation
from sympy_validation.theorems.tools import equation

G, STEEP = Arctan(0.1, 20.0), Arctan(10.0, 1.0)
X = {"X": ("N", "D")}


def errata() -> Iterator[Erratum]:
    """Those that are formulas or numbers, in the order of the text."""
    yield from definition()
    yield from lemma_2()
    yield from constants()
    yield curl()
    yield from gaf_theorems.errata()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def definition() -> Iterator[Erratum]:
    """Definition 1, and Remark 1 on Definition 3."""

    def bend(ops: MatrixOps, X: Matrix) -> Tree:
        return ops.hadamard(X, G.second_derivative(ops, X))

    def closed(ops: MatrixOps, X: Matrix) -> Tree:
        Z = 20 * X
        R = ops.reciprocal(ops.ones(*ops.shape(X)) + ops.hadamard(Z, Z))
        return -4 * ops.hadamard(ops.hadamard(Z, Z), ops.hadamard(R, R))

    def negative(ops: MatrixOps, X: Matrix) -> Tree:
        return ops.less(bend(ops, X), ops.zeros(*ops.shape(X)))

    yield erratum(
        "001-02",
        where="Activated Gradients, Definition 1, fourth condition",
        printed="g G″(g) < 0 for all g",
        corrected="g G″(g) < 0 for all g != 0; for 0.1 arctan(20 g) it is -4 (20 g)² / (1 + (20 g)²)²",
        wrong=equal("g G″(g) < 0", X, negative, lambda ops, X: ops.ones(*ops.shape(X)), strict=True, methods=("entries",)),
        right=equal("g G″(g)", X, bend, closed),
    )

    yield log_type()

    def convexity(k1: float, k2: float) -> Callable[..., Any]:
        """(g - g̃)ᵀ(w - w̃) for two points whose difference is (d, e), and the gradient (k₁ w₁, k₂ w₂)."""
        return lambda ops, d, e: k1 * ops.hadamard(d, d) + k2 * ops.hadamard(e, e)

    def squared(ops: MatrixOps, d: Any, e: Any) -> Tree:
        return 2 * (ops.hadamard(d, d) + ops.hadamard(e, e))

    one = {"d": (1, 1), "e": (1, 1)}
    yield erratum(
        "001-08",
        where="Activated Gradients, Definition 3 and Remark 1",
        printed="‖g - g̃‖ >= c ‖w - w̃‖ gives (g - g̃)ᵀ(w - w̃) >= c ‖w - w̃‖²; with w₁² - w₂², where ‖g - g̃‖ = 2 ‖w - w̃‖, they are equal",
        corrected="it does for a convex loss, such as w₁² + w₂²",
        wrong=equal("(g - g̃)ᵀ(w - w̃)", one, convexity(2, -2), squared),
        right=equal("(g - g̃)ᵀ(w - w̃)", one, convexity(2, 2), squared),
    )


def log_type() -> Erratum:
    """G'' of α sign(g) log(1 + β|g|) jumps at 0."""
    log = Log(0.1, 20.0)

    def bend(ops: MatrixOps, X: Matrix) -> Tree:
        """G''(g) (1 + β|g|)², which tends to G''(0±)."""
        root = ops.ones(*ops.shape(X)) + 20 * ops.abs(X)
        return ops.hadamard(log.second_derivative(ops, X), ops.hadamard(root, root))

    return erratum(
        "001-03",
        where="Activated Gradients, Definition 1, log-type",
        printed="α sign(g) log(1 + β|g|) is twice differentiable at 0: G″(g) (1 + β|g|)² is the same on both sides of 0",
        corrected="it is -αβ² sign(g), here -40 sign(g): G is continuously differentiable, and twice differentiable for g != 0",
        wrong=equal("G″(g) (1 + β|g|)²", X, bend, lambda ops, X: bend(ops, -X)),
        right=equal("G″(g) (1 + β|g|)²", X, bend, lambda ops, X: -40 * ops.sign(X)),
    )


def lemma_2() -> Iterator[Erratum]:
    """Its hypotheses: 0 < ε₁ <= ε₂, G'(ε₁) <= 1 and G(ε₂) <= ε₂."""
    yield erratum(
        "001-12",
        where="Activated Gradients, Lemma 2",
        printed="ε₁ <= ε₂, G′(ε₁) <= 1 and G′(ε₂) <= ε₂, as 10 arctan g has for ε₁ = ε₂ = 3, give |G(3.01) - G(-3.01)| < 6.02",
        corrected="G(ε₂) <= ε₂ in place of the last, as 10 arctan g has for ε₂ = 16: |G(16.01) - G(-16.01)| < 32.02",
        wrong=less(lambda ops: (distance(STEEP.value, 3.01, -3.01)(ops), c(6.02)(ops))),
        right=less(lambda ops: (distance(STEEP.value, 16.01, -16.01)(ops), c(32.02)(ops))),
    )
    yield erratum(
        "001-13",
        where="Activated Gradients, Lemma 2",
        printed="ε₁ may have any sign; 10 arctan g with ε₁ = -5, ε₂ = 0 gives |G(0.2) - G(0.1)| < 0.1",
        corrected="ε₁ > 0; beyond ε₁ = 3, |G(16) - G(15)| < 1",
        wrong=less(lambda ops: (distance(STEEP.value, 0.2, 0.1)(ops), c(0.1)(ops))),
        right=less(lambda ops: (distance(STEEP.value, 16.0, 15.0)(ops), c(1.0)(ops))),
    )


def constants() -> Iterator[Erratum]:
    """The constants l and c of a gradient, and the condition number."""

    def stretched(a: float, b: float) -> Callable[..., Any]:
        """‖H d‖² for the Hessian H = ((a, b), (b, a))."""

        def squared(ops: MatrixOps, d: Any, e: Any) -> Tree:
            first, second = a * d + b * e, b * d + a * e
            return ops.hadamard(first, first) + ops.hadamard(second, second)

        return squared

    one = {"d": (1, 1), "e": (1, 1)}
    yield erratum(
        "001-16",
        where="Activated Gradients, Theorems 1 to 3",
        printed="l is the largest lₙ and c the smallest cₙ of the coordinates; with the Hessian ((2, 1), (1, 2)), lₙ = cₙ = 2, "
        "‖g - g̃‖ = 2 ‖w - w̃‖",
        corrected="for a separable loss, with the Hessian ((2, 0), (0, 2)), ‖g - g̃‖ = 2 ‖w - w̃‖",
        wrong=equal("‖g - g̃‖²", one, stretched(2, 1), stretched(2, 0)),
        right=equal("‖g - g̃‖²", one, stretched(2, 0), lambda ops, d, e: 4 * (ops.hadamard(d, d) + ops.hadamard(e, e))),
    )

    def activated(ops: MatrixOps) -> Tree:
        """c of the part |g| <= 0.04, whose slope is 0.1."""
        return 0.1 * at(G.derivative, 0.04)(ops)

    yield erratum(
        "001-21",
        where="Activated Gradients, equation (23)",
        printed="the activated c of the part |g| <= ε₀ is less than c; for ε₀ = 0.04 and the slope c = 0.1",
        corrected="it is greater than c, as equation (22) says",
        wrong=less(lambda ops: (activated(ops), c(0.1)(ops))),
        right=less(lambda ops: (c(0.1)(ops), activated(ops))),
    )

    def zeta(ops: MatrixOps) -> Tree:
        """2 G'(0) / (2 G'(4)), which l / c is at least."""
        return ops.hadamard(at(G.derivative, 0.0)(ops), ops.reciprocal(at(G.derivative, 4.0)(ops)))

    yield erratum(
        "001-23",
        where="Activated Gradients, Theorem 3 applied to equation (28)",
        printed="the GAF makes the condition number of w₁² + 0.2 w₂², which is 5, smaller; on |wₙ| <= 2, with l = 2 G′(0) and c <= 2 G′(4)",
        corrected="on any region around the minimum it makes it larger",
        wrong=less(lambda ops: (zeta(ops), c(5.0)(ops))),
        right=less(lambda ops: (c(5.0)(ops), zeta(ops))),
    )


def curl() -> Erratum:
    """Norm clipping has no equivalent loss."""

    def formula(ops: MatrixOps, threshold: Any, k: Any, w: Any) -> Tree:
        """-c (A - Aᵀ) / ‖v‖³ where ‖v‖ > c, with v = k ⊙ w and A = vᵀ (v ⊙ k)."""
        v = ops.hadamard(k, w)
        square = ops.elements_sum(ops.hadamard(v, v))
        clipped = ops.less(ops.full(threshold, 1, 1), ops.sqrt(square))
        factor = -threshold * ops.hadamard(clipped, ops.hadamard(ops.inv_sqrt(square), ops.reciprocal(square)))
        A = ops.transpose(v) @ ops.hadamard(v, k)
        return ops.hadamard(ops.fill(factor, *ops.shape(A)), A - ops.transpose(A))

    def of(tested: Callable[..., Any]) -> Iterator[Theorem]:
        return equation(
            "",
            "curl",
            "",
            QUADRATIC,
            tested,
            lambda space, k, w: rotation(space, symbolic(NormClipping, space), k, w),
            given=lambda space, k, w: (symbolic(NormClipping, space).threshold, k, w),
        )

    return erratum(
        "001-34",
        where="Activated Gradients, Figure 1 (k) and (l)",
        printed="the gradient k ⊙ w, clipped by its norm, is the gradient of an equivalent loss: its curl ∂F_i/∂w_j - ∂F_j/∂w_i is 0",
        corrected="the curl is c v_i v_j (k_i - k_j) / ‖v‖³ where ‖v‖ > c, with v = k ⊙ w: there is no equivalent loss",
        wrong=of(lambda ops, threshold, k, w: ops.zeros(ops.shape(w)[1], ops.shape(w)[1])),
        right=of(formula),
    )
