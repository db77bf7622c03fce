"""What the tests of all frameworks share: the layers, and what the equations themselves give."""

from __future__ import annotations

from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, map_shapes
from nerva_core.equations.activations import ELU, ReLU
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.equations.optimizers import OPTIMIZERS, Optimizer
from nerva_core.layers import LAYERS, ActivationLayer, BatchNormalization, Dropout, Layer, Linear, QActivation, Sequential
from nerva_core.training.step import TrainingState, training_step
from tests.helpers import Tree, examples, to_numpy, to_ops

N, D = 5, 3
NETWORK = Sequential((Linear(4), BatchNormalization(), QActivation(ELU()), Linear(3), ActivationLayer(ReLU())))
EVERY_LAYER: list[Layer] = [*examples(LAYERS), NETWORK, Sequential((Dropout(0.25), Linear(2)))]
DIFFERENTIABLE = [layer for layer in EVERY_LAYER if not layer.hard_layers()]
"""The layers whose backward pass is the gradient of their forward pass, and not of a surrogate that they state."""
RULES: list[Optimizer] = examples(OPTIMIZERS)
LOSS = SoftmaxCrossEntropy()


def inputs_of(layer: Layer, seed: int = 1) -> tuple[Any, Tree, Tree, Any]:
    """(X, params, noise, DY), random; a pattern is before the noise."""
    rng = np.random.default_rng(seed)
    params = map_shapes(lambda shape: rng.normal(size=shape), layer.shapes(D))
    given = layer.given(layer.initial_state(D), layer.draw(rng, N, D))
    return rng.normal(size=(N, D)), params, given, rng.normal(size=(N, layer.outputs_for(D)))


def by_the_equations(ops: Backend, layer: Layer) -> tuple[Any, list[Any], Tree]:
    """(Y, [DX, *gradients], state') as the layer's methods give them."""
    X, params, noise, DY = to_ops(ops, inputs_of(layer))
    Y, cache = layer.feedforward(ops, params, X, *noise)
    DX, gradients = layer.backpropagate(ops, params, cache, DY)
    state = layer.update_state(ops, to_ops(ops, layer.initial_state(D)), cache)
    return to_numpy(ops, Y), [ops.to_numpy(g) for g in leaves((DX, gradients))], to_numpy(ops, state)


def data() -> tuple[Any, Any]:
    """X and one-hot T of a small classification."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(N, D)), np.eye(3)[rng.integers(3, size=N)]


def trained_by_the_equations(ops: Backend, network: Sequential, rule: Optimizer, eta: float, noises: list[Any]) -> list[Any]:
    """The parameters and statistics after one step of this library's own training with each of the noises."""
    params = to_ops(ops, network.init(np.random.default_rng(0), D))
    state = TrainingState(params, tuple(rule.init(ops, p) for p in leaves(params)), to_ops(ops, network.initial_state(D)))
    X, T = to_ops(ops, data())
    for t, noise in enumerate(noises, 1):
        scalars = tuple(ops.scalar(c) for c in rule.scalars(eta, t))
        state, _ = training_step(ops, network, LOSS, rule, state, X, T, to_ops(ops, noise), scalars)
    return [ops.to_numpy(matrix) for matrix in leaves((state.params, state.statistics))]
