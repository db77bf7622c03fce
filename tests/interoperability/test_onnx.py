from __future__ import annotations

import pytest

from nerva_core.interoperability.onnx import to_onnx
from tests.interpreters.test_graph import NETWORK, case


def test_the_number_of_rows_is_open_and_the_weights_are_inside() -> None:
    pytest.importorskip("onnx")
    graph, _, _ = case(NETWORK)
    model = to_onnx(graph, "float64")
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == ["N", 3]
    assert [d.dim_param or d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim] == ["N", 4]
    assert set(graph.parameters) <= {constant.name for constant in model.graph.initializer}
