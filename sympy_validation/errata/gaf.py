"""Errata of the Activated Gradients paper: each printed statement is refuted by exact numbers, each corrected one proved.

G is the shipped gradient activation. A statement that is an inequality is tested as its truth value, 1 where it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.equations.gradient_activations import Arctan, Identity, Log, NormClipping
from nerva_core.theory.gradient_theory import gap_bound
from sympy_validation.errata.specification import Erratum, erratum
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.gradient_activations import QUADRATIC, rotation
from sympy_validation.theorems.tools import equation

G, STEEP = Arctan(0.1, 20.0), Arctan(10.0, 1.0)
X = {"X": ("N", "D")}

Pair = Callable[[Any], tuple[Any, Any]]
"""Both sides of an inequality, 1 x 1, as a function of ops."""


def errata() -> Iterator[Erratum]:
    """Those that are formulas or numbers, in the order of the text."""
    yield from definition()
    yield from lemma_2()
    yield from constants()
    yield curl()
    yield from theorem_4()
    yield from theorem_5()
    yield from theorem_6()
    yield one_step()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def less(sides: Pair) -> Iterator[Theorem]:
    """That the left side is less than the right one."""
    return equation("", "left < right", "", {}, lambda ops: ops.less(*sides(ops)), lambda space: space.ops.ones(1, 1), methods=("entries",))


def equal(
    quantity: str, variables: dict[str, Any], left: Callable[..., Any], right: Callable[..., Any], **options: Any
) -> Iterator[Theorem]:
    """That two functions of (ops, *variables) are equal."""
    return equation("", quantity, "", variables, left, lambda space, *given: right(space.ops, *given), **options)


def c(value: float) -> Callable[[Any], Any]:
    """A number as a function of ops."""
    return lambda ops: ops.full(value, 1, 1)


def at(rule: Callable[[Any, Any], Any], g: float) -> Callable[[Any], Any]:
    """A rule of G at a number, as a function of ops."""
    return lambda ops: rule(ops, ops.full(g, 1, 1))


def distance(rule: Callable[[Any, Any], Any], a: float, b: float) -> Callable[[Any], Any]:
    """|G(a) - G(b)|."""
    return lambda ops: ops.abs(at(rule, a)(ops) - at(rule, b)(ops))


def definition() -> Iterator[Erratum]:
    """Definition 1, and Remark 1 on Definition 3."""

    def bend(ops: Any, X: Any) -> Any:
        return ops.hadamard(X, G.second_derivative(ops, X))

    def closed(ops: Any, X: Any) -> Any:
        Z = 20 * X
        R = ops.reciprocal(ops.ones(*ops.shape(X)) + ops.hadamard(Z, Z))
        return -4 * ops.hadamard(ops.hadamard(Z, Z), ops.hadamard(R, R))

    def negative(ops: Any, X: Any) -> Any:
        return ops.less(bend(ops, X), ops.zeros(*ops.shape(X)))

    yield erratum(
        "001-02",
        "Activated Gradients, Definition 1, fourth condition",
        "g G″(g) < 0 for all g",
        "g G″(g) < 0 for all g != 0; for 0.1 arctan(20 g) it is -4 (20 g)² / (1 + (20 g)²)²",
        equal("g G″(g) < 0", X, negative, lambda ops, X: ops.ones(*ops.shape(X)), strict=True, methods=("entries",)),
        equal("g G″(g)", X, bend, closed),
    )

    yield log_type()

    def convexity(k1: float, k2: float) -> Callable[..., Any]:
        """(g - g̃)ᵀ(w - w̃) for two points whose difference is (d, e), and the gradient (k₁ w₁, k₂ w₂)."""
        return lambda ops, d, e: k1 * ops.hadamard(d, d) + k2 * ops.hadamard(e, e)

    def squared(ops: Any, d: Any, e: Any) -> Any:
        return 2 * (ops.hadamard(d, d) + ops.hadamard(e, e))

    one = {"d": (1, 1), "e": (1, 1)}
    yield erratum(
        "001-08",
        "Activated Gradients, Definition 3 and Remark 1",
        "‖g - g̃‖ >= c ‖w - w̃‖ gives (g - g̃)ᵀ(w - w̃) >= c ‖w - w̃‖²; with w₁² - w₂², where ‖g - g̃‖ = 2 ‖w - w̃‖, they are equal",
        "it does for a convex loss, such as w₁² + w₂²",
        equal("(g - g̃)ᵀ(w - w̃)", one, convexity(2, -2), squared),
        equal("(g - g̃)ᵀ(w - w̃)", one, convexity(2, 2), squared),
    )


def log_type() -> Erratum:
    """G'' of α sign(g) log(1 + β|g|) jumps at 0."""
    log = Log(0.1, 20.0)

    def bend(ops: Any, X: Any) -> Any:
        """G''(g) (1 + β|g|)², which tends to G''(0±)."""
        root = ops.ones(*ops.shape(X)) + 20 * ops.abs(X)
        return ops.hadamard(log.second_derivative(ops, X), ops.hadamard(root, root))

    return erratum(
        "001-03",
        "Activated Gradients, Definition 1, log-type",
        "α sign(g) log(1 + β|g|) is twice differentiable at 0: G″(g) (1 + β|g|)² is the same on both sides of 0",
        "it is -αβ² sign(g), here -40 sign(g): G is continuously differentiable, and twice differentiable for g != 0",
        equal("G″(g) (1 + β|g|)²", X, bend, lambda ops, X: bend(ops, -X)),
        equal("G″(g) (1 + β|g|)²", X, bend, lambda ops, X: -40 * ops.sign(X)),
    )


def lemma_2() -> Iterator[Erratum]:
    """Its hypotheses: 0 < ε₁ <= ε₂, G'(ε₁) <= 1 and G(ε₂) <= ε₂."""
    yield erratum(
        "001-12",
        "Activated Gradients, Lemma 2",
        "ε₁ <= ε₂, G′(ε₁) <= 1 and G′(ε₂) <= ε₂, as 10 arctan g has for ε₁ = ε₂ = 3, give |G(3.01) - G(-3.01)| < 6.02",
        "G(ε₂) <= ε₂ in place of the last, as 10 arctan g has for ε₂ = 16: |G(16.01) - G(-16.01)| < 32.02",
        less(lambda ops: (distance(STEEP.value, 3.01, -3.01)(ops), c(6.02)(ops))),
        less(lambda ops: (distance(STEEP.value, 16.01, -16.01)(ops), c(32.02)(ops))),
    )
    yield erratum(
        "001-13",
        "Activated Gradients, Lemma 2",
        "ε₁ may have any sign; 10 arctan g with ε₁ = -5, ε₂ = 0 gives |G(0.2) - G(0.1)| < 0.1",
        "ε₁ > 0; beyond ε₁ = 3, |G(16) - G(15)| < 1",
        less(lambda ops: (distance(STEEP.value, 0.2, 0.1)(ops), c(0.1)(ops))),
        less(lambda ops: (distance(STEEP.value, 16.0, 15.0)(ops), c(1.0)(ops))),
    )


