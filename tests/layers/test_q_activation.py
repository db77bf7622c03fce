from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves
from nerva_core.data import Digits
from nerva_core.equations.activations import ACTIVATIONS, ELU, Activation, AllReLU, QLimit, Softplus, Tanh
from nerva_core.layers import (
    ActivationLayer,
    Composite,
    Dropout,
    Layer,
    Linear,
    QActivation,
    Sequential,
    multilayer_perceptron,
    parse_layers,
)
from nerva_core.layers.q_activation import draw_q, q_density
from nerva_core.theory.q_calculus import q_activation
from nerva_core.training.batches import NOISE, random_stream
from nerva_core.training.config import parse_config
from nerva_core.training.trainer import Trainer
from tests.conftest import make_backend
from tests.layers.check import check_layer, run
from tests.layers.q_functions import forwards
from tests.reference import ReferenceOps, mp

Array = np.ndarray[Any, Any]


# Gradients ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "relu", "elu(0.5)"])
def test_gradients(ops: Backend, rng: np.random.Generator, name: str) -> None:
    """For q on both sides of 0 and of 1."""
    Q = rng.uniform(-2, 0.8, size=(5, 4)) + 1.4 * (rng.random((5, 4)) < 0.5)
    check_layer(ops, QActivation(ACTIVATIONS.parse(name)), forwards(name, Q), rng.normal(size=(5, 4)), (), noise=(Q,))


@pytest.mark.parametrize("noise", ["element", "row", "scalar"])
def test_gradients_with_the_noise_that_is_drawn(ops: Backend, rng: np.random.Generator, noise: Any) -> None:
    layer = QActivation(Tanh(), lambda_=0.3, phi=0.1, noise=noise)
    (Q,) = layer.draw(rng, 5, 4)
    check_layer(ops, layer, forwards("tanh", Q), rng.normal(size=(5, 4)), (), noise=(Q,))


def test_the_layer_is_the_q_activation_of_every_element(rng: np.random.Generator) -> None:
    ops = make_backend("numpy", "float64")
    Z, Q = rng.normal(size=(3, 4)), rng.uniform(1.1, 2, size=(3, 4))
    Y, _ = QActivation(Tanh()).feedforward(ops, (), Z, Q)
    np.testing.assert_allclose(Y, np.vectorize(lambda z, q: q_activation(math.tanh, q)(z))(Z, Q), rtol=1e-12)


def test_q_relu_is_relu_for_positive_q(ops: Backend) -> None:
    """And x/(1 + |q|) or -|q| |x|/(1 + |q|) for negative q (erratum 000-18)."""
    Z, Q = np.array([[1.0, -1.0, 3.0, -2.0]]), np.array([[0.5, 2.0, -0.5, -3.0]])
    Y, _, _ = run(ops, QActivation(ACTIVATIONS.parse("relu")), Z, (), np.ones((1, 4)), (Q,))
    np.testing.assert_allclose(Y, [[1.0, 0.0, 2.0, -1.5]], rtol=1e-15)


# Accuracy ----------------------------------------------------------------------

SMOOTH = ["tanh", "sigmoid", "softplus", "elu", "relu", "gelu", "silu", "leaky relu(0.3)"]


@pytest.mark.parametrize("name", SMOOTH)
def test_the_stated_accuracy_where_q_is_near_1(ops_of_dtype: Backend, name: str) -> None:
    """|q - 1| = φ = 10⁻³, |z| <= 4: the same code on numbers of many digits is the reference."""
    ops, reference = ops_of_dtype, ReferenceOps()
    rng = np.random.default_rng(5)
    layer = QActivation(ACTIVATIONS.parse(name))
    Z, Q = (ops.to_numpy(ops.matrix(A)) for A in (rng.uniform(-4, 4, (20, 5)), 1 + rng.choice([-1e-3, 1e-3], (20, 5))))
    DY = np.ones_like(Z)
    actual = run(ops, layer, Z, (), DY, (Q,))[:2]
    z, q, dy = (reference.matrix(A.astype(float)) for A in (Z, Q, DY))
    Y, cache = layer.feedforward(reference, (), z, q)
    bound = {"float32": 6e-4, "float64": 2e-12}[ops.dtype]
    for found, exact in zip(actual, (Y, layer.backpropagate(reference, (), cache, dy)[0]), strict=True):
        assert np.abs(found - exact.astype(float)).max() < bound


