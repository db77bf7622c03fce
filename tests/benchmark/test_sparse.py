from __future__ import annotations

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.benchmark import sparse
from nerva_core.benchmark.sparse import KINDS, MaskedLinear, measure, network, table
from nerva_core.layers import SparseLinear
from nerva_core.layers.sparse import Pattern


def test_the_masked_layer_is_the_sparse_one(rng: np.random.Generator) -> None:
    ops, masked, layer = backend("numpy", "float64"), MaskedLinear(4, 0.4), SparseLinear(4, 0.4)
    pattern: Pattern = layer.initial_state(5)
    params, X, DY = layer.init(rng, 5), rng.normal(size=(3, 5)), rng.normal(size=(3, 4))
    _, dense, _ = layer.dense(5, params, pattern)
    Y, cache = layer.feedforward(ops, params, X, *pattern)
    Z, masked_cache = masked.feedforward(ops, dense._replace(W=dense.W + 7.0 * (dense.W == 0)), X, *masked.given(masked.initial_state(5)))
    np.testing.assert_allclose(Z, Y, atol=1e-12)
    DX, gradients = layer.backpropagate(ops, params, cache, DY)
    masked_DX, masked_gradients = masked.backpropagate(ops, dense, masked_cache, DY)
    np.testing.assert_allclose(masked_DX, DX, atol=1e-12)
    np.testing.assert_allclose(masked_gradients.W.reshape(-1)[pattern.places(5)], gradients.w[0], atol=1e-12)


def test_a_density_of_one_is_dense_for_all() -> None:
    networks = [network(kind, (6, 5, 4), 1.0) for kind in KINDS]
    assert networks[0] == networks[1] == networks[2]


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "NETWORKS", {"tiny": (40, 30, 4)})
    timings = list(measure("numpy", ["tiny"], [0.1], 2))
    assert [timing.kind for timing in timings] == list(KINDS)
    assert timings[2].bytes < timings[0].bytes < timings[1].bytes
    lines = table(timings).splitlines()
    assert len(lines) == 2
    assert f"{timings[2].bytes / timings[0].bytes:.1%}" in lines[1]
