"""What a layer is: hyper-parameters, and pure functions of (matrix operations, parameters, input)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.numeric_backend import require_matrix
from nerva_core.algebra.registry import Entry, Table
from nerva_core.algebra.trees import rebuild
from nerva_core.equations.initializers import NormalizedXavier

Shape = tuple[Size, Size]


@dataclass(frozen=True)
class Layer(Entry):
    """A function Y = f(X) of parameters, with hand-written backpropagation equations.

    A layer states ``shapes``, ``feedforward`` and ``backpropagate``; everything else has a default. Parameters, caches and gradients
    are NamedTuples whose fields have the names of the equations. The gradients that ``backpropagate`` returns are those of ⟨DY, Y⟩,
    the sum of the elements of DY ⊙ Y, for every DY, unless the layer states a ``surrogate``.

    Randomness is an input: a layer that needs noise declares ``noise_shapes`` and ``draw``, and ``feedforward`` receives the
    matrices after X, so a layer is a deterministic function and a seed gives the same run on every backend.
    """

    trailing: ClassVar[bool] = False
    """Whether the specification's combined layer of this name is a linear layer followed by this one (section 4)."""

    columns: ClassVar[int | None] = None
    """The number of columns of X for which the equations are shown and proved, where they depend on it; None if they do not."""

    @abstractmethod
    def feedforward(self, ops: MatrixOps[M], params: Any, X: M, *args: Any, **kwargs: Any) -> tuple[M, Any]:
        """(Y, cache): the output, and what ``backpropagate`` needs of this call. Noise matrices follow X."""

    @abstractmethod
    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        """(DX, gradients): the gradients with respect to the input and to the parameters, of the same shapes as these."""

    def surrogate(self, ops: MatrixOps[M], params: Any, X: M, *args: Any, **kwargs: Any) -> tuple[M, M | None]:
        """(Y, R): what ``backpropagate`` gives the gradient of is ⟨DY, Y⟩ + R. By default Y is the output, and there is no penalty R.

        A layer whose forward is not differentiable states a Y that has the value of its output and a derivative that stands for the
        missing one. What is held fixed in it is marked by ``ops.stop_gradient``. Training does not run this; the proof is about it.
        """
        return self.feedforward(ops, params, X, *args, **kwargs)[0], None

    def penalty(self, ops: MatrixOps[M], cache: Any) -> M | None:
        """R, what the layer adds to the loss of a step with this cache, 1 x 1; None if it adds nothing. Its gradient is in the backward."""
        return None

    def hard_layers(self) -> tuple[Layer, ...]:
        """The layers in this one, or itself, that state a surrogate."""
        return (self,) if type(self).surrogate is not Layer.surrogate else ()

    def evaluate(self, ops: MatrixOps[M], params: Any, state: Any, X: M, *args: Any, **kwargs: Any) -> M:
        """The output at inference; by default that of ``feedforward``. Noise matrices, if ``draw_for_evaluation`` gives any, follow X."""
        return self.feedforward(ops, params, X)[0]

    def evaluations(self, ops: MatrixOps[M], params: Any, state: Any, X: M) -> Iterator[tuple[Layer, M, M]]:
        """(layer, its input, its output) of each layer in this one, in the order of evaluation, without noise; by default of itself."""
        yield self, X, self.evaluate(ops, params, state, X)

    def flattened(self) -> tuple[Layer, ...]:
        """The layers of which this one is a composition, in their order; by default itself."""
        return (self,)

    def outputs_for(self, D: Size) -> Size:
        """The number of columns of Y when X has D; by default D."""
        return D

    def shapes(self, D: Size) -> Any:
        """The shapes of the parameters for an input with D columns, as (rows, columns) in the NamedTuple of the parameters."""
        return ()

    def initializers(self) -> Any:
        """The distribution of each parameter's initial values, in the order of ``shapes``."""
        return tuple(NormalizedXavier() for _ in self.shapes(1))

    def init(self, rng: np.random.Generator, D: int) -> Any:
        """Initial parameters, as NumPy matrices in float64."""
        shapes, K = self.shapes(D), self.outputs_for(D)
        initial: list[np.ndarray[Any, Any]] = [
            initializer.draw(rng, D, K, shape) for initializer, shape in zip(self.initializers(), shapes, strict=True)
        ]
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

    def at_epoch(self, T: int) -> Layer:
        """The layer that is trained in epoch T = 1, 2, ...; it may differ from this one in how its noise is drawn, not in its equations."""
        return self

    def noise_scale(self) -> float | None:
        """The scale of the noise that ``at_epoch`` changes, for the log; None if there is none."""
        return None

    def initial_state(self, D: int) -> Any:
        """What the layer learns of the data without training it (running statistics), as NumPy matrices."""
        return ()

    def update_state(self, ops: MatrixOps[M], state: Any, cache: Any) -> Any:
        """The state after a training step with this cache."""
        return state


def require_columns(layer: Layer, ops: MatrixOps[M], X: M, D: Size) -> None:
    """NervaError unless X is a matrix with D columns, where these are numbers."""
    require_matrix(type(layer).__name__, X)
    _, columns = ops.shape(X)
    if isinstance(columns, int) and isinstance(D, int) and columns != D:
        raise NervaError(f"{type(layer).__name__}: the parameters are for inputs with {D} columns, got {columns} columns")


LAYERS: Table[Layer] = Table("layer", Layer)


def total(penalties: Iterable[M | None]) -> M | None:
    """The sum of the penalties that there are; None if there are none."""
    result: M | None = None
    for R in penalties:
        result = R if result is None else result if R is None else result + R
    return result
