"""The rules with a step for each element, against PyTorch and against their papers' loops."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.optimizers import LAMB, Adadelta, Adafactor, AdaGrad, AdamW, AMSGrad, Lion, NAdam, Optimizer, WeightDecay
from tests.conftest import load_frameworks, make_backend
from tests.equations.test_optimizers import ETA, GRADIENTS, THETA, run, torch_run, with_torch


@with_torch
@pytest.mark.parametrize(
    ("optimizer", "name", "parameters"),
    [
        (AdamW(decay=0.1), "AdamW", {"weight_decay": 0.1}),
        (AMSGrad(beta2=0.5), "Adam", {"amsgrad": True, "betas": (0.9, 0.5)}),
        (NAdam(beta1=0.5, beta2=0.7), "NAdam", {"betas": (0.5, 0.7)}),
        (NAdam(momentum_decay=0.96**0.5), "NAdam", {"momentum_decay": 0.5}),
        (AdaGrad(), "Adagrad", {}),
        (AdaGrad(epsilon=0.1), "Adagrad", {"eps": 0.1}),
        (Adadelta(rho=0.5, epsilon=1e-3), "Adadelta", {"rho": 0.5, "eps": 1e-3}),
        (WeightDecay(NAdam(), 0.1), "NAdam", {"weight_decay": 0.1}),
        (WeightDecay(NAdam(), 0.1, decoupled=True), "NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ],
    ids=lambda value: repr(value) if isinstance(value, Optimizer) else None,
)
def test_equal_to_torch(ops: Backend, optimizer: Optimizer, name: str, parameters: dict[str, Any]) -> None:
    load_frameworks()
    import torch

    torch.set_default_dtype(torch.float64)  # of the product that NAdam keeps
    try:
        np.testing.assert_allclose(run(ops, optimizer), torch_run(name, **parameters), rtol=0, atol=1e-12)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_largest_average_is_kept() -> None:
    """A large gradient and then small ones: the steps of AMSGrad stay as small as the large one has made them."""
    ops = make_backend("numpy", "float64")
    G = np.array([10.0, *[0.1] * 20]).reshape(-1, 1, 1)
    ams, adam = (run(ops, rule, np.zeros((1, 1)), G, 0.1).ravel() for rule in (AMSGrad(beta2=0.5), AdamW(beta2=0.5, decay=0.0)))
    np.testing.assert_allclose(ams[0], adam[0], rtol=1e-15)
    assert abs(ams[-1] - ams[-2]) < abs(adam[-1] - adam[-2]) / 10


def test_lion_in_numbers(ops: Backend) -> None:
    """θ = 1, Dθ = 2 and then -1/4, η = 0.5, λ = 0.5: m = 0.5 · 2 = 1, and then sign(0.75 · 1 - 0.25 / 4) = 1."""
    optimizer = Lion(beta1=0.75, beta2=0.5, decay=0.5)
    theta, G = np.array([[1.0]]), np.array([[[2.0]], [[-0.25]]])
    np.testing.assert_array_equal(run(ops, optimizer, theta, G, 0.5).ravel(), [1 - 0.5 * 1.5, 0.25 - 0.5 * (1 + 0.125)])


def test_lion_does_not_move_without_a_gradient(ops: Backend) -> None:
    np.testing.assert_array_equal(run(ops, Lion(), gradients=0 * GRADIENTS)[-1], THETA)


def test_a_step_of_lamb_has_the_length_of_eta_times_theta(ops: Backend) -> None:
    history = [THETA, *run(ops, LAMB())]
    for before, after in itertools.pairwise(history):
        np.testing.assert_allclose(np.linalg.norm(after - before), ETA * np.linalg.norm(before), rtol=1e-12)


def test_lamb_leaves_zero_as_adam_does(ops: Backend) -> None:
    """Where a norm is 0 the ratio is 1: a bias of 0 can be learned, and a gradient of 0 gives no NaN."""
    zero = np.zeros((3, 2))
    first = run(ops, LAMB(epsilon=1e-12), zero, GRADIENTS[:1])[0]
    np.testing.assert_allclose(first, -ETA * np.sign(GRADIENTS[0]), rtol=0, atol=1e-8)
    np.testing.assert_array_equal(run(ops, LAMB(decay=0.0), gradients=0 * GRADIENTS)[-1], THETA)


@pytest.mark.parametrize(("shape", "scale"), [((3, 2), 1.0), ((1, 4), 1.0), ((4, 3), 1e-4)])
def test_adafactor_is_that_of_keras(shape: tuple[int, int], scale: float) -> None:
    """Of a row, a vector there, V is the average of the squares; θ of 1e-4 is below ε₂. In float32, as Keras has its numbers."""
    keras = pytest.importorskip("keras")
    load_frameworks()
    ops = make_backend("numpy", "float32")
    rng = np.random.default_rng(5)
    theta, G = scale * rng.normal(size=shape), rng.normal(size=(4, *shape)) * np.array([1, 10, 0.1, 1])[:, None, None]
    variable = keras.Variable(theta[0] if shape[0] == 1 else theta, dtype="float32")
    theirs = keras.optimizers.Adafactor(learning_rate=0.0625, relative_step=False)
    for ours, gradient in zip(run(ops, Adafactor(), theta, G), G, strict=True):
        theirs.apply([keras.ops.convert_to_tensor(gradient.reshape(variable.shape), dtype="float32")], [variable])
        np.testing.assert_allclose(ours, np.array(variable).reshape(shape), rtol=1e-5, atol=1e-6 * scale)


def test_adafactor_leaves_what_has_no_gradient(ops_of_dtype: Backend) -> None:
    """Rows and columns without a gradient, whose factors of V are 1e-30, are no NaN and no step."""
    G = np.zeros((3, 3, 2))
    G[:, 1, 1] = 1.0
    after = run(ops_of_dtype, Adafactor(), gradients=G)[-1]
    assert np.isfinite(after).all()
    moved = np.abs(after - np.asarray(THETA, ops_of_dtype.dtype)) > 1e-3
    np.testing.assert_array_equal(moved, G[0] == 1)


def test_adafactor_keeps_a_number_for_each_row_and_column(ops: Backend) -> None:
    state = Adafactor().init(ops, ops.matrix(THETA))
    assert [ops.shape(X) for X in state] == [(3, 1), (1, 2)]


def test_the_momentum_of_nadam_grows_to_beta1() -> None:
    """From half of β1, also for a number of the step that is large."""
    rule = NAdam(beta1=0.875)
    momenta = [rule.scalars(ETA, t)[1] for t in (0, 1, 100, 10_000, 10**6)]
    assert momenta == sorted(momenta)
    assert (momenta[0], momenta[-1]) == (0.4375, 0.875)
    assert rule.scalars(ETA, 7)[2] == rule.scalars(ETA, 8)[1]
