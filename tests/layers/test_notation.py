from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import AllReLU, LeakyReLU, ReLU, Tanh
from nerva_core.equations.initializers import Constant, He, NormalizedXavier, Uniform, Xavier, Zero
from nerva_core.layers import (
    ActivationLayer,
    BatchNormalization,
    Dropout,
    Linear,
    LinearDropout,
    LogSoftmax,
    Sequential,
    Softmax,
    SReLU,
    multilayer_perceptron,
    parse_layers,
)
from nerva_core.layers.notation import plain_items, sized_count, with_parameters
from tests.helpers import to_ops


def test_the_published_string() -> None:
    network = multilayer_perceptron("ReLU;AllReLU(0.3);BatchNormalization;SReLU(al=0,tl=0,ar=0,tr=1);Linear", [64, 50, 40, 30, 10])
    assert network == Sequential(
        (
            Linear(50),
            ActivationLayer(ReLU()),
            Linear(40),
            ActivationLayer(AllReLU(-0.3)),
            BatchNormalization(),
            Linear(30),
            SReLU(0.0, 0.0, 0.0, 1.0),
            Linear(10),
        )
    )


def test_all_relu_alternates_over_the_layers_that_have_a_size() -> None:
    """α, -α, α, ...: the k-th such layer, k = 1, 2, ...; batch normalization and dropout do not count."""
    network = multilayer_perceptron(
        "AllReLU(0.3);BatchNormalization;AllReLU(0.3);Dropout(0.1);AllReLU(0.3);AllReLU(0.2);Linear", [9, 8, 7, 6, 5, 4]
    )
    alphas = [
        layer.activation.alpha for layer in network.layers if isinstance(layer, ActivationLayer) and isinstance(layer.activation, AllReLU)
    ]
    assert alphas == [0.3, -0.3, 0.3, -0.2]


def test_the_second_layer_is_negative_and_the_third_is_positive() -> None:
    """As the specification numbers them: after a first layer of another kind."""
    network = multilayer_perceptron("ReLU;AllReLU(0.3);AllReLU(0.3);Linear", [5, 4, 3, 2, 1])
    assert network.layers[3] == ActivationLayer(AllReLU(-0.3))
    assert network.layers[5] == ActivationLayer(AllReLU(0.3))


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("Softmax", Softmax()),
        ("LogSoftmax", LogSoftmax()),
        ("SReLU", SReLU()),
        ("Tanh", ActivationLayer(Tanh())),
        ("LeakyReLU(0.2)", ActivationLayer(LeakyReLU(0.2))),
    ],
)
def test_combined_layers_are_a_linear_layer_and_what_follows(text: str, layer: Any) -> None:
    assert multilayer_perceptron(text, [4, 3]).layers == (Linear(3), layer)


def test_linear_dropout_takes_a_size_and_dropout_keeps_it() -> None:
    network = multilayer_perceptron("LinearDropout(p=0.2);Dropout(0.3);Linear", [4, 3, 2])
    assert network.layers == (LinearDropout(3, p=0.2), Dropout(0.3), Linear(2))


@pytest.mark.parametrize(("layers", "needed"), [("ReLU;Linear", 3), ("ReLU;BatchNormalization;Linear", 3), ("Linear", 2)])
@pytest.mark.parametrize("surplus", [-1, 1])
def test_sizes_must_match_the_layers(layers: str, needed: int, surplus: int) -> None:
    sizes = [4] * (needed + surplus)
    with pytest.raises(NervaError, match=rf"sizes must list {needed} numbers \(the inputs first\), got {len(sizes)}"):
        multilayer_perceptron(layers, sizes)


