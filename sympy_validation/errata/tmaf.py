"""Misprints of the TMAF paper that are formulas: each printed one is refuted, each corrected one is proved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.step_functions import Beta, Grid, TenIntervals
from sympy_validation.claims import EqualNumbers
from sympy_validation.errata.erratum import Erratum, erratum
from sympy_validation.spaces.spaces import Kind, Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about, equation

Ops = MatrixOps


def errata() -> Iterator[Erratum]:
    """In the order of the text."""
    yield first_interval()
    yield beta_intervals()
    yield cross_entropy()
    yield inputs_of_mnist()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def number_of_intervals(x: Fraction, intervals: Callable[[Ops, Any, list[Any]], Any], grid: Grid) -> Iterator[Theorem]:
    """In how many intervals a number is, which should be one."""
    s = [Fraction(str(point)) for point in grid.points()]

    def tested(ops: Ops) -> Tree:
        return intervals(ops, ops.full(x, 1, 1), s)

    statement = "the number of intervals that x is in"
    return equation("", "intervals", statement, {}, tested, lambda space: space.ops.ones(1, 1), methods=("entries",), range="one number")


def in_grid(ops: Ops, x: Any, s: list[Any]) -> Tree:
    """In how many of (-∞, s_1], (s_1, s_2], ..., (s_p, ∞)."""
    ends = [ops.full(point, 1, 1) for point in s]
    bounded = [ops.hadamard(ops.less(a, x), ops.less_equal(x, b)) for a, b in pairwise(ends)]
    return functools.reduce(ops.add, [ops.less_equal(x, ends[0]), *bounded, ops.less(ends[-1], x)])


def first_interval() -> Erratum:
    """The end of the open interval is in none."""

    def printed(ops: Ops, x: Any, s: list[Any]) -> Tree:
        return in_grid(ops, x, s) - ops.equal(x, ops.full(s[0], 1, 1))

    x = Fraction("-1.4")
    return erratum(
        "002-09",
        where="TMAF, section 3.1",
        printed="the first interval is (-∞, -1.4), so that x = -1.4 is in one",
        corrected="the first interval is (-∞, -1.4]",
        wrong=number_of_intervals(x, printed, TenIntervals()),
        right=number_of_intervals(x, in_grid, TenIntervals()),
    )


def beta_intervals() -> Erratum:
    """The first interval contains the second."""

    def printed(ops: Ops, x: Any, s: list[Any]) -> Tree:
        return in_grid(ops, x, s) - ops.less_equal(x, ops.full(s[0], 1, 1)) + ops.less_equal(x, ops.full(s[1], 1, 1))

    x = Fraction("-2")
    return erratum(
        "002-11",
        where="TMAF, section 3.2, β",
        printed="the intervals of β are (-∞, -2.01 + h], (-2.01 + kh, -2.01 + (k + 1)h] for k = 0, ..., 99, ..., so that x = -2 is in one",
        corrected="the first interval is (-∞, -2.01]",
        wrong=number_of_intervals(x, printed, Beta()),
        right=number_of_intervals(x, in_grid, Beta()),
    )


def cross_entropy() -> Erratum:
    """The sum in the denominator is over the classes of one image, not over the images."""
    variables = {"X": ("N", "K"), "T": ("N", "K", Kind.ROW_STOCHASTIC)}

    def entropy(total: Callable[[Ops, Any], Any]) -> Iterator[Theorem]:
        def tested(ops: Ops, X: Matrix, T: Matrix) -> Tree:
            N, _ = ops.shape(X)
            E = ops.exp(X)
            return -ops.divide(ops.elements_sum(ops.hadamard(T, ops.log(ops.hadamard(E, ops.reciprocal(total(ops, E)))))), N)

        def expected(space: Space, X: Matrix, T: Matrix) -> Tree:
            return space.ops.divide(LOSSES.build("SoftmaxCrossEntropy").value(space.ops, X, T), space.ops.shape(X)[0])

        return equation("", "E", "", variables, tested, expected, methods=("entries",))

    return erratum(
        "002-22",
        where="TMAF, section 3, cross entropy",
        printed="E = -(1/p) Σ_k log(exp(x_{k,c_k}) / Σ_{j=1}^p exp(x_{j,k})), the sum over the p images",
        corrected="E = -(1/p) Σ_k log(exp(x_{k,c_k}) / Σ_{m=1}^M exp(x_{k,m})), the sum over the M classes",
        wrong=entropy(lambda ops, E: ops.row_repeat(ops.columns_sum(E), ops.shape(E)[0])),
        right=entropy(lambda ops, E: ops.column_repeat(ops.rows_sum(E), ops.shape(E)[1])),
    )


def inputs_of_mnist() -> Erratum:
    """The images have 28 x 28 pixels."""

    def inputs(n: int) -> Iterator[Theorem]:
        return about("", EqualNumbers("n_0", lambda space: [n], lambda space: [28 * 28]), "", methods=("entries",), range="one number")

    return erratum(
        "002-23", where="TMAF, section 3.3", printed="n_0 = 764", corrected="n_0 = 28 · 28 = 784", wrong=inputs(764), right=inputs(784)
    )
