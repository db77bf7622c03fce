import pytest

from nerva_core.figures.html import anchor, document
from tests.pages import read_page


def test_a_page_stands_alone() -> None:
    page = document("a < b", f'<p><a href="#{anchor("a b")}">x</a></p><h2 id="{anchor("a b")}">y</h2>', ".mine { color: red; }")
    assert read_page(page).links == ["#a-b"]
    assert "<title>a &lt; b</title>" in page
    assert ".mine { color: red; }</style>" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


@pytest.mark.parametrize(
    "body", ['<a href="#nowhere">x</a>', '<img src="https://example.org/x.png">', "<div>", "<b></i></b>", '<p id="a"><p id="a">', "</div>"]
)
def test_a_page_that_does_not_is_refused(body: str) -> None:
    with pytest.raises(AssertionError):
        read_page(document("x", body))
