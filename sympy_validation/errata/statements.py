"""Statements about numbers: equalities, and inequalities as truth values, 1 where they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import equation

Pair = Callable[[Any], tuple[Any, Any]]
"""Both sides of an inequality, 1 x 1, as a function of ops."""


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
