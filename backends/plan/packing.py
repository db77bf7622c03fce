"""The parameters side by side: what is done alike to every parameter is done once, to all of them.

An update rule is elementwise, and the same for every parameter. So the parameters of a network become the segments of one flat
matrix, 1 x n, their gradients too, and the rule is applied to the flats: the same operations on the same elements, in a fraction
of the calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from backends.plan.graph import CONSTANT, LEAF, POINTWISE, Example, StepGraph, StepNode
from backends.plan.memory import PACK, offsets
from backends.plan.rewrites import consumers

Family = tuple[StepNode, ...]
"""Nodes that play the same role, one for each of some parameters."""

DEEPEST = 50
"""No update rule is more elementwise operations deep. What is, such as a sum of hundreds of terms, is not packed."""


class NotPackableError(Exception):
    """The leaves of the state are not treated alike after all."""


class Packing:
    """Rewrites a graph, family by family; the members of a family become the segments of a flat."""

    def __init__(self, graph: StepGraph, alone: Callable[[StepNode], bool]) -> None:
        self.graph, self.alone = graph, alone
        self.single: set[Family] = set()
        """Families whose members are computed one by one, as something else needs one of them before the last is known."""
        self.consumers = consumers(graph.nodes())
        self._start()

    def _start(self) -> None:
        self.flats: dict[Family, StepNode] = {}
        """The flat that holds the members of a family."""
        self.segments: dict[StepNode, StepNode] = {}
        """For a member of a family: its segment of the flat."""
        self.leaf_families: list[Family] = []

    def run(self) -> StepGraph:
        """The rewritten graph; the graph itself if there is nothing to pack."""
        families = self._families()
        try:
            new = self._pack(families)
            while early := self._early():
                self.single |= early
                self._start()
                new = self._pack(families)
        except NotPackableError:
            return self.graph
        return self._rebuilt(families, new) if families else self.graph

    def _pack(self, families: list[tuple[int, ...]]) -> list[StepNode]:
        """The flats of the new state."""
        for family in families:
            self.leaf_families.append(tuple(self.graph.state[k] for k in family))
            self._add(self.leaf_families[-1], StepNode(LEAF, (), self._example(self.leaf_families[-1])))
        return [self._flat(tuple(self.graph.new_state[k] for k in family)) for family in families]

    def _early(self) -> set[Family]:
        """The families that are computed as a flat, of which another operation reads a member before the flat is there."""
        return {family for family, flat in self.flats.items() if flat.name != PACK and self._is_read_before(flat, family)}

    def _is_read_before(self, flat: StepNode, family: Family) -> bool:
        readers = {reader for member in family for reader in self.consumers[member] if reader not in self.segments}
        return any(reader.order < flat.order for reader in readers)

    def _families(self) -> list[tuple[int, ...]]:
        """The positions of leaves whose new value is the same expression of whatever is not elementwise."""
        groups: defaultdict[Any, list[int]] = defaultdict(list)
        for k, (old, new) in enumerate(zip(self.graph.state, self.graph.new_state, strict=True)):
            if old is not new and old.shape == new.shape and self.graph.new_state.count(new) == 1:
                groups[old.dtype, self._signature(new)].append(k)
        return [tuple(group) for group in groups.values() if len(group) > 1]

    def _signature(self, node: StepNode, depth: int = DEEPEST) -> Any:
        """What a value is of what is not elementwise. Two values with one signature are computed alike."""
        if depth == 0:
            return node
        if node.name == CONSTANT:
            return CONSTANT, self.graph.builder.uniform(node)
        if node.name not in POINTWISE:
            return node if self.alone(node) else "value"
        return node.name, *(self._signature(a, depth - 1) if isinstance(a, StepNode) else repr(a) for a in node.arguments)

    def _flat(self, family: Family) -> StepNode:
        if family in self.flats:
            return self.flats[family]
        first = family[0]
        if len(set(family)) < len(family):
            raise NotPackableError  # a value lies in one place only, as the gradient that two biases share
        if any(node in self.segments for node in family):
            raise NotPackableError  # in another order, or with other company
        if family not in self.single and all(node.name in POINTWISE and node.name == first.name for node in family):
            arguments = [self._argument(arguments) for arguments in zip(*(node.arguments for node in family), strict=True)]
            return self._add(family, StepNode(first.name, tuple(arguments), self._example(family)))
        if all(node.name == CONSTANT for node in family) and self.graph.builder.uniform(first) is not None:
            shape = self._example(family).shape
            return StepNode(CONSTANT, (), self.graph.builder.backend.full(self.graph.builder.uniform(first), *shape))
        if any(node.name in (LEAF, CONSTANT, *VIEWS) for node in family):
            raise NotPackableError
        return self._add(family, StepNode(PACK, family, self._example(family)))

    def _argument(self, arguments: tuple[Any, ...]) -> Any:
        return self._flat(arguments) if isinstance(arguments[0], StepNode) else arguments[0]

    def _add(self, family: Family, flat: StepNode) -> StepNode:
        flat.run_after(*family)
        self.flats[family] = flat
        for node, offset in zip(family, offsets([node.shape for node in family])[0], strict=True):
            self.segments[node] = segment = StepNode("segment", (flat, offset, *node.shape), Example(node.shape, node.dtype))
            segment.run_after(flat)
        return flat

    def _example(self, family: Family) -> Example:
        return Example((1, offsets([node.shape for node in family])[1]), family[0].dtype)

    def _rebuilt(self, families: list[tuple[int, ...]], new: list[StepNode]) -> StepGraph:
        """The graph on flats; leaves that are in no family stay as they are, after the flats."""
        graph, packed = self.graph, {k for family in families for k in family}
        packs = {member for flat in self.flats.values() if flat.name == PACK for member in flat.operands}
        replaced = {node: segment for node, segment in self.segments.items() if node not in packs}
        for node in graph.nodes():
            if node not in replaced and any(operand in replaced for operand in node.operands):
                arguments = tuple(replaced.get(a, a) if isinstance(a, StepNode) else a for a in node.arguments)
                replaced[node] = twin = StepNode(node.name, arguments, node.value)
                twin.order = node.order
        for flat in self.flats.values():
            if flat.name == PACK:
                flat.arguments = flat.operands = tuple(replaced.get(member, member) for member in flat.operands)
        rest = [k for k in range(len(graph.state)) if k not in packed]

        def now(nodes: list[StepNode]) -> list[StepNode]:
            return [replaced.get(node, node) for node in nodes]

        state = [self.flats[family] for family in self.leaf_families] + [graph.state[k] for k in rest]
        new_state = new + now([graph.new_state[k] for k in rest])
        result = StepGraph(graph.builder, state, graph.data, graph.given, new_state, now(graph.outputs))
        for i, family in enumerate(families):
            shapes = [graph.state[k].shape for k in family]
            for k, offset, shape in zip(family, offsets(shapes)[0], shapes, strict=True):
                result.segments[k] = (i, offset, shape)
        result.segments |= {k: (len(families) + i, None, graph.state[k].shape) for i, k in enumerate(rest)}
        return result


VIEWS = ("transpose", "row_repeat", "column_repeat", "segment")


def packed(graph: StepGraph, alone: Callable[[StepNode], bool] = lambda node: False) -> StepGraph:
    """The graph with the leaves of its state packed where they are treated alike; see ``StepGraph.segments``.

    A leaf whose new value is computed from a node that is computed alone is not packed.
    """
    return Packing(graph, alone).run()
