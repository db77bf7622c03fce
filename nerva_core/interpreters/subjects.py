"""Subjects of the interpreters: the matrices, with shapes and names, on which a layer, activation, loss or optimizer is read.

A ``Reader`` is what looks at the parts: one counts operations, one collects equations.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.geometry import AnyGeometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Shape, Size
from nerva_core.algebra.registry import EntryCall, Table, parse_call, user_fields
from nerva_core.algebra.trees import Tree, leaves, named_leaves, rebuild, with_leaves
from nerva_core.equations import softmax
from nerva_core.equations.activations import ACTIVATIONS, Activation
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Elementwise, GradientActivation
from nerva_core.equations.hard_functions import HARD_FUNCTIONS, HardFunction
from nerva_core.equations.losses import LOSSES, Loss
from nerva_core.equations.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from nerva_core.equations.schedules import SCHEDULES, Schedule
from nerva_core.interpreters.examples import EXAMPLES, required_values
from nerva_core.interpreters.expressions import Scalar
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.polynomial import size
from nerva_core.layers import LAYERS, Layer, Linear, Sequential, parse_layers
from nerva_core.layers.base import is_size_of
from nerva_core.layers.q_activation import is_q_activation, q_activation

N, D, K = size("N"), size("D"), size("K")

PLAIN = EXAMPLES | {int: 2, tuple[Layer, ...]: (), Optimizer: GradientDescent()}
"""Values of parameters that are shown as they are."""

TABLES: tuple[Table[Any], ...] = (LAYERS, ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, GRADIENT_ACTIVATIONS, HARD_FUNCTIONS)
"""What can be shown; of a name that is in two of them, the first."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function for name, function in vars(softmax).items() if inspect.isfunction(function) and function.__module__ == softmax.__name__
}
"""The softmax functions, which can be shown too."""


