from __future__ import annotations

import numpy as np
import pytest

from nerva_core.benchmark.configurations import named_problem
from nerva_core.benchmark.contenders import NoCounterpartError
from nerva_core.benchmark.floors import NumpyFloor, _products


def test_the_products_are_those_of_the_backward_pass() -> None:
    """DW of a linear network with DY = Y, stored either way, against ⟨DY, Y⟩ written out."""
    rng = np.random.default_rng(0)
    W1, W2, X = rng.normal(size=(4, 3)), rng.normal(size=(2, 4)), rng.normal(size=(5, 3))
    Y = X @ W1.T @ W2.T
    expected = [(Y @ W2).T @ X, Y.T @ (X @ W1.T)]
    plain = _products([W1, W2], X, np.transpose, np.matmul)
    stored = _products([W1.T, W2.T], X, np.transpose, np.matmul, by_columns=True)
    for actual in (plain, [DW.T for DW in stored]):
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_fastest_candidate_is_taken() -> None:
    floor = NumpyFloor(named_problem("tiny"), 1)
    assert floor.note in {"weights by rows", "weights by columns"}
    assert floor.timed_epoch(named_problem("tiny").rows) > 0


def test_only_products_of_linear_layers_are_counted() -> None:
    with pytest.raises(NoCounterpartError, match="not those of LSTM"):
        NumpyFloor(named_problem("H"), 1)


def test_a_network_without_products_has_no_floor() -> None:
    import dataclasses

    problem = dataclasses.replace(named_problem("tiny"), layers=(), params=())
    with pytest.raises(NoCounterpartError, match="no linear layer"):
        NumpyFloor(problem, 1)
