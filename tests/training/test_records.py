from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.config import make_config
from nerva_core.training.records import differences, groups, record, records, settings
from nerva_core.training.runs import METRICS, MODEL, Run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of one rate, one of another, and one that has not ended."""
    folder = tmp_path_factory.mktemp("runs")
    for name, rate, seed in (("a", 0.1, 0), ("b", 0.1, 1), ("c", 0.2, 0), ("d", 0.2, 1)):
        changing = {"schedule": f"Constant({rate})", "seed": seed, "training": {"epochs": 2, "validation": 0.2}}
        model = {"layers": "Linear", "sizes": [64, 10]}
        config = make_config({"data": "Digits(train=60, test=20)", "model": model, **changing})
        Run.start(config, folder / name).train()
    (folder / "d" / MODEL).unlink()
    (folder / "d" / METRICS).write_text((folder / "d" / METRICS).read_text().splitlines()[0] + "\n")
    return folder


def test_a_run_is_read_without_its_model(runs: Path) -> None:
    a, *_, d = records([runs])
    assert a.result is not None
    assert (a.state, a.score) == ("complete, 2 epochs", ("test accuracy", a.result.test_accuracy))
    assert dataclasses.replace(a, result=dataclasses.replace(a.result, epochs=1)).state == "complete, 1 epoch"
    assert (d.state, d.score) == ("1 of 2 epochs", ("validation accuracy", d.history[0].validation_accuracy))
    assert [one.directory.name for one in records([runs / "b", runs])] == ["b", "a", "b", "c", "d"]


def test_the_settings_in_which_runs_differ(runs: Path) -> None:
    found = records([runs])
    assert differences(found) == {
        "seed": [0, 1, 0, 1],
        "schedule": ["Constant(eta0=0.1)"] * 2 + ["Constant(eta0=0.2)"] * 2,
    }
    assert {label: len(members) for label, members in groups(found).items()} == {
        "schedule Constant(eta0=0.1)": 2,
        "schedule Constant(eta0=0.2)": 2,
    }
    assert list(groups(found[:2])) == [runs.name]
    assert settings(found[0].config)["training.epochs"] == 2


def test_what_is_no_run_is_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="holds no run"):
        records([tmp_path])
    with pytest.raises(NervaError, match="nothing is not there"):
        records([tmp_path / "nothing"])
    (tmp_path / "config.toml").write_bytes((runs / "a" / "config.toml").read_bytes())
    for damaged in ("{", json.dumps({"epoch": 1}), "[1]"):
        (tmp_path / METRICS).write_text(damaged)
        with pytest.raises(NervaError, match="cannot read the run in"):
            record(tmp_path)
