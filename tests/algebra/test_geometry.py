"""The index map of windows, against a loop over places and offsets; and numbers that make no sense."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import AnyGeometry, Geometry


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    axes = draw(st.integers(1, 3))
    numbers = [[draw(st.integers(low, high)) for _ in range(axes)] for low, high in ((1, 3), (1, 3), (0, 2), (1, 2))]
    kernel, stride, padding, dilation = map(tuple, numbers)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(draw(st.integers(max(1, r - 2 * p), 6)) for r, p in zip(reach, padding, strict=True))
    return Geometry(size, kernel, stride, padding, dilation)


@given(geometries())
def test_the_map_is_that_of_a_loop(G: Geometry) -> None:
    grid = np.arange(G.positions).reshape(G.size)
    places = itertools.product(*(range(0, n + 2 * p - r + 1, s) for n, p, r, s in zip(G.size, G.padding, G.reach, G.stride, strict=True)))
    for q, place in enumerate(places):
        for u, offset in enumerate(itertools.product(*map(range, G.kernel))):
            at = [a + d * o - p for a, d, o, p in zip(place, G.dilation, offset, G.padding, strict=True)]
            inside = all(0 <= i < n for i, n in zip(at, G.size, strict=True))
            assert G.map[q, u] == (grid[tuple(at)] if inside else G.positions)
    assert G.map.shape == (G.places, G.offsets)


@given(geometries())
def test_sources_are_the_inverse_of_the_map(G: Geometry) -> None:
    seen = {(p, k) for k, p in enumerate(G.map.flat) if p < G.positions}
    assert {(p, k) for p, row in enumerate(G.sources) for k in row if k < G.map.size} == seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((3, 3), 4), "a window of 4 x 4 positions does not fit into 3 x 3 with padding 0 x 0"),
        (((5,), 3, 1, 0, 3), "a window of 7 positions does not fit into 5"),
        (((5,), 0), r"kernel must be 1 numbers of at least 1, got \(0,\)"),
        (((5,), 1, 0), "stride must be"),
        (((5,), 1, 1, -1), "padding must be"),
        (((0,), 1), "size must be"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        Geometry.of(*arguments)


def test_any_geometry_sees_nothing_in_particular() -> None:
    with pytest.raises(NervaError, match="S stands for any windows"):
        _ = AnyGeometry("S", 1, 1, 1).map
