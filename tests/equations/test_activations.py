from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import ACTIVATIONS, Activation, QLimit
from nerva_core.layers import ActivationLayer, multilayer_perceptron, parse_layers
from tests.autodiff import VJP, Forward, oracles
from tests.conftest import installed, load_frameworks, make_backend
from tests.helpers import examples, to_ops
from tests.reference import ReferenceOps, mp

VARIANTS = ["LeakyReLU(0.3)", "LeakyReLU(2.5)", "LeakyReLU(-0.5)", "AllReLU(-0.3)", "AllReLU(1.5)", "ELU(0.2)", "ELU(3)"]
VARIANTS += [f"QLimit({f})" for f in ("Tanh", "Sigmoid", "Softplus", "ELU(0.5)", "SiLU", "GELU", "LeakyReLU(0.3)", "SReLU")]
VARIANTS += ["Hardtanh(0, 6)", "SReLU(0.2, -0.5, 0.3, 0.7)", "SReLU(al=0.3, tl=0.9, ar=0.4, tr=-0.6)"]
ALL = [*examples(ACTIVATIONS), *map(ACTIVATIONS.parse, VARIANTS)]
each_activation = pytest.mark.parametrize("activation", ALL, ids=repr)

X = np.random.default_rng(6).normal(size=(6, 5)) * np.array([[0.01], [0.3], [1], [3], [10], [40]])
"""Random, so no element is at a kink."""


def gradient(ops: Backend, activation: Activation, X: Any) -> Any:
    return ops.to_numpy(activation.gradient(ops, ops.matrix(X)))


# The gradient is the derivative of the value ----------------------------------------------------------------------


@functools.cache
def exact(activation: Activation) -> tuple[Any, Any]:
    """The value and its derivative: the same code on numbers of 400 digits, the derivative by differences with a step of 1e-60."""
    reference, h = ReferenceOps(), mp.mpf(10) ** -60
    Z = reference.matrix(X)
    H = reference.full(h, *X.shape)
    difference = (activation.value(reference, Z + H) - activation.value(reference, Z - H)) / (2 * h)
    return activation.value(reference, Z).astype(float), difference.astype(float)


def check_against_exact(ops: Backend, activation: Activation) -> None:
    value, derivative = exact(activation)
    scale = np.maximum(1, np.abs(X))
    np.testing.assert_allclose(ops.to_numpy(activation.value(ops, ops.matrix(X))) / scale, value / scale, rtol=1e-13, atol=1e-15)
    atol = 1e-14 if isinstance(activation, QLimit) else 1e-15  # f'(x) + x f''(x) may cancel
    np.testing.assert_allclose(gradient(ops, activation, X) / scale, derivative / scale, rtol=1e-12, atol=atol)


@each_activation
def test_gradient_is_the_derivative(ops: Backend, activation: Activation) -> None:
    check_against_exact(ops, activation)


@pytest.mark.parametrize("framework", list(VJP))
@each_activation
def test_gradient_is_what_each_framework_derives_from_the_value(framework: str, activation: Activation) -> None:
    check_against_autodiff_of_the_value(framework, activation)


def check_against_autodiff_of_the_value(framework: str, activation: Activation) -> None:
    if not installed(framework):
        pytest.skip(f"{framework} is not installed")
    ops = make_backend(framework, "float64")
    _, (expected,) = VJP[framework](lambda Z: activation.value(ops, Z), [X], np.ones_like(X))
    np.testing.assert_allclose(gradient(ops, activation, X), expected, rtol=1e-10, atol=1e-14)


# Against the frameworks' own functions ----------------------------------------------------------------------


def torch_functions() -> dict[str, Forward]:
    import torch

    F = torch.nn.functional
    return {
        "Identity": torch.nn.Identity(),
        "ReLU": F.relu,
        "LeakyReLU(0.01)": F.leaky_relu,
        "LeakyReLU(0.3)": lambda x: F.leaky_relu(x, 0.3),
        "AllReLU(-0.3)": lambda x: F.leaky_relu(x, -0.3),
        "SReLU": lambda x: torch.clamp(x, 0, 1),
        "Tanh": F.tanh,
        "Sigmoid": F.sigmoid,
        "ELU": F.elu,
        "ELU(3)": lambda x: F.elu(x, 3.0),
        "Softplus": lambda x: F.softplus(x, threshold=1000),
        "SiLU": F.silu,
        "GELU": F.gelu,
        "TanhGELU": lambda x: F.gelu(x, approximate="tanh"),
        "Mish": F.mish,
        "SELU": F.selu,
        "Hardtanh": F.hardtanh,
        "Hardtanh(0, 6)": F.relu6,
        "Hardswish": F.hardswish,
    }


def jax_functions() -> dict[str, Forward]:
    import jax

    return {
        "Identity": jax.nn.identity,
        "ReLU": jax.nn.relu,
        "LeakyReLU(0.3)": lambda x: jax.nn.leaky_relu(x, 0.3),
        "AllReLU(-0.3)": lambda x: jax.nn.leaky_relu(x, -0.3),
        "SReLU": lambda x: jax.numpy.clip(x, 0, 1),
        "Tanh": jax.nn.tanh,
        "Sigmoid": jax.nn.sigmoid,
        "ELU": jax.nn.elu,
        "ELU(3)": lambda x: jax.nn.elu(x, 3.0),
        "Softplus": jax.nn.softplus,
        "SiLU": jax.nn.silu,
        "GELU": lambda x: jax.nn.gelu(x, approximate=False),
        "TanhGELU": jax.nn.gelu,
    }


