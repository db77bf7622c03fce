"""Layers: hyper-parameters, and pure functions of (matrix operations, parameters, input).

A layer has four sides, each a class below: its equations, its life in training, the pattern of its weights, and its structure for those
who walk, show or prove it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self, cast

import numpy as np

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require_matrix
from nerva_core.algebra.operations.windows import Windows
from nerva_core.algebra.registry import Entry, Table
from nerva_core.algebra.trees import Tree, rebuild
from nerva_core.equations.initializers import NormalizedXavier
from nerva_core.layers.continuation import LayerContinuation

Shape = tuple[Size, Size]
Positions = tuple[int, ...]
"""The extents of a grid of positions; () if there is one only."""


class Symbols(Protocol):
    """Where equations are shown or proved: what stands for the sizes and geometries that data determine."""

    def size(self, name: str) -> Size:
        """The size called N, D, ..."""

    def geometry(self, name: str) -> Windows:
        """Any windows, by a name."""

    def steps(self) -> Size:
        """The number of steps of a loop: a number where it is unrolled."""


class LayerEquations(ABC):
    """Y = f(X) and its hand-written backpropagation.

    The gradients that ``backpropagate`` returns are those of ⟨DY, Y⟩, the sum of the elements of DY ⊙ Y, for every DY, unless the
    layer states a ``surrogate``.
    """

    @abstractmethod
    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *args: Any, **kwargs: Any) -> tuple[M, Tree]:
        """(Y, cache): the output, and what ``backpropagate`` needs of this call. Noise matrices follow X."""

    @abstractmethod
    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        """(DX, gradients): the gradients with respect to the input and to the parameters, of the same shapes as these."""

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *args: Any, **kwargs: Any) -> tuple[M, M | None]:
        """(Y, R): what ``backpropagate`` gives the gradient of is ⟨DY, Y⟩ + R. By default Y is the output, and there is no penalty R.

        A layer whose forward is not differentiable states a Y that has the value of its output and a derivative that stands for the
        missing one. What is held fixed in it is marked by ``ops.stop_gradient``. Training does not run this; the proof is about it.
        """
        return self.feedforward(ops, params, X, *args, **kwargs)[0], None

    def penalty(self, ops: MatrixOps[M], cache: Tree) -> M | None:
        """R, what the layer adds to the loss of a step with this cache, 1 x 1; None if it adds nothing. Its gradient is in the backward."""
        return None

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *args: Any, **kwargs: Any) -> M:
        """The output at inference; by default that of ``feedforward``. Noise matrices, if ``draw_for_evaluation`` gives any, follow X."""
        return self.feedforward(ops, params, X)[0]


class LayerLife(ABC):
    """The parameters of a layer in training, from their shapes and first values on, its noise and its state.

    Randomness is an input: a layer that needs noise declares ``noise_shapes`` and ``draw``, and ``feedforward`` receives the
    matrices after X, so a layer is a deterministic function and a seed gives the same run on every backend.
    """

    def outputs_for(self, D: Size) -> Size:
        """The number of columns of Y when X has D; by default D."""
        return D

    def rows_for(self, N: Size) -> Size:
        """The number of rows of Y when X has N; by default N."""
        return N

    def shapes(self, D: Size) -> Tree:
        """The shapes of the parameters for an input with D columns, as (rows, columns) in the NamedTuple of the parameters."""
        return ()

    def initializers(self) -> Tree:
        """The distribution of each parameter's initial values, in the order of ``shapes``."""
        return tuple(NormalizedXavier() for _ in self.shapes(1))

    def fans(self, D: int) -> tuple[int, int]:
        """How many inputs an output depends on, and how many outputs on an input: what initial values are scaled by; by default D and K."""
        return D, self.outputs_for(D)

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        """Initial parameters, as NumPy matrices in float64."""
        shapes, fans = self.shapes(D), self.fans(D)
        initial: list[Array] = [initializer.draw(rng, *fans, shape) for initializer, shape in zip(self.initializers(), shapes, strict=True)]
        return rebuild(shapes, initial)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        """The shapes of the noise matrices for an input of N rows and D columns."""
        return ()

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        """The noise matrices of one step, in the order of ``noise_shapes``."""
        return ()

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        """The noise matrices of one evaluation; none, unless the layer keeps its noise at inference."""
        return ()

    def noise_scale(self) -> float | None:
        """The scale of the noise that ``at_epoch`` changes, for the log; None if there is none."""
        return None

    def initial_state(self, D: int) -> Tree:
        """What the layer learns of the data without training it (running statistics), as NumPy matrices."""
        return ()

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> Tree:
        """The state after a training step with this cache."""
        return state


