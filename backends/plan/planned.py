"""The plans of one step: one for every combination of shapes, on one state that is updated in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backends.plan.graph import StepGraph, record
from backends.plan.packing import packed
from backends.plan.program import Kernels, Program, segment
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, map_tree, with_leaves

PROGRAMS = 16
"""How many programs of a step are kept."""


class Planned:
    """Runs a step as a plan. The state that a call returns is that which the next one updates in place; any other is taken over."""

    def __init__(self, step: Callable[..., Any], kernels: Kernels) -> None:
        self.step, self.kernels = step, kernels
        self._graphs: dict[Any, StepGraph] = {}
        self._programs: dict[Any, Program] = {}
        self._leaves: list[Any] = []
        self._flats: list[Any] = []

    def run(self, state: Tree, data: Any, inputs: Any) -> tuple[Any, Array]:
        """As ``Backend.run_steps``."""
        given, matrices = list(leaves(state)), list(leaves(data))
        first = map_tree(lambda array: array[0], inputs)
        shapes = tuple(tuple(np.shape(leaf)) for leaf in (*given, *matrices, *leaves(first)))
        if shapes not in self._graphs:
            graph = record(self.kernels.backend, self.step, state, data, first)
            graph.forget_values()
            self.kernels.rewrite(graph)
            self._graphs[shapes] = packed(graph, self.kernels.allocates)
        graph = self._graphs[shapes]
        if len(given) != len(self._leaves) or any(a is not b for a, b in zip(given, self._leaves, strict=True)):
            self._programs.clear()
            self._take_over(graph, given)
        key = (shapes, *map(id, matrices))
        if key not in self._programs:
            if len(self._programs) == PROGRAMS:
                self._programs.clear()
            self._programs[key] = Program(graph, self.kernels, self._flats, matrices)
        outputs = self._programs[key].run(inputs)
        return with_leaves(state, self._leaves), outputs

    def _take_over(self, graph: StepGraph, given: list[Any]) -> None:
        """Put the state where the programs update it: parameters side by side, and no two leaves in the same memory."""
        segments = graph.segments or {k: (k, None, leaf.shape) for k, leaf in enumerate(graph.state)}
        flats: list[Any] = [None] * len(graph.state)
        for k, (i, offset, _) in segments.items():
            if offset is None:
                changes = graph.state[i] is not graph.new_state[i]
                flats[i] = self.kernels.exclusive(given[k], given[:k]) if changes else given[k]
            elif flats[i] is None:
                flats[i] = self.kernels.empty(graph.state[i].shape[1], graph.state[i].dtype).reshape(1, -1)
        found = [segments[k] for k in range(len(given))]
        self._leaves = [flats[i] if offset is None else segment(flats[i], offset, *shape) for i, offset, shape in found]
        for array, leaf in zip(given, self._leaves, strict=True):
            if array is not leaf:
                self.kernels.copy(array, leaf)()
        self._flats = flats
