"""Wrong equations are not proved. Each stands beside the right one, so that a checker that refuses everything would fail too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from nerva_core.equations.rectifiers import srelu
from nerva_core.equations.softmax import softmax
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix


@dataclass
class Symbols:
    """What the equations below are about."""

    ops: AllSizesOps

    def __post_init__(self) -> None:
        o = self.ops
        self.N, self.D, self.K = N, D, K = o.size("N"), o.size("D"), o.size("K")
        self.X, self.Y = o.variable("X", N, D), o.variable("Y", N, D)
        self.W, self.b, self.DY = o.variable("W", K, D), o.variable("b", 1, K), o.variable("DY", N, K)
        self.A, self.B = o.variable("A", D, D), o.variable("B", D, D)
        self.p, self.q = o.variable("p", 1, 1), o.variable("q", 1, 1)
        self.c = o.scalar("c")
        self.P = o.variable("P", N, D, positive=True)

    def pair(self, Z: SymbolicMatrix) -> SymbolicMatrix:
        """⟨DY, Z⟩."""
        return self.ops.elements_sum(self.ops.hadamard(self.DY, Z))

    def linear(self) -> SymbolicMatrix:
        o = self.ops
        return self.pair(self.X @ o.transpose(self.W) + o.row_repeat(self.b, self.N))


Equation = Callable[[Symbols], SymbolicMatrix]
"""A matrix that is said to be 0."""


def columns(s: Symbols, f: Callable[[SymbolicMatrix], SymbolicMatrix]) -> SymbolicMatrix:
    return s.ops.row_repeat(f(s.X), s.N)


def square(s: Symbols, X: SymbolicMatrix) -> SymbolicMatrix:
    return s.ops.hadamard(X, X)


EQUATIONS: dict[str, tuple[Equation, Equation]] = {
    # Backward equations with a term dropped, a sign or a factor changed, the wrong transposition, the wrong axis.
    "linear, DX": (
        lambda s: s.ops.gradient(s.linear(), s.X) - s.DY @ s.W,
        lambda s: s.ops.gradient(s.linear(), s.X) + s.DY @ s.W,
    ),
    "linear, DW": (
        lambda s: s.ops.gradient(s.linear(), s.W) - s.ops.transpose(s.DY) @ s.X,
        lambda s: s.ops.gradient(s.linear(), s.W) - 2 * (s.ops.transpose(s.DY) @ s.X),
    ),
    "linear, Db": (
        lambda s: s.ops.gradient(s.linear(), s.b) - s.ops.columns_sum(s.DY),
        lambda s: s.ops.gradient(s.linear(), s.b) - s.ops.columns_mean(s.DY),
    ),
    "a square product": (
        lambda s: s.ops.gradient(s.ops.elements_sum(s.ops.hadamard(s.B, s.A @ s.A)), s.A) - (s.B @ T(s, s.A) + T(s, s.A) @ s.B),
        lambda s: s.ops.gradient(s.ops.elements_sum(s.ops.hadamard(s.B, s.A @ s.A)), s.A) - (s.B @ T(s, s.A) + s.A @ s.B),
    ),
    "softmax": (
        lambda s: softmax_residual(s, lambda Y, R: s.ops.column_repeat(s.ops.rows_sum(s.ops.hadamard(R, Y)), s.D)),
        lambda s: softmax_residual(s, lambda Y, R: s.ops.row_repeat(s.ops.columns_sum(s.ops.hadamard(R, Y)), s.N)),
    ),
    "softmax, term dropped": (
        lambda s: softmax_residual(s, lambda Y, R: s.ops.column_repeat(s.ops.rows_sum(s.ops.hadamard(R, Y)), s.D)),
        lambda s: softmax_residual(s, lambda Y, R: s.ops.zeros(s.N, s.D)),
    ),
    "batch normalization": (
        lambda s: batch_normalization_residual(s, lambda Z, R: s.ops.hadamard(Z, columns_mean(s, s.ops.hadamard(Z, R)))),
        lambda s: batch_normalization_residual(s, lambda Z, R: s.ops.zeros(s.N, s.D)),
    ),
    "batch normalization, a wrong mean": (
        lambda s: batch_normalization_residual(s, lambda Z, R: s.ops.hadamard(Z, columns_mean(s, s.ops.hadamard(Z, R)))),
        lambda s: batch_normalization_residual(s, lambda Z, R: s.ops.hadamard(Z, columns_mean(s, R))),
    ),
    "mean of the columns": (  # erratum 004-01: printed with the number of columns
        lambda s: s.ops.scale(s.N, s.ops.columns_mean(s.X)) - s.ops.columns_sum(s.X),
        lambda s: s.ops.scale(s.D, s.ops.columns_mean(s.X)) - s.ops.columns_sum(s.X),
    ),
    # Sums: captured indices, wrong axes, products of sums.
    "a sum of products is no product of sums": (
        lambda s: s.ops.columns_sum(s.ops.hadamard(s.X, columns(s, s.ops.columns_sum))) - square(s, s.ops.columns_sum(s.X)),
        lambda s: s.ops.columns_sum(s.ops.hadamard(s.X, columns(s, s.ops.columns_sum))) - s.ops.columns_sum(square(s, s.X)),
    ),
    "the diagonal of a product": (
        lambda s: s.ops.diag(T(s, s.X) @ s.Y) - T(s, s.ops.columns_sum(s.ops.hadamard(s.X, s.Y))),
        lambda s: s.ops.diag(T(s, s.X) @ s.Y) - s.ops.hadamard(T(s, s.ops.columns_sum(s.X)), T(s, s.ops.columns_sum(s.Y))),
    ),
    "the trace of a product": (
        lambda s: s.ops.columns_sum(s.ops.diag(s.A @ s.B)) - s.ops.columns_sum(s.ops.diag(s.B @ s.A)),
        lambda s: s.ops.columns_sum(s.ops.diag(s.A @ s.B)) - s.ops.columns_sum(s.ops.diag(T(s, s.B) @ s.A)),
    ),
    "the trace of three": (
        lambda s: trace(s, s.A @ s.B @ T(s, s.A)) - trace(s, s.B @ T(s, s.A) @ s.A),
        lambda s: trace(s, s.A @ s.B @ s.A) - trace(s, s.A @ s.A @ T(s, s.B)),
    ),
    "the derivative of a sum of squares": (
        lambda s: s.ops.gradient(s.ops.elements_sum(square(s, s.X)), s.X) - 2 * s.X,
        lambda s: s.ops.gradient(s.ops.elements_sum(square(s, s.X)), s.X) - s.ops.fill(s.ops.elements_sum(2 * s.X), s.N, s.D),
    ),
    "rows and columns": (
        lambda s: s.ops.rows_sum(T(s, s.A)) - T(s, s.ops.columns_sum(s.A)),
        lambda s: s.ops.rows_sum(s.A) - T(s, s.ops.columns_sum(s.A)),
    ),
    "a transposed matrix": (lambda s: T(s, T(s, s.A)) - s.A, lambda s: T(s, s.A) - s.A),
    "the identity": (lambda s: s.ops.identity(s.D) @ s.A - s.A, lambda s: s.ops.identity(s.D) @ s.A - s.ops.Diag(s.ops.diag(s.A))),
    "the diagonal": (
        lambda s: s.ops.hadamard(s.ops.identity(s.D), s.A) - s.ops.Diag(s.ops.diag(s.A)),
        lambda s: s.ops.hadamard(s.ops.identity(s.D), s.A) - s.ops.column_repeat(s.ops.diag(s.A), s.D),
    ),
    "the number of ones": (
        lambda s: s.ops.elements_sum(s.ops.ones(s.N, s.D)) - s.ops.scale(s.N, s.ops.scale(s.D, s.ops.ones(1, 1))),
        lambda s: s.ops.elements_sum(s.ops.ones(s.N, s.D)) - s.ops.scale(s.N, s.ops.scale(s.N, s.ops.ones(1, 1))),
    ),
    "sums of fractions": (
        lambda s: s.ops.rows_sum(softmax(s.ops, s.X)) - s.ops.ones(s.N),
        lambda s: s.ops.rows_sum(square(s, softmax(s.ops, s.X))) - s.ops.ones(s.N),
    ),
    # Signs, roots and logarithms.
    "the root of a square": (lambda s: s.ops.sqrt(square(s, s.P)) - s.P, lambda s: s.ops.sqrt(square(s, s.X)) - s.X),
    "the logarithm of a product": (
        lambda s: s.ops.log(s.ops.hadamard(s.P, s.P)) - 2 * s.ops.log(s.P),
        lambda s: s.ops.log(s.ops.hadamard(s.P, s.P)) - square(s, s.ops.log(s.P)),
    ),
    "the exponential of a sum": (
        lambda s: s.ops.exp(s.X + s.Y) - s.ops.hadamard(s.ops.exp(s.X), s.ops.exp(s.Y)),
        lambda s: s.ops.exp(s.X + s.Y) - (s.ops.exp(s.X) + s.ops.exp(s.Y)),
    ),
    "the reciprocal of a sum": (
        lambda s: s.ops.hadamard(s.X + s.Y, s.ops.reciprocal(s.X + s.Y)) - s.ops.ones(s.N, s.D),
        lambda s: s.ops.reciprocal(s.X + s.Y) - (s.ops.reciprocal(s.X) + s.ops.reciprocal(s.Y)),
    ),
    "a fraction": (
        lambda s: s.ops.reciprocal(-s.X - s.Y) + s.ops.reciprocal(s.Y + s.X),
        lambda s: s.ops.reciprocal(s.X - s.Y) - s.ops.reciprocal(s.Y - s.X),
    ),
    "roots of numbers": (
        lambda s: s.ops.sqrt(s.ops.full(12, 1, 1)) - 2 * s.ops.sqrt(s.ops.full(3, 1, 1)),
        lambda s: s.ops.sqrt(s.ops.full(12, 1, 1)) - s.ops.full(3.4641016151, 1, 1),
    ),
    # Indicators.
    "an indicator is idempotent": (
        lambda s: square(s, s.ops.less(s.X, s.Y)) - s.ops.less(s.X, s.Y),
        lambda s: square(s, s.X) - s.X,
    ),
    "opposite indicators": (
        lambda s: s.ops.hadamard(s.ops.less(s.X, s.Y), s.ops.less(s.Y, s.X)),
        lambda s: s.ops.less(s.X, s.Y) - s.ops.less(s.Y, s.X),
    ),
    "the scale of a comparison": (
        lambda s: s.ops.less(s.X / 3, s.Y / 3) - s.ops.less(s.X, s.Y),
        lambda s: s.ops.less(-s.X, -s.Y) - s.ops.less(s.X, s.Y),
    ),
    "srelu, T^r": (  # erratum 004-16: as printed, it is not 0 where t_r <= z <= t_l
        lambda s: srelu_residual(s, lambda left, right: s.ops.where(left, s.ops.zeros(s.N, s.D), right)),
        lambda s: srelu_residual(s, lambda left, right: right),
    ),
    # The chain rule of an unknown function.
    "an unknown function": (
        lambda s: unknown_residual(s, lambda f: f.gradient(s.ops, square(s, s.X))),
        lambda s: unknown_residual(s, lambda f: f.value(s.ops, square(s, s.X))),
    ),
    "an unknown function elsewhere": (
        lambda s: unknown_residual(s, lambda f: f.gradient(s.ops, square(s, s.X))),
        lambda s: unknown_residual(s, lambda f: f.gradient(s.ops, s.X)),
    ),
}


def T(s: Symbols, X: SymbolicMatrix) -> SymbolicMatrix:
    return s.ops.transpose(X)


def trace(s: Symbols, A: SymbolicMatrix) -> SymbolicMatrix:
    return s.ops.columns_sum(s.ops.diag(A))


def columns_mean(s: Symbols, X: SymbolicMatrix) -> SymbolicMatrix:
    return s.ops.row_repeat(s.ops.columns_mean(X), s.N)


def softmax_residual(s: Symbols, term: Callable[[Any, Any], SymbolicMatrix]) -> SymbolicMatrix:
    Y = softmax(s.ops, s.X)
    L = s.ops.elements_sum(s.ops.hadamard(s.Y, Y))
    return s.ops.gradient(L, s.X) - s.ops.hadamard(Y, s.Y - term(Y, s.Y))


def batch_normalization_residual(s: Symbols, term: Callable[[Any, Any], SymbolicMatrix]) -> SymbolicMatrix:
    R = s.X - columns_mean(s, s.X)
    Sigma = s.ops.columns_mean(square(s, R))
    root = s.ops.row_repeat(s.ops.inv_sqrt(Sigma), s.N)
    Z = s.ops.hadamard(root, R)
    DX = s.ops.hadamard(root, s.Y - columns_mean(s, s.Y) - term(Z, s.Y))
    return s.ops.gradient(s.ops.elements_sum(s.ops.hadamard(s.Y, Z)), s.X) - DX


def srelu_residual(s: Symbols, Tr: Callable[[Any, Any], SymbolicMatrix]) -> SymbolicMatrix:
    t = {name: s.ops.variable(name, 1, 1) for name in ("al", "tl", "ar", "tr")}
    al, tl, ar, tr = (s.ops.fill(parameter, s.N, s.D) for parameter in t.values())
    L = s.ops.elements_sum(s.ops.hadamard(s.Y, srelu(s.ops, s.X, al, tl, ar, tr)))
    right = s.ops.where(s.ops.less(s.X, tr), s.ops.zeros(s.N, s.D), s.ops.ones(s.N, s.D) - ar)
    gradient = s.ops.elements_sum(s.ops.hadamard(s.Y, Tr(s.ops.less_equal(s.X, tl), right)))
    return s.ops.gradient(L, t["tr"]) - gradient


def unknown_residual(s: Symbols, derivative: Callable[[Any], SymbolicMatrix]) -> SymbolicMatrix:
    f = s.ops.unknown_activation("f")
    L = s.ops.elements_sum(f.value(s.ops, square(s, s.X)))
    return s.ops.gradient(L, s.X) - 2 * s.ops.hadamard(s.X, derivative(f))


@pytest.mark.parametrize("name", EQUATIONS)
def test_right_and_wrong(name: str) -> None:
    right, wrong = EQUATIONS[name]
    s = Symbols(AllSizesOps())
    assert s.ops.is_zero(right(s)), "the right equation is not proved"
    s = Symbols(AllSizesOps())
    assert not s.ops.is_zero(wrong(s)), "a wrong equation is proved"


@pytest.mark.parametrize("change", [Fraction(1, 1000), 1e-12, -1])
def test_equations_that_are_slightly_wrong(change: Any) -> None:
    s = Symbols(AllSizesOps())
    L = s.ops.elements_sum(s.ops.exp(s.X))
    assert s.ops.is_zero(s.ops.gradient(L, s.X) - s.ops.exp(s.X))
    assert not s.ops.is_zero(s.ops.gradient(L, s.X) - (1 + change) * s.ops.exp(s.X))


def test_where_the_maximum_of_a_row_has_ties_in_a_region_the_first_has_the_derivative() -> None:
    """After a ReLU all elements of a row may be 0; that x² and y² are equal is rare."""
    s = Symbols(AllSizesOps())
    zero = s.ops.zeros(*s.ops.shape(s.X))
    H = s.ops.maximum(s.X, zero)
    gradient = s.ops.gradient(s.ops.elements_sum(s.ops.rows_max(H)), s.X)
    assert s.ops.is_zero(gradient - s.ops.hadamard(s.ops.less(zero, s.X), s.ops.first_maxima(H)))
    assert not s.ops.is_zero(gradient - s.ops.first_maxima(H))
    assert not s.ops.is_zero(gradient - s.ops.less(zero, s.X))
    s.ops.gradient(s.ops.elements_sum(s.ops.rows_max(s.ops.hadamard(s.X, s.X))), s.X)
    assert s.ops.is_zero(s.ops.gradient(s.ops.elements_sum(s.ops.rows_max(s.Y)), s.X))


def test_a_mask_is_not_taken_for_positive() -> None:
    s = Symbols(AllSizesOps())
    mask = s.ops.less(s.X, s.Y)
    s.ops.log(s.ops.rows_sum(mask))
    assert s.ops.conditions == ("P[i,j] > 0", "Σ_k([X[i,k] - Y[i,k] < 0]) > 0")
