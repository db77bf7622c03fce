"""Memory for the values of a graph: in place where that is safe, in buffers that are used again, and the new state where the old one was.

A *view* (a transpose, a repeated row) has no memory of its own, it lies in that of its operand. The operands of a ``pack`` lie
side by side in its memory. ``root`` is the node that owns the memory in which a value lies.

A run in blocks (``runs``) computes all of its values again and again, a block at a time. What it reads as a whole must therefore
last until the run is over, and what it adds up has its memory before the run begins; only matrices that it goes through by rows
may follow one another in the same memory within it.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from backends.plan.graph import CONSTANT, LEAF, StepGraph, StepNode
from backends.plan.runs import SUMS, OperationRun, Reads

PACK = "pack"


@dataclass(eq=False)
class Buffer:
    """Memory for a number of elements of one dtype."""

    count: int
    dtype: Any
    of_block: bool = False
    """Whether it is for a block of a value that is never there as a whole."""


@dataclass(eq=False)
class StateMemory:
    """The memory of leaf ``index`` of the state."""

    index: int


Place = Buffer | StateMemory


@dataclass
class Layout:
    """The places of all values that a plan computes."""

    runs: list[OperationRun]
    """What is computed, in this order."""
    root: dict[StepNode, StepNode] = field(default_factory=dict)
    """The root of the memory in which each value lies."""
    place: dict[StepNode, Place] = field(default_factory=dict)
    """The memory of each root that is computed, and of the state."""
    blocks: dict[StepNode, tuple[int, ...]] = field(default_factory=dict)
    """For a value that is never there as a whole: the shape of a block of it."""
    inside: dict[StepNode, tuple[StepNode, int]] = field(default_factory=dict)
    """For a value that lies in a pack: the pack, and the offset in it."""
    copies: list[tuple[StepNode, int]] = field(default_factory=list)
    """The new values of the state that are not computed in their place, and the leaf each is for."""


ALIGNMENT = 16
"""The offsets in a pack are multiples of it, so that every segment begins on a cache line (of 64 bytes, for float32)."""


def offsets(shapes: list[tuple[int, ...]]) -> tuple[list[int], int]:
    """Where each of the matrices begins that lie side by side, and the length of the whole."""
    result, total = [], 0
    for shape in shapes:
        result.append(total)
        total += -(-math.prod(shape) // ALIGNMENT) * ALIGNMENT
    return result, total


class Allocator:
    """Assigns the places, run by run. The runs count off the time: a moment before each, one for every node of it, and one after it."""

    def __init__(self, graph: StepGraph, runs: list[OperationRun], views: frozenset[str], elementwise: frozenset[str]) -> None:
        self.graph, self.views, self.elementwise = graph, views, elementwise
        self.layout = Layout(runs)
        self.nodes = [node for node in graph.nodes() if node.name not in (LEAF, CONSTANT)]
        self.root = self.layout.root
        self._find_roots()
        self.starts = list(itertools.accumulate((len(run.nodes) + 2 for run in runs), initial=0))
        self.last = self._last_uses()
        self.targets = self._targets()
        self.occupant: dict[Place, StepNode] = {}
        self.free: defaultdict[Any, list[Buffer]] = defaultdict(list)

    def run(self) -> Layout:
        """The layout."""
        self.state = [StateMemory(k) for k in range(len(self.graph.state))]
        for leaf, memory in zip(self.graph.state, self.state, strict=True):
            self._put(leaf, memory)
        ending: defaultdict[int, list[StepNode]] = defaultdict(list)
        for root, moment in self.last.items():
            ending[moment].append(root)
        for start, run in zip(self.starts, self.layout.runs, strict=False):
            for node in run.nodes:
                if node.name in SUMS or node in self.layout.inside:
                    self._place(start, node, run)
            for i, node in enumerate(run.nodes, start + 1):
                self._place(i, node, run)
                self._release(ending[i])
            self._release(ending[start + len(run.nodes) + 1])
        for k, node in enumerate(self.graph.new_state):
            if self.layout.place.get(node) is not self.state[k]:
                self.layout.copies.append((node, k))
        return self.layout

    def _find_roots(self) -> None:
        for node in [*self.graph.state, *self.nodes]:
            self.root[node] = self.root.get(node.operands[0], node.operands[0]) if node.name in self.views else node
        for node in self.nodes:
            for operand in node.operands:
                self.root.setdefault(operand, operand)  # constants, data and what a step is given
        for pack in self.nodes:
            if pack.name == PACK:
                for member, offset in zip(pack.operands, offsets([member.shape for member in pack.operands])[0], strict=True):
                    if self.root[member] is member and member.name not in (LEAF, CONSTANT, PACK):
                        self.layout.inside[member] = (pack, offset)
        for node in self.root:
            if self.root[node] in self.layout.inside:
                self.root[node] = self.layout.inside[self.root[node]][0]

    def _last_uses(self) -> dict[StepNode, int]:
        """The moment in which what lies in the memory of each root is read for the last time; results are read at the end."""
        last: dict[StepNode, int] = {}
        for start, run in zip(self.starts, self.layout.runs, strict=False):
            over = start + len(run.nodes) + 1
            for i, node in enumerate(run.nodes, start + 1):
                whole = {self.root[read] for read in Reads.of(node, self.views).whole} if run.block is not None else set()
                for root in {self.root[operand] for operand in node.operands}:
                    last[root] = max(last.get(root, 0), over if root in whole else i)
                last.setdefault(self.root[node], i)
        return last | {self.root.get(result, result): self.starts[-1] for result in self.graph.results}

    def _targets(self) -> dict[StepNode, int]:
        """For a new value of the state: the number of its leaf."""
        found: dict[StepNode, int] = {}
        for k, (leaf, node) in enumerate(zip(self.graph.state, self.graph.new_state, strict=True)):
            computed = self.root.get(node) is node and node.name != LEAF
            if computed and node not in found and (node.shape, node.dtype) == (leaf.shape, leaf.dtype):
                found[node] = k
        return found

    def _place(self, i: int, node: StepNode, run: OperationRun) -> None:
        root = self.root[node]
        if root in self.layout.place:
            return
        place = self._choose(i, node, run) if root is node else self._take(math.prod(root.shape), root.dtype)
        if isinstance(place, Buffer) and place.of_block:
            self.layout.blocks[node] = run.block_shape(node)
        self._put(root, place)

    def _choose(self, i: int, node: StepNode, run: OperationRun) -> Place:
        """Where the new state is for its sake, or in place, or a buffer; of a local value it is only for a block."""
        local = node in run.local
        if node in self.targets and self._is_free(self.state[self.targets[node]], i, node):
            return self.state[self.targets[node]]
        if node.name in self.elementwise:
            for operand in node.operands:
                place = self.layout.place.get(operand)
                fits = (operand.shape, operand.dtype) == (node.shape, node.dtype)
                in_blocks = isinstance(place, Buffer) and place.of_block
                temporary = in_blocks == local if isinstance(place, Buffer) else self.last[node] < self.starts[-1]
                if place is not None and fits and temporary and self._is_free(place, i, node):
                    return place
        return self._take(math.prod(run.block_shape(node) if local else node.shape), node.dtype, local)

    def _is_free(self, place: Place, i: int, node: StepNode) -> bool:
        """Whether the value in a place is dead, or dies in this elementwise operation, which may then overwrite it."""
        occupant = self.occupant[place]
        last = self.last.get(occupant, -1)
        overwritten = last == i and node.name in self.elementwise and occupant.shape == node.shape
        return last < i or (overwritten and all(o is occupant for o in node.operands if self.root[o] is occupant))

    def _take(self, count: int, dtype: Any, of_block: bool = False) -> Buffer:
        free = self.free[count, dtype, of_block]
        return free.pop() if free else Buffer(count, dtype, of_block)

    def _put(self, node: StepNode, place: Place) -> None:
        self.layout.place[node] = place
        self.occupant[place] = node

    def _release(self, roots: list[StepNode]) -> None:
        for root in roots:
            place = self.layout.place.get(root)
            if isinstance(place, Buffer) and self.occupant[place] is root:
                self.free[place.count, place.dtype, place.of_block].append(place)


def allocate(graph: StepGraph, runs: list[OperationRun], views: frozenset[str], elementwise: frozenset[str]) -> Layout:
    """The layout of a graph, given its runs, which operations are views and which may write where an operand of the same shape lies."""
    return Allocator(graph, runs, views, elementwise).run()
