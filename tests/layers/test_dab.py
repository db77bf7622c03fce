"""DAB and straight-through layers against the automatic differentiation of independently written forwards, on all backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.data.dataset import make_dataset
from nerva_core.equations.activations import Tanh
from nerva_core.equations.hard_functions import Bernoulli, HardFunction, Signum, Sort, TopK
from nerva_core.equations.losses import CosineDistance, Huber, MeanSquaredError, SquaredError
from nerva_core.layers import (
    DAB,
    ActivationLayer,
    BatchNormalization,
    Dropout,
    Layer,
    Linear,
    Sequential,
    StraightThrough,
    multilayer_perceptron,
    parse_layers,
)
from nerva_core.training.config import parse_config
from nerva_core.training.models import load_model
from nerva_core.training.runs import Run
from nerva_core.training.step import TrainingState, training_step
from nerva_core.training.trainer import Trainer
from tests.autodiff import oracles
from tests.conftest import make_backend
from tests.helpers import as_one, to_numpy, to_ops
from tests.layers.check import random_parameters

Array = np.ndarray[Any, Any]


def hidden(outputs: int) -> Sequential:
    return Sequential((Linear(5), ActivationLayer(Tanh()), Linear(outputs)))


# The backward is the gradient of what the paper and the errata say ---------------------------------------------------


def objective(framework: str, H: Array, DY: Array, gamma: float, c: float, conditioning: bool) -> Any:
    """⟨DY, S_φ⟩ + γ c |H - S|² as a framework writes it, for the bridge with one tanh layer; H and S_φ's parameters are constants."""

    def forward(X: Any, U: Any, b: Any, V: Any, d: Any) -> Any:
        if framework == "torch":
            import torch

            stop, tanh, as_is = torch.Tensor.detach, torch.tanh, torch.tensor
        elif framework == "jax":
            import jax

            stop, tanh, as_is = jax.lax.stop_gradient, jax.numpy.tanh, jax.numpy.asarray
        else:
            import tensorflow as tf

            stop, tanh, as_is = tf.stop_gradient, tf.tanh, tf.constant

        def transposed(A: Any) -> Any:
            return tf.transpose(A) if framework == "tensorflow" else A.T

        def bridge(X: Any, U: Any, b: Any, V: Any, d: Any) -> Any:
            return tanh(X @ transposed(U) + b) @ transposed(V) + d

        task = (as_is(DY) * bridge(X, *map(stop, (U, b, V, d)))).sum() if framework != "tensorflow" else None
        if task is None:
            task = tf.reduce_sum(DY * bridge(X, *map(stop, (U, b, V, d))))
        E = as_is(H) - bridge(X if conditioning else stop(X), U, b, V, d)
        return task + gamma * c * ((E**2).sum() if framework != "tensorflow" else tf.reduce_sum(E**2))

    return forward


@pytest.mark.parametrize("hard", [Signum(0.3), Sort(), TopK(2)], ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "full mean", "sum"])
@pytest.mark.parametrize("conditioning", [True, False])
def test_gradients(ops: Backend, rng: np.random.Generator, hard: HardFunction, reduction: Any, conditioning: bool) -> None:
    N, D = 6, 4
    K = hard.outputs_for(D)
    layer = DAB(hard, hidden(K), 3.0, reduction=reduction, conditioning=conditioning)
    X, DY, params = rng.normal(size=(N, D)), rng.normal(size=(N, K)), random_parameters(rng, layer, D)
    H = {"Signum": lambda: np.sign(X) * (abs(X) > 0.3), "Sort": lambda: np.sort(X), "TopK": lambda: np.sort(X)[:, :1:-1].copy()}
    expected_H = H[type(hard).__name__]()
    x, p, dy = to_ops(ops, (X, params, DY))

    def passes(p: Any, x: Any, dy: Any) -> Any:
        Y, cache = layer.feedforward(ops, p, x)
        return (Y, cache.S, layer.penalty(ops, cache), *layer.backpropagate(ops, p, cache, dy))

    Y, S, penalty, DX, Dphi = as_one(ops, passes)(p, x, dy)
    np.testing.assert_array_equal(ops.to_numpy(Y), expected_H)
    c = {"mean": 1 / N, "full mean": 1 / (N * K), "sum": 1.0}[reduction]
    forwards = {name: objective(name, expected_H, DY, 3.0, c, conditioning) for name in ("torch", "jax", "tensorflow")}
    for framework, (value, gradients) in oracles(forwards, [X, *leaves(params)], np.ones(()), ops.name).items():
        found = [ops.to_numpy(DX), *leaves(to_numpy(ops, Dphi))]
        for actual, exact in zip(found, gradients, strict=True):
            np.testing.assert_allclose(actual, exact, rtol=1e-10, atol=1e-10, err_msg=framework)
        assert value.item() == pytest.approx((DY * ops.to_numpy(S)).sum() + ops.to_numpy(penalty).item(), rel=1e-10)


