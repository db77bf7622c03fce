from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from nerva_core.numeric_backend import Backend
from nerva_core.optimizers import OPTIMIZERS, Adam, GradientDescent, Momentum, Nesterov, Optimizer, RMSProp, WeightDecay
from tests.conftest import installed, load_frameworks
from tests.helpers import assert_trees_equal, examples, leaves, to_numpy, to_ops, tree_map

STEPS = 6
ETA = 0.0625
RNG = np.random.default_rng(8)
THETA = RNG.normal(size=(3, 2))
GRADIENTS = RNG.normal(size=(STEPS, 3, 2)) * np.array([1, 0.1, 10, 1e-3, 1, 1])[:, None, None]
Array = np.ndarray[Any, Any]


def run(ops: Backend[Any], optimizer: Optimizer, theta: Array = THETA, gradients: Array = GRADIENTS, eta: float = ETA) -> Array:
    """θ after each step, with the numbers of a step handed over as a compiled step gets them."""
    parameter, history = ops.matrix(theta), []
    state = optimizer.init(ops, parameter)
    for t, gradient in enumerate(gradients, start=1):
        scalars = [ops.scalar(c) for c in optimizer.scalars(eta, t)]
        parameter, state = optimizer.update(ops, state, parameter, ops.matrix(gradient), *scalars)
        history.append(ops.to_numpy(parameter))
    return np.array(history)


@functools.cache
def keras_run(dtype: str, **parameters: Any) -> Array:
    load_frameworks()
    import keras

    optimizer = keras.optimizers.SGD(learning_rate=ETA, **parameters)
    variable = keras.Variable(THETA, dtype=dtype)
    history = []
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, dtype=dtype)], [variable])
        history.append(np.array(variable))
    return np.array(history)


@functools.cache
def torch_run(name: str, eta: float = ETA, **parameters: Any) -> Array:
    load_frameworks()
    import torch

    theta = torch.tensor(THETA, requires_grad=True)
    optimizer = getattr(torch.optim, name)([theta], lr=eta, **parameters)
    history = []
    for gradient in GRADIENTS:
        theta.grad = torch.tensor(gradient)
        optimizer.step()
        history.append(theta.detach().numpy().copy())
    return np.array(history)


with_keras = pytest.mark.skipif(not installed("keras"), reason="keras is not installed")
with_torch = pytest.mark.skipif(not installed("torch"), reason="torch is not installed")


@with_keras
@pytest.mark.parametrize(
    ("optimizer", "parameters"),
    [
        (GradientDescent(), {}),
        (Momentum(0.875), {"momentum": 0.875}),
        (Momentum(0.25), {"momentum": 0.25}),
        (Nesterov(0.875), {"momentum": 0.875, "nesterov": True}),
        (Nesterov(0.25), {"momentum": 0.25, "nesterov": True}),
    ],
    ids=repr,
)
def test_equal_to_keras(ops_of_dtype: Backend[Any], optimizer: Optimizer, parameters: dict[str, Any]) -> None:
    """Keras holds η and μ as float32 numbers, also for float64 variables, so these are exact in float32."""
    expected = keras_run(ops_of_dtype.dtype, **parameters)
    np.testing.assert_allclose(run(ops_of_dtype, optimizer), expected, rtol=0, atol={"float32": 2e-6, "float64": 1e-13}[ops_of_dtype.dtype])


@with_torch
@pytest.mark.parametrize(
    ("optimizer", "name", "parameters"),
    [
        (GradientDescent(), "SGD", {}),
        (Adam(), "Adam", {}),
        (Adam(0.5, 0.7, 1e-3), "Adam", {"betas": (0.5, 0.7), "eps": 1e-3}),
        (RMSProp(0.99), "RMSprop", {}),
        (RMSProp(0.6, 1e-2), "RMSprop", {"alpha": 0.6, "eps": 1e-2}),
        (WeightDecay(GradientDescent(), 0.1), "SGD", {"weight_decay": 0.1}),
        (WeightDecay(Adam(), 0.1), "Adam", {"weight_decay": 0.1}),
        (WeightDecay(Adam(), 0.1, decoupled=True), "AdamW", {"weight_decay": 0.1}),
        (WeightDecay(RMSProp(0.99), 0.1), "RMSprop", {"weight_decay": 0.1}),
    ],
    ids=lambda value: repr(value) if isinstance(value, Optimizer) else None,
)
def test_equal_to_torch(ops: Backend[Any], optimizer: Optimizer, name: str, parameters: dict[str, Any]) -> None:
    np.testing.assert_allclose(run(ops, optimizer), torch_run(name, **parameters), rtol=0, atol=1e-12)


