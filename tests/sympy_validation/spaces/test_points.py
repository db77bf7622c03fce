"""Points are reproducible, and lie where mistakes show."""

from __future__ import annotations

from sympy_validation.certificates import POINTS
from sympy_validation.spaces.points import SIZES, PointSpace


def test_points_are_reproducible_and_differ() -> None:
    first, again, other = (PointSpace(seed).matrix("X", 3, 2) for seed in (4, 4, 5))
    values = [[x.value for row in X.elements for x in row] for X in (first, again, other)]
    assert values[0] == values[1] != values[2]
    assert values[2] == [abs(x) for x in values[2]]


def test_sizes_tell_a_matrix_from_its_transpose() -> None:
    for sizes in SIZES:
        assert len(set(sizes.values())) == len(sizes)
        assert min(sizes.values()) >= 2
        assert sizes["N"] >= 3


def test_scalars_lie_between_their_bounds() -> None:
    for seed in range(POINTS):
        space = PointSpace(seed)
        assert 0 < space.scalar("a", 0, 1) < 1
        assert space.scalar("b", 2) > 2
        assert space.scalar("c", None, -1) < -1
