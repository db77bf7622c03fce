"""What the opponents compute is tested in test_contenders.py; here, that the table is complete."""

from __future__ import annotations

from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.benchmark.opponents import OPPONENTS


def test_every_backend_has_opponents_with_names_of_their_own() -> None:
    pairs = [(opponent.backend, opponent.name) for opponent in OPPONENTS]
    assert len(set(pairs)) == len(pairs)
    assert {backend for backend, _ in pairs} == {"numpy", "jax", "torch", "tensorflow"} <= set(backend_classes())
