"""The table of the layers of a network: what each makes of an example, how many numbers it trains, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nerva_core.algebra.trees import Tree, leaves, map_shapes, map_tree
from nerva_core.interpreters.costs import CostOps
from nerva_core.layers import ActivationLayer, Layer, Sequential


@dataclass(frozen=True)
class LayerRow:
    """One layer, or all of them."""

    name: str
    output: tuple[int, int]
    """The shape of the output for one example."""
    parameters: int
    operations: int
    """Operations on real numbers for one example, forward and without noise; a product of matrices is 2mnk, as in ``nerva show``."""


def layer_table(network: Sequential, inputs: int) -> list[LayerRow]:
    """A row for each layer, and the total; NervaError if the shapes do not fit."""
    rows = []
    for layer, n, d in zip(network.layers, network.heights(1), network.widths(inputs), strict=False):
        shapes = layer.shapes(d)
        parameters = sum(leaves(map_shapes(math.prod, shapes)))
        name = repr(layer.activation) if isinstance(layer, ActivationLayer) else type(layer).__name__
        rows.append(LayerRow(name, (int(layer.rows_for(n)), int(layer.outputs_for(d))), parameters, _operations(layer, int(n), int(d))))
    output = (int(network.rows_for(1)), int(network.outputs_for(inputs)))
    return [*rows, LayerRow("total", output, sum(row.parameters for row in rows), sum(row.operations for row in rows))]


def _operations(layer: Layer, n: int, d: int) -> int:
    ops = CostOps()
    params: Tree = map_shapes(ops.matrix, layer.shapes(d))
    state = map_tree(lambda X: ops.matrix(X.shape), layer.initial_state(d))
    layer.evaluate(ops, params, state, ops.matrix((n, d)))
    return ops.count()


def table_text(rows: list[LayerRow]) -> str:
    """The table as lines of text."""
    cells = [("layer", "output", "parameters", "operations")]
    cells += [(row.name, " × ".join(map(str, row.output)), f"{row.parameters:,}", f"{row.operations:,}") for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    first = widths[0]
    return "\n".join("  ".join([name.ljust(first), *map(str.rjust, others, widths[1:])]) for name, *others in cells)