class LayerPatterns(ABC):
    """The weights of a layer that are there only at the places of a pattern, which is part of the state.

    A layer without a pattern, in itself and inside, needs nothing of this.
    """

    def has_pattern(self) -> bool:
        """Whether the layer, or one inside it, has one; by default if one inside it has."""
        return any(layer.has_pattern() for layer in self.inside())

    @abstractmethod
    def inside(self) -> tuple[Layer, ...]:
        """The layers directly inside this one."""

    @abstractmethod
    def initial_state(self, D: int) -> Tree:
        """The state, for its form."""

    def first_state(self, rng: np.random.Generator, D: int) -> Any:
        """The state with which training begins, if it is drawn; by default the initial one."""
        return self.initial_state(D)

    def given(self, state: Tree, noise: Tree = ()) -> Any:
        """What ``feedforward`` is given after X: the pattern in the state, if there is one, and the noise."""
        return noise

    def given_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        """The shapes of what ``feedforward`` is given after X; by default those of the noise."""
        shapes: tuple[Any, ...] = self.noise_shapes(N, D)
        return shapes

    @abstractmethod
    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        """The shapes of the noise."""

    def map_patterns(self, D: int, change: Callable[..., Any], *trees: Any) -> Any:
        """Trees of the structure of the parameters or the state, changed for every layer with a pattern.

        There they are what ``change(layer, D, *trees)`` gives, as many as it is given, and the same everywhere else.
        """
        return trees

    def dense(self, D: int, params: Tree, state: Tree) -> tuple[Layer, Any, Any]:
        """(layer, params, state) of the same function, without a pattern: all weights are there, and are 0 where none was."""
        return cast("Layer", self), params, state


