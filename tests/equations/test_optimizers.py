from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.gradient_activations import Arctan, Log, NormClipping, Tanh, ValueClipping
from nerva_core.equations.optimizers import (
    GAF,
    OPTIMIZERS,
    SGD,
    Adam,
    GlobalNormClipping,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    WeightDecay,
)
from tests.conftest import installed, load_frameworks, make_backend
from tests.equations.steps import ETA, GRADIENTS, STEPS, THETA, Array, run
from tests.helpers import assert_trees_equal, examples, to_numpy, to_ops, tree_map


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
        (GAF(Momentum(0.875), ValueClipping(0.25)), {"momentum": 0.875, "clipvalue": 0.25}),
        (GAF(Momentum(0.875), NormClipping(0.5)), {"momentum": 0.875, "clipnorm": 0.5}),
    ],
    ids=repr,
)
def test_equal_to_keras(ops_of_dtype: Backend, optimizer: Optimizer, parameters: dict[str, Any]) -> None:
    """Keras holds η and μ as float32 numbers, also for float64 variables, so these are exact in float32."""
    expected = keras_run(ops_of_dtype.dtype, **parameters)
    np.testing.assert_allclose(run(ops_of_dtype, optimizer), expected, rtol=0, atol={"float32": 2e-6, "float64": 1e-13}[ops_of_dtype.dtype])


