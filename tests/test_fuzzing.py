"""A short run of the fuzzing in tests/long/fuzz.py, and that it sees what it looks for."""

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from tests.long import fuzz

ROOT = Path(__file__).parent.parent


def test_wrong_inputs_are_refused_with_one_message() -> None:
    command = [sys.executable, "-m", "tests.long.fuzz", "--examples", "30"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 0, result.stdout + result.stderr
    assert lines[-1]["inputs"] >= 30 * (len(lines) - 1)
    assert all(line.get("refused", 0) > 0 for line in lines[:-1])
    assert sum(line.get("taken", 0) > 0 for line in lines[:-1]) > len(lines) / 2  # and sound inputs are among them


@pytest.fixture(scope="module")
def watch() -> fuzz.Watch:
    return fuzz.Watch()


def test_the_watch_sees_what_is_forbidden(watch: fuzz.Watch, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    with watch.over(inside):
        (inside / "a").write_text("allowed")
        (inside / "a").rename(inside / "b")
        Path("/etc/hostname").exists()
    for work in (
        lambda: outside.write_text("x"),
        lambda: (inside / "b").rename(outside),
        lambda: os.open(outside, os.O_CREAT | os.O_WRONLY),
        lambda: pickle.loads(pickle.dumps(Path)),
        lambda: subprocess.run(["true"], check=True),
    ):
        with pytest.raises(AssertionError, match="forbidden"), watch.over(inside):
            work()


def test_a_hang_and_a_traceback_and_an_empty_message_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        while True:
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    monkeypatch.setattr(fuzz, "WAIT", 60)
    with pytest.raises(fuzz.HangError, match="processor time"), fuzz.limited_time():
        work()
    monkeypatch.setattr(fuzz, "WAIT", 0.2)
    with pytest.raises(fuzz.HangError, match=r"more than 0\.2 s$"), fuzz.limited_time():
        time.sleep(60)
    with pytest.raises(ZeroDivisionError):
        fuzz.verdict(lambda: 1 // 0)

    def refuse(message: str) -> None:
        raise NervaError(message)

    assert fuzz.verdict(lambda: refuse("because")) == "refused"
    assert fuzz.verdict(lambda: None) == "taken"
    with pytest.raises(AssertionError):
        fuzz.verdict(lambda: refuse(" "))
