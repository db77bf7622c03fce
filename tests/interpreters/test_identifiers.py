"""Names of Python on a line of text and in LaTeX."""

import pytest

from nerva_core.interpreters.identifiers import identifier


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("X", "X", "X"),
        ("DX", "DX", "DX"),
        ("Dgamma", "Dγ", "D\\gamma"),
        ("Sigma", "Σ", "\\Sigma"),
        ("Delta", "Δ", "\\Delta"),
        ("al", "a_l", "a_{l}"),
        ("Dtr", "Dt_r", "Dt_{r}"),
        ("Al", "A^l", "A^{l}"),
        ("beta1", "β_1", "\\beta_{1}"),
        ("likelihood", "likelihood", "\\text{likelihood}"),
        ("Dense", "Dense", "\\text{Dense}"),
    ],
)
def test_identifier(name, text, latex):
    assert identifier(name).text() == text
    assert identifier(name).latex() == latex