@with_torch
@pytest.mark.parametrize(
    ("optimizer", "name", "parameters"),
    [
        (GradientDescent(), "SGD", {}),
        (SGD(), "SGD", {}),
        (SGD(momentum=0.9), "SGD", {"momentum": 0.9}),
        (SGD(momentum=0.9, decay=0.1, nesterov=True), "SGD", {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
        (Adam(), "Adam", {}),
        (Adam(beta1=0.5, beta2=0.7, epsilon=1e-3), "Adam", {"betas": (0.5, 0.7), "eps": 1e-3}),
        (RMSProp(rho=0.99), "RMSprop", {}),
        (RMSProp(rho=0.6, epsilon=1e-2), "RMSprop", {"alpha": 0.6, "eps": 1e-2}),
        (WeightDecay(GradientDescent(), 0.1), "SGD", {"weight_decay": 0.1}),
        (WeightDecay(Adam(), 0.1), "Adam", {"weight_decay": 0.1}),
        (WeightDecay(Adam(), 0.1, decoupled=True), "AdamW", {"weight_decay": 0.1}),
        (WeightDecay(RMSProp(rho=0.99), 0.1), "RMSprop", {"weight_decay": 0.1}),
    ],
    ids=lambda value: repr(value) if isinstance(value, Optimizer) else None,
)
def test_equal_to_torch(ops: Backend, optimizer: Optimizer, name: str, parameters: dict[str, Any]) -> None:
    np.testing.assert_allclose(run(ops, optimizer), torch_run(name, **parameters), rtol=0, atol=1e-12)


@with_torch
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_torch_s_for_a_constant_learning_rate(ops: Backend, nesterov: bool) -> None:
    """torch keeps V with Δ = -η V, so the steps agree as long as η does not change."""
    ours = Nesterov(0.8) if nesterov else Momentum(0.8)
    np.testing.assert_allclose(run(ops, ours), torch_run("SGD", momentum=0.8, nesterov=nesterov), rtol=0, atol=1e-13)


def test_the_printed_rules_in_numbers(ops: Backend) -> None:
    """Two steps by hand: θ = 1, Dθ = 2 and then 1, η = 0.1, μ = 0.5."""
    gradients = np.array([[[2.0]], [[1.0]]])
    theta = np.array([[1.0]])
    expected = {GradientDescent(): [0.8, 0.7], Momentum(0.5): [0.8, 0.6], Nesterov(0.5): [0.7, 0.5]}
    for optimizer, values in expected.items():
        np.testing.assert_allclose(run(ops, optimizer, theta, gradients, 0.1).ravel(), values, rtol=1e-14, err_msg=repr(optimizer))


def test_the_first_step_of_adam_is_eta_in_the_direction_of_the_sign(ops: Backend) -> None:
    steps = run(ops, Adam(epsilon=1e-12), gradients=GRADIENTS[:1])
    np.testing.assert_allclose(steps[0], THETA - ETA * np.sign(GRADIENTS[0]), rtol=0, atol=1e-9)


def test_no_decay_is_the_optimizer_itself(ops: Backend) -> None:
    for decoupled in (False, True):
        np.testing.assert_array_equal(run(ops, WeightDecay(Adam(), 0.0, decoupled)), run(ops, Adam()))


MORE = [WeightDecay(Adam(), 0.1, decoupled=True), GAF(Adam(), Log()), GAF(Momentum(), NormClipping())]
MORE += [GAF(Momentum(), Tanh(), variant="printed"), GAF(Nesterov(), Arctan(), variant="momentum-buffer")]
each_optimizer = pytest.mark.parametrize("optimizer", [*examples(OPTIMIZERS), *MORE], ids=repr)


@each_optimizer
def test_state_shapes_dtype_and_purity(ops_of_dtype: Backend, optimizer: Optimizer) -> None:
    ops = ops_of_dtype
    theta, gradient = ops.matrix(THETA), ops.matrix(GRADIENTS[0])
    state = optimizer.init(ops, theta)
    before = to_numpy(ops, state)
    scalars = [ops.scalar(c) for c in optimizer.scalars(ETA, 1)]
    new, new_state = optimizer.update(ops, state, theta, gradient, *scalars)
    assert_trees_equal(tree_map(ops.shape, new_state), tree_map(ops.shape, state))
    assert ops.shape(new) == THETA.shape
    for matrix in leaves((new, new_state)):
        assert all(size in (1, of_theta) for size, of_theta in zip(ops.shape(matrix), THETA.shape, strict=True))
        assert ops.to_numpy(matrix).dtype == ops.dtype
    assert_trees_equal(to_numpy(ops, (theta, gradient, state)), (THETA.astype(ops.dtype), GRADIENTS[0].astype(ops.dtype), before))


@each_optimizer
def test_every_parameter_has_its_own_state(ops: Backend, optimizer: Optimizer) -> None:
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
def test_plain_numbers_and_scalars_of_the_backend_are_the_same(ops: Backend, optimizer: Optimizer) -> None:
    theta, gradient = ops.matrix(THETA), ops.matrix(GRADIENTS[0])
    numbers = optimizer.scalars(ETA, 1)
    plain, _ = optimizer.update(ops, optimizer.init(ops, theta), theta, gradient, *numbers)
    np.testing.assert_allclose(ops.to_numpy(plain), run(ops, optimizer, gradients=GRADIENTS[:1])[0], rtol=1e-15)


# The norm of all gradients -----------------------------------------------------------------------------------------------------------


def run_two(ops: Backend, optimizer: Optimizer, gradients: Array) -> list[Array]:
    """Two parameters, a 2 x 3 matrix and a row, after a step for each of the gradients, whose last row is that of the second."""
    thetas = [ops.matrix(THETA.T), ops.matrix(THETA[:1])]
    states: Any = [optimizer.init(ops, theta) for theta in thetas]
    for t, G in enumerate(gradients, start=1):
        scalars = [ops.scalar(c) for c in optimizer.scalars(ETA, t)]
        thetas, states = optimizer.step(ops, states, thetas, [ops.matrix(G[:3].T), ops.matrix(G[3:])], *scalars)
    return [ops.to_numpy(theta) for theta in thetas]


ALL_GRADIENTS = np.random.default_rng(3).normal(size=(4, 4, 2)) * np.array([1, 0.01, 3, 0.1])[:, None, None]
"""Some of their norms are below the threshold of the tests, others above it."""


@pytest.mark.parametrize("inner", ["sgd", "adam"])
def test_clipping_by_the_norm_of_all_gradients_is_torchs(ops: Backend, inner: str) -> None:
    import torch

    thetas = [torch.nn.Parameter(torch.tensor(values)) for values in (THETA.T.copy(), THETA[:1].copy())]
    theirs: Any = torch.optim.SGD(thetas, ETA, momentum=0.9) if inner == "sgd" else torch.optim.Adam(thetas, ETA)
    for G in ALL_GRADIENTS:
        thetas[0].grad, thetas[1].grad = torch.tensor(G[:3].T.copy()), torch.tensor(G[3:].copy())
        torch.nn.utils.clip_grad_norm_(thetas, 0.5)
        theirs.step()
    ours = run_two(ops, GlobalNormClipping(Momentum() if inner == "sgd" else Adam(), 0.5), ALL_GRADIENTS)
    for found, parameter in zip(ours, thetas, strict=True):
        np.testing.assert_allclose(found, parameter.detach().numpy(), rtol=0, atol=1e-6)  # torch divides by the norm + 1e-6


def test_gradients_within_the_threshold_are_kept_bitwise(ops: Backend) -> None:
    small = ALL_GRADIENTS / 100
    for ours, plain in zip(run_two(ops, GlobalNormClipping(Momentum(), 0.5), small), run_two(ops, Momentum(), small), strict=True):
        assert np.array_equal(ours, plain)


def test_a_gradient_of_zero_stays_zero(ops: Backend) -> None:
    W, b = run_two(ops, GlobalNormClipping(GradientDescent()), np.zeros((1, 4, 2)))
    assert np.array_equal(W, ops.to_numpy(ops.matrix(THETA.T)))
    assert np.array_equal(b, ops.to_numpy(ops.matrix(THETA[:1])))


def test_wrappers_hand_all_parameters_on(ops: Backend) -> None:
    """Outside, inside or within several wrappers, the norm is that of all gradients."""
    c = 0.5
    norm = np.linalg.norm(ALL_GRADIENTS[0])
    assert norm > c
    factor = c / norm
    W, b = ALL_GRADIENTS[0][:3].T, ALL_GRADIENTS[0][3:]
    inside = run_two(ops, WeightDecay(GlobalNormClipping(GradientDescent(), c), 0.1, decoupled=True), ALL_GRADIENTS[:1])
    np.testing.assert_allclose(inside[0], THETA.T - ETA * factor * W - ETA * 0.1 * THETA.T, rtol=1e-6)
    np.testing.assert_allclose(inside[1], THETA[:1] - ETA * factor * b - ETA * 0.1 * THETA[:1], rtol=1e-6)
    outside = run_two(ops, GlobalNormClipping(WeightDecay(GradientDescent(), 0.1), c), ALL_GRADIENTS[:1])
    np.testing.assert_allclose(outside[1], THETA[:1] - ETA * (factor * b + 0.1 * THETA[:1]), rtol=1e-6)
    activated = run_two(ops, GAF(GlobalNormClipping(GradientDescent(), c), alpha=0.1, beta=20.0), ALL_GRADIENTS[:1])
    A = 0.1 * np.arctan(20 * ALL_GRADIENTS[0])
    assert np.linalg.norm(A) < c
    np.testing.assert_allclose(activated[0], THETA.T - ETA * A[:3].T, rtol=1e-6)


@pytest.mark.parametrize("values", [1e25, 2e37])  # above, 1 over the norm is subnormal, which XLA takes for 0
def test_gradients_whose_squares_overflow_are_clipped(backend_name: str, values: float) -> None:
    """c / √14 in every place, of 12 + 2 equal elements; of one parameter of 12, c / √12."""
    ops: Backend = make_backend(backend_name, "float32")
    gradients = [ops.matrix(np.full((3, 4), values)), ops.matrix(np.full((2, 1), -values))]
    zeros = [ops.zeros(3, 4), ops.zeros(2, 1)]
    thetas, _ = GlobalNormClipping(GradientDescent(), 0.5).step(ops, [(), ()], zeros, gradients, 1.0)
    np.testing.assert_allclose(ops.to_numpy(thetas[0]), -0.5 / np.sqrt(14), rtol=1e-6)
    np.testing.assert_allclose(ops.to_numpy(thetas[1]), 0.5 / np.sqrt(14), rtol=1e-6)
    np.testing.assert_allclose(ops.to_numpy(NormClipping(0.5).value(ops, gradients[0])), 0.5 / np.sqrt(12), rtol=1e-6)
