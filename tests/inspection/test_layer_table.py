"""The table of layers, by hand."""

from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.inspection.layer_table import LayerRow, layer_table, table_text
from nerva_core.layers import parse_layers


def test_shapes_parameters_and_operations_of_each_layer() -> None:
    network = parse_layers(["Linear(5)", "ReLU", {"name": "Residual", "layers": ["Linear(5)"]}, "BatchNormalization", "Dropout(0.5)"])
    *rows, total = layer_table(network, 3)
    assert rows[:2] == [LayerRow("Linear", (1, 5), 20, 2 * 3 * 5 + 5), LayerRow("ReLU()", (1, 5), 0, 5)]
    assert rows[2] == LayerRow("Residual", (1, 5), 30, 2 * 5 * 5 + 5 + 5)
    assert (rows[3].parameters, rows[4]) == (10, LayerRow("Dropout", (1, 5), 0, 0))
    assert total == LayerRow("total", (1, 5), network.parameter_count(3), sum(row.operations for row in rows))


def test_rows_of_a_network_of_images() -> None:
    network = parse_layers(["Images(4, 6)", "MaxPool(2)", "Flatten", "Linear(3)"])
    assert [row.output for row in layer_table(network, 48)] == [(24, 2), (6, 2), (1, 12), (1, 3), (1, 3)]


def test_as_text() -> None:
    lines = table_text(layer_table(parse_layers(["Linear(1000)", "ReLU"]), 2000)).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "operations"]
    assert lines[1].split() == ["Linear", "1", "×", "1000", "2,001,000", "4,001,000"]
    assert len({len(line) for line in lines}) == 1


def test_layers_that_do_not_fit_are_named() -> None:
    with pytest.raises(NervaError, match="Residual: what is added to X must have as many columns as X, but the layers make 4 of 3"):
        layer_table(parse_layers([{"name": "Residual", "layers": ["Linear(4)"]}]), 3)