@pytest.mark.parametrize("sizes", [[], [4, 0], [4, -1], [4, 2.5], [True, 2]])
def test_sizes_are_positive_integers(sizes: Any) -> None:
    with pytest.raises(NervaError, match="layers must be text such as 'ReLU;Linear', got 3"):
        multilayer_perceptron(3, [4, 2])  # type: ignore[arg-type]
    with pytest.raises(NervaError, match="sizes must be positive integers"):
        multilayer_perceptron("Linear", sizes)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("RELO;Linear", "unknown layer 'RELO'; did you mean 'ReLU'"),
        ("BatchNormalisation", "did you mean 'BatchNormalization'"),
        ("", "at least one layer"),
        (" ; ", "at least one layer"),
        ("ReLU;;Linear", "a layer is missing between two ';' in 'ReLU;;Linear'"),
        ("ReLU(", "cannot read the layer 'ReLU\\('"),
        ("ReLU)", "cannot read the layer"),
        ("ReLU(alpha=1)", "ReLU has no parameter 'alpha'"),
        ("SReLU(alpha=1);Linear", "SReLU has no parameter 'alpha'; known: al, ar, tl, tr"),
        ("ReLU;Dropout(2);Linear", "Dropout: p must be >= 0 and < 1, got 2"),
        ("LeakyReLU('a')", "LeakyReLU: alpha must be a number"),
    ],
)
def test_mistakes_are_explained(layers: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        multilayer_perceptron(layers, [4, 3, 2])


def test_initializers_for_all_layers_or_one_each() -> None:
    def of(network: Sequential) -> list[Any]:
        return [(layer.weights, layer.bias) for layer in network.layers if isinstance(layer, Linear)]

    assert of(multilayer_perceptron("ReLU;Linear", [4, 3, 2])) == [(NormalizedXavier(), Zero())] * 2
    assert of(multilayer_perceptron("ReLU;Linear", [4, 3, 2], "He")) == [(He(), Zero())] * 2
    assert of(multilayer_perceptron("ReLU;Linear", [4, 3, 2], "He;Xavier", "Constant(0.1);Zero")) == [
        (He(), Constant(0.1)),
        (Xavier(), Zero()),
    ]
    assert of(multilayer_perceptron("ReLU;Linear", [4, 3, 2], Uniform())) == [(Uniform(), Zero())] * 2
    with pytest.raises(NervaError, match="weights must name 1 or 3 initializers, got 2"):
        multilayer_perceptron("ReLU;ReLU;Linear", [4, 3, 2, 1], "He;He")


def test_a_parameter_in_the_text_wins_over_the_initializers() -> None:
    network = multilayer_perceptron("Linear(weights=He)", [4, 3], "Zero")
    assert network.layers == (Linear(3, He(), Zero()),)


def test_the_list_form() -> None:
    network = parse_layers(
        ["Linear(6, weights=He)", "relu", {"name": "Linear", "outputs": 4}, "SReLU", "Softmax", Dropout(0.1), "Activation(Tanh)"]
    )
    assert network.layers == (
        Linear(6, He()),
        ActivationLayer(ReLU()),
        Linear(4),
        SReLU(),
        Softmax(),
        Dropout(0.1),
        ActivationLayer(Tanh()),
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "at least one layer, got an empty list"),
        (["Linear"], "Linear needs the parameter 'outputs'"),
        (["Linear(0)"], "outputs must be >= 1, got 0"),
        (["Linear(2.5)"], "outputs must be an integer, got '2.5'"),
        (["Linaer(3)"], "unknown layer 'Linaer'; did you mean 'Linear'"),
        ([{"outputs": 3}], "unknown layer ''"),
        ([{"name": "Linear", "output": 3}], "has no parameter 'output'; did you mean 'outputs'"),
    ],
)
def test_mistakes_in_the_list_form(layers: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_layers(layers)


def test_a_parsed_network_runs(ops: Backend, rng: np.random.Generator) -> None:
    network = multilayer_perceptron("ReLU;AllReLU(0.3);BatchNormalization;SReLU(al=0,tl=0,ar=0,tr=1);Linear", [6, 5, 4, 3, 2])
    params = to_ops(ops, network.init(rng, 6))
    Y, cache = network.feedforward(ops, params, ops.matrix(rng.normal(size=(7, 6))))
    DX, _ = network.backpropagate(ops, params, cache, Y)
    assert ops.shape(Y) == (7, 2)
    assert ops.shape(DX) == (7, 6)


def test_the_text_of_a_network_builds_it_again() -> None:
    from nerva_core.layers import LAYERS

    network = multilayer_perceptron("ReLU;AllReLU(0.3);SReLU;Dropout(0.2);Linear", [6, 5, 4, 3, 2], "He", "Constant(0.5)")
    assert LAYERS.parse(repr(network)) == network


@pytest.mark.parametrize(
    "text", ["Embedding(8, 5);Block(2) * 3;LayerNorm;Linear(4)", " Embedding(8, 5) ; Block(2)*3;LayerNorm * 1;Linear(4);"]
)
def test_a_layer_may_stand_several_times(text: str) -> None:
    items = plain_items(text)
    assert items == ["Embedding(8, 5)", "Block(2)", "Block(2)", "Block(2)", "LayerNorm", "Linear(4)"]
    shapes = parse_layers(["Sequences(4)", *items]).shapes(4)
    assert shapes[2] == shapes[3] == shapes[4] != ()


def test_in_nervas_notation_too() -> None:
    assert multilayer_perceptron("ReLU * 2;Linear", [4, 3, 2, 1]) == multilayer_perceptron("ReLU;ReLU;Linear", [4, 3, 2, 1])
    assert sized_count("ReLU * 2;Linear") == 3


@pytest.mark.parametrize("times", ["0", "1001", "999999999"])
def test_how_often_is_bounded(times: str) -> None:
    with pytest.raises(NervaError, match=rf"cannot read the layer 'Linear\(4\) \* {times}': a layer stands from 1 to 1000 times"):
        plain_items(f"Linear(4) * {times}")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("Embedding(8)", "Embedding(8, vocabulary=5)"),
        ("Embedding(8, 3)", "Embedding(8, 3)"),
        ("Embedding(8, vocabulary=3)", "Embedding(8, vocabulary=3)"),
        ({"name": "Embedding", "outputs": 8}, {"name": "Embedding", "outputs": 8, "vocabulary": 5}),
        ("ReLU", "ReLU"),
        ("Linear(8)", "Linear(8)"),
    ],
)
def test_the_vocabulary_is_given_where_there_is_none(item: Any, expected: Any) -> None:
    assert with_parameters(item, {"vocabulary": 5}) == expected
