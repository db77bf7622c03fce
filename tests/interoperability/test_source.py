from __future__ import annotations

import numpy as np

from nerva_core.interoperability.source import DIALECTS, python_source
from nerva_core.interpreters.graph import graph_of
from nerva_core.layers import Linear
from tests.interpreters.test_graph import CASES, case


def test_every_operation_of_a_graph_is_in_every_dialect() -> None:
    used = {node.op for layer in CASES for node in case(layer)[0].nodes()} - {"input", "parameter"}
    for name, dialect in DIALECTS.items():
        assert used - dialect.functions.keys() == set(), name


def test_the_file_needs_the_framework_alone() -> None:
    graph = graph_of(Linear(1), 2, (np.ones((1, 2)), np.zeros((1, 1))), ())
    for framework in DIALECTS:
        text = python_source(graph, framework)
        assert "nerva_core" not in text
        assert "pickle" not in text
