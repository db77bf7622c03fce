import base64
import re
from pathlib import Path

from nerva_core.reproductions.page import to_html
from nerva_core.reproductions.report import Findings, Report, Row
from nerva_core.reproductions.verdicts import Verdict
from tests.pages import read_page


def report(name: str) -> Report:
    rows = [Row(f"{verdict}: a < b", "lower", "1 & 2", verdict) for verdict in Verdict] + [Row("x", "y", "z", Verdict.UNKNOWN)]
    findings = Findings(rows, ["a <remark>"], {"curve": b"PNG", "other": b"PNG2"}, {"curve": "what it shows"})
    return Report(name, f"Title of {name}", "a paper", findings, {"budget": "quick", "seeds": "0 1"}, 12.34)


def test_one_report_is_a_page_with_its_figures() -> None:
    page = to_html([report("one")])
    figures = [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in read_page(page).loaded]
    assert figures == [b"PNG", b"PNG2"]
    for text in ("<h1>Title of one</h1>", "a paper.", "a &lt;remark&gt;", "what it shows", "budget quick, seeds 0 1; 12 s"):
        assert text in page
    assert '<td data-column="here">1 &amp; 2</td><td class="verdict bad" data-column="verdict">does not reproduce</td>' in page
    assert page.count("<h2>") == 0


def test_several_begin_with_the_counts_of_their_verdicts() -> None:
    page = to_html([report("one"), report("two")])
    assert read_page(page).links == ["#one", "#two"]
    assert re.search(r"two</a></td><td>1</td><td>1</td><td>1</td><td>2</td><td>12 s</td>", page)
    assert "<h2>Title of two</h2>" in page


def test_the_verdicts_mean_what_the_documentation_says() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "reproductions.md").read_text()
    page = to_html([report("one")])
    for verdict in Verdict:
        assert f"| {verdict} | {verdict.meaning} |" in documentation
        assert f"{verdict}</dt><dd>{verdict.meaning}</dd>" in page
