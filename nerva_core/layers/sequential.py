"""Composition of layers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.numeric_backend import require_matrices, require_matrix
from nerva_core.algebra.trees import Tree, leaves, map_shapes
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.around import Around
from nerva_core.layers.base import LAYERS, Layer, Positions, Symbols, total
from nerva_core.layers.continuation import Place
from nerva_core.layers.positions import Rearrangement

Parser = TypeVar("Parser", bound=Callable[[Sequence[Any]], "Sequential"])


@LAYERS.add
@dataclass(frozen=True)
class Sequential(Layer):
    """Y = f_L(... f_2(f_1(X))). Parameters, caches, gradients, noise and state are tuples with one item a layer."""

    layers: tuple[Layer, ...]

    _parse: ClassVar[Callable[[Sequence[Any]], Sequential]]

    def __post_init__(self) -> None:
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise NervaError(f"Sequential is made of layers, got {layer!r}")
        object.__setattr__(self, "layers", self._bound(None)[0])

    @classmethod
    def parser(cls, parse: Parser) -> Parser:
        """States the function that makes a network from a list of descriptions: that of the notation, which knows all layers."""
        cls._parse = parse
        return parse

    @classmethod
    def from_description(cls, description: Any) -> Sequential:
        """A network inside a layer, such as a bridge: a list of layers as in a configuration, one layer, or the table of a Sequential."""
        if isinstance(description, Sequential):
            return description
        network = cls._parse(description if isinstance(description, (list, tuple)) else [description])
        first, *others = network.layers
        return first if isinstance(first, Sequential) and not others else network

    def widths(self, D: Size) -> list[Size]:
        """The number of columns before each layer, and after the last."""
        widths = [D]
        for layer in self.layers:
            widths.append(layer.outputs_for(widths[-1]))
        return widths

    def heights(self, N: Size) -> list[Size]:
        """The number of rows before each layer, and after the last."""
        heights = [N]
        for layer in self.layers:
            heights.append(layer.rows_for(heights[-1]))
        return heights

    def _bound(self, positions: Positions | None) -> tuple[tuple[Layer, ...], Positions | None]:
        """The layers, each for the positions that those before it leave."""
        layers = []
        for layer in self.layers:
            layer, positions = layer.bind(positions)
            layers.append(layer)
        return tuple(layers), positions

    def bind(self, positions: Positions | None) -> tuple[Sequential, Positions | None]:
        layers, left = self._bound(positions)
        return self if _same(layers, self.layers) else Sequential(layers), left

    def given_padding(self, D: Size, given: Any, m: Any) -> Any:
        each = given or ((),) * len(self.layers)
        return tuple(layer.given_padding(d, r, m) for layer, d, r in zip(self.layers, self.widths(D), each, strict=False))

    def numbers_below(self) -> Size | None:
        first = next((layer for layer in self.layers if not isinstance(layer, Rearrangement)), None)
        return None if first is None else first.numbers_below()

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return self.layers[0].shape_of_input(symbols) if self.layers else super().shape_of_input(symbols)

    def parameter_count(self, D: int) -> int:
        """The number of trained numbers."""
        return sum(leaves(map_shapes(math.prod, self.shapes(D))))

    def outputs_for(self, D: Size) -> Size:
        return self.widths(D)[-1]

    def rows_for(self, N: Size) -> Size:
        return self.heights(N)[-1]

    def shapes(self, D: Size) -> Tree:
        return tuple(layer.shapes(d) for layer, d in zip(self.layers, self.widths(D), strict=False))

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        return tuple(layer.init(rng, d) for layer, d in zip(self.layers, self.widths(D), strict=False))

    def noise_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return tuple(layer.noise_shapes(n, d) for layer, n, d in self._with_sizes(N, D))

    def draw(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return tuple(layer.draw(rng, n, d) for layer, n, d in self._with_sizes(N, D))

    def draw_for_evaluation(self, rng: np.random.Generator, N: int, D: int) -> Any:
        return tuple(layer.draw_for_evaluation(rng, n, d) for layer, n, d in self._with_sizes(N, D))

    def _with_sizes(self, N: Size, D: Size) -> Iterator[tuple[Layer, Size, Size]]:
        """Each layer with the numbers of rows and columns before it."""
        return zip(self.layers, self.heights(N), self.widths(D), strict=False)

    def with_inside(self, change: Callable[[Layer], Layer]) -> Sequential:
        layers = tuple(map(change, self.layers))
        return self if _same(layers, self.layers) else Sequential(layers)

    def at_epoch(self, T: int) -> Sequential:
        return self.with_inside(lambda layer: layer.at_epoch(T))

    def noise_scale(self) -> float | None:
        """The largest of the layers."""
        return max((scale for layer in self.layers if (scale := layer.noise_scale()) is not None), default=None)

    def initial_state(self, D: int) -> Tree:
        return tuple(layer.initial_state(d) for layer, d in zip(self.layers, self.widths(D), strict=False))

    def first_state(self, rng: np.random.Generator, D: int) -> Any:
        return tuple(layer.first_state(rng, d) for layer, d in zip(self.layers, self.widths(D), strict=False))

    def given(self, state: Tree, noise: Tree = ()) -> Any:
        if not self.has_pattern():
            return noise
        return tuple(layer.given(s, r) for layer, s, r in zip(self.layers, state, noise or ((),) * len(self.layers), strict=True))

    def given_shapes(self, N: Size, D: Size) -> tuple[Any, ...]:
        return tuple(layer.given_shapes(n, d) for layer, n, d in self._with_sizes(N, D))

    def map_patterns(self, D: int, change: Callable[..., Any], *trees: Any) -> Any:
        if not self.has_pattern():
            return trees
        of_layers = [layer.map_patterns(d, change, *own) for layer, d, *own in zip(self.layers, self.widths(D), *trees, strict=False)]
        return tuple(zip(*of_layers, strict=True))

    def dense(self, D: int, params: Tree, state: Tree) -> tuple[Sequential, Any, Any]:
        if not self.has_pattern():
            return self, params, state
        layers = [layer.dense(d, p, s) for layer, d, p, s in zip(self.layers, self.widths(D), params, state, strict=False)]
        dense, params, state = zip(*layers, strict=True)
        return Sequential(dense), params, state

    def summary(self, D: int) -> str:
        """One line: the layers with their numbers of columns, and the number of trained parameters."""
        parts = [str(D)]
        for layer, width in zip(self.layers, self.widths(D)[1:], strict=True):
            name = repr(layer.activation) if isinstance(layer, ActivationLayer) else type(layer).__name__
            parts.append(f"{name} {width}" if layer.is_sized() else name)
        return f"{' → '.join(parts)}  ({self.parameter_count(D):,} parameters)"

    def feedforward(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, Tree]:
        """Noise is one tuple a layer; it may be left out when no layer needs any. NervaError if X or a parameter is not a matrix."""
        _require_matrices(params, X=X)
        caches = []
        for layer, p, r in zip(self.layers, params, noise or ((),) * len(self.layers), strict=True):
            X, cache = layer.feedforward(ops, p, X, *r)
            caches.append(cache)
        return X, tuple(caches)

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: Tree, DY: M) -> tuple[M, Tree]:
        _require_matrices(params, DY=DY)
        gradients = []
        for layer, p, c in reversed(list(zip(self.layers, params, cache, strict=True))):
            DY, gradient = layer.backpropagate(ops, p, c, DY)
            gradients.append(gradient)
        return DY, tuple(reversed(gradients))

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, *noise: Tree) -> tuple[M, M | None]:
        penalties = []
        for layer, p, r in zip(self.layers, params, noise or ((),) * len(self.layers), strict=True):
            X, R = layer.surrogate(ops, p, X, *r)
            penalties.append(R)
        return X, total(penalties)

    def penalty(self, ops: MatrixOps[M], cache: Tree) -> M | None:
        return total(layer.penalty(ops, c) for layer, c in zip(self.layers, cache, strict=True))

    def hard_layers(self) -> tuple[Layer, ...]:
        return tuple(hard for layer in self.layers for hard in layer.hard_layers())

    def flattened(self) -> tuple[Layer, ...]:
        return tuple(inner for layer in self.layers for inner in layer.flattened())

    def evaluations(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M) -> Iterator[tuple[Layer, M, M]]:
        for layer, p, s in zip(self.layers, params, state, strict=True):
            yield from layer.evaluations(ops, p, s, X)
            X = layer.evaluate(ops, p, s, X)

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *noise: Tree) -> M:
        _require_matrices(params, X=X)
        for layer, p, s, r in zip(self.layers, params, state, noise or ((),) * len(self.layers), strict=True):
            X = layer.evaluate(ops, p, s, X, *r)
        return X

    def can_go_on(self) -> bool:
        return all(layer.can_go_on() for layer in self.layers)

    def past(self, ops: MatrixOps[M], D: Size) -> Any:
        return tuple(layer.past(ops, d) for layer, d in zip(self.layers, self.widths(D), strict=False))

    def go_on(self, ops: MatrixOps[M], params: Tree, state: Tree, past: Any, x: M, place: Place[M]) -> tuple[M, Tree]:
        kept = []
        for layer, p, s, before in zip(self.layers, params, state, past, strict=True):
            x, after = layer.go_on(ops, p, s, before, x, place)
            kept.append(after)
        return x, tuple(kept)

    def update_state(self, ops: MatrixOps[M], state: Tree, cache: Tree) -> Tree:
        return tuple(layer.update_state(ops, s, c) for layer, s, c in zip(self.layers, state, cache, strict=True))


def _require_matrices(params: Tree, **given: Any) -> None:
    """NervaError unless what the network is given is matrices; a framework would spread other arrays over the examples."""
    for name, value in given.items():
        require_matrix(f"Sequential: {name}", value)
    require_matrices("Sequential: the parameters", params)


def _same(layers: tuple[Layer, ...], others: tuple[Layer, ...]) -> bool:
    """Whether they are the same objects; symbols in layers cannot be compared."""
    return all(layer is other for layer, other in zip(layers, others, strict=True))


class Composite(Around):
    """A layer that is defined as a composition of others."""

    @abstractmethod
    def composition(self) -> Sequential:
        """The layers it is made of."""

    def inner(self) -> Sequential:
        return self.composition()

    def can_go_on(self) -> bool:
        return self.composition().can_go_on()

    def flattened(self) -> tuple[Layer, ...]:
        return self.composition().flattened()