def constants() -> Iterator[Erratum]:
    """The constants l and c of a gradient, and the condition number."""

    def stretched(a: float, b: float) -> Callable[..., Any]:
        """‖H d‖² for the Hessian H = ((a, b), (b, a))."""

        def squared(ops: Any, d: Any, e: Any) -> Any:
            first, second = a * d + b * e, b * d + a * e
            return ops.hadamard(first, first) + ops.hadamard(second, second)

        return squared

    one = {"d": (1, 1), "e": (1, 1)}
    yield erratum(
        "001-16",
        "Activated Gradients, Theorems 1 to 3",
        "l is the largest lₙ and c the smallest cₙ of the coordinates; with the Hessian ((2, 1), (1, 2)), lₙ = cₙ = 2, ‖g - g̃‖ = 2 ‖w - w̃‖",
        "for a separable loss, with the Hessian ((2, 0), (0, 2)), ‖g - g̃‖ = 2 ‖w - w̃‖",
        equal("‖g - g̃‖²", one, stretched(2, 1), stretched(2, 0)),
        equal("‖g - g̃‖²", one, stretched(2, 0), lambda ops, d, e: 4 * (ops.hadamard(d, d) + ops.hadamard(e, e))),
    )

    def activated(ops: Any) -> Any:
        """c of the part |g| <= 0.04, whose slope is 0.1."""
        return 0.1 * at(G.derivative, 0.04)(ops)

    yield erratum(
        "001-21",
        "Activated Gradients, equation (23)",
        "the activated c of the part |g| <= ε₀ is less than c; for ε₀ = 0.04 and the slope c = 0.1",
        "it is greater than c, as equation (22) says",
        less(lambda ops: (activated(ops), c(0.1)(ops))),
        less(lambda ops: (c(0.1)(ops), activated(ops))),
    )

    def zeta(ops: Any) -> Any:
        """2 G'(0) / (2 G'(4)), which l / c is at least."""
        return ops.hadamard(at(G.derivative, 0.0)(ops), ops.reciprocal(at(G.derivative, 4.0)(ops)))

    yield erratum(
        "001-23",
        "Activated Gradients, Theorem 3 applied to equation (28)",
        "the GAF makes the condition number of w₁² + 0.2 w₂², which is 5, smaller; on |wₙ| <= 2, with l = 2 G′(0) and c <= 2 G′(4)",
        "on any region around the minimum it makes it larger",
        less(lambda ops: (zeta(ops), c(5.0)(ops))),
        less(lambda ops: (c(5.0)(ops), zeta(ops))),
    )


