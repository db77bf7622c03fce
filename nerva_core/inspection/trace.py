"""One training step with every matrix that occurs in it, named as in the equations: backpropagation to look at.

    trace = trace_step(network, X, T, params, loss)
    print(trace["1.DW"].values)             # the gradient of W in layer 1
    print_trace(trace)                      # everything, in the order in which it is computed

The names and the equations are read from the code while it runs, as for ``nerva show``; the numbers are computed in the same run.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import leaves, map_shapes, named_leaves, with_leaves
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import GradientDescent, Optimizer
from nerva_core.interpreters.expressions import Expression, markup
from nerva_core.interpreters.latex import Equation, EquationReader, LatexOps
from nerva_core.interpreters.markup import Markup
from nerva_core.interpreters.polynomial import Polynomial, size
from nerva_core.interpreters.shapes import Shape
from nerva_core.interpreters.subjects import Results, gradients_of, input_name
from nerva_core.interpreters.traced import Operation, Traced
from nerva_core.layers import Layer, Sequential
from nerva_core.layers.activation import ActivationLayer
from nerva_core.training.config import Config

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Matrix:
    """A matrix of the step: ``name = right``, or where it comes from if it is given."""

    name: str
    right: str
    shape: str
    """In symbols: N × D."""
    values: Array
    given: bool = False


@dataclass(frozen=True)
class Part:
    """The matrices of one layer forward or backward, of the loss, or of an update. The loss has the number after the last layer."""

    number: int
    title: str
    matrices: tuple[Matrix, ...]


@dataclass(frozen=True)
class Trace:
    """One step: its parts in the order of the computation, the loss before it, and the parameters after it."""

    parts: tuple[Part, ...]
    loss: float
    params: Any

    def __getitem__(self, name: str) -> Matrix:
        """The matrix with a name such as ``1.DW``: the number of the layer, then its name there. NervaError for an unknown one."""
        found = {f"{part.number}.{matrix.name}": matrix for part in self.parts for matrix in part.matrices}
        if name not in found:
            raise NervaError(f"the step has no matrix {name!r}; {did_you_mean(name, found)}")
        return found[name]


class ValueOps(LatexOps):
    """Matrix operations on expressions that keep the value of each. ``sizes`` are the numbers for N, D and K."""

    def __init__(self, functions: Any, numbers: Backend[Any], sizes: dict[str, int]) -> None:
        super().__init__(functions)
        self.numbers = numbers
        self.sizes = sizes
        self.values: dict[Expression, Any] = {}

    def operation(self, operation: Operation[Expression]) -> Expression:
        e = super().operation(operation)
        if e not in self.values:
            self.values[e] = getattr(self.numbers, operation.name)(*map(self._number, operation.arguments))
        return e

    def _number(self, argument: Any) -> Any:
        if isinstance(argument, Polynomial):
            return argument(**self.sizes)
        return self.values[argument] if isinstance(argument, Expression) else argument


class ValueReader(EquationReader):
    """Collects the equations of the parts with the values of their left sides, in ``found``."""

    ops: ValueOps

    def __init__(self, numbers: Backend[Any], sizes: dict[str, int]) -> None:
        super().__init__({})
        self.ops = ValueOps(self.functions, numbers, sizes)
        self.found: list[Matrix] = []
        self._copies: list[tuple[Equation, Expression]] = []

    def give(self, name: str, shape: Shape, value: Any, origin: str) -> Traced[Expression]:
        """A matrix with a value."""
        X = self.matrix(name, shape)
        self.ops.values[X.value] = value
        self.found.append(self._matrix(markup(X.value), origin, X.value, given=True))
        return X

    def give_tree(self, shapes: Any, names: Iterable[str], values: Iterator[Any], origin: str) -> Any:
        """Matrices for the shapes in nested tuples, with the names and values in their order."""
        supply = iter(names)
        return map_shapes(lambda shape: self.give(next(supply), shape, next(values), origin), shapes)

    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Results) -> Any:
        self._copies = []
        result = super().part(title, function, arguments, results)
        self.found += [self._matrix(markup(e), self._right(e).text(), e) for e in self._bound]
        self.found += [self._matrix(equation.left, equation.right.text(), e) for equation, e in self._copies]
        return result

    def value(self, X: Traced[Expression]) -> Any:
        """The value of a matrix."""
        return self.ops.values[X.value]

    def take(self, number: int, title: str) -> Part:
        """What was found since the last time, as a part."""
        part, self.found = Part(number, title, tuple(self.found)), []
        return part

    def _conclude(self, wanted: Markup, e: Expression, concluded: list[Expression]) -> list[Equation]:
        copies = super()._conclude(wanted, e, concluded)
        self._copies += [(equation, e) for equation in copies]
        return copies

    def _matrix(self, name: Markup, right: str, e: Expression, given: bool = False) -> Matrix:
        m, n = e.shape
        return Matrix(name.text(), right, f"{m} × {n}", self.ops.numbers.to_numpy(self.ops.values[e]), given)


def trace_step(
    network: Sequential,
    X: Any,
    T: Any,
    params: Any,
    loss: Loss,
    optimizer: Optimizer = GradientDescent(),  # noqa: B008, an entry is immutable
    lr: float = 0.1,
    noise: Any = None,
    ops: Backend[Any] | None = None,
) -> Trace:
    """The first step on a batch X (N x D) with targets T (N x K): what ``training_step`` computes, matrix by matrix.

    ``params`` are those of ``network.init``; noise that is not given is drawn from seed 0. NumPy in float64 computes, unless
    ``ops`` is given.
    """
    numbers = ops or backend("numpy", "float64")
    X, T = numbers.matrix(X), numbers.matrix(T)
    N, D = numbers.shape(X)
    if noise is None:
        noise = network.draw(np.random.default_rng(0), N, D)
    run = _Forward(numbers, network, X, numbers.matrices(params), numbers.matrices(noise))
    last, number = run.output, len(run.layers) + 1
    loss_part, value, DY = _loss(numbers, number, loss, last, T, run.penalties)
    backward, gradients = run.backward(DY)
    updates, new = _updates(numbers, optimizer, lr, run, gradients)
    parts = (*run.parts, loss_part, *backward, *updates)
    return Trace(parts, float(numbers.to_numpy(value).item()), with_leaves(params, [numbers.to_numpy(theta) for theta in new]))


class _Forward:
    """The network run forward, layer by layer, each with a reader that remembers its matrices for the way back."""

    def __init__(self, numbers: Backend[Any], network: Sequential, X: Any, params: Any, noise: Any) -> None:
        self.layers = network.flattened()
        self.parts: list[Part] = []
        self.steps: list[tuple[ValueReader, Any, Any, Any]] = []
        self.penalties: dict[str, Any] = {}
        """What the layers add to the loss, by the name."""
        values, draws = leaves(params), leaves(noise)
        N, D = numbers.shape(X)
        for number, layer in enumerate(self.layers, 1):
            reader = ValueReader(numbers, {"N": N, "D": D, "K": (K := layer.outputs_for(D))})
            layer = dataclasses.replace(layer, outputs=size("K")) if hasattr(layer, "outputs") else layer  # type: ignore[call-arg]
            name = input_name(layer)
            columns = D if _has_network(layer) else size("K" if name in ("Y", "Z") else "D")
            given = reader.give(name, (size("N"), columns), X, "the batch" if number == 1 else f"from layer {number - 1}")
            shapes, noise_shapes = layer.shapes(columns), layer.noise_shapes(size("N"), columns)
            theta = reader.give_tree(shapes, _names(shapes), values, "parameter")
            masks = reader.give_tree(noise_shapes, ("R", "R1", "R2"), draws, "noise")
            output = "Z" if hasattr(layer, "outputs") and self._input_of(number) == "Z" else "Y"
            Y, cache = reader.part("forward", layer.feedforward, (theta, given, *masks), first_called(output))
            if (R := reader.part("forward", layer.penalty, (cache,), _penalty)) is not None:
                self.penalties[f"{number}.{markup(R.value).text()}"] = reader.value(R)
            self.parts.append(reader.take(number, f"layer {number}, {label(layer)}: forward"))
            self.steps.append((reader, theta, cache, (given, Y, f"D{output}")))
            X, D = reader.value(Y), K
        self.output = X

    def parameters(self, gradients: list[Any]) -> Iterator[_Parameter]:
        """The parameters in the order of the layers, with their gradients."""
        supply = iter(gradients)
        for number, (layer, (reader, params, _, _)) in enumerate(zip(self.layers, self.steps, strict=True), 1):
            sizes = reader.ops.sizes
            for theta, name in zip(leaves(params), _names(layer.shapes(sizes["D"])), strict=True):
                yield _Parameter(number, name, reader.ops.shape(theta), sizes, reader.value(theta), next(supply))

    def _input_of(self, number: int) -> str:
        """The name of the input of the layer after the one with this number."""
        return input_name(self.layers[number]) if number < len(self.layers) else ""

    def backward(self, DY: Any) -> tuple[list[Part], list[Any]]:
        """The parts from the last layer to the first, and the gradients of the parameters in the order of the layers."""
        parts, gradients = [], []
        for number, layer in reversed(list(enumerate(self.layers, 1))):
            reader, theta, cache, (X, Y, name) = self.steps[number - 1]
            origin = "from the loss" if number == len(self.layers) else f"from layer {number + 1}"
            given = reader.give(name, reader.ops.shape(Y), DY, origin)
            DX, found = reader.part("backward", layer.backpropagate, (theta, cache, given), gradients_of(X, theta))
            parts.append(reader.take(number, f"layer {number}, {label(layer)}: backward"))
            gradients.append([reader.value(gradient) for gradient in leaves(found)])
            DY = reader.value(DX)
        return parts, [gradient for group in reversed(gradients) for gradient in group]


def first_called(name: str) -> Results:
    """The first of the results has a name; the others need none."""
    return lambda result: [(name, result[0])]


def _penalty(R: Any) -> list[tuple[Any, Any]]:
    return [] if R is None else [("R", R)]


def _has_network(layer: Layer) -> bool:
    """Whether a network inside the layer has sizes of its own: the columns are then numbers, so that they fit."""
    return any(isinstance(getattr(layer, field.name), Sequential) for field in dataclasses.fields(layer))


def label(layer: Layer) -> str:
    """The name of the layer, or of the activation that it applies."""
    return type(layer.activation if isinstance(layer, ActivationLayer) else layer).__name__


def _names(shapes: Any) -> list[str]:
    return [name.rpartition(".")[2] for name, _ in named_leaves(map_shapes(list, shapes))]


def _loss(numbers: Backend[Any], number: int, loss: Loss, Y: Any, T: Any, penalties: dict[str, Any]) -> tuple[Part, Any, Any]:
    """The loss and its gradient, both divided by N where the loss is a sum, as in training; and the penalties of the layers."""
    N, K = numbers.shape(Y)
    reader = ValueReader(numbers, {"N": N, "K": K})
    shape = (size("N"), size("K"))
    given = reader.give("Y", shape, Y, f"from layer {number - 1}"), reader.give("T", shape, T, "the targets")
    value = reader.part("forward", loss.value, given, lambda result: [("", result)])
    gradient = reader.part("backward", loss.gradient, given, lambda result: [("", result)])
    L, DY = reader.value(value), reader.value(gradient)
    if not loss.mean:
        L, DY = numbers.divide(L, N), numbers.divide(DY, N)
    over = "" if loss.mean else " / N"
    L = functools.reduce(numbers.add, penalties.values(), L)
    reader.found.append(Matrix("L", " + ".join([f"ℒ(Y, T){over}", *penalties]), "1 × 1", numbers.to_numpy(L)))
    reader.found.append(Matrix("DY", f"∇_Y ℒ(Y, T){over}", "N × K", numbers.to_numpy(DY)))
    return reader.take(number, f"loss, {type(loss).__name__}"), L, DY


class _Parameter(NamedTuple):
    """A parameter of a layer with its gradient."""

    number: int
    name: str
    shape: Shape
    """In symbols."""
    sizes: dict[str, int]
    values: Any
    gradient: Any

    def give(self, reader: ValueReader, optimizer: Optimizer, name: str, shape: Shape) -> tuple[Any, Any, Any]:
        """The state of the optimizer, the parameter and its gradient, as the reader has them."""
        W = reader.give(name, shape, self.values, "parameter")
        DW = reader.give(f"D{name}", shape, self.gradient, "gradient")
        start = optimizer.init(reader.ops.numbers, self.values)
        states = [reader.give(key.rpartition(".")[2], shape, value, "state") for key, value in named_leaves(start)]
        return with_leaves(start, states), W, DW


def _updates(numbers: Backend[Any], optimizer: Optimizer, lr: float, run: _Forward, gradients: list[Any]) -> tuple[list[Part], list[Any]]:
    """The first update of every parameter, and the new parameters. A rule that needs all gradients at once is a part for all of them."""
    scalars, parameters = optimizer.scalars(lr, 1), list(run.parameters(gradients))
    if optimizer.needs_all_gradients:
        return _update_of_all(numbers, optimizer, scalars, parameters)
    parts, new = [], []
    for p in parameters:
        reader = ValueReader(numbers, p.sizes)
        given = p.give(reader, optimizer, p.name, p.shape)
        theta, _ = reader.part("forward", optimizer.update, (*given, *scalars), first_called(p.name))
        new.append(reader.value(theta))
        parts.append(reader.take(p.number, f"layer {p.number}, {label(run.layers[p.number - 1])}: {type(optimizer).__name__} of {p.name}"))
    return [_without_given(part) for part in parts], new


def _update_of_all(
    numbers: Backend[Any], optimizer: Optimizer, scalars: tuple[Any, ...], parameters: list[_Parameter]
) -> tuple[list[Part], list[Any]]:
    """The update of all layers in one part, whose sizes are numbers; a parameter is named with its layer, W_1."""
    reader, names = ValueReader(numbers, {}), [f"{p.name}_{p.number}" for p in parameters]
    given = [p.give(reader, optimizer, name, numbers.shape(p.values)) for p, name in zip(parameters, names, strict=True)]
    columns = [list(column) for column in zip(*given, strict=True)]
    thetas, _ = reader.part("forward", optimizer.step, (*columns, *scalars), lambda result: list(zip(names, result[0], strict=True)))
    part = reader.take(parameters[-1].number + 1, f"all layers: {type(optimizer).__name__}")
    return [_without_given(part)], [reader.value(theta) for theta in thetas]


def _without_given(part: Part) -> Part:
    """What changes in an update; what it is given was shown before."""
    return dataclasses.replace(part, matrices=tuple(matrix for matrix in part.matrices if not matrix.given))


def trace_run(config: Config) -> Trace:
    """The first step of the run that a configuration describes."""
    from nerva_core.training.trainer import Trainer

    trainer = Trainer(config)
    given = trainer.first_input()
    data = trainer.data
    T = data.targets(data.Ttrain, trainer.network.outputs_for(data.inputs))
    return trace_step(
        trainer.network.at_epoch(1),
        data.Xtrain[given.rows],
        T[given.rows],
        trainer.to_numpy().params,
        config.loss,
        config.optimizer,
        given.lr,
        given.noise,
        trainer.ops,
    )


ROWS, COLUMNS = 8, 8
"""How much of a matrix is printed."""


def print_trace(trace: Trace, console: Any = None, digits: int = 4) -> None:
    """Print every matrix with its name, equation and shape; of a large one, a corner."""
    from rich.text import Text

    from nerva_core.figures.terminal import console as terminal

    console = console or terminal(highlight=False)
    for part in trace.parts:
        console.rule(Text(part.title, style="bold"), align="left")
        for matrix in part.matrices:
            _print_matrix(matrix, console, digits)
    console.print(f"loss before the step: {trace.loss:.6g}")


def _print_matrix(matrix: Matrix, console: Any, digits: int) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    m, n = matrix.values.shape
    head = Text(matrix.name, style="bold cyan" if matrix.given else "bold green")
    head.append(f"  {matrix.right}" if matrix.given else f" = {matrix.right}", style="dim" if matrix.given else "default")
    shape = f"  ({matrix.shape})" if matrix.shape == f"{m} × {n}" else f"  ({matrix.shape} = {m} × {n})"
    console.print(head.append(shape, style="dim"))
    if matrix.right.startswith("from "):  # it was printed there
        return
    grid = Table.grid(padding=(0, 2))
    for row in shown(matrix.values, digits):
        grid.add_row(*row)
    for column in grid.columns:
        column.justify = "right"
        column.no_wrap = True
    console.print(Padding(grid, (0, 0, 0, 4), expand=False))


def shown(values: Array, digits: int = 4) -> list[list[str]]:
    """The elements as text, rounded; of a large matrix the first rows and columns, followed by dots."""
    corner = values[:ROWS, :COLUMNS]
    largest = float(np.abs(corner[np.isfinite(corner)]).max(initial=0))
    kind = "f" if largest == 0 or 10.0 ** (1 - digits) <= largest < 1e5 else "e"
    rows = [[f"{x:z.{digits}{kind}}" for x in row] + ["…"] * (values.shape[1] > COLUMNS) for row in corner.tolist()]
    return rows + [["…"] * len(rows[0])] * (len(values) > ROWS)


__all__ = ["Matrix", "Part", "Trace", "print_trace", "trace_run", "trace_step"]
