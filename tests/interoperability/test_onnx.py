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
    assert {"0.Linear.W", "0.Linear.b", "1.BatchNormalization.gamma"} <= {constant.name for constant in model.graph.initializer}


def test_nodes_and_tensors_are_named_after_their_layers() -> None:
    pytest.importorskip("onnx")
    model = to_onnx(case(NETWORK)[0])
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert {name.partition("/")[0] for name in names if "/" in name} == {"0.Linear", "1.BatchNormalization", "2.Softmax"}
    (product,) = (node for node in model.graph.node if node.op_type == "MatMul")
    assert product.name == product.output[0]
    assert product.name.startswith("0.Linear/MatMul_")
    outside = [node.op_type for node in model.graph.node if "/" not in node.name]
    assert outside == ["Identity"]
    statistics = {constant.name for constant in model.graph.initializer if ".state." in constant.name}
    assert {name.partition(".state.")[0] for name in statistics} == {"1.BatchNormalization"}
