import json
import math

import pytest

from nerva_core.reproductions.report import Findings, Report, Row, Statistic, Verdict, judge, to_json, to_markdown

NAN = float("nan")


def report(name: str = "one", value: float = 1.5) -> Report:
    rows = [
        Row("a|b", "lower", "1 against 2", Verdict.REPRODUCES, {"x": (value, 2.0)}),
        Row("c", "higher", "no", Verdict.UNKNOWN),
    ]
    findings = Findings(rows, ["a remark"], {"curve": b"PNG"}, {"curve": "what it shows"}, {"all": [value]})
    return Report(name, f"Title {name}", "a paper", findings, {"budget": "quick"}, 12.34, {"kind (1, one)": "seed = 0\n"})


def test_a_statistic_is_that_of_a_sample() -> None:
    statistic = Statistic.of([1, 2, 4])
    assert statistic.mean == pytest.approx(7 / 3)
    assert statistic.deviation == pytest.approx(math.sqrt(7 / 3))
    assert statistic.text(3) == "2.333 ± 1.528"
    assert Statistic.of([0.5]).text() == "0.50"
    assert (statistic - Statistic.of([1, 1, 1])).values == (0, 1, 3)


def test_runs_that_diverge_are_said_not_averaged() -> None:
    statistic = Statistic.of([NAN, 2.0, NAN])
    assert statistic.text() == "2 of 3 diverge"
    assert math.isnan(statistic.mean)
    assert math.isnan(statistic.deviation)
    assert statistic.finite == (2.0,)


@pytest.mark.parametrize(
    ("differences", "enough", "verdict"),
    [
        ([0.9, 1.0, 1.1], 0.0, Verdict.REPRODUCES),
        ([0.9, 1.0, 1.1], 1.0, Verdict.REPRODUCES),
        ([0.9, 1.0, 1.1], 1.5, Verdict.DIRECTION),
        ([-0.9, -1.0, -1.1], 0.0, Verdict.DOES_NOT),
        ([0.9, 1.0, -0.1], 0.0, Verdict.UNKNOWN),
        ([0.01, 0.1, 2.0], 0.0, Verdict.UNKNOWN),  # of one sign, but within two standard errors of 0
        ([1.0, 1.0, 1.0, -0.01], 0.0, Verdict.UNKNOWN),
        ([-1.0, -1.0, -1.0, 0.01], 0.0, Verdict.UNKNOWN),
        ([5.0], 0.0, Verdict.UNKNOWN),
        ([1.0, NAN], 0.0, Verdict.UNKNOWN),
    ],
)
def test_the_verdict_follows_the_seeds(differences: list[float], enough: float, verdict: Verdict) -> None:
    assert judge(Statistic.of(differences), enough) is verdict


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
