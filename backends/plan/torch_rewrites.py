"""Rewrites of PyTorch's graphs: one of its kernels for what the equations write as several operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backends.plan.graph import CONSTANT, StepGraph, StepNode
from backends.plan.rewrites import consumers

Pattern = Any
"""A name, which stands for any one value; a node, which stands for itself; or (operation, *patterns of its arguments)."""


def _mean(X: Pattern) -> Pattern:
    return "row_repeat", ("divide", ("columns_sum", X), "N"), "N"


DZ = "hadamard", ("row_repeat", "gamma", "N"), "DY"
NORMALIZED_INPUTS: Pattern = (
    "hadamard",
    ("row_repeat", "scale", "N"),
    ("subtract", ("subtract", DZ, _mean(DZ)), ("hadamard", "Z", _mean(("hadamard", "Z", DZ)))),
)
"""DX of batch normalization: (1_N · scale) ⊙ (DZ - 1_N · mean(DZ) - Z ⊙ (1_N · mean(Z ⊙ DZ))) with DZ = (1_N · γ) ⊙ DY."""


def match(pattern: Pattern, value: Any, found: dict[str, Any]) -> bool:
    """Whether a value is what a pattern says; what its names stand for is put in ``found``."""
    if isinstance(pattern, StepNode):
        return pattern is value
    if isinstance(pattern, str):
        return bool(found.setdefault(pattern, value) == value)
    name, *arguments = pattern
    if not isinstance(value, StepNode) or value.name != name or len(value.arguments) != len(arguments):
        return False
    return all(match(inner, argument, found) for inner, argument in zip(arguments, value.arguments, strict=True))


def replace(node: StepNode, name: str, *arguments: Any) -> None:
    """Let a node be another operation."""
    node.name, node.arguments = name, arguments
    node.operands = tuple(a for a in arguments if isinstance(a, StepNode))


class KeptValue:
    """What one operation of a graph keeps for others that run later."""

    value: Any = None


def keep(graph: StepGraph, node: StepNode, gradients: Sequence[Pattern]) -> KeptValue:
    """What a node, which is read later, also computes: ``kept_of(node, kept, k)`` is in the place of what has the k-th pattern."""
    nodes, kept = graph.nodes(), KeptValue()
    readers = consumers(nodes)
    for other in nodes:
        for k, gradient in enumerate(gradients):
            if match(gradient, other, {}) and all(reader.order > node.order for reader in readers[other]):
                replace(other, "kept_of", node, kept, k)
                other.run_after(node)
    return kept


def normalized_inputs(graph: StepGraph, chosen: Callable[[StepNode], bool]) -> None:
    """``normalized_inputs(Z, γ, scale, DY, sums)`` for the chosen nodes that are DX of batch normalization.

    Its kernel needs the sums of the columns of Z ⊙ DY and of DY, which are Dγ and Dβ: it keeps them.
    """
    for node in graph.nodes():
        found: dict[str, Any] = {}
        if node.name == "hadamard" and chosen(node) and match(NORMALIZED_INPUTS, node, found):
            Z, DY = found["Z"], found["DY"]
            sums = keep(graph, node, [("columns_sum", ("hadamard", Z, DY)), ("columns_sum", DY)])
            replace(node, "normalized_inputs", Z, found["gamma"], found["scale"], DY, sums)


def add_biases(graph: StepGraph) -> None:
    """``convolve(X, W, G, b)`` for the sum of a convolution and a bias in every row, if nothing else reads the convolution."""
    nodes = graph.nodes()
    readers = consumers(nodes)
    for node in nodes:
        found: dict[str, Any] = {}
        if match(("add", ("convolve", "X", "W", "G"), ("row_repeat", "b", "N")), node, found) and len(readers[node.operands[0]]) == 1:
            replace(node, "convolve", found["X"], found["W"], found["G"], found["b"])


def keep_bias_gradients(graph: StepGraph) -> None:
    """``convolve_weights(X, DY, G, sums)``: its kernel also sums the columns of DY, which is Db, and keeps that."""
    for node in graph.nodes():
        if node.name == "convolve_weights":
            X, DY, G = node.arguments
            replace(node, "convolve_weights", X, DY, G, keep(graph, node, [("columns_sum", DY)]))


def join_masks(graph: StepGraph) -> None:
    """``where_not_negative(Y, X)`` for Y ⊙ [0 <= X], such as the backward pass of ReLU, if nothing else reads [0 <= X]."""
    nodes = graph.nodes()
    readers = consumers(nodes)
    for node in nodes:
        found: dict[str, Any] = {}
        if match(("hadamard", "Y", ("less_equal", "0", "X")), node, found):
            zeros, mask = found["0"], node.operands[1]
            if zeros.name == CONSTANT and graph.builder.uniform(zeros) == 0 and len(readers[mask]) == 1:
                replace(node, "where_not_negative", found["Y"], found["X"])


def share_maxima(graph: StepGraph) -> None:
    """A max-pool and its pullback, each of which finds the largest elements of the same windows, as a pair that finds them once."""
    nodes = graph.nodes()
    forward = {(node.arguments[0], repr(node.arguments[1])): node for node in nodes if node.name == "pool_max"}
    for node in nodes:
        if node.name == "pool_max_inputs":
            X, DY, G = node.arguments
            pool = forward.get((X, repr(G)))
            if pool is not None and pool.order < node.order:
                if pool.name == "pool_max":
                    replace(pool, "pool_max_keeping", X, G, KeptValue())
                replace(node, "pool_max_inputs_at", X, DY, G, pool.arguments[2])