def curl() -> Erratum:
    """Norm clipping has no equivalent loss."""

    def formula(ops: Any, threshold: Any, k: Any, w: Any) -> Any:
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
        "Activated Gradients, Figure 1 (k) and (l)",
        "the gradient k ⊙ w, clipped by its norm, is the gradient of an equivalent loss: its curl ∂F_i/∂w_j - ∂F_j/∂w_i is 0",
        "the curl is c v_i v_j (k_i - k_j) / ‖v‖³ where ‖v‖ > c, with v = k ⊙ w: there is no equivalent loss",
        of(lambda ops, threshold, k, w: ops.zeros(ops.shape(w)[1], ops.shape(w)[1])),
        of(formula),
    )


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
        "Activated Gradients, Assumption 4 (b)",
        "the activated stochastic gradient is an estimate without bias: E G(g) = G(E g)",
        "it is if G is linear, as without a GAF; with one, Assumption 4 needs constants of its own",
        mean(G),
        mean(Identity()),
    )
    yield erratum(
        "001-27",
        "Activated Gradients, Theorem 4",
        "the bound (26) is smaller with the GAF, from any start; at E[L(w₁) - L*] = 0",
        "it is if E[L(w₁) - L*] >= M / (2 c M_G), the noise floor, here 5; bounds are compared, not rates",
        less(bounds(0)),
        less(bounds(5)),
    )


