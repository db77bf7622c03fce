"""Keras 3, on each of its backends: any layer as a ``keras.Layer``, any rule as a ``keras.optimizers.Optimizer``."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.trees import Tree, leaves, map_tree, named_leaves, with_leaves
from nerva_core.equations.optimizers import Optimizer
from nerva_core.interoperability.common import as_layer, as_rule, initial, on_positions, operations, rule_template
from nerva_core.layers import LAYERS, ActivationLayer, BatchNormalization, Dropout, Layer, Linear
from nerva_core.layers.positions import PositionsOfExamples
from nerva_core.training.config import describe

if TYPE_CHECKING:
    from nerva_core.training.models import Model


def layer(description: Layer | str, *, seed: int = 0, **keywords: Any) -> Any:
    """A ``keras.Layer``; its weights have the names of the equations, and its backward pass in training is the layer's own.

    It runs on the backend that Keras was started with: TensorFlow, JAX or PyTorch. A saved model with it is read by ``load_model``.
    """
    return classes().NervaLayer(as_layer(description), seed=seed, **keywords)


def optimizer(rule: Optimizer | str, learning_rate: Any = 0.01, **keywords: Any) -> Any:
    """A ``keras.optimizers.Optimizer`` for the update rule; ``learning_rate`` is η, or a schedule of Keras.

    A variable that is no matrix counts as one: a vector as a row, a tensor of more axes with all but the first joined.
    """
    return classes().RuleOptimizer(as_rule(rule), learning_rate=learning_rate, **keywords)


def to_keras(model: Model) -> Any:
    """A trained network as a ``keras.Sequential`` with the outputs of ``model.predict``: Keras's layers where there are.

    A network on positions is one layer: what is inside knows from the whole of what its rows are positions, also when it is loaded.
    """
    keras = require("keras", "keras")
    made = keras.Sequential([keras.layers.Input((model.inputs,))])
    if model.encoding.shift is not None and model.encoding.spread is not None:
        (shift, rest), spread = map(np.ravel, model.encoding.offsets()), np.ravel(model.encoding.spread)
        made.add(keras.layers.Rescaling(scale=1.0, offset=(-shift).tolist()))  # first, as -shift / spread would cancel
        made.add(keras.layers.Rescaling(scale=(1 / spread).tolist(), offset=(-rest / spread).tolist()))
    whole = any(isinstance(part, PositionsOfExamples) for part in model.network.layers)
    parts = [(model.network, model.params, model.state)] if whole else zip(model.network.layers, model.params, model.state, strict=True)
    for part, params, state in parts:
        _add(keras, made, part, params, state)
    return made


def _add(keras: Any, made: Any, part: Layer, params: Tree, state: Tree) -> None:
    matrices = [*leaves(params), *leaves(state)]
    if isinstance(part, Linear):
        made.add(keras.layers.Dense(part.outputs))
        matrices = [params.W.T, params.b[0]]
    elif isinstance(part, BatchNormalization):
        made.add(keras.layers.BatchNormalization(epsilon=part.epsilon, momentum=part.momentum))
        matrices = [matrix[0] for matrix in matrices]
    elif isinstance(part, Dropout):
        made.add(keras.layers.Dropout(part.p))
    elif isinstance(part, ActivationLayer) and repr(part.activation) in ACTIVATIONS_OF_KERAS:
        made.add(keras.layers.Activation(ACTIVATIONS_OF_KERAS[repr(part.activation)]))
    else:
        made.add(layer(part))
    if matrices:
        made.layers[-1].set_weights([np.asarray(matrix) for matrix in matrices])


ACTIVATIONS_OF_KERAS = {
    "Identity()": "linear", "ReLU()": "relu", "Tanh()": "tanh", "Sigmoid()": "sigmoid", "ELU(alpha=1.0)": "elu", "Softplus()": "softplus",
    "SiLU()": "silu",
}  # fmt: skip
"""The activations that Keras has, too."""


def load_model(path: str | Path) -> Any:
    """``keras.saving.load_model`` for a model with layers or optimizers of this module."""
    classes()
    return require("keras", "keras").saving.load_model(path)


@functools.cache
def classes() -> SimpleNamespace:
    """The classes, which exist once Keras is imported; making them registers them for ``keras.saving``."""
    require("keras", "keras")
    return SimpleNamespace(NervaLayer=_layer_class(), RuleOptimizer=_optimizer_class())


def _layer_class() -> Any:
    keras = require("keras", "keras")
    framework = importlib.import_module(f"nerva_core.interoperability.{keras.backend.backend()}")
    Base: Any = keras.layers.Layer

    @keras.saving.register_keras_serializable(package="nerva")
    class NervaLayer(Base):
        """A layer of this library with its parameters and state."""

        def __init__(self, layer: Any, seed: int = 0, **keywords: Any) -> None:
            super().__init__(**keywords)
            self.layer = layer if isinstance(layer, Layer) else from_description(layer)
            self.seed, self.seeds = seed, keras.random.SeedGenerator(seed)

        def build(self, input_shape: Any) -> None:
            self.positions = positions_of(self.layer, input_shape)
            self.layer = on_positions(self.layer, self.positions).layer
            params, state = initial(self.layer, input_shape[-1], self.seed)
            params = with_leaves(params, [self._weight(name, matrix, True) for name, matrix in named_leaves(params)])
            state = with_leaves(state, [self._weight(name, matrix, False) for name, matrix in named_leaves(state)])
            self._has_statistics = any(True for _ in leaves(state))
            self.trees: Callable[[], Any] = lambda: (params, state)  # a function, as TensorFlow would wrap the tuples
            if any(True for _ in leaves(self.layer.noise_shapes(math.prod(self.positions), input_shape[-1]))):
                self.supports_jit = framework.__name__.endswith("jax")  # TensorFlow's XLA does not call NumPy

        def _weight(self, name: str, matrix: Any, trainable: bool) -> Any:
            weight = self.add_weight(name=name.replace(".", "_"), shape=matrix.shape, initializer="zeros", trainable=trainable)
            weight.assign(np.asarray(matrix, dtype=weight.dtype))
            return weight

        def call(self, X: Any, training: bool = False) -> Any:
            weights = self.trees()
            params, state = map_tree(lambda weight: weight.value, weights)
            training = training and (self.trainable or not self._has_statistics)  # frozen, it uses and keeps its statistics, as Keras's
            X, noisy = _moved(X, self.positions, -1, 1), _is_noisy(self.layer, self.positions, X, training)
            noise = framework.draw(self.layer, self.seeds.next(), X, evaluation=not training, positions=self.positions) if noisy else ()
            if not training:
                return _moved(framework.evaluate(self.layer, params, state, X, *noise, positions=self.positions), self.positions, 1, -1)
            Y, new = framework.function(self.layer, self.positions)(params, X, *noise, state=state)
            for weight, value in zip(leaves(weights[1]), leaves(new), strict=True):
                weight.assign(value)
            return _moved(Y, self.positions, 1, -1)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return _output_shape(self.layer, input_shape)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "layer": describe(self.layer), "seed": self.seed}

    return NervaLayer


def _moved(A: Any, positions: tuple[int, ...], source: int, target: int) -> Any:
    """Images with the channels on another axis: the functions for PyTorch have them first, Keras's tensors last."""
    images = require("keras", "keras").backend.backend() == "torch" and len(positions) > 1 and len(A.shape) > 2
    return A.movedim(source, target) if images else A


