"""Graphs rewritten for what a framework can do in one call. Each function changes the nodes of a graph that was just recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

from backends.plan.graph import POINTWISE, Graph, Node


def consumers(nodes: list[Node]) -> dict[Node, list[Node]]:
    """The nodes that read each node; none, of a node that is not read."""
    found: defaultdict[Node, list[Node]] = defaultdict(list)
    for node in nodes:
        for operand in node.operands:
            found[operand].append(node)
    return found


def read_once(nodes: list[Node], chosen: Callable[[Node], bool], results: Collection[Node]) -> dict[Node, Node]:
    """Those of the chosen nodes that one elementwise operation alone reads, and are no results; each with that operation."""
    readers = consumers(nodes)
    found = {node: readers[node][0] for node in nodes if chosen(node) and node not in results and len(readers[node]) == 1}
    return {node: reader for node, reader in found.items() if reader.name in POINTWISE}


def fold_scales(graph: Graph, chosen: Callable[[Node], bool]) -> None:
    """X ± c Y as one operation, ``add(X, Y, c)`` or ``subtract(X, Y, c)``, for the chosen sums, where nothing else needs c Y."""
    nodes = graph.nodes()
    readers = consumers(nodes)

    def folds(node: Node) -> bool:
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


def delay(graph: Graph, chosen: Callable[[Node], bool]) -> None:
    """Compute each of the chosen nodes, if one elementwise operation alone reads it, just before that operation."""
    for node, reader in read_once(graph.nodes(), chosen, graph.results).items():
        node.order = reader.order - 0.5