@dataclass(frozen=True)
class AnyActivation(Activation):
    """act: any activation function."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.exp(X)  # one elementwise function; readers show it by its name

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.exp(X)

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.exp(X)


@dataclass(frozen=True)
class AnyHardFunction(HardFunction):
    """f: any hard function that keeps the number of columns."""

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        return ops.apply(AnyFunction().value, X)


@dataclass(frozen=True)
class AnyFunction(AnyActivation):
    """f: shown by this name."""


class PolynomialSymbols:
    """Sizes as polynomials, and geometries of such sizes."""

    def size(self, name: str) -> Size:
        """The size of that name."""
        return size(name)

    def steps(self) -> Size:
        """L, as a loop is shown by one step."""
        return size("L")

    def geometry(self, name: str) -> AnyGeometry:
        """Windows of Q places that see U of P positions."""
        return AnyGeometry(name, size("P"), size("Q"), size("U"))


Results: TypeAlias = Callable[[Any], list[tuple[Any, Any]]]
"""The matrices in what a part gives, each with its name; in the place of a name may be the matrix X of which it is the gradient, DX."""


class Reader(ABC):
    """Looks at the parts of a subject while they run."""

    @abstractmethod
    def matrix(self, name: str, shape: tuple[Size, ...]) -> Any:
        """A matrix that is given."""

    @abstractmethod
    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Results) -> Any:
        """Run a part and give its result. ``title`` is "forward" or "backward"; a result without a name is that of a rule."""

    def matrices(self, shapes: Any, names: Sequence[str] = ()) -> Any:
        """Matrices for the shapes in nested tuples, with the names of their fields, or the given names."""
        names = getattr(shapes, "_fields", names)
        return rebuild(
            shapes,
            [
                self.matrices(item)
                if not item or isinstance(item[0], tuple)
                else self.matrix(names[k] if k < len(names) else f"P{k + 1}", item)
                for k, item in enumerate(shapes)
            ],
        )


def read(subject: Any, reader: Reader) -> None:
    """Let the reader see every part of a layer, activation, loss, optimizer or function."""
    for kind, how in _READINGS.items():
        if isinstance(subject, kind):
            return how(subject, reader)
    raise NervaError(f"expected a layer, an activation, a loss, an optimizer or a function, got {subject!r}")


def _read_layer(layer: Layer, reader: Reader) -> None:
    """A layer, or the layers of a network: the output of each has the name that the input has in the equations of the next."""
    layers = layer.for_any_data(PolynomialSymbols()).flattened()
    if not layers:
        return
    names = [input_name(each) for each in layers]
    rows, columns = layers[0].shape_of_input(PolynomialSymbols())
    X = reader.matrix(names[0], (rows, K if names[0] in ("Y", "Z") and columns == D else columns))
    ops = X.ops
    done: list[tuple[Layer, Any, Any, Any]] = []
    for each, output in zip(layers, [*names[1:], "Y"], strict=True):
        rows, columns = ops.shape(X)
        params = reader.matrices(each.shapes(columns))
        noise = reader.matrices(each.given_shapes(rows, columns), _parameters(each.feedforward)[2:])
        Y, cache = reader.part("forward", each.feedforward, (params, X, *noise), _named_output(output))
        _expect(each, "Y", ops.shape(Y), (each.rows_for(rows), each.outputs_for(columns)))
        done.append((each, params, X, cache))
        X = Y
    DY = reader.matrix("DY", ops.shape(X))
    for each, params, X, cache in reversed(done):
        DY, gradients = reader.part("backward", each.backpropagate, (params, cache, DY), gradients_of(X, params))
        values = [("X", X), *named_leaves(params)]
        for (name, value), gradient in zip(values, [DY, *leaves(gradients)], strict=True):
            _expect(each, f"D{name}", ops.shape(gradient), ops.shape(value))


def input_name(layer: Layer) -> str:
    """The name that the equations of the layer have for its input."""
    return _parameters(layer.feedforward)[1]


def _named_output(name: str) -> Results:
    return lambda result: [(name, result[0])]


def gradients_of(X: Any, params: Tree) -> Results:
    """The results of ``backpropagate``: the gradients with respect to X and the parameters."""
    return lambda result: list(zip([X, *leaves(params)], [result[0], *leaves(result[1])], strict=True))


def _expect(layer: Layer, name: str, shape: tuple[Size, Size], expected: tuple[Size, Size]) -> None:
    if shape != expected:
        raise NervaError(f"{type(layer).__name__}: {name} should have shape {Shape(*expected)}, has {Shape(*shape)}")


def _read_activation(activation: Activation, reader: Reader) -> None:
    X = reader.matrix("X", (N, D))
    for title, rule in (("forward", activation.value), ("backward", activation.gradient)):
        reader.part(title, rule, (X,), lambda result: [("", result)])


def _read_gradient_activation(activation: GradientActivation, reader: Reader) -> None:
    X = reader.matrix("X", (K, D))
    parts = [("forward", activation.value)]
    if isinstance(activation, Elementwise):
        parts += [("backward", activation.derivative), ("backward", activation.second_derivative)]
    for title, rule in parts:
        reader.part(title, rule, (X,), lambda result: [("", result)])


def _read_hard_function(hard: HardFunction, reader: Reader) -> None:
    hard = hard.abridged()
    columns = hard.example_width() or D
    noise = [reader.matrix("U", shape) for shape in hard.noise_shapes(N, columns)]
    reader.part("forward", hard.value, (reader.matrix("X", (N, columns)), *noise), lambda result: [("H", result)])


def _read_loss(loss: Loss, reader: Reader) -> None:
    columns = loss.example_width() or K
    Y, T = reader.matrix("Y", (N, columns)), reader.matrix("T", (N, columns))
    for title, rule in (("forward", loss.value), ("backward", loss.gradient)):
        reader.part(title, rule, (Y, T), lambda result: [("", result)])


def _read_optimizer(optimizer: Optimizer, reader: Reader) -> None:
    theta, Dtheta = reader.matrix("theta", (K, D)), reader.matrix("Dtheta", (K, D))
    start = optimizer.init(theta.ops, theta)
    named = [(path.rpartition(".")[2], theta.ops.shape(X)) for path, X in named_leaves(start)]
    state = with_leaves(start, [reader.matrix(name, shape) for name, shape in named])
    scalars = optimizer.scalars(Scalar("symbol", name=identifier("eta")), typing.cast(int, Scalar("symbol", name=identifier("t"))))
    reader.part(
        "forward",
        optimizer.update,
        (state, theta, Dtheta, *scalars),
        lambda result: [*((name, X) for (name, _), X in zip(named, leaves(result[1]), strict=True)), ("theta", result[0])],
    )


def _read_function(function: Callable[..., Any], reader: Reader) -> None:
    """A function of a matrix, or of a row vector if it says so by a lowercase name."""
    arguments = [reader.matrix(name, (1 if name.islower() else N, D)) for name in _parameters(function)]
    reader.part("forward", function, tuple(arguments), lambda result: [("", result)])


_READINGS: dict[type, Callable[[Any, Reader], None]] = {
    Layer: _read_layer,
    Activation: _read_activation,
    GradientActivation: _read_gradient_activation,
    HardFunction: _read_hard_function,
    Loss: _read_loss,
    Optimizer: _read_optimizer,
    Schedule: lambda schedule, reader: None,  # a function of a step, not of matrices: its docstring is its equation
    types.FunctionType: _read_function,
}


def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters after ``ops``."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "ops")]


def find(description: str) -> tuple[Any, list[str]]:
    """The subject that a text such as ``LeakyReLU(alpha=0.1)`` names, and the other kinds of thing of that name.

    Hyper-parameters that are not given stay symbols; a size that is not given is K. NervaError for an unknown name.
    """
    call = parse_call(description)
    kinds = [table for table in TABLES if call.name in table]
    if kinds and kinds[0].lookup(call.name) is Sequential and call.arguments:
        return parse_layers([str(layer) for layer in call.arguments[0]]), []
    function = FUNCTIONS.get(call.name.replace("-", "_").replace(" ", "_").casefold())
    if kinds:
        others = [f"{table.kind} {table.lookup(call.name).__name__}" for table in kinds[1:]]
        return symbolic(kinds[0], call), others + ([f"function {function.__name__}"] if function else [])
    if function is not None:
        return function, []
    if is_q_activation(call):
        return q_activation(call), []
    known = [*dict.fromkeys(name for table in TABLES for name in table.entries), *FUNCTIONS]
    nearest = next(filter(None, (table.nearest(call.name) for table in TABLES)), "")
    raise NervaError(f"cannot show {call.name!r}; {nearest or did_you_mean(call.name, known)}")


def symbolic(table: Table[Any], call: EntryCall) -> Any:
    """The entry of a table with symbols for the numbers that are not given."""
    fields = user_fields(table.lookup(call.name))
    given = {*list(fields)[: len(call.arguments)], *call.parameters, *(f"{key}_" for key in call.parameters)}
    hints = typing.get_type_hints(table.lookup(call.name), include_extras=False)
    required = required_values(table.lookup(call.name), PLAIN, given)
    entry = table.build(call.name, *call.arguments, **required, **call.parameters)
    symbols = {name: K if is_size_of(type(entry), name) else _symbol(name, hints[name]) for name in fields if name not in given}
    try:
        return dataclasses.replace(entry, **{name: value for name, value in symbols.items() if value is not None})
    except TypeError:  # an entry that compares its parameters needs numbers
        return entry


def _symbol(name: str, hint: Any) -> Any:
    """What a parameter is if it is not given: any activation, an example of a gradient activation, a number of its name;
    None if it needs a value."""
    examples = {Activation: AnyActivation(), HardFunction: AnyHardFunction(), Sequential: Sequential((Linear(typing.cast(int, D)),))}
    if hint in examples:
        return examples[hint]
    if hint is GradientActivation:
        return symbolic(GRADIENT_ACTIVATIONS, EntryCall(next(iter(GRADIENT_ACTIVATIONS.entries))))
    return Scalar("symbol", name=identifier(name)) if hint is float else None


def kind_of(subject: Any) -> tuple[str, str, str, str]:
    """What the subject is, its name, and the titles of its parts."""
    for base, (kind, first, second) in _TITLES.items():
        if isinstance(subject, base):
            return kind, getattr(subject, "__name__", type(subject).__name__), first, second
    raise NervaError(f"expected a layer, an activation, a loss, an optimizer, a schedule or a function, got {subject!r}")


_TITLES: dict[type, tuple[str, str, str]] = {
    Layer: ("layer", "Forward", "Backward"),
    Activation: ("activation", "Value", "Derivative"),
    GradientActivation: ("gradient activation", "Value", "Derivative"),
    HardFunction: ("hard function", "Value", ""),
    Loss: ("loss", "Value", "Gradient"),
    Optimizer: ("optimizer", "Update", ""),
    Schedule: ("schedule", "", ""),
    types.FunctionType: ("function", "Value", ""),
}
