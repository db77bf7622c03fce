"""Hypotheses: asked for where they are needed, and only there."""

from __future__ import annotations

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.coq.conditions import facts, sign
from sympy_validation.coq.matrices import CoqMatrix
from sympy_validation.coq.ops import CoqOps
from sympy_validation.spaces.spaces import Kind

N, K = Size("N"), Size("K")


def kinds(ops: CoqOps, X: CoqMatrix, strict: bool = False) -> list[str]:
    """What is assumed so that X has a value and a derivative."""
    return [fact.kind for fact in facts(ops, [X.entry], (), strict)]


def test_what_can_be_seen_is_not_assumed() -> None:
    ops = CoqOps()
    X = ops.variable("X", N, K)
    assert kinds(ops, ops.sigmoid(X)) == []
    assert kinds(ops, ops.log(X)) == ["Positive"]
    assert kinds(ops, ops.reciprocal(X)) == ["NonZero"]
    assert kinds(ops, ops.log(ops.exp(X))) == []


def test_kinks_are_left_out_unless_the_statement_is_strict() -> None:
    ops = CoqOps()
    X = ops.variable("X", N, K)
    assert kinds(ops, ops.abs(X)) == ["NonZero"]
    assert kinds(ops, ops.abs(X), strict=True) == []


def test_what_is_declared_is_assumed_once() -> None:
    ops = CoqOps()
    X, T = ops.variable("X", N, K, Kind.POSITIVE), ops.variable("T", N, K, Kind.ROW_STOCHASTIC)
    assert kinds(ops, ops.hadamard(ops.log(X), T) + ops.log(X)) == ["Positive", "One"]


def test_signs() -> None:
    ops = CoqOps()
    X = ops.variable("X", N, K)
    assert sign(ops.exp(X).entry, set()) == 2
    assert sign(ops.hadamard(X, X).entry, set()) == 1
    assert sign(X.entry, set()) == 0
    assert sign(ops.rows_sum(ops.exp(X)).entry, set()) == 2
