"""Weights of sparse layers move to other places: a pure function of the state of training, its gradients and a stream of random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, map_tree, with_leaves
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.regrowth import Grower, Pruner
from nerva_core.layers import Sequential, SparseLinear
from nerva_core.layers.sparse import Pattern, SparseParameters
from nerva_core.training.step import TrainingState


@dataclass(frozen=True)
class Regrowth:
    """How weights move: which leave, which places get one, and with which values."""

    pruner: Pruner
    grower: Grower
    weights: Initializer
    start: Callable[[Array], Any]
    """The state of the optimizer for new parameters."""

    def state(
        self, network: Sequential, D: int, state: TrainingState, gradients: Tree, rng: np.random.Generator, T: float
    ) -> TrainingState:
        """The state (NumPy arrays) after a move, T epochs after the beginning.

        ``gradients`` are those of the network without patterns (``Layer.dense``), if the grower needs them.
        """

        def change(layer: SparseLinear, D: int, params: Tree, pattern: Any, moments: Tree, gradient: Any) -> tuple[Any, ...]:
            return *self.layer(layer, D, params, Pattern(*pattern), moments, gradient, rng, T), gradient

        moments = with_leaves(state.params, state.optimizer)
        params, statistics, moments, _ = network.map_patterns(D, change, state.params, state.statistics, moments, gradients)
        return TrainingState(params, tuple(_beside(state.params, moments)), statistics)

    def layer(
        self,
        layer: SparseLinear,
        D: int,
        params: Tree,
        pattern: Pattern,
        moments: Tree,
        gradient: Any,
        rng: np.random.Generator,
        T: float,
    ) -> tuple[Any, Pattern, Any]:
        """(parameters, pattern, states of the optimizer) of one layer. What stays keeps its value and its moments."""
        w, places = params.w[0], pattern.places(D)
        is_empty = np.ones(int(layer.outputs) * D, bool)
        is_empty[places] = False
        empty = np.flatnonzero(is_empty)
        leaving = self.pruner.pruned(w, T)[: len(empty)]
        slopes = gradient.W.reshape(-1)[empty] if self.grower.needs_gradient() else None
        grown = self.grower.grown(rng, empty, len(leaving), slopes)
        kept = np.delete(np.arange(len(w)), leaving)
        moved = np.concatenate([places[kept], grown])
        order = np.argsort(moved)

        def move(old: Array, new: Array) -> Array:
            return np.concatenate([old[0, kept], new.astype(old.dtype)])[order][None]

        values = self.weights.draw(rng, *layer.fans(D), (1, len(grown)))[0]
        first = np.zeros_like(params.w)
        first[0, : len(grown)] = values
        started = map_tree(lambda X: X if X.shape == params.w.shape else None, self.start(first))
        new_moments = with_leaves(
            moments.w,
            [m if s is None else move(m, s[0, : len(grown)]) for m, s in zip(leaves(moments.w), leaves(started), strict=True)],
        )
        return (
            SparseParameters(move(params.w, values), params.b),
            Pattern.at(moved[order], D),
            SparseParameters(new_moments, moments.b),
        )


def _beside(template: Tree, tree: Tree) -> Iterator[Any]:
    """The subtrees that stand where the template has leaves."""
    if isinstance(template, tuple):
        for part, of_part in zip(template, tree, strict=True):
            yield from _beside(part, of_part)
    else:
        yield tree
