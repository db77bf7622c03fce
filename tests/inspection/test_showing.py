from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import nerva_core as nc
from nerva_core.algebra.errors import NervaError
from nerva_core.equations.optimizers import Adam
from nerva_core.layers import BatchNormalization, Linear
from nerva_core.training.catalogue import TABLES
from tests.helpers import examples

WITHOUT_EQUATIONS = {"DAB", "Recompute", "Repeat", "Residual"}
"""Layers whose example has an inner network that is for other sizes."""


@pytest.mark.parametrize("table", ["layers", "activations", "hard functions", "losses", "optimizers", "gradient activations"])
def test_a_notebook_shows_the_equations_of_every_entry(table: str) -> None:
    for entry in examples(TABLES[table]):
        html, latex = entry._repr_html_(), entry._repr_latex_()
        if type(entry).__name__ in WITHOUT_EQUATIONS:
            continue
        assert html is not None, entry
        assert latex is not None, entry
        ElementTree.fromstring(html)  # every element is closed
        if type(entry).__name__ != "Sequential":
            assert "<math" in html
            assert latex.count("{") == latex.count("}")


def test_what_has_no_equations_is_shown_as_its_text() -> None:
    assert TABLES["data sources"].parse("Digits")._repr_html_() is None
    with pytest.raises(NervaError, match="has no equations to show"):
        nc.show(TABLES["data sources"].parse("Digits"))


def test_text_html_and_latex_say_the_same() -> None:
    found = nc.show(Linear(10))
    assert "  DW = DYᵀ · X\n" in repr(found)
    assert found._repr_latex_() is not None
    assert "DW &= DY^{\\top} \\cdot X" in (found.latex or "")
    assert "\\gamma" in (nc.show(BatchNormalization()).latex or "")
    assert "update" in (nc.show(Adam()).html or "")


def test_a_network_by_its_text_its_object_and_its_file(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text('data = "Digits(train=50)"\n[model]\nlayers = ["Linear(8)", "ReLU", "Linear"]\n')
    by_text = nc.show("Linear(8);ReLU;Linear(10)", inputs=64)
    by_file = nc.show(tmp_path / "net.toml")
    assert by_text.text == by_file.text
    assert "<td>1 × 8</td><td>520</td>" in (by_text.html or "")
    network = nc.multilayer_perceptron("ReLU;Linear", [64, 8, 10])
    assert nc.show(network, 64).text.splitlines()[0].split() == ["layer", "output", "parameters", "operations"]
    assert nc.show(network).text.startswith("Linear(outputs=8")
    with pytest.raises(NervaError, match="have no sizes"):
        nc.show("ReLU;Linear", inputs=4)
