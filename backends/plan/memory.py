"""Where the values of a graph live: in place where that is safe, in buffers that are used again, and the new state where the old one was.

A *view* (a transpose, a repeated row) has no memory of its own, it lies in that of its operand. The operands of a ``pack`` lie side by side
in its memory. ``root`` is the node that owns the memory in which a value lies.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from backends.plan.graph import CONSTANT, LEAF, Graph, Node

PACK = "pack"


@dataclass(eq=False)
class Buffer:
    """Memory for a number of elements of one dtype."""

    count: int
    dtype: Any


@dataclass(eq=False)
class Home:
    """The memory of leaf ``index`` of the state."""

    index: int


Place = Buffer | Home


@dataclass
class Layout:
    """Where the plan finds and puts what it computes."""

    nodes: list[Node]
    """What is computed, in this order."""
    root: dict[Node, Node] = field(default_factory=dict)
    """The owner of the memory in which each value lies."""
    place: dict[Node, Place] = field(default_factory=dict)
    """The memory of each root that is computed, and of the state."""
    inside: dict[Node, tuple[Node, int]] = field(default_factory=dict)
    """For a value that lies in a pack: the pack, and the offset in it."""
    copies: list[tuple[Node, int]] = field(default_factory=list)
    """The new values of the state that are not computed in their place, and the leaf each is for."""


ALIGNMENT = 16
"""The offsets in a pack are multiples of it, so that every part begins on a cache line (of 64 bytes, for float32)."""


def offsets(shapes: list[tuple[int, ...]]) -> tuple[list[int], int]:
    """Where each of the parts begins that lie side by side, and the length of the whole."""
    result, total = [], 0
    for shape in shapes:
        result.append(total)
        total += -(-math.prod(shape) // ALIGNMENT) * ALIGNMENT
    return result, total


class Allocator:
    """Assigns the places, node by node."""

    def __init__(self, graph: Graph, views: frozenset[str], elementwise: frozenset[str]) -> None:
        self.graph, self.views, self.elementwise = graph, views, elementwise
        nodes = [node for node in graph.nodes() if node.name not in (LEAF, CONSTANT)]
        self.layout = Layout(nodes)
        self.root = self.layout.root
        self._find_roots()
        self.last = self._last_uses()
        self.homes = self._homes()
        self.occupant: dict[Place, Node] = {}
        self.free: defaultdict[tuple[int, Any], list[Buffer]] = defaultdict(list)

    def run(self) -> Layout:
        """The layout."""
        self.state = [Home(k) for k in range(len(self.graph.state))]
        for leaf, home in zip(self.graph.state, self.state, strict=True):
            self._put(leaf, home)
        for i, node in enumerate(self.layout.nodes):
            if node.name in self.views:
                continue
            owner = self.root[node]
            if owner not in self.layout.place:
                self._put(owner, self._choose(i, node) if owner is node else self._take(owner))
            for operand in {self.root[operand] for operand in node.operands}:
                self._release(i, operand)
        for k, node in enumerate(self.graph.new_state):
            if self.layout.place.get(node) is not self.state[k]:
                self.layout.copies.append((node, k))
        return self.layout

    def _find_roots(self) -> None:
        for node in [*self.graph.state, *self.layout.nodes]:
            self.root[node] = self.root.get(node.operands[0], node.operands[0]) if node.name in self.views else node
        for node in self.layout.nodes:
            for operand in node.operands:
                self.root.setdefault(operand, operand)  # constants, data and what a step is given
        for pack in self.layout.nodes:
            if pack.name == PACK:
                for part, offset in zip(pack.operands, offsets([part.shape for part in pack.operands])[0], strict=True):
                    if self.root[part] is part and part in self.root and part.name not in (LEAF, CONSTANT, PACK):
                        self.layout.inside[part] = (pack, offset)
        for node in self.root:
            if self.root[node] in self.layout.inside:
                self.root[node] = self.layout.inside[self.root[node]][0]

    def _last_uses(self) -> dict[Node, int]:
        """The position of the last node that reads what lies in the memory of each root; results are read at the end."""
        last: dict[Node, int] = {}
        for i, node in enumerate(self.layout.nodes):
            for operand in node.operands:
                last[self.root[operand]] = i
            last.setdefault(self.root[node], i)
        return last | {self.root.get(result, result): len(self.layout.nodes) for result in self.graph.results}

    def _homes(self) -> dict[Node, int]:
        """The leaf of the state whose new value a node is."""
        found: dict[Node, int] = {}
        for k, (leaf, node) in enumerate(zip(self.graph.state, self.graph.new_state, strict=True)):
            own = self.root.get(node) is node and node.name != LEAF
            if own and node not in found and (node.shape, node.dtype) == (leaf.shape, leaf.dtype):
                found[node] = k
        return found

    def _choose(self, i: int, node: Node) -> Place:
        if node in self.homes and self._is_free(self.state[self.homes[node]], i, node):
            return self.state[self.homes[node]]
        if node.name in self.elementwise:
            for operand in node.operands:
                place = self.layout.place.get(operand)
                fits = (operand.shape, operand.dtype) == (node.shape, node.dtype)
                temporary = isinstance(place, Buffer) or self.last[node] < len(self.layout.nodes)
                if place is not None and fits and temporary and self._is_free(place, i, node):
                    return place
        return self._take(node)

    def _is_free(self, place: Place, i: int, node: Node) -> bool:
        """Whether the value in a place is dead, or dies in this elementwise operation, which may then overwrite it."""
        occupant = self.occupant[place]
        last = self.last.get(occupant, -1)
        overwritten = last == i and node.name in self.elementwise and occupant.shape == node.shape
        return last < i or (overwritten and all(o is occupant for o in node.operands if self.root[o] is occupant))

    def _take(self, node: Node) -> Place:
        key = (math.prod(node.shape), node.dtype)
        return self.free[key].pop() if self.free[key] else Buffer(*key)

    def _put(self, node: Node, place: Place) -> None:
        self.layout.place[node] = place
        self.occupant[place] = node

    def _release(self, i: int, owner: Node) -> None:
        place = self.layout.place.get(owner)
        if isinstance(place, Buffer) and self.last[owner] == i and self.occupant[place] is owner:
            self.free[place.count, place.dtype].append(place)


def allocate(graph: Graph, views: frozenset[str], elementwise: frozenset[str]) -> Layout:
    """The layout of a graph, given which operations are views and which may write where an operand of the same shape lies."""
    return Allocator(graph, views, elementwise).run()