def test_the_accuracy_test_sees_a_smaller_phi() -> None:
    ops = make_backend("numpy", "float32")
    Z, Q = ops.matrix(np.linspace(-4, 4, 50)[None]), ops.matrix(np.full((1, 50), 1 + 1e-5))
    Y, _ = QActivation(Tanh()).feedforward(ops, (), Z, Q)
    q = mpmath.mpf(float(Q[0, 0]))
    exact = [float((mp.tanh(z) - mp.tanh(q * z)) / (1 - q)) for z in map(mp.mpf, Z[0].tolist())]
    assert np.abs(Y[0] - exact).max() > 6e-4


# The noise ----------------------------------------------------------------------


@pytest.mark.parametrize(("lambda_", "phi"), [(0.02, 1e-3), (1.0, 1e-3), (0.5, 0.3)])
def test_the_distribution_of_q(lambda_: float, phi: float) -> None:
    n = 100_000
    q = draw_q(np.random.default_rng(1), lambda_, phi, (n, 1))[:, 0]
    variance = lambda_**2 + 2 * lambda_ * phi * math.sqrt(2 / math.pi) + phi**2
    assert np.abs(q - 1).min() >= phi * (1 - 1e-9)
    assert abs(q.mean() - 1) < 5 * math.sqrt(variance / n)
    fourth = ((q - 1) ** 4).mean()
    assert abs(((q - 1) ** 2).mean() - variance) < 5 * math.sqrt((fourth - variance**2) / n)

    def distribution(x: Array) -> Array:
        side = np.sign(x - 1) * np.maximum(np.abs(x - 1) - phi, 0)
        return stats.norm.cdf(side / lambda_)

    assert stats.kstest(q, distribution).pvalue > 1e-3


@pytest.mark.parametrize(("lambda_", "phi"), [(0.02, 1e-3), (0.5, 0.3)])
def test_the_density_of_q(lambda_: float, phi: float) -> None:
    """Each side integrates to 1/2; the variance is the stated one; nothing between 1 - φ and 1 + φ."""
    side = [1 + phi, 1 + phi + 12 * lambda_]
    half, _ = integrate.quad(lambda q: float(q_density(np.asarray(q), lambda_, phi)), *side)
    second, _ = integrate.quad(lambda q: float((q - 1) ** 2 * q_density(np.asarray(q), lambda_, phi)), *side)
    assert half == pytest.approx(0.5, rel=1e-8)
    assert 2 * second == pytest.approx(lambda_**2 + 2 * lambda_ * phi * math.sqrt(2 / math.pi) + phi**2, rel=1e-8)
    np.testing.assert_array_equal(q_density(np.array([1 - phi / 2, 1.0, 1 + phi / 2]), lambda_, phi), 0)


@pytest.mark.parametrize(("noise", "distinct"), [("element", 20), ("row", 5), ("scalar", 1)])
def test_where_the_noise_is_repeated(noise: Any, distinct: int, rng: np.random.Generator) -> None:
    (Q,) = QActivation(Tanh(), noise=noise).draw(rng, 5, 4)
    assert len(np.unique(Q)) == distinct
    if noise == "row":
        np.testing.assert_array_equal(Q, np.repeat(Q[:, :1], 4, axis=1))


# Inference ----------------------------------------------------------------------


def test_inference_is_the_limit(ops: Backend, rng: np.random.Generator) -> None:
    Z = rng.normal(size=(4, 3))
    Y = QActivation(Tanh()).evaluate(ops, (), (), ops.matrix(Z))
    np.testing.assert_allclose(ops.to_numpy(Y), Z / np.cosh(Z) ** 2, rtol=1e-13)
    near, _ = QActivation(Tanh()).feedforward(ops, (), ops.matrix(Z), ops.matrix(np.full_like(Z, 1 + 1e-6)))
    np.testing.assert_allclose(ops.to_numpy(near), ops.to_numpy(Y), rtol=0, atol=1e-5)


