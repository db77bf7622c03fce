"""Runs of operations that go through the rows of their matrices block by block: all of them on one block before the next.

An operation *by rows* gives each row of its result from the same row of some operands, and from the whole of the others; a *sum*
adds up what it gives for blocks of them. A value that only its own run reads is never there as a whole: a block of it stays in
the cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from backends.plan.graph import CONSTANT, LEAF, POINTWISE, StepGraph, StepNode
from backends.plan.rewrites import consumers

BY_ROWS: dict[str, tuple[int, ...]] = {
    "take_rows": (1,),
    "rows_sum": (0,),
    "rows_max": (0,),
    "sort_rows": (0,),
    "shift_columns": (0,),
    "take_columns": (0,),
    "join_columns": (0, 1),
    "cell_index": (0,),
    "values_at": (0,),
}
"""The arguments of which an operation reads, for a row of its result, that row only. Of an elementwise operation it is all of them."""

SUMS: dict[str, tuple[int, ...]] = {"columns_sum": (0,), "sums_at": (0, 1)}
"""The arguments over whose rows an operation adds up."""

LEAST = 2**13
"""So many elements of its widest matrix are in a block, however many matrices a run has: a call takes time to start."""


@dataclass(frozen=True, eq=False)
class OperationRun:
    """Operations that follow one another; those of a run in blocks have the same number of rows, or are elementwise on one row."""

    nodes: tuple[StepNode, ...]
    block: int | None = None
    """The rows, or the columns of the only row, of a block; None if each operation does all of its work at once."""
    local: frozenset[StepNode] = frozenset()
    """What no other run reads, and is no result: there is memory for one block of it."""

    @property
    def by_rows(self) -> bool:
        """Whether its blocks are of rows."""
        rows, _ = kind(self.nodes[0]) or (0, 0)
        return rows > 1

    def block_shape(self, node: StepNode) -> tuple[int, ...]:
        """The shape of the largest block of a value."""
        assert self.block is not None
        return (self.block, _sizes(node)[1]) if self.by_rows else (1, self.block)

    def blocks(self) -> list[slice]:
        """The rows, or columns, of every block."""
        assert self.block is not None
        total = max(kind(self.nodes[0]) or ())
        return [slice(start, min(start + self.block, total)) for start in range(0, total, self.block)]


def by_rows(node: StepNode) -> tuple[int, ...]:
    """The positions of the arguments of which a block is read for a block of the result, or of a sum."""
    if node.name in POINTWISE:
        return tuple(k for k, argument in enumerate(node.arguments) if isinstance(argument, StepNode))
    return (BY_ROWS | SUMS).get(node.name, ())


def keeps_rows(operand: StepNode, views: frozenset[str]) -> bool:
    """Whether its rows are those of what it is a view of, if it is one."""
    return keeps_rows(operand.operands[0], views) if operand.name in ("column_repeat", "again") else operand.name not in views


def viewed(node: StepNode, views: frozenset[str]) -> StepNode:
    """What a view is a view of."""
    return viewed(node.operands[0], views) if node.name in views else node


class Reads(NamedTuple):
    """The values that a node reads, through views too."""

    by_rows: set[StepNode]
    whole: set[StepNode]

    @staticmethod
    def of(node: StepNode, views: frozenset[str]) -> Reads:
        """Those of a node."""
        result = Reads(set(), set())
        for k, argument in enumerate(node.arguments):
            if isinstance(argument, StepNode):
                in_rows = k in by_rows(node) and keeps_rows(argument, views)
                (result.by_rows if in_rows else result.whole).add(viewed(argument, views))
        return result


def kind(node: StepNode) -> tuple[int, int] | None:
    """What the operations of a run have in common: the number of rows; or a single row of this length, if they are elementwise."""
    positions = by_rows(node)
    if not positions or any(len(value.shape) > 2 for value in (node, *node.operands)):
        return None  # a family is not a matrix with rows
    rows, columns = _sizes(node.arguments[positions[0]])
    if rows > 1:
        return rows, 0
    return (1, columns) if node.name in POINTWISE else None


class Grouping:
    """Finds the runs, taking the nodes in their order.

    What does not belong to a run that has begun waits until it ends. What is alone comes before it, if it depends on nothing of
    it.
    """

    def __init__(self, graph: StepGraph, views: frozenset[str], budget: int, alone: Callable[[StepNode], bool]) -> None:
        self.views, self.budget, self.alone = views, budget, alone
        nodes = graph.nodes()
        self.nodes = [node for node in nodes if node.name not in (LEAF, CONSTANT, *views)]
        self.reads = {node: Reads.of(node, views) for node in nodes}
        self.readers = consumers(nodes)
        self.targets = dict(zip(graph.new_state, graph.state, strict=True))
        self.results = set(graph.results)
        self.found: list[list[StepNode]] = []
        self._start([])

    def _start(self, run: list[StepNode]) -> None:
        """Begin another run."""
        self.begun, self.waiting = dict.fromkeys(run), dict[StepNode, None]()
        self.touched = set[StepNode]()
        """What the run reads and computes by rows."""

    def groups(self) -> list[list[StepNode]]:
        """The nodes of every run, in the order of the runs."""
        for node in self.nodes:
            reads = self.reads[node]
            if self._joins(node):
                self.begun[node] = None
            elif self._may_begin(node):
                self._end()
                self._start([node])
            elif self.alone(node) and not any(read in self.begun or read in self.waiting for read in reads.by_rows | reads.whole):
                self.found.append([node])
            else:
                self.waiting[node] = None
            if node in self.begun:
                self.touched |= reads.by_rows | {node}
        self._end()
        return self.found

    def _end(self) -> None:
        self.found += [nodes for nodes in (list(self.begun), *([node] for node in self.waiting)) if nodes]

    def _may_begin(self, node: StepNode) -> bool:
        """Whether a run may begin with the node: for smaller matrices the order of the equations is kept."""
        if kind(node) is None or self.alone(node):
            return False
        return 4 * max(math.prod(matrix.shape) for matrix in (node, *self.reads[node].by_rows)) >= self.budget

    def _joins(self, node: StepNode) -> bool:
        """Whether the run may have the node too, for its use.

        Then block after block gives the same: of what the run computes the node reads the rows of its own block only.
        """
        if not self.begun or self.alone(node) or kind(node) is None or kind(node) != kind(next(iter(self.begun))):
            return False
        reads = self.reads[node]
        if any(read in self.waiting for read in reads.by_rows | reads.whole):
            return False
        if any(read in self.begun for read in reads.whole) or any(read in self.begun and read.name in SUMS for read in reads.by_rows):
            return False
        target = self.targets.get(node)
        if target is not None and any(target in self.reads[other].by_rows | self.reads[other].whole for other in self.waiting):
            return False  # they read the old value, so it would need memory beside it
        near = reads.by_rows.union(*(self.reads[reader].by_rows for reader in self.readers[node]))
        return not near.isdisjoint(self.touched)  # or it would only push out of the cache what is there

    def run(self, nodes: list[StepNode]) -> OperationRun:
        """The run of a group."""
        of_run = kind(nodes[0])
        if of_run is None or len(nodes) == 1:
            return OperationRun(tuple(nodes))
        at_once, widest = self._widths(nodes)
        block = max(1, self.budget // at_once, LEAST // widest)
        if max(of_run) < 2 * block:
            return OperationRun(tuple(nodes))
        local = frozenset(node for node in nodes if node.name not in SUMS and self._is_local(node, set(nodes)))
        return OperationRun(tuple(nodes), block, local)

    def _widths(self, nodes: list[StepNode]) -> tuple[int, int]:
        """The elements in a row of all matrices that a run needs at a time, from the first use of each to the last; of the widest one."""
        first: dict[StepNode, int] = {}
        last: dict[StepNode, int] = {}
        for i, node in enumerate(nodes):
            for matrix in self.reads[node].by_rows | (set() if node.name in SUMS else {node}):
                first.setdefault(matrix, i)
                last[matrix] = i
        changes, widest = [0] * (len(nodes) + 1), 1
        for matrix, i in first.items():
            rows, columns = _sizes(matrix)
            width = columns if rows > 1 else 1
            changes[i] += width
            changes[last[matrix] + 1] -= width
            widest = max(widest, width)
        return max(itertools.accumulate(changes)), widest

    def _is_local(self, node: StepNode, nodes: Collection[StepNode]) -> bool:
        """Whether nothing outside of the run reads a value."""
        if node in self.results:
            return False
        return all(self._is_local(r, nodes) if r.name == "column_repeat" else r in nodes for r in self.readers[node])


def _sizes(node: StepNode) -> tuple[int, int]:
    """Rows and columns of a value; of the numbers of rows, one column."""
    rows, columns = (*node.shape, 1)[:2]
    return rows, columns


def runs(
    graph: StepGraph, views: frozenset[str], budget: int, alone: Callable[[StepNode], bool] = lambda node: False
) -> list[OperationRun]:
    """The operations of a graph in the order in which they run; ``budget`` is the number of elements of all matrices of a block.

    The nodes that are ``alone`` are in no run with others.
    """
    grouping = Grouping(graph, views, budget, alone)
    return [grouping.run(nodes) for nodes in grouping.groups()]
