"""Matrices in bfloat16: every operation is the rounding of the one in float32; runs end near those in float64; what is not kept so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves
from nerva_core.interpreters.stored import StoredOps
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer

EPSILON = 2.0**-8
"""Half the distance from 1 to the next number of bfloat16."""
ROUNDINGS = 12
"""Of what is trained, in two epochs of four steps: so many times ε is its relative distance from a run in float64, at most."""


def rounded(X: Array) -> Array:
    """The nearest numbers of bfloat16, the upper half of float32, ties to even."""
    bits = np.asarray(X, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


@pytest.fixture(params=["torch", "jax", "tensorflow"])
def ops(request: pytest.FixtureRequest) -> Backend[Any]:
    pytest.importorskip(request.param)
    return backend(request.param, "bfloat16")


def test_every_operation_is_rounded_once(ops: Backend[Any]) -> None:
    rng = np.random.default_rng(0)
    X, Y = rounded(rng.normal(size=(300, 200))), rounded(rng.normal(size=(300, 200)))
    calls = {
        "matmul": lambda ops, X, Y: X @ ops.transpose(Y),
        "columns_sum": lambda ops, X, Y: ops.columns_sum(X),
        "hadamard": lambda ops, X, Y: ops.hadamard(X, Y),
        "columns_mean": lambda ops, X, Y: ops.columns_mean(Y),
        "scale": lambda ops, X, Y: ops.scale(1 / 3, X),
    }
    for name, call in calls.items():
        found = ops.to_numpy(ops.at_once(call, ops.matrix(X), ops.matrix(Y)))
        exact = call(backend("numpy", "float64"), X.astype(float), Y.astype(float))
        assert (found == rounded(found)).all()
        # A sum in bfloat16 of 200 terms would be off by many more: the last half is what float32 adds.
        np.testing.assert_allclose(found, exact, rtol=1.01 * EPSILON, atol=2e-5 * np.abs(exact).max(), err_msg=name)
    total = ops.to_numpy(ops.at_once(lambda ops, X: ops.elements_sum(X), ops.matrix(np.ones((300, 200)))))
    assert total == 60_000  # which is no number of bfloat16: one element is not kept so


def test_matrices_are_kept_in_half_the_memory(ops: Backend[Any]) -> None:
    X = ops.matrix(np.ones((3, 2)))
    assert "bfloat16" in str(X.dtype)
    assert "float32" in str(ops.matrix([[1]]).dtype)
    assert ops.to_numpy(ops.matrix([[1.01, 300.5]])).tolist() == [[1.0078125, 300.0]]
    assert repr(ops).endswith("(dtype='bfloat16', device='cpu')")
    assert isinstance(StoredOps(ops), StoredOps)


def trained(name: str, dtype: str, **settings: Any) -> tuple[Array, Any, Trainer]:
    given = {"backend": name, "dtype": dtype, "data": "Digits(train=100, test=30)", "training.epochs": 2, "training.batch_size": 25}
    given |= {"model.layers": "ReLU;Linear", "model.sizes": [64, 8, 10]}
    trainer = Trainer(make_config(override({}, given | settings), "here"))
    *_, last = trainer.run()
    return np.concatenate([np.ravel(X) for X in leaves(trainer.to_numpy().params)]), last, trainer


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_run_is_near_that_in_float64(name: str) -> None:
    pytest.importorskip(name)
    exact, of_exact, _ = trained("numpy", "float64")
    found, last, trainer = trained(name, "bfloat16")
    assert np.abs(found - exact).max() < ROUNDINGS * EPSILON * np.abs(exact).max()
    assert last.test_loss == pytest.approx(of_exact.test_loss, rel=ROUNDINGS * EPSILON)
    assert int(trainer.confusion().sum()) == 30
    assert (found == rounded(found)).all()


def test_micro_batches_add_up() -> None:
    pytest.importorskip("torch")
    whole, _, _ = trained("torch", "bfloat16")
    parts, _, _ = trained("torch", "bfloat16", **{"training.micro_batches": 5})
    assert np.abs(parts - whole).max() < ROUNDINGS * EPSILON * np.abs(whole).max()


def test_numpy_has_no_bfloat16() -> None:
    with pytest.raises(NervaError, match="got 'bfloat16'; numpy has no bfloat16, but jax, torch and tensorflow have"):
        backend("numpy", "bfloat16")
