from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.regrowth import GROWERS, PRUNERS, SET, Magnitude, Random, RigL

W = np.array([3.0, -1.0, 0.5, -4.0, 0.0, 2.0, -0.5, 1.0])


@pytest.mark.parametrize(
    ("text", "leaving"),
    [
        ("Magnitude(0.25)", [4, 2]),
        ("Magnitude(0.5)", [4, 2, 6, 1]),
        ("Magnitude(1)", [4, 2, 6, 1, 7, 5, 0, 3]),
        ("SET(0.4)", [4, 2, 6]),  # two of the five that are positive or 0, one of the three negative ones
        ("Threshold(0.5)", [4]),
        ("Threshold(0.6)", [4, 2, 6]),
        ("Threshold(0)", []),
    ],
)
def test_who_leaves(text: str, leaving: list[int]) -> None:
    assert PRUNERS.parse(text).pruned(W, 1.0).tolist() == leaving


@pytest.mark.parametrize("text", ["Magnitude(0)", "SET(1.5)", "Threshold(-1)", "Magnitud(0.3)", "Magnitude(0.3, n=0)"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(NervaError):
        PRUNERS.parse(text)


def test_the_fraction_falls_as_a_cosine() -> None:
    for pruner in (Magnitude(0.4, n=10), SET(0.4, n=10)):
        assert pruner.fraction(0) == 0.4
        assert pruner.fraction(5) == pytest.approx(0.2)
        assert pruner.fraction(10) == pruner.fraction(11) == 0
    assert Magnitude(0.4).fraction(1e6) == 0.4


def test_random_places_are_empty_ones_and_differ() -> None:
    empty = np.array([2, 3, 5, 7, 11])
    draws = [Random().grown(np.random.default_rng(seed), empty, 3, None) for seed in range(200)]
    assert all(len(set(draw)) == 3 and set(draw) <= set(empty) for draw in draws)
    counts = np.bincount(np.concatenate(draws), minlength=12)[empty]
    assert counts.min() > 80  # 120 of each are expected


def test_rigl_takes_the_largest_gradients() -> None:
    grower = GROWERS.parse("RigL")
    assert isinstance(grower, RigL)
    assert grower.needs_gradient()
    empty, gradient = np.array([2, 3, 5, 7]), np.array([0.1, -3.0, 2.0, -2.0])
    assert grower.grown(np.random.default_rng(0), empty, 2, gradient).tolist() == [3, 5]
