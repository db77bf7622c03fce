"""The traced step is the step that trains, and its matrices have the names and values of the equations."""

from typing import Any

import numpy as np
import pytest

import nerva_core as nc
from nerva_core.algebra.trees import leaves
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.inspection.trace import Trace, trace_step
from nerva_core.training.step import TrainingState, training_step

N = 5
NETWORKS = {
    "plain": ("ReLU;Linear", [3, 4, 2]),
    "specification": ("ReLU;BatchNormalization;SReLU;Dropout(0.4);Softmax", [3, 4, 4, 2]),
    "bridges": ("Linear;DAB(Signum, [Tanh, 'Linear(4)'], gamma=2);Linear;DAB(Bernoulli, [Dropout(0.2), 'Linear(2)'])", [3, 4, 2]),
    "repeated": ("Linear;Repeat([DAB(Sort, 'Linear(4)'), Tanh], 2);Linear", [3, 4, 2]),
    "others": ("Tanh;q-elu;LinearDropout(p=0.3);LogSoftmax", [3, 4, 4, 4, 2]),
}


def batch(sizes: list[int]) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(N, sizes[0])), np.eye(sizes[-1])[rng.integers(0, sizes[-1], N)]


def traced(layers: str, sizes: list[int], loss: str = "SquaredError", optimizer: str = "GradientDescent") -> Trace:
    network = nc.multilayer_perceptron(layers, sizes)
    X, T = batch(sizes)
    return trace_step(network, X, T, network.init(np.random.default_rng(2), sizes[0]), LOSSES.parse(loss), OPTIMIZERS.parse(optimizer))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("loss", "optimizer"),
    [
        ("SquaredError", "Momentum"),
        ("MeanSquaredError", "WeightDecay(Adam, 0.01)"),
        ("SquaredError", "GAF(GlobalNormClipping(Momentum, 0.01))"),
    ],
)
def test_it_is_the_step_that_trains(name: str, loss: str, optimizer: str) -> None:
    layers, sizes = NETWORKS[name]
    ops = nc.backend("numpy", dtype="float64")
    network, rule = nc.multilayer_perceptron(layers, sizes), OPTIMIZERS.parse(optimizer)
    X, T = batch(sizes)
    params = network.init(np.random.default_rng(2), sizes[0])
    noise = network.draw(np.random.default_rng(0), N, sizes[0])
    state = TrainingState(params, tuple(rule.init(ops, theta) for theta in leaves(params)), network.initial_state(sizes[0]))
    new, output = training_step(ops, network, LOSSES.parse(loss), rule, state, X, T, noise, rule.scalars(0.1, 1))
    trace = traced(layers, sizes, loss, optimizer)
    assert trace.loss == pytest.approx(output.loss.item(), rel=1e-14)
    for found, expected in zip(leaves(trace.params), leaves(new.params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_names_equations_and_shapes_are_those_of_the_specification() -> None:
    trace = traced("ReLU;Linear", [3, 4, 2])
    assert [part.title for part in trace.parts] == [
        "layer 1, Linear: forward",
        "layer 2, ReLU: forward",
        "layer 3, Linear: forward",
        "loss, SquaredError",
        "layer 3, Linear: backward",
        "layer 2, ReLU: backward",
        "layer 1, Linear: backward",
        *(f"layer {k}, Linear: GradientDescent of {name}" for k in (1, 3) for name in ("W", "b")),
    ]
    equations = [f"{m.name} = {m.right} ({m.shape})" for part in trace.parts[:2] + trace.parts[5:8] for m in part.matrices if not m.given]
    assert equations == [
        "Z = X · Wᵀ + 1_N · b (N × K)",
        "Y = relu(Z) (N × K)",
        "DZ = DY ⊙ relu′(Z) (N × K)",
        "DW = DZᵀ · X (K × D)",
        "Db = 1_Nᵀ · DZ (1 × K)",
        "DX = DZ · W (N × D)",
        "W′ = W − 0.1 DW (K × D)",
    ]


def test_the_values_are_those_of_the_equations_written_out() -> None:
    trace = traced("ReLU;Linear", [3, 4, 2])
    X, T = batch([3, 4, 2])
    W1, b1, W3, b3 = (trace[name].values for name in ("1.W", "1.b", "3.W", "3.b"))
    Z = X @ W1.T + b1
    Y = np.maximum(Z, 0)
    DY = 2 * (Y @ W3.T + b3 - T) / N
    DZ = (DY @ W3) * (Z >= 0)
    for name, expected in {
        "1.Z": Z,
        "2.Y": Y,
        "4.DY": DY,
        "3.DW": DY.T @ Y,
        "2.DZ": DZ,
        "1.DW": DZ.T @ X,
        "1.W′": W1 - 0.1 * DZ.T @ X,
    }.items():
        np.testing.assert_allclose(trace[name].values, expected, rtol=1e-12, atol=1e-15, err_msg=name)


def test_the_penalty_of_a_bridge_is_in_the_loss() -> None:
    trace = traced(*NETWORKS["bridges"])
    assert [trace[name].right for name in ("2.Y", "2.S", "5.L")] == [
        "[X > 0.5] − [X < −0.5]",
        "tanh(X) · Wᵀ + 1_N · b",
        "ℒ(Y, T) / N + 2.R + 4.R′",
    ]
    R = [
        2 * np.mean((trace["2.S"].values - trace["2.Y"].values) ** 2),
        10 * np.mean((trace["4.S"].values - trace["4.Y"].values) ** 2),
    ]
    assert trace["2.R"].values.item() == pytest.approx(R[0])
    assert trace["4.R′"].values.item() == pytest.approx(R[1])
    assert trace.loss == pytest.approx(trace["5.ℒ(Y, T)"].values.item() / N + sum(R))
