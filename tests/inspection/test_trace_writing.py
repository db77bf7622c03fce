from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import nerva_core as nc
from nerva_core.equations.losses import SquaredError
from nerva_core.inspection.trace import Trace, trace_step
from nerva_core.inspection.trace_writing import trace_html, trace_json, trace_latex, trace_page


@pytest.fixture(scope="module")
def trace() -> Trace:
    network, rng = nc.multilayer_perceptron("ReLU;Softmax", [3, 4, 2]), np.random.default_rng(0)
    return trace_step(network, rng.normal(size=(20, 3)), np.eye(2)[[0, 1] * 10], network.init(rng, 3), SquaredError())


def test_json_has_every_matrix_whole(trace: Trace) -> None:
    read = json.loads(trace_json(trace))
    assert read["loss"] == trace.loss
    found = {f"{part['number']}.{matrix['name']}": matrix for part in read["parts"] for matrix in part["matrices"]}
    np.testing.assert_array_equal(found["1.DW"]["values"], trace["1.DW"].values)
    assert found["1.DW"]["right"] == "DZᵀ · X"
    assert len(found["1.X"]["values"]) == 20


def test_html_is_well_formed_and_shows_a_corner(trace: Trace) -> None:
    root = ElementTree.fromstring(trace_html(trace))
    assert [e.text for e in root.iter("b")] == [part.title for part in trace.parts]
    formulas = ["".join(e.itertext()) for e in root.iter("math")]
    assert "DW=DZ⊤·X" in formulas
    assert max(len(list(table)) for table in root.iter("table")) == 9  # eight rows and dots
    assert trace._repr_html_() == trace_html(trace)
    assert "<h1>a &lt; b</h1>" in trace_page(trace, "a < b")


def test_latex_has_an_equation_for_every_matrix(trace: Trace) -> None:
    text = trace_latex(trace)
    assert text.count(r"\[") == text.count(r"\]") == sum(len(part.matrices) for part in trace.parts)
    assert r"\[ DW = DZ^{\top} \cdot X = \begin{bmatrix}" in text
    assert text.count("{") == text.count("}")
    assert not re.search(r"[^\x00-\x7f]", text.replace("×", ""))


def test_numbers_that_json_has_not() -> None:
    network = nc.multilayer_perceptron("Linear", [1, 1])
    with np.errstate(all="ignore"):
        found = trace_step(network, [[1e300]], [[0.0]], network.init(np.random.default_rng(0), 1), SquaredError())
    assert json.loads(trace_json(found))["loss"] == float("inf")
    assert '"inf"' in trace_json(found)
