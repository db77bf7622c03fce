import json

import pytest

from nerva_core.reproductions.report import Findings, Report, Row, to_json, to_markdown
from nerva_core.reproductions.verdicts import Verdict

NAN = float("nan")


def report(name: str = "one", value: float = 1.5) -> Report:
    rows = [
        Row("a|b", "lower", "1 against 2", Verdict.REPRODUCES, {"x": (value, 2.0)}),
        Row("c", "higher", "no", Verdict.UNKNOWN),
    ]
    findings = Findings(rows, ["a remark"], {"curve": b"PNG"}, {"curve": "what it shows"}, {"all": [value]})
    return Report(name, f"Title {name}", "a paper", findings, {"budget": "quick"}, 12.34, {"kind (1, one)": "seed = 0\n"})


def test_the_markdown_has_rows_remarks_and_figures() -> None:
    page = to_markdown([report()])
    assert page.startswith("# Title one\n")
    assert "| a\\|b | lower | 1 against 2 | reproduces |" in page
    assert "* a remark" in page
    assert "![what it shows](figures/curve.png)" in page


def test_the_page_of_several_reports_counts_their_verdicts() -> None:
    page = to_markdown([report("one"), report("two")])
    assert "| one | 1 | 0 | 0 | 1 | 12 s |" in page
    assert "## Title two" in page
    assert "(two/figures/curve.png)" in page


def test_the_json_is_strict_and_holds_every_number() -> None:
    content = json.loads(to_json([report(value=NAN)]), parse_constant=lambda name: pytest.fail(name))
    assert content["rows"][0]["values"] == {"x": [None, 2.0]}
    assert content["rows"][1]["verdict"] == "cannot be told"
    assert content["data"] == {"all": [None]}
    assert len(json.loads(to_json([report(), report()]))) == 2
