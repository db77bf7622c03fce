"""Matrices in bfloat16: every operation is that in float32, rounded; every step is near the exact one; what is not kept so."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves
from nerva_core.data.dataset import make_dataset
from nerva_core.interpreters.stored import StoredOps
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer

EPSILON = 2.0**-8
"""Half the distance from 1 to the next number of bfloat16."""
ETA = 2.0**-5
"""The learning rate of runs."""


def rounded(X: Array) -> Array:
    """The nearest numbers of bfloat16, the upper half of float32, ties to even."""
    bits = np.asarray(X, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


@pytest.fixture(params=["torch", "jax", "tensorflow"])
def ops(request: pytest.FixtureRequest) -> Backend:
    pytest.importorskip(request.param)
    return backend(request.param, "bfloat16")


def test_every_operation_is_rounded_once(ops: Backend) -> None:
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


def test_matrices_are_kept_in_half_the_memory(ops: Backend) -> None:
    X = ops.matrix(np.ones((3, 2)))
    assert "bfloat16" in str(X.dtype)
    assert "float32" in str(ops.matrix([[1]]).dtype)
    assert ops.to_numpy(ops.matrix([[1.01, 300.5]])).tolist() == [[1.0078125, 300.0]]
    assert repr(ops).endswith("(dtype='bfloat16', device='cpu')")
    assert isinstance(StoredOps(ops), StoredOps)


# A run -----------------------------------------------------------------------------


class Near(NamedTuple):
    """An exact value, and how far what is computed may be from it."""

    value: Any
    error: Any


def rounding(value: Any, error: Any) -> Near:
    """What is within ``error`` of an exact value, rounded."""
    return Near(value, error + EPSILON * (np.abs(value) + error))


def product(A: Near, B: Near, roundings: int = 1) -> Near:
    """A · B, where each element is a sum in float32 of terms that are rounded so many times on the way."""
    terms = (np.abs(A.value) + A.error) @ (np.abs(B.value) + B.error)
    value, in_sums = A.value @ B.value, len(B.value) * 2.0**-24 * terms
    error = np.abs(A.value) @ B.error + A.error @ np.abs(B.value) + A.error @ B.error + in_sums
    return rounding(value, error) if roundings == 1 else Near(value, error + ((1 + EPSILON) ** roundings - 1) * terms)


def affine(X: Near, W: Near, b: Near) -> Near:
    """X · Wᵀ + 1 · b."""
    P = product(X, Near(W.value.T, W.error.T))
    return rounding(P.value + b.value, P.error + b.error)


def gradients(X: Near, DY: Near, blocks: int) -> tuple[Near, Near]:
    """DYᵀ · X and 1ᵀ · DY, where each block of rows gives a part, and parts are added up two by two."""
    roundings = 1 + int(np.log2(blocks))
    one = Near(np.ones((1, len(X.value))), np.zeros((1, len(X.value))))
    return product(Near(DY.value.T, DY.error.T), X, roundings), product(one, DY, roundings)


def step(X: Array, T: Array, params: list[Array], blocks: int) -> list[Near]:
    """A step of gradient descent of a perceptron, its loss the squared error, from these parameters: what it must be near to.

    Not rounded are the division by N and the product with η, powers of two.
    """
    X_, W1, b1, W2, b2 = (Near(A, np.zeros(A.shape)) for A in (X, *params))
    Z = affine(X_, W1, b1)
    H = Near(np.maximum(Z.value, 0), Z.error)
    Y = affine(H, W2, b2)
    R = rounding(Y.value - T, Y.error)
    DY = Near(2 / len(X) * R.value, 2 / len(X) * R.error)
    DH = product(DY, W2)
    # Where the sign of Z is not certain, the gradient may be there or not.
    DZ = Near(DH.value * (Z.value > 0), np.where(np.abs(Z.value) <= Z.error, np.abs(DH.value) + DH.error, DH.error * (Z.value > 0)))
    found = (*gradients(X_, DZ, blocks), *gradients(H, DY, blocks))
    return [rounding(A - ETA * D.value, ETA * D.error) for A, D in zip(params, found, strict=True)]


@pytest.mark.parametrize(("name", "blocks"), [("torch", 1), ("torch", 4), ("jax", 1)])
def test_every_step_is_near_the_exact_one(name: str, blocks: int) -> None:
    """From where the last one ended, as near as what is rounded allows."""
    pytest.importorskip(name)
    rng = np.random.default_rng(0)
    X, T = rounded(rng.normal(size=(64, 16))), rounded(rng.normal(size=(64, 4)))
    given = {"backend": name, "dtype": "bfloat16", "training.epochs": 4, "training.batch_size": 64, "training.micro_batches": blocks}
    given |= {"model.layers": "ReLU;Linear", "model.sizes": [16, 8, 4], "loss": "SquaredError", "optimizer": "GradientDescent"}
    given["schedule"] = f"Constant({ETA})"
    trainer = Trainer(make_config(override({}, given), "here"), make_dataset("numbers", X, T, X, T, regression=True))
    found = [[A.astype(float) for A in leaves(trainer.to_numpy().params)] for _ in itertools.chain([None], trainer.run())]
    assert len(found) == 5
    for before, after in itertools.pairwise(found):
        for expected, A in zip(step(X, T, before, blocks), after, strict=True):
            assert np.array_equal(A, rounded(A))
            assert (np.abs(A - expected.value) <= expected.error).all()


def test_numpy_has_no_bfloat16() -> None:
    with pytest.raises(NervaError, match="got 'bfloat16'; numpy has no bfloat16, but jax, torch and tensorflow have"):
        backend("numpy", "bfloat16")
