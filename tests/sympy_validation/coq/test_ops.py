"""The interpreter against the exact interpreter: what is exported has, at a point, the values that the code has."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import Size, flat
from sympy_validation.coq.matrices import NotExported
from sympy_validation.coq.ops import CoqOps
from sympy_validation.coq.space import CoqSpace, Differentiated
from sympy_validation.coq.terms import Element
from sympy_validation.spaces.points import PointSpace
from sympy_validation.table import select
from tests.sympy_validation.coq.evaluation import value

N, K = Size("N"), Size("K")
RATIONAL = ("layers.Linear", "layers.SReLU", "layers.PReLU", "losses.SquaredError", "losses.Hinge")
OTHERS = ("layers.Softmax", "layers.BatchNormalization", "losses.CosineDistance", "layers.LogSoftmax", "losses.LogisticCrossEntropy")


def as_number(x: Any) -> Any:
    """A fraction, or the middle of an interval."""
    number = getattr(x, "value", x)
    return number if isinstance(number, (int, Fraction)) else float(number.x.mid)


def values(subject: str, seed: int) -> list[tuple[Any, Any]]:
    """The elements of everything that the code computes, at a point: from the exported terms, and from exact numbers."""
    claim = select([subject])[0].claim
    points = PointSpace(seed)
    exact = claim.problem(points)
    numbers = exact.tested(points.ops)
    space = CoqSpace()
    terms = claim.problem(space).tested(space.ops)
    sizes = dict(points.used)
    variables: dict[str, Any] = {
        name: as_number(points.scalar(name, 0 if positive else None)) for name, positive in space.ops.scalars.items()
    }
    for name, declared in space.ops.variables.items():
        m, n = (size if isinstance(size, int) else sizes[size.name] for size in (declared.rows, declared.columns))
        grid = points.constant(name, m, n, declared.kind)
        rows = [[as_number(grid[i, j]) for j in range(n)] for i in range(m)]
        rows = [row[0] for row in rows] if declared.columns == 1 else rows
        variables[name] = rows[0] if declared.rows == 1 else rows
    found = []
    for quantity, grid in numbers.items():
        matrix, (m, n) = terms[quantity], grid.shape
        for i in range(m):
            for j in range(n):
                at = {**dict.fromkeys(flat(matrix.i), i), **dict.fromkeys(flat(matrix.j), j)}
                found.append((value(matrix.entry, variables, sizes, at), as_number(grid[i, j])))
    return found


@pytest.mark.parametrize("subject", RATIONAL)
@pytest.mark.parametrize("seed", [0, 2])
def test_rational_code_has_the_same_rational_values(subject: str, seed: int) -> None:
    found = values(subject, seed)
    assert found
    assert all(a == b for a, b in found)


@pytest.mark.parametrize("subject", OTHERS)
def test_other_code_has_the_same_values(subject: str) -> None:
    found = values(subject, 1)
    assert found
    assert all(float(a) == pytest.approx(float(b), rel=1e-9, abs=1e-12) for a, b in found)


def test_a_wrong_operation_has_other_values(monkeypatch: pytest.MonkeyPatch) -> None:
    right = CoqOps.hadamard
    monkeypatch.setattr(CoqOps, "hadamard", lambda self, X, Y: right(self, X, X))
    assert any(a != b for a, b in values("layers.SReLU", 0))


def test_what_cannot_be_said_is_refused_in_words() -> None:
    ops = CoqOps()
    X = ops.variable("X", N, K)
    with pytest.raises(NotExported, match="sort_rows"):
        ops.sort_rows(X)
    with pytest.raises(NotExported, match="maximum"):
        ops.first_maxima(X)
    with pytest.raises(NervaError, match="one shape"):
        ops.hadamard(X, ops.transpose(X))


def test_a_derivative_is_not_computed_before_it_is_asked_for() -> None:
    space = CoqSpace()
    X = space.matrix("X", N, K)
    gradient = space.gradient(space.constant("DY", N, K), X, "X")
    assert isinstance(gradient, Differentiated)
    assert not space.used
    assert gradient.entry is not None
    assert len(space.used) == 1
    assert Element("X", tuple(flat(X.i, X.j))) == X.entry
