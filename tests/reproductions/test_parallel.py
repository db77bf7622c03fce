"""Runs in several processes are those of one; a signal ends them, and they go on afterwards."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.trees import leaves
from nerva_core.data import Digits
from nerva_core.reproductions.experiment import Bench
from nerva_core.reproductions.runs import Trained

SOURCE = Digits(train=60, test=30)
SETTINGS: dict[str, Any] = {
    "model": {"layers": "q-elu(lambda=1);Linear", "sizes": [64, 8, 10]},
    "training": {"epochs": 2, "batch_size": 20},
}


def without_time(runs: list[Trained]) -> list[Any]:
    return [[dataclasses.replace(m, seconds=0.0) for m in run.history] for run in runs]


def test_two_processes_train_what_one_does(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    bench = Bench(jobs=2, kept=tmp_path, progress=lambda text, fraction, left: told.append((text, fraction)))
    kinds: dict[str, Any] = {"slow": {"schedule": "Constant(0.01)"}, "wild": {"schedule": "Constant(1e30)"}}
    found = bench.train(kinds, [0, 7], SOURCE, **SETTINGS)
    alone = Bench().train(kinds, [0, 7], SOURCE, **SETTINGS)
    for kind in kinds:
        assert without_time(found[kind]) == without_time(alone[kind])
        assert [run.diverged for run in found[kind]] == [kind == "wild"] * 2
        np.testing.assert_equal([*leaves([run.state for run in found[kind]])], [*leaves([run.state for run in alone[kind]])])
    assert told[-1] == ("trained", 1.0)
    assert {text for text, _ in told} == {"trained", *(f"{kind}, seed {seed}" for kind in kinds for seed in (0, 7))}
    assert bench.processor > 0


SCRIPT = """
import sys
from pathlib import Path
from nerva_core.data import Digits
from nerva_core.reproductions import runs
from nerva_core.reproductions.experiment import Bench
if __name__ == "__main__":
    told = lambda text, fraction, left: print(text, fraction, flush=True)
    bench = Bench(jobs=2, kept=Path(sys.argv[1]), progress=told)
    common = {"model": {"layers": "Linear", "sizes": [64, 10]}, "training": {"epochs": 10**6}}
    try:
        bench.train({"long": {}}, [0, 1], Digits(train=60, test=30), **common)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_an_interrupt_ends_all_processes(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "kept")], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.endswith("interrupted\n")
    assert process.returncode == 0
