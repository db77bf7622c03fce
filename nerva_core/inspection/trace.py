"""One training step with every matrix that occurs in it, named as in the equations: backpropagation to look at.

    trace = trace_step(network, X, T, params, loss)
    print(trace["1.DW"].values)             # the gradient of W in layer 1
    print_trace(trace)                      # everything, in the order in which it is computed

The names and the equations are read from the code while it runs, as for ``nerva show``; the numbers are computed in the same run.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.matrix import Size
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import Tree, leaves, map_shapes, named_leaves, with_leaves
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import GradientDescent, Optimizer
from nerva_core.inspection.trace_data import Trace, TracedMatrix, TracedPart
from nerva_core.inspection.trace_printing import print_trace
from nerva_core.inspection.values import ValueReader
from nerva_core.interpreters.expressions import Expression, markup
from nerva_core.interpreters.polynomial import size
from nerva_core.interpreters.subjects import PolynomialSymbols, Results, gradients_of, input_name
from nerva_core.interpreters.traced import Traced
from nerva_core.layers import Layer, Sequential
from nerva_core.layers.activation import ActivationLayer


def trace_step(
    network: Sequential,
    X: Any,
    T: Any,
    params: Tree,
    loss: Loss,
    optimizer: Optimizer = GradientDescent(),  # noqa: B008, an entry is immutable
    lr: float = 0.1,
    noise: Tree = None,
    ops: Backend | None = None,
    state: Tree = None,
    states: Tree = None,
    step: int = 1,
) -> Trace:
    """A step on a batch X (N x D) with targets T (N x K): what ``training_step`` computes, matrix by matrix.

    ``params`` are those of ``network.init``; noise that is not given, and the patterns of a ``state`` that is not given, are drawn from
    seed 0. NumPy in float64 computes, unless ``ops`` is given. After the first ``step`` the optimizer has ``states``, one for each
    parameter.
    """
    numbers = ops or backend("numpy", "float64")
    X, T = numbers.matrix(X), numbers.matrix(T)
    N, D = numbers.shape(X)
    if noise is None:
        noise = network.draw(np.random.default_rng(0), N, D)
    state = network.first_state(np.random.default_rng(0), D) if state is None else state
    layers = _forward(numbers, network, X, numbers.matrices(params), numbers.matrices(network.given(state, noise)))
    loss_part, value, DY = _loss(numbers, layers, loss, T)
    backward, gradients = _backward(layers, DY)
    before = itertools.repeat(None) if states is None else iter(numbers.matrices(states))
    updates, new = _updates(numbers, optimizer, optimizer.scalars(lr, step), _parameters(layers, gradients, before))
    parts = (*(layer.part for layer in layers), loss_part, *backward, *updates)
    return Trace(parts, float(numbers.to_numpy(value).item()), with_leaves(params, [numbers.to_numpy(theta) for theta in new]))


@dataclass(frozen=True)
class _LayerForward:
    """A layer that has run forward, with the reader that remembers its matrices for the way back."""

    number: int
    layer: Layer
    reader: ValueReader
    theta: Any
    cache: Tree
    X: Traced[Expression]
    Y: Traced[Expression]
    output: str
    """The name of Y: that of the input of the next layer."""
    R: Traced[Expression] | None
    part: TracedPart

    def names(self) -> list[str]:
        """The names of the parameters."""
        return _names(self.layer.shapes(self.reader.ops.sizes["D"]))

    def backward(self, DY: Any, origin: str) -> tuple[TracedPart, Any, list[Any]]:
        """The part, DX and the gradients of the parameters."""
        given = self.reader.give(f"D{self.output}", self.reader.ops.shape(self.Y), DY, origin)
        arguments = (self.theta, self.cache, given)
        DX, found = self.reader.part("backward", self.layer.backpropagate, arguments, gradients_of(self.X, self.theta))
        part = self.reader.take(self.number, f"layer {self.number}, {label(self.layer)}: backward")
        return part, self.reader.value(DX), [self.reader.value(gradient) for gradient in leaves(found)]


def _forward(numbers: Backend, network: Sequential, X: Any, params: Tree, noise: Tree) -> list[_LayerForward]:
    """The layers of the network in their order, each run on the output of the one before."""
    layers, values, draws = network.flattened(), leaves(params), leaves(noise)
    done: list[_LayerForward] = []
    for number, layer in enumerate(layers, 1):
        following = input_name(layers[number]) if number < len(layers) else ""
        done.append(_layer_forward(numbers, number, layer, "Z" if layer.is_sized() and following == "Z" else "Y", X, values, draws))
        X = done[-1].reader.value(done[-1].Y)
    return done


def _layer_forward(
    numbers: Backend, number: int, layer: Layer, output: str, X: Any, values: Iterator[Any], draws: Iterator[Any]
) -> _LayerForward:
    N, D = numbers.shape(X)
    sizes, pattern = {"N": N, "D": D, "K": layer.outputs_for(D)}, layer.has_pattern() and not layer.inside()
    if pattern:
        sizes["P"], layer = layer.shapes(D)[0][1], layer.for_any_data(PolynomialSymbols())
    reader = ValueReader(numbers, sizes)
    layer, name = layer.sized(size("K")), input_name(layer)
    # The layers inside one have sizes of their own: the columns are then numbers, so that they fit.
    columns = D if layer.inside() else size("K" if name in ("Y", "Z") else "D")
    given = reader.give(name, (size("N"), columns), X, "the batch" if number == 1 else f"from layer {number - 1}")
    shapes, noise_shapes = layer.shapes(columns), layer.given_shapes(size("N"), columns)
    theta = reader.give_tree(shapes, _names(shapes), values, "parameter")
    masks = reader.give_tree(noise_shapes, ("r", "c") if pattern else ("R", "R1", "R2"), draws, "pattern" if pattern else "noise")
    Y, cache = reader.part("forward", layer.feedforward, (theta, given, *masks), first_called(output))
    R = reader.part("forward", layer.penalty, (cache,), _penalty)
    part = reader.take(number, f"layer {number}, {label(layer)}: forward")
    return _LayerForward(number, layer, reader, theta, cache, given, Y, output, R, part)


def _backward(layers: list[_LayerForward], DY: Any) -> tuple[list[TracedPart], list[list[Any]]]:
    """The parts from the last layer to the first, and the gradients of the parameters of each layer, from the first to the last."""
    parts, gradients, origin = [], [], "from the loss"
    for layer in reversed(layers):
        part, DY, of_layer = layer.backward(DY, origin)
        parts.append(part)
        gradients.append(of_layer)
        origin = f"from layer {layer.number}"
    return parts, gradients[::-1]


def first_called(name: str) -> Results:
    """The first of the results has a name; the others need none."""
    return lambda result: [(name, result[0])]


def _penalty(R: Any) -> list[tuple[Any, Any]]:
    return [] if R is None else [("R", R)]


def label(layer: Layer) -> str:
    """The name of the layer, or of the activation that it applies."""
    return type(layer.activation if isinstance(layer, ActivationLayer) else layer).__name__


def _names(shapes: Any) -> list[str]:
    return [name.rpartition(".")[2] for name, _ in named_leaves(map_shapes(list, shapes))]


def _loss(numbers: Backend, layers: list[_LayerForward], loss: Loss, T: Any) -> tuple[TracedPart, Any, Any]:
    """The loss and its gradient, both divided by N where the loss is a sum, as in training; and the penalties of the layers."""
    last = layers[-1]
    Y = last.reader.value(last.Y)
    N, K = numbers.shape(Y)
    reader = ValueReader(numbers, {"N": N, "K": K})
    shape = (size("N"), size("K"))
    given = reader.give("Y", shape, Y, f"from layer {last.number}"), reader.give("T", shape, T, "the targets")
    value = reader.part("forward", loss.value, given, lambda result: [("", result)])
    gradient = reader.part("backward", loss.gradient, given, lambda result: [("", result)])
    L, DY = reader.value(value), reader.value(gradient)
    if not loss.mean:
        L, DY = numbers.divide(L, N), numbers.divide(DY, N)
    over = "" if loss.mean else " / N"
    penalties = {f"{x.number}.{markup(x.R.value).text()}": x.reader.value(x.R) for x in layers if x.R is not None}
    L = functools.reduce(numbers.add, penalties.values(), L)
    terms = "".join(f" + {name}" for name in penalties)
    more = rf"\text{{{terms}}}" if terms else ""
    in_latex = rf"L = \mathcal{{L}}(Y, T){over}{more}", rf"DY = \nabla_Y \mathcal{{L}}(Y, T){over}"
    reader.found.append(TracedMatrix("L", f"ℒ(Y, T){over}{terms}", "1 × 1", numbers.to_numpy(L), latex=in_latex[0]))
    reader.found.append(TracedMatrix("DY", f"∇_Y ℒ(Y, T){over}", "N × K", numbers.to_numpy(DY), latex=in_latex[1]))
    return reader.take(last.number + 1, f"loss, {type(loss).__name__}"), L, DY


class _Parameter(NamedTuple):
    """A parameter of a layer with its gradient."""

    number: int
    layer: str
    name: str
    shape: tuple[Size, Size]
    """In symbols."""
    sizes: dict[str, int]
    values: Any
    gradient: Any
    state: Tree
    """Of the optimizer; None before the first step."""

    def give(self, reader: ValueReader, optimizer: Optimizer, name: str, shape: tuple[Size, Size]) -> tuple[Any, Any, Any]:
        """The state of the optimizer, the parameter and its gradient, as the reader has them."""
        W = reader.give(name, shape, self.values, "parameter")
        DW = reader.give(f"D{name}", shape, self.gradient, "gradient")
        start = optimizer.init(reader.ops.numbers, self.values) if self.state is None else self.state
        of = reader.ops.numbers.shape
        sizes = of(self.values)
        shapes = [[s if n == of_theta else 1 for s, n, of_theta in zip(shape, of(X), sizes, strict=True)] for X in leaves(start)]
        named = zip(named_leaves(start), shapes, strict=True)
        states = [reader.give(key.rpartition(".")[2], (m, n), value, "state") for (key, value), (m, n) in named]
        return with_leaves(start, states), W, DW


def _parameters(layers: list[_LayerForward], gradients: list[list[Any]], states: Iterator[Any]) -> list[_Parameter]:
    """The parameters in the order of the layers, which is that of the states of the optimizer."""
    return [
        _Parameter(
            x.number,
            label(x.layer),
            name,
            x.reader.ops.shape(theta),
            x.reader.ops.sizes,
            x.reader.value(theta),
            gradient,
            next(states),
        )
        for x, of_layer in zip(layers, gradients, strict=True)
        for name, theta, gradient in zip(x.names(), leaves(x.theta), of_layer, strict=True)
    ]


def _updates(
    numbers: Backend, optimizer: Optimizer, scalars: tuple[Any, ...], parameters: list[_Parameter]
) -> tuple[list[TracedPart], list[Any]]:
    """The update of every parameter, and the new parameters. A rule that needs all gradients at once is a part for all of them."""
    if optimizer.needs_all_gradients:
        return _update_of_all(numbers, optimizer, scalars, parameters)
    parts, new = [], []
    for p in parameters:
        reader = ValueReader(numbers, p.sizes)
        given = p.give(reader, optimizer, p.name, p.shape)
        theta, _ = reader.part("forward", optimizer.update, (*given, *scalars), first_called(p.name))
        new.append(reader.value(theta))
        parts.append(reader.take(p.number, f"layer {p.number}, {p.layer}: {type(optimizer).__name__} of {p.name}"))
    return [_without_given(part) for part in parts], new


def _update_of_all(
    numbers: Backend, optimizer: Optimizer, scalars: tuple[Any, ...], parameters: list[_Parameter]
) -> tuple[list[TracedPart], list[Any]]:
    """The update of all layers in one part, whose sizes are numbers; a parameter is named with its layer, W_1."""
    reader, names = ValueReader(numbers, {}), [f"{p.name}_{p.number}" for p in parameters]
    given = [p.give(reader, optimizer, name, numbers.shape(p.values)) for p, name in zip(parameters, names, strict=True)]
    columns = [list(column) for column in zip(*given, strict=True)]
    thetas, _ = reader.part("forward", optimizer.step, (*columns, *scalars), lambda result: list(zip(names, result[0], strict=True)))
    part = reader.take(parameters[-1].number + 1, f"all layers: {type(optimizer).__name__}")
    return [_without_given(part)], [reader.value(theta) for theta in thetas]


def _without_given(part: TracedPart) -> TracedPart:
    """What changes in an update; what it is given was shown before."""
    return dataclasses.replace(part, matrices=tuple(matrix for matrix in part.matrices if not matrix.given))


__all__ = ["Trace", "TracedMatrix", "TracedPart", "print_trace", "trace_step"]
