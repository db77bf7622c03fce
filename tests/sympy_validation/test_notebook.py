from pathlib import Path
from xml.etree import ElementTree

import pytest

import nerva_core as nc
from nerva_core.algebra.errors import NervaError
from nerva_core.layers import Linear

ROOT = Path(__file__).parents[2]


def test_verdicts_are_shown_as_text_html_and_latex() -> None:
    found = nc.prove("layers.Linear")
    assert found.as_expected
    assert len(found) == len(list(found)) >= 3
    assert "layers.Linear: DX = ∂⟨DY, Y⟩ / ∂X for every DY, all N, D, K: proved" in repr(found).splitlines()
    html = found._repr_html_()
    ElementTree.fromstring(html)
    assert "<math" in html
    assert html.count("<tr>") == len(found)
    latex = found._repr_latex_()
    assert r"\text{DX = $\partial$$\langle$DY, Y$\rangle$ / $\partial$X for every DY, all N, D, K: } & \text{proved}" in latex
    assert latex.count("{") == latex.count("}")


def test_an_entry_is_proved_as_its_class() -> None:
    assert repr(nc.prove(Linear(3))) == repr(nc.prove(Linear)) == repr(nc.prove("Linear"))


def test_a_wrong_gradient_is_told() -> None:
    found = nc.prove(f"{ROOT}/docs/playground/examples/5_exercise_bias.py:BatchLinear")
    assert not found.as_expected
    assert "REFUTED: at N=3, D=2, K=4: Db[0,0] should be -5, is -5/3" in found._repr_html_()
    assert "columns_sum belongs in the place of columns_mean" in found._repr_html_()


def test_mistakes() -> None:
    with pytest.raises(NervaError, match="name what is to be proved"):
        nc.prove()
    with pytest.raises(NervaError, match="Linear"):
        nc.prove("Liner")