@with_torch
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_torch_s_for_a_constant_learning_rate(ops: Backend[Any], nesterov: bool) -> None:
    """torch keeps V with Δ = -η V, so the steps agree as long as η does not change."""
    ours = Nesterov(0.8) if nesterov else Momentum(0.8)
    np.testing.assert_allclose(run(ops, ours), torch_run("SGD", momentum=0.8, nesterov=nesterov), rtol=0, atol=1e-13)


def test_the_printed_rules_in_numbers(ops: Backend[Any]) -> None:
    """Two steps by hand: θ = 1, Dθ = 2 and then 1, η = 0.1, μ = 0.5."""
    gradients = np.array([[[2.0]], [[1.0]]])
    theta = np.array([[1.0]])
    expected = {GradientDescent(): [0.8, 0.7], Momentum(0.5): [0.8, 0.6], Nesterov(0.5): [0.7, 0.5]}
    for optimizer, values in expected.items():
        np.testing.assert_allclose(run(ops, optimizer, theta, gradients, 0.1).ravel(), values, rtol=1e-14, err_msg=repr(optimizer))


def test_the_first_step_of_adam_is_eta_in_the_direction_of_the_sign(ops: Backend[Any]) -> None:
    steps = run(ops, Adam(epsilon=1e-12), gradients=GRADIENTS[:1])
    np.testing.assert_allclose(steps[0], THETA - ETA * np.sign(GRADIENTS[0]), rtol=0, atol=1e-9)


def test_no_decay_is_the_optimizer_itself(ops: Backend[Any]) -> None:
    for decoupled in (False, True):
        np.testing.assert_array_equal(run(ops, WeightDecay(Adam(), 0.0, decoupled)), run(ops, Adam()))


each_optimizer = pytest.mark.parametrize("optimizer", [*examples(OPTIMIZERS), WeightDecay(Adam(), 0.1, decoupled=True)], ids=repr)


@each_optimizer
def test_state_shapes_dtype_and_purity(ops_of_dtype: Backend[Any], optimizer: Optimizer) -> None:
    ops = ops_of_dtype
    theta, gradient = ops.matrix(THETA), ops.matrix(GRADIENTS[0])
    state = optimizer.init(ops, theta)
    before = to_numpy(ops, state)
    scalars = [ops.scalar(c) for c in optimizer.scalars(ETA, 1)]
    new, new_state = optimizer.update(ops, state, theta, gradient, *scalars)
    assert_trees_equal(tree_map(ops.shape, new_state), tree_map(ops.shape, state))
    for matrix in leaves((new, new_state)):
        assert ops.shape(matrix) == THETA.shape
        assert ops.to_numpy(matrix).dtype == ops.dtype
    assert_trees_equal(to_numpy(ops, (theta, gradient, state)), (THETA.astype(ops.dtype), GRADIENTS[0].astype(ops.dtype), before))


@each_optimizer
def test_every_parameter_has_its_own_state(ops: Backend[Any], optimizer: Optimizer) -> None:
    """Two parameters updated in turn go the ways they go alone."""
    starts, gradients = (THETA, 2 * THETA[:1]), (GRADIENTS, -GRADIENTS[:, :1])
    params = to_ops(ops, starts)
    states = tuple(optimizer.init(ops, p) for p in params)
    for t in range(STEPS):
        scalars = [ops.scalar(c) for c in optimizer.scalars(ETA, t + 1)]
        updated = [optimizer.update(ops, s, p, ops.matrix(g[t]), *scalars) for s, p, g in zip(states, params, gradients, strict=True)]
        params, states = tuple(zip(*updated, strict=True))
    for p, start, g in zip(params, starts, gradients, strict=True):
        np.testing.assert_array_equal(ops.to_numpy(p), run(ops, optimizer, start, g)[-1])


@each_optimizer
def test_plain_numbers_and_scalars_of_the_backend_are_the_same(ops: Backend[Any], optimizer: Optimizer) -> None:
    theta, gradient = ops.matrix(THETA), ops.matrix(GRADIENTS[0])
    numbers = optimizer.scalars(ETA, 1)
    plain, _ = optimizer.update(ops, optimizer.init(ops, theta), theta, gradient, *numbers)
    np.testing.assert_allclose(ops.to_numpy(plain), run(ops, optimizer, gradients=GRADIENTS[:1])[0], rtol=1e-15)
