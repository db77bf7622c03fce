"""The truly sparse linear layer: its weights are at the places of a pattern, and nothing is stored or computed elsewhere.

The pattern is part of the state of the layer, of a fixed shape, so that a step that is compiled once runs on every pattern, and a
checkpoint carries it. ``nerva_core.training.regrowth`` moves weights to other places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Share
from nerva_core.algebra.trees import Tree
from nerva_core.equations.initializers import Initializer, NormalizedXavier, Zero
from nerva_core.layers.base import LAYERS, Layer, Symbols
from nerva_core.layers.linear import Linear, LinearParameters


class SparseParameters(NamedTuple, Generic[M]):
    """w is 1 x P, b is 1 x K."""

    w: M
    b: M


class Pattern(NamedTuple):
    """The rows r and the columns c of the P weights, P x 1 columns of numbers, in the order of the rows, each place once."""

    r: Any
    c: Any

    @classmethod
    def at(cls, places: Array, D: int) -> Pattern:
        """The pattern of places r D + c, which are sorted."""
        rows, columns = (np.asarray(numbers, float).reshape(-1, 1) for numbers in np.divmod(places, D))
        return cls(rows, columns)

    def places(self, D: int) -> Array:
        """The place r D + c of each weight, as integers; NervaError unless they are in order, each once."""
        found: Array = np.asarray(self.r[:, 0]).astype(np.int64) * D + np.asarray(self.c[:, 0]).astype(np.int64)
        if not (np.diff(found) > 0).all():
            raise NervaError("the places of a pattern must be in the order of the rows, each of them once")
        return found

    def check(self, K: int, D: int) -> None:
        """NervaError unless these are places of a K x D matrix, in their order, each once: a file may hold anything."""
        for numbers, size, name in ((self.r, K, "row"), (self.c, D, "column")):
            if not ((numbers >= 0) & (numbers < size) & (numbers == np.floor(numbers))).all():
                raise NervaError(f"a pattern has {name} numbers that are not among 0, ..., {size - 1}")
        self.places(D)


class SparseCache(NamedTuple, Generic[M]):
    """X is N x D; r and c are the pattern of the step."""

    X: M
    r: M
    c: M


@LAYERS.add
@dataclass(frozen=True)
class SparseLinear(Layer):
    """Y = X · Wᵀ + 1_N · b, where W = Rᵀ · Diag(w) · C has the P = density · K · D weights w at the places of a pattern."""

    outputs: Count
    density: Share
    """The part of the elements of W that are weights."""
    weights: Initializer = NormalizedXavier()
    bias: Initializer = Zero()
    count: Size | None = field(default=None, repr=False, kw_only=True)
    """P, where it stands for any number."""

    def places(self, D: Size) -> Size:
        """P, the number of weights, which is at least 1."""
        if self.count is None:
            return max(1, round(self.density * self.outputs * D))
        return min(self.count, self.outputs * D) if isinstance(D, int) and isinstance(self.outputs, int) else self.count

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> SparseParameters:
        return SparseParameters(w=(1, self.places(D)), b=(1, self.outputs))

    def initializers(self) -> SparseParameters:
        return SparseParameters(w=self.weights, b=self.bias)

    def fans(self, D: int) -> tuple[int, int]:
        """The weights of a row and of a column, on average: by D and K the initial values would be far too small."""
        P = self.places(D)
        return max(1, round(P / self.outputs)), max(1, round(P / D))

    def init(self, rng: np.random.Generator, D: int) -> SparseParameters:
        if self.weights.identity():
            raise NervaError(f"SparseLinear: {self.weights} needs a weight at every place of the diagonal; choose another initializer")
        parameters: SparseParameters = super().init(rng, D)
        return parameters

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, count=symbols.size("P"))

    def has_pattern(self) -> bool:
        return True

    def given_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        P = self.places(D)
        return (P, 1), (P, 1)

    def given(self, state: Pattern, noise: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        return state.r, state.c

    def initial_state(self, D: int) -> Pattern:
        return self.first_state(np.random.default_rng(0), D)

    def first_state(self, rng: np.random.Generator, D: int) -> Pattern:
        """Places that are drawn from all, each as likely as any other."""
        return Pattern.at(np.sort(rng.choice(int(self.outputs) * D, self.places(D), replace=False)), D)

    def feedforward(self, ops: MatrixOps[M], params: SparseParameters[M], X: M, r: M, c: M) -> tuple[M, SparseCache[M]]:
        w, b = params
        N, _ = ops.shape(X)
        Y = ops.sparse_product(X, w, r, c, self.outputs) + ops.row_repeat(b, N)
        return Y, SparseCache(X, r, c)

    def backpropagate(self, ops: MatrixOps[M], params: SparseParameters[M], cache: SparseCache[M], DY: M) -> tuple[M, SparseParameters[M]]:
        w, _ = params
        X, r, c = cache
        _, D = ops.shape(X)
        Dw = ops.sampled_product(DY, X, r, c)
        Db = ops.columns_sum(DY)
        DX = ops.sparse_product_t(DY, w, r, c, D)
        return DX, SparseParameters(Dw, Db)

    def evaluate(self, ops: MatrixOps[M], params: SparseParameters[M], state: Pattern, X: M) -> M:
        Y: M = self.feedforward(ops, params, X, *self.given(state))[0]
        return Y

    def map_patterns(self, D: int, change: Callable[..., Any], *trees: Any) -> Any:
        return change(self, D, *trees)

    def dense(self, D: int, params: Tree, state: Tree) -> tuple[Layer, Any, Any]:
        """The linear layer with the weights at their places."""
        W = np.zeros(int(self.outputs) * D, np.asarray(params.w).dtype)
        W[Pattern(*state).places(D)] = np.asarray(params.w)[0]
        return Linear(self.outputs, self.weights, self.bias), LinearParameters(W.reshape(self.outputs, D), params.b), ()

    def check_pattern(self, D: int, state: Pattern) -> tuple[Pattern]:
        """The state, as ``map_patterns`` takes and gives it. NervaError unless it is a pattern of this layer."""
        Pattern(*state).check(int(self.outputs), D)
        return (state,)

    def from_dense(self, W: Array, b: Array) -> tuple[SparseParameters, Pattern]:
        """The parameters and the pattern with the elements of W (K x D) that are not 0, and the first that are, up to P.

        NervaError if more than P are not 0.
        """
        D, P = W.shape[1], self.places(W.shape[1])
        places = np.flatnonzero(W)
        if len(places) > P:
            raise NervaError(
                f"{len(places)} of the {W.size} weights are not 0, but {self!r} has only {P}; "
                f"its density must be at least {len(places) / W.size:.6g}"
            )
        empty = np.flatnonzero(W.reshape(-1)[: P + len(places)] == 0)[: P - len(places)]
        places = np.sort(np.concatenate([places, empty]))
        return SparseParameters(W.reshape(1, -1)[:, places], b), Pattern.at(places, D)
