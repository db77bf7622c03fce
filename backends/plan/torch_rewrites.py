"""What PyTorch's graph is rewritten to, so that one of its kernels does what the equations write as several operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.plan.graph import StepGraph, StepNode

Pattern = Any
"""A name, which stands for any one value; or (operation, *patterns of its arguments)."""


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


def normalized_inputs(graph: StepGraph, chosen: Callable[[StepNode], bool]) -> None:
    """``normalized_inputs(Z, γ, scale, DY)`` for the chosen nodes that are DX of batch normalization."""
    for node in graph.nodes():
        found: dict[str, Any] = {}
        if node.name == "hadamard" and chosen(node) and match(NORMALIZED_INPUTS, node, found):
            replace(node, "normalized_inputs", found["Z"], found["gamma"], found["scale"], found["DY"])


class Places:
    """Where the largest elements of the windows of a max-pool are, from its forward to its backward pass."""

    indices: Any = None


def share_places(graph: StepGraph) -> None:
    """A max-pool and its pullback, each of which finds the largest elements of the same windows, as a pair that finds them once."""
    nodes = graph.nodes()
    forward = {(node.arguments[0], repr(node.arguments[1])): node for node in nodes if node.name == "pool_max"}
    for node in nodes:
        if node.name == "pool_max_inputs":
            X, DY, G = node.arguments
            pool = forward.get((X, repr(G)))
            if pool is not None and pool.order < node.order:
                if pool.name == "pool_max":
                    replace(pool, "pool_max_keeping", X, G, Places())
                replace(node, "pool_max_inputs_at", X, DY, G, pool.arguments[2])
