"""Layers that train through a hard function: the differentiable approximation bridge (DAB, section 4) and the straight-through estimator.

Neither backward is the gradient of the forward, which has none. Each layer states its ``surrogate``, a differentiable expression with the
value of the output, and is proved to give the gradient of that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import NonNegative
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.losses import Loss, SquaredError
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS, Layer
from nerva_core.layers.sequential import Sequential


class DABCache(NamedTuple, Generic[M]):
    """The hard output H and the soft output S are N x M; the cache of the bridge."""

    H: M
    S: M
    bridge: Any


@LAYERS.add
@dataclass(frozen=True)
class DAB(Around):
    """Y = H = f(X), a hard function. The bridge S = bridge(X) learns to approximate it, and its gradient stands for that of f.

    The bridge adds the penalty R = γ c L(S, H) to the loss of a step (section 4.1, equation 10), with H held fixed; L is the squared error
    unless another loss is chosen, and c is 1/(N M), the mean over all elements. Equation 10 has the sum over the features, with "mean"
    over the batch, c = 1/N, or "sum", c = 1: with γ = 10 it drowns the loss, the more the wider the layer: classifiers stay at chance.
    With DS = ∂R/∂S, for the squared error DS = 2 γ c (S - H), the backward is

        DX = the gradient of ⟨DY + DS, S⟩ by X,    Dφ = the gradient of ⟨DS, S⟩ by the parameters φ of the bridge:

    the loss of the network does not reach φ (errata 003-29 .. 003-32). With conditioning=false the penalty does not reach the layers
    before: DX is then the gradient of ⟨DY, S⟩. At inference the bridge is dropped. Parameters, state and noise are those of the bridge.
    """

    hard: HardFunction
    bridge: Sequential
    gamma: NonNegative = 10.0
    loss: Loss = SquaredError()
    reduction: Literal["mean", "full mean", "sum"] = "full mean"
    conditioning: bool = True

    def inner(self) -> Sequential:
        return self.bridge

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss.mean:
            raise NervaError(
                f"DAB: the loss of the bridge must be a sum, got {type(self.loss).__name__}, a mean; "
                "the means are made by reduction = 'mean' or 'full mean'"
            )
        if self.bridge.has_pattern():
            raise NervaError("DAB: the layers of a bridge have all their weights, but it has a sparse one; use Linear")
        for hard in self.bridge.hard_layers():
            raise NervaError(f"DAB: the bridge must be differentiable, but it has a {type(hard).__name__} layer")

    def outputs_for(self, D: Size) -> Size:
        outputs, soft = self.hard.outputs_for(D), self.bridge.outputs_for(D)
        if isinstance(outputs, int) and isinstance(soft, int) and outputs != soft:
            raise NervaError(
                f"DAB: the bridge must have the outputs of {type(self.hard).__name__}, which makes {outputs} of {D} columns, but has {soft}"
            )
        return outputs

    def feedforward(
        self, ops: MatrixOps[M], params: Tree, X: M, hard_noise: tuple[M, ...] = (), bridge_noise: Any = ()
    ) -> tuple[M, DABCache[M]]:
        H = self.hard.value(ops, X, *hard_noise)
        S, cache = self.bridge.feedforward(ops, params, X, *bridge_noise)
        return H, DABCache(H, S, cache)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: DABCache[M], DY: M) -> tuple[M, Tree]:
        H, S, bridge = cache
        DS = self._reduced(ops, self.gamma * self.loss.gradient(ops, S, H), S)
        DX, _ = self.bridge.backpropagate(ops, params, bridge, DY + DS if self.conditioning else DY)
        _, Dphi = self.bridge.backpropagate(ops, params, bridge, DS)
        return DX, Dphi

    def penalty(self, ops: MatrixOps[M], cache: DABCache[M]) -> M:
        H, S, _ = cache
        R: M = self._reduced(ops, self.gamma * self.loss.value(ops, S, H), S)
        return R

    def surrogate(
        self, ops: MatrixOps[M], params: Tree, X: M, hard_noise: tuple[M, ...] = (), bridge_noise: Any = ()
    ) -> tuple[M, M | None]:
        """(Y, R): Y = S_φ + (H - S_φ) with φ and the difference held fixed, R = γ c L(S, H) with H held fixed (erratum 003-31)."""
        stop = ops.stop_gradient
        H = self.hard.value(ops, X, *hard_noise)
        S, _ = self.bridge.feedforward(ops, params, X if self.conditioning else stop(X), *bridge_noise)
        S_phi, _ = self.bridge.feedforward(ops, map_tree(stop, params), X, *bridge_noise)
        Y = S_phi + stop(H - S_phi)
        R = self._reduced(ops, self.gamma * self.loss.value(ops, S, stop(H)), S)
        return Y, R

    def _reduced(self, ops: MatrixOps[M], A: M, S: M) -> M:
        """c A."""
        N, K = ops.shape(S)
        if self.reduction == "sum":
            return A
        return ops.divide(A, N) if self.reduction == "mean" else ops.divide(ops.divide(A, N), K)

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: M) -> M:
        return self.hard.value(ops, X, *noise)

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        return Layer.evaluations(self, ops, params, state, X)

    def hard_layers(self) -> tuple[Layer, ...]:
        return (self,)

    def without_penalty(self) -> Layer:
        return dataclasses.replace(self, gamma=0.0)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.hard.noise_shapes(N, D), self.bridge.noise_shapes(N, D)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.hard.draw(rng, N, D), self.bridge.draw(rng, N, D)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.hard.draw_for_evaluation(rng, N, D)

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: DABCache[M]) -> Tree:
        return self.bridge.update_state(ops, state, cache.bridge)


class StraightThroughCache(NamedTuple, Generic[M]):
    """X is N x D."""

    X: M


@LAYERS.add
@dataclass(frozen=True)
class StraightThrough(Layer):
    """Y = f(X), a hard function; DX = DY, as if it were the identity (Bengio et al. 2013), or if ``clipped`` DX = DY ⊙ [-1 <= X <= 1].

    f must keep the number of columns.
    """

    aliases = ("STE",)
    hard: HardFunction
    clipped: bool = False

    def outputs_for(self, D: Size) -> Size:
        outputs = self.hard.outputs_for(D)
        if outputs != D:
            raise NervaError(
                f"StraightThrough copies gradients through, so {type(self.hard).__name__} must keep the number of columns, but it makes "
                f"{outputs} of {D}; a DAB layer can learn a function that changes it"
            )
        return outputs

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, *noise: M) -> tuple[M, StraightThroughCache[M]]:
        H = self.hard.value(ops, X, *noise)
        return H, StraightThroughCache(X)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: StraightThroughCache[M], DY: M) -> tuple[M, tuple[()]]:
        (X,) = cache
        if not self.clipped:
            return DY, ()
        one = ops.ones(*ops.shape(X))
        inside = ops.hadamard(ops.less_equal(-one, X), ops.less_equal(X, one))
        DX = ops.hadamard(DY, inside)
        return DX, ()

    def surrogate(self, ops: MatrixOps[M], params: tuple[()], X: M, *noise: M) -> tuple[M, M | None]:
        """(Y, none): Y = X + (H - X) with the difference held fixed; with min(max(X, -1), 1) in the place of X if ``clipped``."""
        Z = ops.clip(X, -1, 1) if self.clipped else X
        Y = Z + ops.stop_gradient(self.hard.value(ops, X, *noise) - Z)
        return Y, None

    def evaluate(self, ops: MatrixOps[M], params: tuple[()], state: tuple[()], X: M, *noise: M) -> M:
        return self.hard.value(ops, X, *noise)

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return self.hard.noise_shapes(N, D)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.hard.draw(rng, N, D)

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return self.hard.draw_for_evaluation(rng, N, D)
