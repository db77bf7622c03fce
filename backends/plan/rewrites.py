"""Graphs rewritten for what a framework can do in one call. Each function changes the nodes of a graph that was just recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from backends.plan.graph import POINTWISE, Example, StepGraph, StepNode

INDEX = np.dtype(np.int64)
"""The dtype of the index of a cell."""

BY_CELL_INDEX = frozenset({"cell_index", "values_at", "sums_at", "contiguous"})
"""What ``share_intervals`` makes: operations of plans, which no backend has by these names."""


def consumers(nodes: list[StepNode]) -> dict[StepNode, list[StepNode]]:
    """The nodes that read each node; none, of a node that is not read."""
    found: defaultdict[StepNode, list[StepNode]] = defaultdict(list)
    for node in nodes:
        for operand in node.operands:
            found[operand].append(node)
    return found


def read_once(nodes: list[StepNode], chosen: Callable[[StepNode], bool], results: Collection[StepNode]) -> dict[StepNode, StepNode]:
    """Those of the chosen nodes that one elementwise operation alone reads, and are no results; each with that operation."""
    readers = consumers(nodes)
    found = {node: readers[node][0] for node in nodes if chosen(node) and node not in results and len(readers[node]) == 1}
    return {node: reader for node, reader in found.items() if reader.name in POINTWISE}


def fold_scales(graph: StepGraph, chosen: Callable[[StepNode], bool]) -> None:
    """X ± c Y as one operation, ``add(X, Y, c)`` or ``subtract(X, Y, c)``, for the chosen sums, where nothing else needs c Y."""
    nodes = graph.nodes()
    readers = consumers(nodes)

    def folds(node: StepNode) -> bool:
        return node.name == "scale" and len(readers[node]) == 1 and node not in graph.results

    for node in nodes:
        if node.name not in ("add", "subtract") or not chosen(node):
            continue
        X, Y = node.arguments
        if node.name == "add" and folds(X) and not folds(Y):
            X, Y = Y, X
        if folds(Y):
            c, Z = Y.arguments
            node.arguments, node.operands = (X, Z, c), (X, Z)


def delay(graph: StepGraph, chosen: Callable[[StepNode], bool]) -> None:
    """Compute each of the chosen nodes, if one elementwise operation alone reads it, just before that operation."""
    for node, reader in read_once(graph.nodes(), chosen, graph.results).items():
        node.run_before(reader)


def share_intervals(graph: StepGraph, views: Collection[str]) -> None:
    """Step functions and sums over intervals from the cells of the elements, which are found once for one matrix and grid.

    ``cell_index(X, s)`` is, for each element, the index J of its cell in a matrix with one row an interval; ``values_at(J, T)``
    are the elements of T in the cells J, and ``sums_at(Y, J)`` the sums of the elements of Y of the same cell. T is made
    contiguous where it is a view.
    """
    known: dict[tuple[str, StepNode, Any], StepNode] = {}

    def before(node: StepNode, name: str, X: StepNode, s: Any, dtype: Any) -> StepNode:
        if (name, X, s) not in known:
            known[name, X, s] = new = StepNode(name, (X, *s), Example(X.shape, dtype))
            new.run_before(node)
        return known[name, X, s]

    for node in graph.nodes():
        if node.name == "step_function":
            X, s, T = node.arguments
            T = before(node, "contiguous", T, (), T.dtype) if T.name in views else T
            node.name, node.arguments = "values_at", (before(node, "cell_index", X, (s,), INDEX), T)
        elif node.name == "interval_sums":
            Y, X, s = node.arguments
            node.name, node.arguments = "sums_at", (Y, before(node, "cell_index", X, (s,), INDEX))
        else:
            continue
        node.operands = tuple(a for a in node.arguments if isinstance(a, StepNode))
