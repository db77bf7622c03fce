"""How a process finds that it is a worker; what the command that starts workers passes on, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.launching import (
    LOST,
    Ended,
    _ended,
    _free_ports,
    _pass_on,
    _pass_on_errors,
    _signal,
    _statuses,
    _variables,
    launch,
    workers_in,
)


def test_workers_are_known_by_the_variables_of_their_launcher() -> None:
    assert workers_in({}) == (0, 1)
    assert workers_in({"WORLD_SIZE": "1", "RANK": "0"}) == (0, 1)
    assert workers_in({"WORLD_SIZE": "4", "RANK": "3"}) == (3, 4)
    assert workers_in({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}) == (1, 2)
    assert workers_in({"PMI_SIZE": "8", "PMI_RANK": "5"}) == (5, 8)
    assert workers_in({"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "9"}) == (1, 2)
    with pytest.raises(NervaError, match="WORLD_SIZE='2', but RANK=None"):
        workers_in({"WORLD_SIZE": "2"})
    with pytest.raises(NervaError, match="WORLD_SIZE='two'"):
        workers_in({"WORLD_SIZE": "two", "RANK": "0"})


def test_what_mpiexec_says_at_the_end_is_not_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    banner = ["\n", "=====\n", "=   BAD TERMINATION\n", "=   EXIT CODE: 9\n", "=====\n", "more\n"]
    assert "EXIT CODE: 9" in _pass_on(["epoch 1\n", "\n", "a == b\n", *banner])
    assert capsys.readouterr().out == "epoch 1\n\na == b\n"
    assert _signal(9) == "SIGKILL"
    assert _signal(99) == "signal 99"


def test_a_backend_without_workers_is_refused() -> None:
    with pytest.raises(NervaError, match="--workers needs the backend 'numpy' or 'torch' or 'jax' or 'tensorflow', got 'other'"):
        launch("other", 2, [])


@pytest.mark.parametrize(
    ("rank", "launched", "lost", "status", "said"),
    [
        (0, False, False, 2, "error: no\n"),
        (1, False, False, 2, "error: worker 1: no\n"),
        (0, True, False, 2, "error: no\n"),
        (0, False, True, LOST, "error: no\n"),
        (0, True, True, LOST, ""),
    ],
)
def test_how_a_worker_ends(rank: int, launched: bool, lost: bool, status: int, said: str) -> None:
    program = f"from nerva_core.training import launching\nlaunching.PATIENCE = 0\nlaunching.end_worker('no', 2, {lost})"
    environment = {"WORLD_SIZE": "2", "RANK": str(rank), "PYTHONPATH": str(Path(__file__).parents[2])} | (
        {"NERVA_LAUNCHED": "x"} if launched else {}
    )
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (status, said)


def test_how_processes_have_ended() -> None:
    assert _ended([0, 0]) == Ended(0)
    assert _ended([None, -9]) == Ended(LOST, "worker 1 was ended by SIGKILL")
    assert _ended([-6, -9]) == Ended(LOST, "worker 1 was ended by SIGKILL")
    assert _ended([-6, None]) == Ended(LOST)  # aborted by its engine, as another one does not answer
    assert _ended([LOST, None]) == Ended(LOST)
    assert _ended([None, 2]) == Ended(2)
    assert _ended([130, 130]) == Ended(130)


def test_processes_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nerva_core.training.launching.PATIENCE", 0.1)

    def process(program: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-S", "-c", program], text=True)

    assert _statuses([process(""), process("")]) == [0, 0]
    waiting = process("import time; time.sleep(60)")
    try:
        assert _statuses([waiting, process("import sys; sys.exit(2)")]) == [None, 2]
    finally:
        waiting.kill()
        waiting.wait()


def test_what_tells_a_worker_of_the_others() -> None:
    ports = _free_ports(3)
    assert len(set(ports)) == 3
    found = _variables(1, ports)
    assert (found["RANK"], found["WORLD_SIZE"], found["MASTER_PORT"]) == ("1", "3", str(ports[0]))
    assert workers_in(found) == (1, 3)
    assert f'127.0.0.1:{ports[2]}"]' in found["TF_CONFIG"]


def test_what_frameworks_log_is_not_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    logged = ["E1128 00:29:41.1 23 x.cc:1] lost\n", "\n", "RPC: /xla.Heartbeat\n", "2026-11-28 00:29:41.123456: I x.cc\n"]
    _pass_on_errors(["warning: a\n", *logged, "error: b\n", "  c\n"])
    assert capsys.readouterr().err == "warning: a\nerror: b\n  c\n"
