"""The page is one well-formed file with every theorem, equations, certificates and audit figures."""

from __future__ import annotations

import html.parser
import re

from sympy_validation.audit import audit
from sympy_validation.page import page
from sympy_validation.theorem import prove
from sympy_validation.theorems import select


class Balanced(html.parser.HTMLParser):
    """Every element that must be closed is."""

    OPTIONAL = ("meta", "td", "th", "br", "tr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count += 1
        if tag not in self.OPTIONAL:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.OPTIONAL:
            assert self.open.pop() == tag


def test_html() -> None:
    theorems = select(["layers.BatchNormalization", "errata.004-01"])
    text = page(list(prove(theorems)), list(audit(theorems, limit=2)))
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    anchors = re.findall(r'id="([^"]+)"', text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', text)) == set(anchors)
    assert "<math" in text
    assert "prefers-color-scheme: dark" in text
    assert "should be 0" in text
    assert "refused by a counterexample" in text
    assert not re.search(r"(src|href)=\"(?!#)", text)
