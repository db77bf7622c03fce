import json
from pathlib import Path

import pytest

from nerva_core.errors import NervaError
from nerva_core.reproductions.report import Findings, Report, Row, to_json, to_markdown, write
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


def test_files(tmp_path: Path) -> None:
    write([report()], tmp_path)
    assert (tmp_path / "figures" / "curve.png").read_bytes() == b"PNG"
    assert (tmp_path / "configurations" / "kind-1-one.toml").read_text() == "seed = 0\n"
    assert (tmp_path / "report.md").exists()
    assert "<h1>Title one</h1>" in (tmp_path / "report.html").read_text()
    write([report("one"), report("two")], tmp_path / "..")
    for target in ("one/figures/curve.png", "two/configurations/kind-1-one.toml"):
        assert (tmp_path / ".." / target).exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NervaError, match="cannot make the directory"):
        write([report()], tmp_path / "file")