def test_inference_with_noise(ops: Backend, rng: np.random.Generator) -> None:
    """A network draws noise for its evaluation if a layer asks for it; without noise the layer gives the limit."""
    q_layer = QActivation(Tanh(), lambda_=0.5, evaluation="noise")
    network = Sequential((Dropout(0.5), Sequential((q_layer,)), QActivation(Tanh())))
    Z = ops.matrix(rng.normal(size=(4, 3)))
    drawn = network.draw_for_evaluation(np.random.default_rng(3), 4, 3)
    assert drawn[0] == drawn[2] == ()
    state = network.initial_state(3)
    noisy = network.evaluate(ops, network.shapes(3), state, Z, *ops.matrices(drawn))
    inner, _ = q_layer.feedforward(ops, (), Z, ops.matrix(drawn[1][0][0]))
    np.testing.assert_array_equal(ops.to_numpy(noisy), ops.to_numpy(QActivation(Tanh()).evaluate(ops, (), (), inner)))
    quiet = network.evaluate(ops, network.shapes(3), state, Z)
    np.testing.assert_array_equal(ops.to_numpy(quiet), ops.to_numpy(Sequential((q_layer, q_layer)).evaluate(ops, ((), ()), ((), ()), Z)))


def test_the_limit_can_be_trained(ops: Backend, rng: np.random.Generator) -> None:
    """DZ of the layer tends to that of the limit."""
    Z, DY = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    Q = np.full_like(Z, 1 + 1e-6)
    limit = run(ops, ActivationLayer(QLimit(Softplus())), Z, (), DY)
    near = run(ops, QActivation(Softplus()), Z, (), DY, (Q,))
    for a, b in zip(limit[:2], near[:2], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


# Annealing ----------------------------------------------------------------------


def test_lambda_falls_with_the_epoch() -> None:
    """λ_0 / (1 + γ(T - 1)) (equation 7): "a5" of the paper; after 100 epochs λ_0 / 50.5 (000-23)."""
    layer = QActivation(ELU(), lambda_=5.0, gamma=0.5)
    assert [layer.at_epoch(T).lambda_ for T in (1, 2, 3, 100)] == [5.0, 5 / 1.5, 2.5, 5 / 50.5]
    assert QActivation(ELU(), 0.02).at_epoch(100).lambda_ == 0.02
    assert layer.at_epoch(3).at_epoch(3) == layer.at_epoch(3)


def test_a_network_anneals_its_layers() -> None:
    @dataclass(frozen=True)
    class Block(Composite):
        activation: Activation

        def composition(self) -> Sequential:
            return Sequential((Linear(3), QActivation(self.activation, 1.0, gamma=1.0)))

    layer = QActivation(Tanh(), 1.0, gamma=1.0)
    network = Sequential((Linear(3), layer, Sequential((layer, Dropout(0.2))), Block(Tanh())))
    later = network.at_epoch(4)
    drawn = (rng_draw(each, 3) for each in (network, later))
    first, fourth = (noise[1][0] - 1 for noise in drawn)
    np.testing.assert_allclose(np.abs(fourth) - 1e-3, (np.abs(first) - 1e-3) / 4, rtol=1e-12)
    assert later.layers[1] == QActivation(Tanh(), 0.25)
    assert later.layers[2] == Sequential((QActivation(Tanh(), 0.25), Dropout(0.2)))
    assert later.layers[3] == Sequential((Linear(3), QActivation(Tanh(), 0.25)))
    assert network.at_epoch(1).shapes(2) == later.shapes(2) == network.shapes(2)


def rng_draw(layer: Layer, D: int) -> Any:
    return layer.draw(np.random.default_rng(2), 6, D)


CONFIG = """
[model]
layers = "q-ELU(lambda=1, gamma=1);Linear"
sizes = [64, 8, 10]
[training]
epochs = 4
batch_size = 40
"""


def test_training_draws_the_noise_of_the_epoch_on_every_backend(backend_name: str) -> None:
    """The noise is that of λ in this epoch; the same on every backend, which gives the same losses."""
    overrides = {"dtype": "float64", "training.epochs": 2}
    data = Digits(train=80).load()
    trainer = Trainer(parse_config(CONFIG, overrides={"backend": backend_name, **overrides}), data)
    metrics = list(trainer.run())
    expected = list(Trainer(parse_config(CONFIG, overrides=overrides), data).run())
    assert [m.train_loss for m in metrics] == pytest.approx([m.train_loss for m in expected], rel=1e-9)
    trainer.epoch = 3
    step = trainer.first_input()
    Q = draw_q(random_stream(trainer.config.seed, NOISE, 3), 1 / 4, 1e-3, (40, 8))
    np.testing.assert_array_equal(step.noise[1][0], Q)


def test_training_evaluates_with_noise_if_asked(backend_name: str) -> None:
    """Another loss than with the limit, the same when it is asked for again, and no other training."""
    data = Digits(train=80).load()
    overrides = {"backend": backend_name, "dtype": "float64", "training.epochs": 1}
    limit, noise = (
        Trainer(parse_config(CONFIG.replace("gamma=1", f"gamma=1, evaluation={evaluation}"), overrides=overrides), data)
        for evaluation in ("limit", "noise")
    )
    first, second = next(limit.run()), next(noise.run())
    assert abs(first.test_loss - second.test_loss) > 1e-3
    assert noise.evaluate() == (second.test_loss, second.test_accuracy)
    for a, b in zip(leaves(limit.to_numpy()), leaves(noise.to_numpy()), strict=True):
        np.testing.assert_array_equal(a, b)


# Text ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("q-elu", QActivation(ELU())),
        ("q-elu(lambda=0.02)", QActivation(ELU(), 0.02)),
        ("q-ELU(alpha=0.5, lambda=0.1)", QActivation(ELU(0.5), 0.1)),
        ("Q_ELU(0.5, lambda=5, gamma=0.5, phi=0.01, noise='row')", QActivation(ELU(0.5), 5.0, 0.01, 0.5, "row")),
        ("q-hyperbolic tangent(noise=scalar)", QActivation(Tanh(), noise="scalar")),
        ("QActivation(ELU(0.5), lambda=0.1)", QActivation(ELU(0.5), 0.1)),
        ("q-activation(tanh)", QActivation(Tanh())),
        ("q-limit(elu)", ActivationLayer(QLimit(ELU()))),
    ],
)
def test_names_in_lists(text: str, layer: Layer) -> None:
    assert parse_layers([text]).layers == (layer,)
    assert parse_layers([str(layer)]).layers == (layer,)