@pytest.mark.parametrize(
    "layer",
    [DAB(Signum(), hidden(4), loss=Huber(0.2)), DAB(Sort(), hidden(4), loss=CosineDistance()), DAB(TopK(2), Sequential((Linear(2),)))],
    ids=repr,
)
def test_the_backward_is_the_derivative_of_the_stated_surrogate_by_jax(layer: DAB, rng: np.random.Generator) -> None:
    """JAX differentiates the surrogate as it is written, stop_gradient included."""
    jax = pytest.importorskip("jax")
    ops = make_backend("jax", "float64")
    X, params = rng.normal(size=(5, 4)), random_parameters(rng, layer, 4)
    DY = rng.normal(size=(5, layer.outputs_for(4)))
    x, p, dy = to_ops(ops, (X, params, DY))

    def of_surrogate(x: Any, p: Any) -> Any:
        Y, R = layer.surrogate(ops, p, x)
        return (ops.dot(dy, Y) + R)[0, 0]

    _, cache = layer.feedforward(ops, p, x)
    for found, exact in zip(leaves(layer.backpropagate(ops, p, cache, dy)), leaves(jax.grad(of_surrogate, (0, 1))(x, p)), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-11)


def test_straight_through(ops: Backend) -> None:
    X, DY = [[-2.0, -1.0, -0.2, 0.7, 1.0, 1.5]], [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    for clipped, expected in ((False, DY), (True, [[0.0, 2.0, 3.0, 4.0, 5.0, 0.0]])):
        layer = StraightThrough(Signum(), clipped)
        Y, cache = layer.feedforward(ops, (), ops.matrix(X))
        np.testing.assert_array_equal(ops.to_numpy(Y), [[-1, -1, 0, 1, 1, 1]])
        np.testing.assert_array_equal(ops.to_numpy(layer.backpropagate(ops, (), cache, ops.matrix(DY))[0]), expected)


# In networks ---------------------------------------------------------------------------------------------------------


def test_the_penalty_is_part_of_the_reported_loss(ops: Backend, rng: np.random.Generator) -> None:
    network = Sequential((Linear(4), DAB(Signum(), hidden(4), gamma=2.0), Sequential((Linear(3), DAB(TopK(2), hidden(2)), Linear(1)))))
    params = ops.matrices(network.init(rng, 2))
    X, T = ops.matrix(rng.normal(size=(6, 2))), ops.matrix(rng.normal(size=(6, 1)))
    Y, cache = network.feedforward(ops, params, X)
    plain = ops.to_numpy(SquaredError().value(ops, Y, T)).item() / 6
    inner: Any = network.layers[2]
    layers = ((network.layers[1], cache[1]), (inner.layers[1], cache[2][1]))
    R = sum(ops.to_numpy(layer.penalty(ops, c)).item() for layer, c in layers)
    config = parse_config('optimizer = "GradientDescent"')
    state = TrainingState(params, tuple(() for _ in leaves(params)), network.initial_state(2))
    _, output = training_step(ops, network, SquaredError(), config.optimizer, state, X, T, (), config.optimizer.scalars(0.1, 1))
    assert R > 0
    assert ops.to_numpy(output.loss).item() == pytest.approx(plain + R, rel=1e-12)


def test_the_bridge_is_dropped_at_inference(ops: Backend, rng: np.random.Generator) -> None:
    layer = DAB(TopK(2), hidden(2))
    X = rng.normal(size=(3, 4))
    H = layer.evaluate(ops, None, None, ops.matrix(X))  # it needs neither parameters nor state
    np.testing.assert_array_equal(ops.to_numpy(H), np.sort(X)[:, :1:-1])


def test_noise_and_state_are_those_of_the_bridge_and_the_function(rng: np.random.Generator) -> None:
    bridge = Sequential((Linear(3), BatchNormalization(), Dropout(0.5)))
    layer = DAB(Bernoulli("noise"), bridge)
    ops = make_backend("numpy", "float64")
    params, state = layer.init(rng, 3), layer.initial_state(3)
    noise = layer.draw(rng, 4, 3)
    (U,), (_, _, (mask,)) = noise
    X = rng.random((4, 3))
    Y, cache = layer.feedforward(ops, params, X, *noise)
    np.testing.assert_array_equal(Y, U < X)
    np.testing.assert_array_equal(cache.S == 0, mask == 0)
    assert not np.array_equal(layer.update_state(ops, state, cache)[1].mean, state[1].mean)
    (drawn,) = layer.draw_for_evaluation(rng, 4, 3)
    np.testing.assert_array_equal(layer.evaluate(ops, params, state, X, drawn), drawn < X)


TOML = """
data = "Spirals(n=60)"
seed = 1
optimizer = "Adam"
schedule = "Constant(0.01)"
[model]
layers = [
    "Linear(6)",
    {name = "DAB", hard = "Signum(epsilon=0.25)", bridge = ["Linear(8)", "Tanh", "BatchNormalization", "Linear(6)"], gamma = 10},
    "StraightThrough(Binary)",
    "Linear(3)",
]
[training]
epochs = 2
batch_size = 20
"""


def test_a_network_with_a_bridge_is_trained_saved_and_read_again(tmp_path: Any) -> None:
    config = parse_config(TOML)
    assert parse_config(config.to_toml()) == config
    run = Run.start(config, tmp_path / "run")
    run.train()
    model = load_model(tmp_path / "run" / "model.safetensors")
    layer = model.network.layers[1]
    assert isinstance(layer, DAB)
    assert layer == DAB(Signum(0.25), layer.bridge, gamma=10.0)
    X = run.trainer.data.Xtest
    expected = (model.predict(X).argmax(axis=1) == run.trainer.data.Ttest).mean()
    assert run.history[-1].test_accuracy == pytest.approx(expected)
    resumed = Run.resume(tmp_path / "run", epochs=3)
    assert resumed.trainer.epoch == 2


@pytest.mark.parametrize("name", ["jax", "torch", "tensorflow"])
def test_compiled_training_is_that_of_numpy(name: str) -> None:
    make_backend(name, "float64")
    histories = [list(Trainer(parse_config(TOML, overrides={"backend": b, "dtype": "float64"})).run()) for b in (name, "numpy")]
    for found, expected in zip(*histories, strict=True):
        assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-9)
        assert found.test_accuracy == expected.test_accuracy


