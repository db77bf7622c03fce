import json
from pathlib import Path

import pytest

from nerva_core import reproductions
from nerva_core.reproductions import Bench, Experiment, Findings, Part, Row, Verdict
from nerva_core.reproductions.experiment import Results
from nerva_core.training.trainer import Trainer
from tests.conftest import Nerva


def _parts(bench: Bench) -> dict[str, Part]:
    kinds = {"a kind": {"model": {"layers": "Linear", "sizes": [64, 10]}}}
    return {"all": Part(kinds, bench.images(train=50, test=20), {"training": {"epochs": bench.length(1, 10), "batch_size": 50}})}


def _tiny(bench: Bench, results: Results) -> Findings:
    (run, *_) = results["all"]["a kind"]
    text = f"budget {bench.budget}, {len(run.history)} epochs"
    return Findings([Row("tiny", "small", text, Verdict.REPRODUCES)], ["a remark"], {"fig": b"PNG"})


def _interrupted(bench: Bench, results: Results) -> Findings:
    raise KeyboardInterrupt


TINY = {name: Experiment(name, f"Title of {name}", "a paper", _parts, _tiny) for name in ("first-one", "second")}


@pytest.fixture
def reproduce(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> Nerva:
    """``nerva reproduce``, where the experiments are tiny ones."""
    monkeypatch.setattr(reproductions, "EXPERIMENTS", dict(TINY))
    return lambda *arguments: nerva("reproduce", *arguments)


LIGHT = ("--backend", "numpy", "--data", "Digits(train=50, test=20)")


def test_a_report_is_printed_and_written(reproduce: Nerva, tmp_path: Path) -> None:
    status, out, err = reproduce("First_One", *LIGHT, "--output", "new", "--json", "copy.json")
    assert status == 0, err
    assert "budget quick" in out
    assert "reproduces" in out
    assert "a kind, seed 0 (0 %)" in err
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
        "figures",
        "configurations",
        "runs",
        "order.json",
    }
    assert json.loads((tmp_path / "copy.json").read_text())["name"] == "first-one"


def test_all_have_one_page_and_a_folder_each(reproduce: Nerva, tmp_path: Path) -> None:
    status, _, err = reproduce("all", "--full", *LIGHT, "--seeds", "5")
    assert status == 0, err
    directory = tmp_path / "reproductions" / "all-full-1"
    page = (directory / "report.md").read_text()
    assert "Title of first-one" in page
    assert "Title of second" in page
    assert "seeds 5" in page
    assert (directory / "second" / "figures" / "fig.png").exists()
    assert reproduce("second", *LIGHT)[0] == reproduce("second", *LIGHT)[0] == 0
    assert {path.name for path in (tmp_path / "reproductions").iterdir()} == {"all-full-1", "second-quick-1", "second-quick-2"}


def test_an_interrupt_keeps_the_reports_there_are(reproduce: Nerva, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reproductions.EXPERIMENTS, "second", Experiment("second", "t", "p", _parts, _interrupted))
    status, _, err = reproduce("all", *LIGHT, "--output", "new")
    assert status == 130
    assert "1 of 2 reports are in new; to go on: nerva reproduce --resume new" in err
    assert "Title of first-one" in (tmp_path / "new" / "report.md").read_text()
    monkeypatch.setitem(reproductions.EXPERIMENTS, "second", TINY["second"])
    monkeypatch.setattr(Trainer, "run", lambda *_: pytest.fail("the runs are kept"))
    status, _, err = reproduce("--resume", "new")
    assert status == 0, err
    assert "Title of second" in (tmp_path / "new" / "report.md").read_text()
    assert (tmp_path / "new" / "second" / "figures" / "fig.png").exists()


def test_a_part_of_the_full_budget(reproduce: Nerva, tmp_path: Path) -> None:
    status, _, err = reproduce("second", "--full", "--fraction", "0.3", *LIGHT, "--output", "new", "--seeds", "0")
    assert status == 0, err
    report = json.loads((tmp_path / "new" / "report.json").read_text())
    assert report["rows"][0]["here"] == "budget full, 3 epochs"
    assert report["settings"]["fraction"] == 0.3


def test_the_cost_is_told_and_nothing_written(reproduce: Nerva, tmp_path: Path) -> None:
    status, out, err = reproduce("second", "--full", "--cost", *LIGHT, "--json", "cost.json")
    assert status == 0, err
    assert "650" in out  # parameters
    assert "of processor time" in out
    assert [path.name for path in tmp_path.iterdir()] == ["cost.json"]
    (cost,) = json.loads((tmp_path / "cost.json").read_text())["costs"]["second"]
    assert cost["parameters"] == 650
    assert cost["seconds"] == cost["step"] * cost["steps"] * 5


def test_without_a_name_they_are_listed(reproduce: Nerva) -> None:
    status, out, _ = reproduce()
    assert status == 0
    assert "second" in out
    assert "all of them" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("secnd",), "did you mean 'second'?"),
        (("second", "--quick", "--full"), "exclude each other"),
        (("second", "--seeds", "1,x"), "got '1,x'"),
        (("second", "--seeds", "1,1"), "different numbers"),
        (("second", "--backend", "numpi"), "did you mean 'numpy'?"),
        (("second", "--data", "Digit"), "did you mean 'Digits'?"),
        (("second", "--data", "MNIST(path='nowhere')"), "nowhere"),
        (("second", "--data", "SineOfSum"), "images in classes"),
        (("second", *LIGHT, "--output", "full"), "full is not empty"),
        (("second", "--fraction", "0.5"), "goes with --full"),
        (("second", "--full", "--fraction", "1.5"), "got 1.5"),
        (("second", "--resume", "full"), "only --jobs and --json"),
        (("--resume", "full"), "no report to continue"),
        (("--resume", "damaged"), "does not say what was to be reproduced"),
        (("second", *LIGHT, "--output", "damaged"), "--resume damaged"),
    ],
)
def test_a_mistake_gets_one_clear_message(reproduce: Nerva, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "order.json").write_text('{"name": 1}')
    status, _, err = reproduce(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "reproductions").exists()
