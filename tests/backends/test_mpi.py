"""Workers of NumPy by MPI: the same bits as one process; one that is killed, one that freezes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nerva_core.training.launching import LOST
from nerva_core.training.runs import METRICS
from tests.backends.workers import CONFIG, assert_the_bits_of_one, nerva_command, ranks, run

pytest.importorskip("mpi4py")


def test_two_workers_find_the_bits_of_one(tmp_path: Path) -> None:
    assert_the_bits_of_one(tmp_path, CONFIG, "numpy")
    assert not list(tmp_path.glob("numpy-2/.*"))


@pytest.mark.parametrize(("number", "rank"), [(signal.SIGKILL, 0), (signal.SIGSTOP, 1)])
def test_a_lost_worker_ends_the_run_with_one_message_and_it_goes_on(tmp_path: Path, number: signal.Signals, rank: int) -> None:
    (tmp_path / "c.toml").write_text(CONFIG.replace("epochs = 2", "epochs = 4000"))
    environment = {**os.environ, "NERVA_TIME_OUT": "2"}
    command = nerva_command("train", "c.toml", "--quiet", "--workers", "2", "--output", "lost")
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (tmp_path / "lost" / METRICS).exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(ranks(process.pid)[rank], number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (LOST, "")
    assert err.count("\n") == 1
    assert "and the others with it; continue with: nerva train --resume --output lost --workers 2" in err
    assert ranks(process.pid) == {}
    epochs = len((tmp_path / "lost" / METRICS).read_text().splitlines())
    resumed = run(tmp_path, "train", "--resume", "--output", "lost", "--quiet", "--epochs", str(epochs + 2))
    assert (resumed.returncode, resumed.stderr) == (0, "")


def test_the_processes_are_those_of_this_python() -> None:
    assert nerva_command("x")[0] == sys.executable
