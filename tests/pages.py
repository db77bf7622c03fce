"""What every page that stands alone must be: well-formed, with links into itself alone, and with nothing that is loaded."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "hr", "input"}
OPTIONAL = {"th", "td", "p", "li"}
"""Elements that HTML lets end by themselves."""


class Reader(HTMLParser):
    """Collects the ids, the links, and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        else:
            self.loaded += [given[name] for name in ("src", "href") if name in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def read_page(page: str) -> Reader:
    """The page as it is read; AssertionError if it is not well-formed or needs anything from outside."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert page.startswith("<!doctype html>\n")
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if link.removeprefix("#") not in reader.ids} == set()
    assert [source for source in reader.loaded if not source.startswith("data:")] == []
    assert "url(" not in page
    assert "@import" not in page
    return reader