def test_nervas_notation_and_text() -> None:
    text = "ReLU;DAB(hard=Signum(epsilon=0.25), bridge=[Linear(8), Tanh, Linear(6)], gamma=2);Linear"
    network = multilayer_perceptron(text, [4, 6, 3])
    layer = network.layers[2]
    assert isinstance(layer, DAB)
    assert (layer.hard, layer.gamma, layer.bridge.outputs_for(6)) == (Signum(0.25), 2.0, 6)
    assert parse_layers([repr(layer)]).layers == (layer,)


XOR = """
dtype = "float64"
optimizer = "Adam"
schedule = "Constant(0.01)"
[model]
layers = [
    "Linear(32)", "Tanh", "Linear(32)",
    {name = "DAB", hard = "Signum", bridge = ["Linear(32)", "Tanh", "Linear(32)"], gamma = GAMMA, conditioning = false},
    "Linear(2)",
]
[training]
epochs = 30
batch_size = 20
"""


def test_a_network_is_trained_through_a_bridge_that_learns(rng: np.random.Generator) -> None:
    """The signum passes no gradient, the layers before it learn nevertheless; with γ = 0 only the bridge stays as it is."""
    X = rng.normal(size=(600, 2))
    T = ((X[:, 0] * X[:, 1]) > 0).astype(int)
    data = make_dataset("xor", X[:400], T[:400], X[400:], T[400:], regression=False, classes=2)
    for gamma in (0.0, 10.0):
        trainer = Trainer(parse_config(XOR.replace("GAMMA", str(gamma))), data)
        network, before = trainer.network, trainer.to_numpy().params
        *_, last = trainer.run()
        after = trainer.to_numpy().params
        moved = [not np.array_equal(a, b) for a, b in zip(leaves(before[3]), leaves(after[3]), strict=True)]
        assert all(moved) if gamma else not any(moved)
        assert not np.array_equal(before[0].W, after[0].W)
        if gamma:
            errors = []
            for params in (before, after):
                _, caches = network.feedforward(trainer.ops, params, data.Xtest)
                errors.append(((caches[3].S - caches[3].H) ** 2).mean())
            assert errors[1] < 0.8 * errors[0]
            assert last.test_accuracy is not None
            assert last.test_accuracy > 0.85


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StraightThrough(TopK(2)).outputs_for(4), "TopK must keep the number of columns, but it makes 2 of 4; a DAB layer"),
        (lambda: DAB(TopK(2), hidden(3)).outputs_for(4), "the bridge must have the outputs of TopK, which makes 2 of 4 columns, but has 3"),
        (lambda: DAB(Signum(), hidden(4), loss=MeanSquaredError()), "must be a sum, got MeanSquaredError, a mean"),
        (lambda: DAB(Signum(), Sequential((StraightThrough(Signum()),))), "must be differentiable, but it has a StraightThrough layer"),
        (lambda: parse_layers(["DAB(hard=Signun, bridge=[Linear(3)])"]), "did you mean 'Signum'"),
        (lambda: parse_layers(["DAB(hard=Signum, bridge=[])"]), "at least one layer"),
        (lambda: parse_layers(["DAB(hard=Signum)"]), "DAB needs the parameter 'bridge'"),
    ],
)
def test_a_mistake_is_named(make: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        make()


def test_hard_layers_are_found() -> None:
    inner = StraightThrough(Signum())
    network: Layer = Sequential((Linear(3), Sequential((inner,)), DAB(Signum(), hidden(3))))
    assert network.hard_layers() == (inner, network.layers[2])
    assert Linear(3).hard_layers() == ()
