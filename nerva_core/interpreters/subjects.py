"""How a layer, an activation, a loss or an optimizer is read: on which matrices, of which shapes and names, in which parts.

A ``Reader`` is what looks at the parts: one for the shapes and costs, one for the equations.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from nerva_core import softmax
from nerva_core.activations import ACTIVATIONS, Activation
from nerva_core.errors import NervaError, did_you_mean
from nerva_core.interpreters.costs import Shape
from nerva_core.interpreters.expressions import Scalar, identifier
from nerva_core.interpreters.polynomial import size
from nerva_core.layers import LAYERS, Layer
from nerva_core.losses import LOSSES, Loss
from nerva_core.matrix_ops import M, MatrixOps
from nerva_core.optimizers import OPTIMIZERS, Optimizer
from nerva_core.registry import Call, Entry, Table, parse_call

N, D, K = size("N"), size("D"), size("K")

TABLES: tuple[Table[Any], ...] = (LAYERS, ACTIVATIONS, LOSSES, OPTIMIZERS)
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


class Reader(ABC):
    """Looks at the parts of a subject while they run."""

    @abstractmethod
    def matrix(self, name: str, shape: Shape) -> Any:
        """A matrix that is given."""

    @abstractmethod
    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Callable[[Any], dict[str, Any]]) -> Any:
        """Run a part; ``results`` names the matrices in what it gives. ``title`` is "forward" or "backward"."""

    def matrices(self, shapes: Any) -> Any:
        """Matrices for the shapes in nested NamedTuples, with the names of their fields."""
        if not hasattr(shapes, "_fields"):
            return tuple(self.matrices(item) for item in shapes)
        return type(shapes)(*(self.matrix(name, shape) for name, shape in zip(shapes._fields, shapes, strict=True)))


def read(subject: Any, reader: Reader) -> None:
    """Let the reader see every part of a layer, activation, loss, optimizer or function."""
    for kind, how in _READINGS.items():
        if isinstance(subject, kind):
            return how(subject, reader)
    raise NervaError(f"expected a layer, an activation, a loss, an optimizer or a function, got {subject!r}")


def _read_layer(layer: Layer, reader: Reader) -> None:
    names = _parameters(layer.feedforward)[1:]
    columns = K if names[0] in ("Y", "Z") else D
    X = reader.matrix(names[0], (N, columns))
    params = reader.matrices(layer.shapes(columns))
    noise = [reader.matrix(name, shape) for name, shape in zip(names[1:], _plain(layer.noise_shapes(N, columns)), strict=False)]
    Y, cache = reader.part("forward", layer.feedforward, (params, X, *noise), lambda result: {"Y": result[0]})
    DY = reader.matrix("DY", X.ops.shape(Y))
    fields = [f"D{name}" for name in getattr(params, "_fields", ())]

    def gradients(result: Any) -> dict[str, Any]:
        return {f"D{names[0]}": result[0], **dict(zip(fields, result[1], strict=False))}

    reader.part("backward", layer.backpropagate, (params, cache, DY), gradients)


def _read_activation(activation: Activation, reader: Reader) -> None:
    for title, rule in (("forward", activation.value), ("backward", activation.gradient)):
        reader.part(title, rule, (reader.matrix("X", (N, D)),), lambda result: {"": result})


def _read_loss(loss: Loss, reader: Reader) -> None:
    for title, rule in (("forward", loss.value), ("backward", loss.gradient)):
        reader.part(title, rule, (reader.matrix("Y", (N, K)), reader.matrix("T", (N, K))), lambda result: {"": result})


def _read_optimizer(optimizer: Optimizer, reader: Reader) -> None:
    theta, Dtheta = reader.matrix("theta", (K, D)), reader.matrix("Dtheta", (K, D))
    start = optimizer.init(theta.ops, theta)
    names = getattr(start, "_fields", ())
    state = type(start)(*(reader.matrix(name, (K, D)) for name in names)) if names else start
    scalars = optimizer.scalars(Scalar("symbol", name=identifier("eta")), typing.cast(int, Scalar("symbol", name=identifier("t"))))
    reader.part(
        "forward",
        optimizer.update,
        (state, theta, Dtheta, *scalars),
        lambda result: {**dict(zip(names, result[1], strict=False)), "theta": result[0]},
    )


def _read_function(function: Callable[..., Any], reader: Reader) -> None:
    """A function of a matrix, or of a row vector if it says so by a lowercase name."""
    arguments = [reader.matrix(name, (1 if name.islower() else N, D)) for name in _parameters(function)]
    reader.part("forward", function, tuple(arguments), lambda result: {"": result})


_READINGS: dict[type, Callable[[Any, Reader], None]] = {
    Layer: _read_layer,
    Activation: _read_activation,
    Loss: _read_loss,
    Optimizer: _read_optimizer,
    types.FunctionType: _read_function,
}


def _parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters after ``ops``."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "ops")]


def _plain(shapes: Any) -> tuple[Any, ...]:
    return tuple(shapes)


def find(description: str) -> tuple[Any, list[str]]:
    """The subject that a text such as ``LeakyReLU(alpha=0.1)`` names, and the other kinds of thing of that name.

    Hyper-parameters that are not given stay symbols; a size that is not given is K. NervaError for an unknown name.
    """
    call = parse_call(description)
    kinds = [table for table in TABLES if call.name in table]
    if kinds:
        return symbolic(kinds[0], call), [table.kind for table in kinds[1:]]
    key = call.name.replace("-", "_").replace(" ", "_").casefold()
    if key in FUNCTIONS:
        return FUNCTIONS[key], []
    known = [*dict.fromkeys(name for table in TABLES for name in table.entries), *FUNCTIONS]
    raise NervaError(f"cannot show {call.name!r}; {did_you_mean(call.name, known)}")


def symbolic(table: Table[Any], call: Call) -> Entry:
    """The entry of a table with symbols for the numbers that are not given."""
    fields = {field.name: field for field in dataclasses.fields(table.lookup(call.name)) if field.init}
    given = {*list(fields)[: len(call.arguments)], *call.parameters}
    hints = typing.get_type_hints(table.lookup(call.name), include_extras=False)
    required = {name: _example(hints[name]) for name, field in fields.items() if name not in given and field.default is dataclasses.MISSING}
    entry = table.build(call.name, *call.arguments, **{**required, **call.parameters})
    symbols = {name: _symbol(name, hints[name]) for name in fields if name not in given and hints[name] in (float, int, Activation)}
    return dataclasses.replace(entry, **symbols)


def _example(hint: Any) -> Any:
    """A value for a parameter that must be given."""
    return next(iter(Table.of[hint].entries)) if hint in Table.of else {int: 1, float: 0.5}.get(hint, ())


def _symbol(name: str, hint: Any) -> Any:
    """What a parameter is if it is not given: any activation, the size K, a number of its name."""
    return {Activation: AnyActivation(), int: K}.get(hint) or Scalar("symbol", name=identifier(name))