@dataclass(frozen=True)
class Layer(LayerEquations, LayerLife, LayerPatterns, LayerContinuation, Entry):
    """A function Y = f(X) of parameters, with hand-written backpropagation equations; it may be made of other layers.

    A layer states ``shapes``, ``feedforward`` and ``backpropagate``; everything else has a default. Parameters, caches and gradients
    are NamedTuples whose fields have the names of the equations. Whoever walks a network asks the layer, not for its class.
    """

    trailing: ClassVar[bool] = False
    """Whether the specification's combined layer of this name is a linear layer followed by this one (section 4)."""

    columns: ClassVar[int | None] = None
    """The number of columns of X for which the equations are shown and proved, where they depend on it; None if they do not."""

    weights_of_output: ClassVar[Literal["row", "column"] | None] = None
    """What the weights of an output are in the parameters (W, b) of a layer that multiplies by W; None of any other layer."""

    shown: ClassVar[tuple[str, ...]] = ()
    """Methods whose local variables are equations of the layer, as those of ``feedforward`` and ``backpropagate`` are."""

    sized_by: ClassVar[str] = "outputs"
    """The field, if there is one of this name, in which the user gives the number of columns of Y; K where the layer is shown or proved."""

    @classmethod
    def is_sized(cls) -> bool:
        """Whether the user gives the number of columns of Y."""
        return any(field.name == cls.sized_by for field in dataclasses.fields(cls))

    def sized(self, K: Size) -> Self:
        """The layer with K columns of Y, if the user gives their number."""
        return dataclasses.replace(self, **{self.sized_by: K}) if self.is_sized() else self

    def for_any_data(self, symbols: Symbols) -> Layer:
        """The layer with symbols for what ``bind`` takes from the data; this is what is shown and proved."""
        return self.with_inside(lambda layer: layer.for_any_data(symbols))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        """The shape of X for which the equations are shown and proved; by default N x D."""
        return symbols.size("N"), self.columns or symbols.size("D")

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        """The layer for inputs whose rows are positions of examples, and what the rows of its output are.

        ``positions`` is (28, 28) where the rows are the 28 · 28 positions of each image, (64,) where they are those of sequences, () where
        each example is one row, and None where it is not known yet. By default nothing changes but the layers inside.
        """
        return self.with_inside(lambda layer: layer.bind(positions)[0]), positions

    def with_padding(self) -> Layer:
        """The layer that is told which positions are there, where it looks at others than its own."""
        return self.with_inside(lambda layer: layer.with_padding())

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        """What ``feedforward`` is given after an X with D columns, with the column m, 1 where there is a position, where the layer asks."""
        return given

    def numbers_below(self) -> Size | None:
        """V if X holds numbers 0, 1, ..., V - 1, such as those of characters; None if it holds any real numbers."""
        return None

    def needs_positions(self) -> bool:
        """Whether the layer cannot run before ``bind`` has told it what its rows are; by default if one inside it cannot."""
        return any(layer.needs_positions() for layer in self.inside())

    def inside(self) -> tuple[Layer, ...]:
        """The layers directly inside this one; by default those among its fields, and in tuples that are fields."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return tuple(layer for value in values for layer in (value if isinstance(value, tuple) else (value,)) if isinstance(layer, Layer))

    def with_inside(self, change: Callable[[Layer], Layer]) -> Layer:
        """This layer with every layer directly inside it changed."""
        inside = self.inside()
        changed = {id(layer): change(layer) for layer in inside}
        if all(changed[id(layer)] is layer for layer in inside):
            return self
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.init}
        new = {
            name: tuple(changed.get(id(item), item) for item in value) if isinstance(value, tuple) else changed.get(id(value), value)
            for name, value in values.items()
        }
        return dataclasses.replace(self, **new)

    def walk(self) -> Iterator[Layer]:
        """This layer, and all those inside it."""
        yield self
        for layer in self.inside():
            yield from layer.walk()

    def flattened(self) -> tuple[Layer, ...]:
        """The layers of which this one is a composition, in their order; by default itself."""
        return (self,)

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        """(layer, its input, its output) of each layer in this one, in the order of evaluation, without noise; by default of itself."""
        yield self, X, self.evaluate(ops, params, state, X)

    def hard_layers(self) -> tuple[Layer, ...]:
        """The layers in this one, or itself, that state a surrogate."""
        return (self,) if type(self).surrogate is not Layer.surrogate else ()

    def without_penalty(self) -> Layer:
        """The layer with the same gradients but those of penalties."""
        return self.with_inside(lambda layer: layer.without_penalty())

    def at_epoch(self, T: int) -> Layer:
        """The layer that is trained in epoch T = 1, 2, ...; it may differ from this one in how its noise is drawn, not in its equations."""
        return self.with_inside(lambda layer: layer.at_epoch(T))


def is_size_of(entry: type, field: str) -> bool:
    """Whether the field of a layer, or of an entry of another table, is the number of columns of Y, which the user gives."""
    return field == getattr(entry, "sized_by", Layer.sized_by)


def require_columns(layer: Layer, ops: MatrixOps[M], X: M, D: Size) -> None:
    """NervaError unless X is a matrix with D columns, where these are numbers."""
    require_matrix(type(layer).__name__, X)
    _, columns = ops.shape(X)
    if isinstance(columns, int) and isinstance(D, int) and columns != D:
        raise NervaError(
            f"{type(layer).__name__}: the parameters are for inputs with {counted(D, 'column')}, got {counted(columns, 'column')}"
        )


LAYERS: Table[Layer] = Table(
    "layer",
    Layer,
    elsewhere={
        "Reshape": "examples are rows of a matrix: leave it out",
        "Input": "the inputs are those of the data: leave it out",
        "Transformer": "TransformerBlock(heads)",
        "TransformerEncoderLayer": "TransformerBlock(heads, causal=false, norm_first=false, activation=ReLU)",
        "Bilinear": "the nearest is GLU, a product of two linear layers",
        "AlphaDropout": "the nearest is Dropout",
        "LSTMCell": "it is a step of LSTM(outputs)",
        "GRUCell": "it is a step of GRU(outputs)",
        "RNNCell": "it is a step of RNN(outputs)",
        "Bidirectional": "LSTM, GRU and RNN take bidirectional=true",
        "Softmax2d": "Softmax is that of every position",
    },
)


def total(penalties: Iterable[M | None]) -> M | None:
    """The sum of the penalties that there are; None if there are none."""
    result: M | None = None
    for R in penalties:
        result = R if result is None else result if R is None else result + R
    return result
