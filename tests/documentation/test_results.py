"""The pages say what the kept reports say, and every experiment has one that was made within its budget."""

import json
import re
from pathlib import Path

import pytest

from docs.generator.results import DOCS, REPORTS, costs, filled, keep, page_of, results, summary
from nerva_core.reproductions import EXPERIMENTS, FEWEST_SEEDS, Statistic, Verdict, judge

PAGES = sorted(DOCS.glob("*.md"))
KEPT = sorted(path for path in REPORTS.glob("*.json") if not path.stem.endswith("-cost"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_say_what_the_reports_say(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, "run python -m docs.generator.results"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_on_its_page_with_a_report_of_the_quick_budget(name: str) -> None:
    assert results(name, "quick") in (DOCS / page_of(name)).read_text(encoding="utf-8")
    report = json.loads((REPORTS / f"{name}-quick.json").read_text(encoding="utf-8"))
    assert report["settings"]["processor seconds"] < 120  # as the help of nerva reproduce says
    assert report["title"] == EXPERIMENTS[name].title


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_kept_verdicts_are_those_of_enough_seeds(path: Path) -> None:
    report = json.loads(path.read_text(encoding="utf-8"))
    assert len(report["settings"]["seeds"].split()) >= FEWEST_SEEDS
    assert {row["verdict"] for row in report["rows"]} <= set(map(str, Verdict))
    for row in report["rows"]:
        numbers = [values for values in row["values"].values() if len(values) > 1]
        assert all(len(values) >= FEWEST_SEEDS for values in numbers)


def test_a_verdict_follows_from_the_kept_numbers() -> None:
    """Of the statement that a bridge is above straight-through, recomputed from the values by seed."""
    report = json.loads((REPORTS / "dab-images-quick.json").read_text(encoding="utf-8"))
    (row,) = (row for row in report["rows"] if row["experiment"] == "images, Sort-1D: bridge above straight-through (%)")
    bridge, through = (Statistic.of(row["values"][kind]) for kind in ("DAB", "straight-through"))
    assert row["verdict"] == judge(bridge - through, 25.0)


def test_the_summary_has_every_statement() -> None:
    rows = sum(len(json.loads(path.read_text(encoding="utf-8"))["rows"]) for path in REPORTS.glob("*-quick.json"))
    assert len(summary().splitlines()) == rows + 2


def test_a_page_without_the_marks_is_left_alone() -> None:
    assert filled("text\n") == "text\n"
    assert "No report of `nerva reproduce none --full` is kept." in filled("<!-- results: none full -->\nold\n<!-- end -->")


def test_a_report_is_kept_with_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCS", "REPORTS"):
        monkeypatch.setattr(f"docs.generator.results.{name}", tmp_path / "docs" / ("" if name == "DOCS" else "reports"))
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "run" / "figures").mkdir(parents=True)
    (tmp_path / "run" / "figures" / "a.png").write_bytes(b"PNG")
    report = {"name": "dab-images", "figures": ["figures/a.png"], "settings": {"budget": "quick"}}
    (tmp_path / "run" / "report.json").write_text(json.dumps(report))
    keep(tmp_path / "run")
    assert (tmp_path / "docs" / "images" / "dab_images_a.png").read_bytes() == b"PNG"
    assert json.loads((tmp_path / "docs" / "reports" / "dab-images-quick.json").read_text()) == report


def test_no_page_speaks_of_an_earlier_rule() -> None:
    for page in PAGES:
        assert not re.search(r"earlier rule|rule of then", page.read_text(encoding="utf-8")), page.name


def test_the_costs_are_those_of_experiments() -> None:
    for path in REPORTS.glob("*-cost.json"):
        for name, found in json.loads(path.read_text(encoding="utf-8"))["costs"].items():
            assert name in EXPERIMENTS
            assert f"`{name}`" in costs()
            assert all(cost["seconds"] == pytest.approx(cost["step"] * cost["steps"] * cost["runs"]) for cost in found)