def theorem_5() -> Iterator[Erratum]:
    """f(g) = G(g) - g."""

    def f(g: float) -> Callable[[Any], Any]:
        return lambda ops: at(G.value, g)(ops) - c(g)(ops)

    zero = c(0.0)
    yield erratum(
        "001-36",
        "Activated Gradients, Theorem 5",
        "the limit of f(g) = G(g) - g for g → 0+ is greater than f(0) = 0",
        "the limit is f(0) = 0; f is positive right of 0 because f′(0) = αβ - 1 > 0, here 1",
        less(lambda ops: (zero(ops), f(0.0)(ops))),
        less(lambda ops: (zero(ops), at(G.derivative, 0.0)(ops) - c(1.0)(ops))),
    )

    def slope(ops: Any, X: Any) -> Any:
        return G.derivative(ops, X) - ops.ones(*ops.shape(X))

    def closed(ops: Any, X: Any) -> Any:
        square = ops.hadamard(20 * X, 20 * X)
        one = ops.ones(*ops.shape(X))
        return ops.hadamard(one - square, ops.reciprocal(one + square))

    yield erratum(
        "001-37",
        "Activated Gradients, Theorem 5",
        "f(g) = G(g) - g is increasing: f′(g) > 0",
        "f′(g) = (αβ - 1 - β²g²) / (1 + β²g²), which is positive for |g| < √(αβ - 1) / β only (here α = 0.1, β = 20)",
        equal("f′(g) > 0", X, lambda ops, X: ops.less(ops.zeros(*ops.shape(X)), slope(ops, X)), lambda ops, X: ops.ones(*ops.shape(X))),
        equal("f′(g)", X, slope, closed),
    )
    yield erratum(
        "001-40",
        "Activated Gradients, Theorem 5, last line",
        "f(g) is in (-ε₃, 0) for all g < 0; at g = -1",
        "f(g) < 0 for g in (-ε₃, 0); at g = -0.05",
        less(lambda ops: (f(-1.0)(ops), zero(ops))),
        less(lambda ops: (f(-0.05)(ops), zero(ops))),
    )


def theorem_6() -> Iterator[Erratum]:
    """Sums of enlarged terms, and paths."""

    def sums(a: float, b: float) -> Pair:
        return lambda ops: (ops.abs(c(a + b)(ops)), ops.abs(at(G.value, a)(ops) + at(G.value, b)(ops)))

    yield erratum(
        "001-42",
        "Activated Gradients, Theorem 6",
        "|gᵢ| < |G(gᵢ)| for all i gives |Σ gᵢ| < |Σ G(gᵢ)|; for 0.11 and -0.105",
        "it does if all gᵢ have one sign; for 0.05 and 0.1",
        less(sums(0.11, -0.105)),
        less(sums(0.05, 0.1)),
    )

    def moved(activation: Any, curvature: float, eta: float) -> Callable[[Any], Any]:
        """|w₂ - w₀| after two steps of gradient descent from w₀ = 0.05."""

        def distance(ops: Any) -> Any:
            start = w = ops.full(0.05, 1, 1)
            for _ in range(2):
                w = w - eta * activation.value(ops, curvature * w)
            return ops.abs(w - start)

        return distance

    def paths(curvature: float, eta: float) -> Pair:
        return lambda ops: (moved(Identity(), curvature, eta)(ops), moved(G, curvature, eta)(ops))

    yield erratum(
        "001-43",
        "Activated Gradients, Theorem 6",
        "gradient descent moves further with the GAF while |g| < ε₃; on w²/2 from 0.05 with η = 0.95, two steps",
        "it does along a direction of negative curvature; on -w²/2 from 0.05 with η = 0.1, two steps",
        less(paths(1.0, 0.95)),
        less(paths(-1.0, 0.1)),
    )


def one_step() -> Erratum:
    """The step 1 / l."""

    def after(k: float, l: float) -> Iterator[Theorem]:  # noqa: E741
        return equal("w", {"w": (1, 1)}, lambda ops, w: w - (k / l) * w, lambda ops, w: ops.zeros(1, 1))

    return erratum(
        "001-48",
        "Activated Gradients, section IV-B (b)",
        "one step with η = 1 / l reaches the minimum of any quadratic; w₂ of w₁² + 0.2 w₂², where l = 2 and k₂ = 0.4",
        "in one dimension, or with equal curvatures; w₁, where k₁ = l = 2",
        after(0.4, 2.0),
        after(2.0, 2.0),
    )
