"""Powers, exponentials, logarithms and indicators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest

from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix
from sympy_validation.all_sizes.powers import power, prime_powers
from sympy_validation.all_sizes.products import branches


@dataclass
class Symbols:
    """X and Y are arbitrary, P and Q positive."""

    ops: AllSizesOps

    def __post_init__(self) -> None:
        N, D = self.ops.size("N"), self.ops.size("D")
        self.X, self.Y = (self.ops.variable(name, N, D) for name in "XY")
        self.P, self.Q = (self.ops.variable(name, N, D, positive=True) for name in "PQ")
        self.one, self.zero = self.ops.ones(N, D), self.ops.zeros(N, D)


def to_the(X: SymbolicMatrix, exponent: Fraction | int) -> SymbolicMatrix:
    return X.with_entry(power(X.entry, exponent))


Equation = Callable[[Symbols, AllSizesOps], SymbolicMatrix]

TRUE: dict[str, Equation] = {
    "√(P Q) = √P √Q": lambda s, o: o.sqrt(o.hadamard(s.P, s.Q)) - o.hadamard(o.sqrt(s.P), o.sqrt(s.Q)),
    "√(P X) = √P √X": lambda s, o: o.sqrt(o.hadamard(s.P, s.X)) - o.hadamard(o.sqrt(s.P), o.sqrt(s.X)),
    "√X √X = X": lambda s, o: o.hadamard(o.sqrt(s.X), o.sqrt(s.X)) - s.X,
    "√(4 X) = 2 √X": lambda s, o: o.sqrt(4 * s.X) - 2 * o.sqrt(s.X),
    "√(2 (P + Q)) √2 = 2 √(P + Q)": lambda s, o: o.hadamard(o.sqrt(2 * (s.P + s.Q)), o.sqrt(2 * s.one)) - 2 * o.sqrt(s.P + s.Q),
    "1 / √P = P / P^(3/2)": lambda s, o: o.inv_sqrt(s.P) - o.hadamard(s.P, to_the(s.P, Fraction(-3, 2))),
    "1 / √(P + Q)³": lambda s, o: to_the(o.inv_sqrt(s.P + s.Q), 3) - to_the(s.P + s.Q, Fraction(-3, 2)),
    "(P + Q) / √(P + Q) = √(P + Q)": lambda s, o: o.hadamard(s.P + s.Q, o.inv_sqrt(s.P + s.Q)) - o.sqrt(s.P + s.Q),
    "1 / (X Y + X) = 1 / X · 1 / (Y + 1)": lambda s, o: (
        o.reciprocal(o.hadamard(s.X, s.Y + s.one)) - o.hadamard(o.reciprocal(s.X), o.reciprocal(s.Y + s.one))
    ),
    "1 / (1 / X) = X": lambda s, o: o.reciprocal(o.reciprocal(s.X)) - s.X,
    "1 / (X + 1 / Y) = Y / (X Y + 1)": lambda s, o: (
        o.reciprocal(s.X + o.reciprocal(s.Y)) - o.hadamard(s.Y, o.reciprocal(o.hadamard(s.X, s.Y) + s.one))
    ),
    "log √P = log P / 2": lambda s, o: o.log(o.sqrt(s.P)) - o.log(s.P) / 2,
    "log (1 / (P + Q)) = -log (P + Q)": lambda s, o: o.log(o.reciprocal(s.P + s.Q)) + o.log(s.P + s.Q),
    "log (6 P) = log 2 + log 3 + log P": lambda s, o: o.log(6 * s.P) - o.log(2 * s.one) - o.log(3 * s.one) - o.log(s.P),
    "log (e^X / 2) = X - log 2": lambda s, o: o.log(o.exp(s.X) / 2) - s.X + o.log(2 * s.one),
    "log (P X) = log P + log X": lambda s, o: o.log(o.hadamard(s.P, s.X)) - o.log(s.P) - o.log(s.X),
    "e^log X = X": lambda s, o: o.exp(o.log(s.X)) - s.X,
    "e^(log X / 2) = √X": lambda s, o: o.exp(o.log(s.X) / 2) - o.sqrt(s.X),
    "e^(-X) = 1 / e^X": lambda s, o: o.exp(-s.X) - o.reciprocal(o.exp(s.X)),
    "e^(X/2) e^(X/2) = e^X": lambda s, o: o.hadamard(o.exp(s.X / 2), o.exp(s.X / 2)) - o.exp(s.X),
    "[P < 0] = 0": lambda s, o: o.less(s.P, s.zero),
    "[-P < 0] = 1": lambda s, o: o.less(-s.P, s.zero) - s.one,
    "[P X < P Y] = [X < Y]": lambda s, o: o.less(o.hadamard(s.P, s.X), o.hadamard(s.P, s.Y)) - o.less(s.X, s.Y),
    "[e^X < e^Y] = [X < Y]": lambda s, o: o.less(o.exp(s.X), o.exp(s.Y)) - o.less(s.X, s.Y),
    "[3 P e^X < 3 P] = [X < 0]": lambda s, o: o.less(3 * o.hadamard(s.P, o.exp(s.X)), 3 * s.P) - o.less(s.X, s.zero),
    "[1 < e^(X + 2 Y)] = [0 < X + 2 Y]": lambda s, o: o.less(s.one, o.exp(s.X + 2 * s.Y)) - o.less(s.zero, s.X + 2 * s.Y),
    "[X < X] = 0": lambda s, o: o.less(s.X, s.X),
    "log of cases": lambda s, o: o.log(o.where(o.less(s.X, s.Y), s.P, s.Q)) - o.where(o.less(s.X, s.Y), o.log(s.P), o.log(s.Q)),
    "inverse of cases": lambda s, o: (
        o.reciprocal(o.where(o.less(s.X, s.Y), s.P, s.Q)) - o.where(o.less(s.X, s.Y), o.reciprocal(s.P), o.reciprocal(s.Q))
    ),
    "Φ of a diagonal": lambda s, o: (
        o.normal_cdf(o.Diag(o.rows_sum(s.X)))
        - o.where(
            o.identity(o.size("N")),
            o.column_repeat(o.normal_cdf(o.rows_sum(s.X)), o.size("N")),
            o.normal_cdf(o.zeros(o.size("N"), o.size("N"))),
        )
    ),
}

NOT_TRUE: dict[str, Equation] = {
    "√(X²) = X": lambda s, o: o.sqrt(o.hadamard(s.X, s.X)) - s.X,
    "√(X Y) = √X √Y": lambda s, o: o.sqrt(o.hadamard(s.X, s.Y)) - o.hadamard(o.sqrt(s.X), o.sqrt(s.Y)),
    "√(P + Q) = √P + √Q": lambda s, o: o.sqrt(s.P + s.Q) - o.sqrt(s.P) - o.sqrt(s.Q),
    "log (X²) = 2 log X": lambda s, o: o.log(o.hadamard(s.X, s.X)) - 2 * o.log(s.X),
    "log (X Y) = log X + log Y": lambda s, o: o.log(o.hadamard(s.X, s.Y)) - o.log(s.X) - o.log(s.Y),
    "log (X² Y) with X² of no known sign": lambda s, o: (
        o.log(o.hadamard(o.hadamard(s.X, s.X), s.Y)) - o.log(o.hadamard(s.X, s.X)) - o.log(s.Y)
    ),
    "e^(X Y) = e^X e^Y": lambda s, o: o.exp(o.hadamard(s.X, s.Y)) - o.hadamard(o.exp(s.X), o.exp(s.Y)),
    "e^(P log X) = X": lambda s, o: o.exp(o.hadamard(s.P, o.log(s.X))) - s.X,
    "e^((log X)²) = X": lambda s, o: o.exp(o.hadamard(o.log(s.X), o.log(s.X))) - s.X,
    "[X < 0] = 0": lambda s, o: o.less(s.X, s.zero),
    "[e^X < 2] = [X < 0]": lambda s, o: o.less(o.exp(s.X), 2 * s.one) - o.less(s.X, s.zero),
    "[e^X < 2 e^Y] = [X < Y]": lambda s, o: o.less(o.exp(s.X), 2 * o.exp(s.Y)) - o.less(s.X, s.Y),
    "[e^X < P] = [X < P]": lambda s, o: o.less(o.exp(s.X), s.P) - o.less(s.X, s.P),
    "[e^X + 1 < 0] = [X < 0]": lambda s, o: o.less(o.exp(s.X) + s.one, s.zero) - o.less(s.X, s.zero),
    "[X Y < 0] = [Y < 0]": lambda s, o: o.less(o.hadamard(s.X, s.Y), s.zero) - o.less(s.Y, s.zero),
    "inverse of cases that may be 0": lambda s, o: o.reciprocal(o.where(o.less(s.X, s.Y), s.X, s.Q)) - o.reciprocal(s.Q),
    "4^(1/2) = 3": lambda s, o: o.sqrt(4 * s.one) - 3 * s.one,
}


@pytest.mark.parametrize("name", TRUE)
def test_proved(name: str) -> None:
    ops = AllSizesOps()
    assert ops.is_zero(TRUE[name](Symbols(ops), ops), off_kinks=False)


@pytest.mark.parametrize("name", NOT_TRUE)
def test_not_proved(name: str) -> None:
    ops = AllSizesOps()
    assert not ops.is_zero(NOT_TRUE[name](Symbols(ops), ops))


def test_cases_stay_together_where_one_may_be_undefined() -> None:
    ops = AllSizesOps()
    s = Symbols(ops)
    cases = ops.where(ops.less(s.X, s.Y), s.X, s.Q)
    for f in (ops.log, ops.sqrt, ops.reciprocal):
        assert branches(f(cases).entry) is None
    for g in (ops.exp, ops.normal_cdf):
        assert branches(g(cases).entry) is not None


def test_prime_powers() -> None:
    assert dict(prime_powers(Fraction(12, 35))) == {2: 2, 3: 1, 5: -1, 7: -1}
    assert list(prime_powers(1)) == []
    large = 10_007 * 10_009
    assert dict(prime_powers(2 * large)) == {2: 1, large: 1}


def test_a_quotient_of_what_is_0_on_a_piece_is_0_there() -> None:
    o = AllSizesOps()
    s = Symbols(o)
    b = o.less(s.X, s.zero)
    assert o.is_zero(o.quotient(b, b) - b)
    assert o.is_zero(o.quotient(o.where(b, s.Y, s.zero), o.where(b, s.P, s.zero)) - o.hadamard(b, o.hadamard(s.Y, o.reciprocal(s.P))))
    assert not o.is_zero(o.quotient(b, b) - s.one)
    assert o.quotient(s.one, s.X).text() == "X[i,j]^-1"