def test_names_in_tables_and_in_nerva_s_notation() -> None:
    assert parse_layers([{"name": "q-elu", "alpha": 0.5, "lambda": 0.1}]).layers == (QActivation(ELU(0.5), 0.1),)
    network = multilayer_perceptron("q-elu(lambda=0.1);BatchNorm;q-AllReLU(0.3);Linear", [4, 3, 2, 1])
    assert network.layers[1] == QActivation(ELU(), 0.1)
    assert network.layers[4] == QActivation(AllReLU(-0.3))


def test_the_q_activation_of_a_user_s_activation(ops: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the entry of the activation, and no more; to train with the limit the second derivative must be stated."""
    monkeypatch.setattr(ACTIVATIONS, "entries", dict(ACTIVATIONS.entries))
    monkeypatch.setattr(ACTIVATIONS, "_by_key", dict(ACTIVATIONS._by_key))

    @ACTIVATIONS.add
    @dataclass(frozen=True)
    class Cube(Activation):
        """x³."""

        def value(self, ops: MatrixOps[M], X: M) -> M:
            return ops.hadamard(X, ops.hadamard(X, X))

        def gradient(self, ops: MatrixOps[M], X: M) -> M:
            return 3 * ops.hadamard(X, X)

    layer = parse_layers(["q-cube(lambda=0.1)"]).layers[0]
    assert layer == QActivation(Cube(), 0.1)
    Z, Q = np.array([[2.0]]), np.array([[3.0]])
    Y, DZ, _ = run(ops, layer, Z, (), np.ones((1, 1)), (Q,))
    assert (Y.item(), DZ.item()) == (8 * 13, 12 * 13)  # (1 - q³) / (1 - q) = 13
    assert ops.to_numpy(layer.evaluate(ops, (), (), ops.matrix(Z))).item() == 24
    with pytest.raises(NervaError, match="Cube states no second derivative, which training with its limit"):
        QLimit(Cube()).gradient(ops, ops.matrix(Z))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q-ellu", "unknown activation 'ellu'; did you mean 'ELU'"),
        ("q-elu(lambda=0)", "QActivation: lambda must be > 0, got 0"),
        ("q-elu(phi=0)", "phi must be > 0"),
        ("q-elu(gamma=-1)", "gamma must be >= 0"),
        ("q-elu(noise=column)", "noise must be one of 'element', 'row', 'scalar', got 'column'"),
        ("q-elu(beta=1)", "ELU has no parameter 'beta'"),
        ("qelu", "unknown layer 'qelu'"),
    ],
)
def test_mistakes_are_explained(text: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_layers([text])
