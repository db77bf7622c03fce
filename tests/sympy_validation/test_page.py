"""The page is one well-formed file with every theorem, equations, certificates and audit figures."""

from __future__ import annotations

from sympy_validation.audit import audit
from sympy_validation.page import page
from sympy_validation.table import select
from sympy_validation.theorem import prove
from tests.pages import read_page


def test_html() -> None:
    theorems = select(["layers.BatchNormalization", "errata.004-01"])
    text = page(list(prove(theorems)), list(audit(theorems, limit=2)))
    page_read = read_page(text)
    assert page_read.links == [f"#{name}" for name in page_read.ids]
    assert "<math" in text
    assert "prefers-color-scheme: dark" in text
    assert "should be 0" in text
    assert "refused by a counterexample" in text
