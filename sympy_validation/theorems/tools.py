"""Tools that the tables of theorems share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from sympy_validation.attempt import Method
from sympy_validation.claims import Claim, Equality, Variables
from sympy_validation.theorem import Expected, Theorem

Matrix = Any
METHODS: tuple[Method, ...] = ("all sizes", "entries")


def equation(
    subject: str,
    names: str | tuple[str, ...],
    statement: str,
    variables: Variables,
    tested: Callable[..., Any],
    expected: Callable[..., Any],
    strict: bool = False,
    given: Callable[..., Any] | None = None,
    **options: Any,
) -> Iterator[Theorem]:
    """The theorem that the tested expressions in the variables are what they should be, by each method; if ``strict``, at kinks too."""
    names = (names,) if isinstance(names, str) else names
    return about(subject, Equality(names, variables, tested, expected, strict, given), statement, **options)


def about(
    subject: str,
    claim: Claim,
    statement: str,
    methods: tuple[Method, ...] = METHODS,
    conditions: tuple[str, ...] = (),
    status: Expected = "proved",
    name: str = "",
    range: str = "",
    unasked: tuple[str, ...] = (),
) -> Iterator[Theorem]:
    """A theorem for each quantity of the claim, by each method. ``{}`` in the statement stands for the quantity."""
    for method in methods:
        for quantity in claim.quantities():
            text = statement.replace("{}", quantity)
            yield Theorem(subject, quantity, text, claim, method, conditions, status, name, range, unasked=unasked)


def product(*matrices: Matrix) -> Matrix:
    """A · B · C ..."""
    result, *rest = matrices
    for X in rest:
        result = result @ X
    return result


def times(ops: MatrixOps, c: Matrix, X: Matrix) -> Matrix:
    """c X for a 1 x 1 matrix c."""
    return ops.hadamard(ops.fill(c, *ops.shape(X)), X)