def tensorflow_functions() -> dict[str, Forward]:
    import tensorflow as tf

    return {
        "Identity": tf.identity,
        "ReLU": tf.nn.relu,
        "LeakyReLU(0.25)": lambda x: tf.nn.leaky_relu(x, 0.25),  # a slope that is exact in float32, in which TensorFlow keeps it
        "AllReLU(-0.3)": lambda x: tf.where(x < 0, -0.3 * x, x),
        "SReLU": lambda x: tf.clip_by_value(x, 0, 1),
        "Tanh": tf.nn.tanh,
        "Sigmoid": tf.nn.sigmoid,
        "ELU": tf.nn.elu,
        "ELU(3)": lambda x: tf.where(x < 0, 3 * tf.math.expm1(tf.minimum(x, 0)), x),
        "Softplus": tf.nn.softplus,
        "SiLU": tf.nn.silu,
        "GELU": lambda x: x * (1 + tf.math.erf(x / np.sqrt(2))) / 2,  # tf.nn.gelu rounds √2 to float32
    }


FUNCTIONS = {"torch": torch_functions, "jax": jax_functions, "tensorflow": tensorflow_functions}


@pytest.mark.parametrize("framework", [name for name in FUNCTIONS if installed(name)])
def test_values_and_gradients_are_those_of_the_frameworks_functions(ops: Backend, framework: str) -> None:
    load_frameworks()
    for text, function in FUNCTIONS[framework]().items():
        activation = ACTIVATIONS.parse(text)
        value, (derivative,) = oracles({framework: function}, [X], np.ones_like(X))[framework]
        np.testing.assert_allclose(ops.to_numpy(activation.value(ops, ops.matrix(X))), value, rtol=0, atol=1e-10, err_msg=text)
        np.testing.assert_allclose(gradient(ops, activation, X), derivative, rtol=0, atol=1e-10, err_msg=text)


# Conventions and limits ----------------------------------------------------------------------


@each_activation
def test_large_inputs_give_finite_values_and_gradients(ops_of_dtype: Backend, activation: Activation) -> None:
    ops = ops_of_dtype
    x = ops.matrix([[-1e30, -1e4, -745.0, -89.0, 0.0, 89.0, 745.0, 1e4, 1e30]])
    for function in (activation.value, activation.gradient):
        result = ops.to_numpy(function(ops, x))
        assert result.dtype == ops.dtype
        assert np.isfinite(result).all(), f"{activation}: {result}"


# A new activation is one entry ----------------------------------------------------------------------


@pytest.fixture
def mish() -> Iterator[Activation]:
    """x tanh(log(1 + e^x)) (Misra 2019), defined as a user would, and taken from the table again."""
    before = dict(ACTIVATIONS.entries), dict(ACTIVATIONS._by_key)

    @ACTIVATIONS.add
    @dataclass(frozen=True)
    class MishAgain(Activation):
        """x tanh(softplus(x))."""

        def value(self, ops: MatrixOps[M], X: M) -> M:
            return ops.hadamard(X, ops.tanh(ops.softplus(X)))

        def gradient(self, ops: MatrixOps[M], X: M) -> M:
            T = ops.tanh(ops.softplus(X))
            result: M = T + ops.hadamard(ops.hadamard(X, ops.sigmoid(X)), ops.ones(*ops.shape(X)) - ops.hadamard(T, T))
            return result

    yield MishAgain()
    ACTIVATIONS.entries, ACTIVATIONS._by_key = before


def test_a_new_entry_is_parsed(mish: Activation) -> None:
    assert "mish-again" in ACTIVATIONS
    assert ACTIVATIONS.parse("MishAgain") == ACTIVATIONS.parse({"name": "mish-again"}) == mish
    assert parse_layers(["mish-again"]).layers == (ActivationLayer(mish),)
    assert parse_layers(["Activation(MishAgain)"]).layers == (ActivationLayer(mish),)
    assert multilayer_perceptron("MishAgain;Linear", [4, 3, 2]).layers[1] == ActivationLayer(mish)


def test_a_new_entry_runs_and_is_tested(mish: Activation, ops: Backend, rng: np.random.Generator) -> None:
    """The checks of this file, on an entry that none of them names."""
    assert repr(mish) in map(repr, examples(ACTIVATIONS))
    check_against_exact(ops, mish)
    if ops.name in VJP:
        check_against_autodiff_of_the_value(ops.name, mish)
    network = multilayer_perceptron("MishAgain;Linear", [4, 3, 2])
    params = to_ops(ops, network.init(rng, 4))
    Y, cache = network.feedforward(ops, params, ops.matrix(rng.normal(size=(5, 4))))
    DX, _ = network.backpropagate(ops, params, cache, Y)
    assert ops.to_numpy(DX).shape == (5, 4)


def test_the_checks_refuse_a_gradient_that_is_off_by_a_thousandth(ops: Backend) -> None:
    @dataclass(frozen=True)
    class Wrong(Activation):
        def value(self, ops: MatrixOps[M], X: M) -> M:
            return ops.tanh(X)

        def gradient(self, ops: MatrixOps[M], X: M) -> M:
            result: M = 1.001 * ACTIVATIONS.parse("Tanh").gradient(ops, X)
            return result

    with pytest.raises(AssertionError):
        check_against_exact(ops, Wrong())


def test_gelu_of_one_is_its_published_value() -> None:
    ops = make_backend("numpy", "float64")
    expected = 0.5 * (1 + math.erf(1 / math.sqrt(2)))
    assert ACTIVATIONS.parse("GELU").value(ops, ops.matrix(1.0)).item() == pytest.approx(expected, rel=1e-15)
