"""Every kernel that can be chosen gives exactly what the definition gives on integers."""

from __future__ import annotations

import numpy as np
import pytest

from backends import sparse_xla
from backends.sparse_xla import by_places
from tests.conftest import make_backend
from tests.patterns import assert_exact


@pytest.mark.parametrize("below", [0.0, 2.0])
@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_both_kernels_are_the_definition(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, name: str, below: float) -> None:
    pytest.importorskip(name)
    monkeypatch.setattr(sparse_xla, "SUMS_BELOW", below)
    assert_exact(make_backend(name, "float32"), rng)


def test_sums_over_places_are_for_few_of_them_and_known_sizes() -> None:
    assert by_places(9, 100, 10)
    assert not by_places(10, 100, 10)
    assert not by_places(9, None, 10)