def _output_shape(layer: Layer, input_shape: Any) -> Any:
    at = on_positions(layer, positions_of(layer, input_shape))
    return at.shape_after(input_shape, at.layer.outputs_for(input_shape[-1]))


def _is_noisy(layer: Layer, positions: tuple[int, ...], X: Any, training: bool) -> bool:
    draw = layer.draw if training else layer.draw_for_evaluation
    return any(True for _ in leaves(draw(np.random.default_rng(0), math.prod(positions), X.shape[-1])))


def positions_of(layer: Layer, shape: Any) -> tuple[int, ...]:
    """The axes between the batch and the channels, where the layer asks what its rows are; () where it takes every row by itself."""
    axes = tuple(shape[1:-1])
    known = bool(axes) and all(isinstance(n, int) for n in axes)
    return axes if known and layer.bind(axes) != (layer, axes) else ()


def from_description(table: dict[str, Any]) -> Layer:
    """The layer from its TOML table."""
    return LAYERS.parse(table)


def _optimizer_class() -> Any:
    keras = require("keras", "keras")
    Base: Any = keras.optimizers.Optimizer

    @keras.saving.register_keras_serializable(package="nerva")
    class RuleOptimizer(Base):
        """An update rule; the state of a variable has the names of the rule's equations."""

        def __init__(self, rule: Any, learning_rate: Any = 0.01, name: str = "rule", **keywords: Any) -> None:
            super().__init__(learning_rate=learning_rate, name=name, **keywords)
            self.rule = as_rule(rule)
            template = rule_template(self.rule)
            self.as_state: Callable[[Any], Any] = lambda slots: with_leaves(template, slots)  # a function, as TensorFlow would wrap a tuple

        def build(self, variables: Any) -> None:
            if self.built:
                return
            super().build(variables)
            self._kept = []
            numpy = operations("numpy", "float64")
            for variable in variables:
                state = named_leaves(self.rule.init(numpy, numpy.zeros(*_matrix_shape(variable.shape))))
                self._kept.append([self._slot(variable, name or "state", matrix) for name, matrix in state])

        def _slot(self, variable: Any, name: str, matrix: Any) -> Any:
            """A variable for a matrix of the state: of the shape of ``variable``, or of its own, as the averages of Adafactor are."""
            if matrix.shape == _matrix_shape(variable.shape):
                slot = self.add_variable_from_reference(variable, name)
            else:
                slot = self.add_variable(matrix.shape, dtype=variable.dtype, name=f"{variable.path}_{name}".replace("/", "_"))
            slot.assign(np.reshape(matrix, tuple(slot.shape)))
            return slot

        def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
            """One step on all variables; Keras would take them one by one, and some rules look at all."""
            dtype = keras.backend.standardize_dtype(trainable_variables[0].dtype)
            slots = [self._kept[self._get_variable_index(variable)] for variable in trainable_variables]
            shapes = [_matrix_shape(variable.shape) for variable in trainable_variables]
            scalars = [keras.ops.cast(c, dtype) for c in _scalars(self.rule, learning_rate, self.iterations + 1)]
            states = [self.as_state([_as(slot, dtype, _matrix_shape(slot.shape)) for slot in kept]) for kept in slots]
            thetas, gradients = ([_as(x, dtype, s) for x, s in zip(xs, shapes, strict=True)] for xs in (trainable_variables, grads))
            step = self.rule.step(operations(keras.backend.backend(), dtype), states, thetas, gradients, *scalars)
            for variable, kept, theta, state in zip(trainable_variables, slots, *step, strict=True):
                for target, matrix in zip((variable, *kept), (theta, *leaves(state)), strict=True):
                    self.assign(target, keras.ops.reshape(matrix, target.shape))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "rule": describe(self.rule)}

    return RuleOptimizer


def _as(x: Any, dtype: str, shape: tuple[int, int]) -> Any:
    ops = require("keras", "keras").ops
    return ops.reshape(ops.cast(ops.convert_to_tensor(x), dtype), shape)


def _matrix_shape(shape: Any) -> tuple[int, int]:
    return (shape[0], int(np.prod(shape[1:]))) if len(shape) > 1 else (1, int(np.prod(shape)))


def _scalars(rule: Optimizer, eta: Any, t: Any) -> tuple[Any, ...]:
    """The numbers of step t, in float64: 1 - βᵗ would cancel."""
    keras = require("keras", "keras")
    if keras.backend.backend() == "jax":
        from nerva_core.interoperability.jax import step_scalars

        return step_scalars(rule, eta, t)
    return rule.scalars(keras.ops.cast(eta, "float64"), keras.ops.cast(t, "float64"))
