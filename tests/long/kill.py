"""Runs that are killed at random moments, and resumed: they must end with the weights of a run that was left alone.

python -m tests.long.kill                          # fifty kills on each installed backend: about fifteen minutes
python -m tests.long.kill --kills 5 --backends numpy
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.training.checkpoints import CHECKPOINT
from nerva_core.training.runs import METRICS, MODEL

ROOT = Path(__file__).parent.parent.parent

CONFIG = """
backend = "{backend}"
data = "Digits(train=604, test=50)"
optimizer = "Adam"
schedule = "Cosine(0.01, n=12)"
[model]
layers = "ReLU;BatchNormalization;Dropout(0.1);Linear"
sizes = [64, 32, 10]
[training]
epochs = 12
batch_size = 2
checkpoint_every_minutes = 1e-9
"""
"""Noise, running statistics and two moments, so that a state is all it can be; saved after every call of the backend, four in an epoch."""


@dataclass
class Report:
    """What happened."""

    backend: str
    kills: int = 0
    within_an_epoch: int = 0
    """Kills after which the checkpoint was not one between two epochs."""
    runs: int = 0
    """Runs that were killed and came to their end."""
    identical: int = 0
    """Runs whose model file is bit for bit that of the run that was left alone."""


def nerva(*arguments: object) -> subprocess.Popen[str]:
    """Start ``nerva`` in a process of its own."""
    command = [sys.executable, "-m", "nerva_core.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a process, which must end well and say nothing."""
    _, err = process.communicate(timeout=600)
    if process.returncode or err:
        raise AssertionError(f"status {process.returncode}: {err}")


def stamp(path: Path) -> int:
    """When a file was last written; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def kill_once(process: subprocess.Popen[str], checkpoint: Path, rng: random.Random) -> bool:
    """Kill a process at a random moment, mostly after it has written its first checkpoint; False if it has ended before."""
    before, early = stamp(checkpoint), rng.random() < 0.1
    while not early and stamp(checkpoint) == before and process.poll() is None:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 1.0 if early else 0.1))
    if process.poll() is not None:
        return False
    process.kill()
    process.communicate()
    return True


def step_in_epoch(checkpoint: Path) -> int:
    """How many steps of an epoch a checkpoint has."""
    from nerva_core.training.models import read_safetensors

    return len(read_safetensors(checkpoint)[0]["outputs/"]) if checkpoint.exists() else 0


def torment(folder: Path, backend: str, kills: int, seed: int = 0) -> Report:
    """Kill runs so many times in all, resume them, and compare their ends with that of a run that is left alone."""
    rng, report = random.Random(seed), Report(backend)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(backend=backend))
    finish(nerva("train", config, "--output", folder / "whole", "--quiet"))
    expected = (folder / "whole" / MODEL).read_bytes()
    losses = test_losses(folder / "whole")
    while report.kills < kills or report.runs == 0:
        directory, mine = folder / f"killed-{report.runs}", 0
        while True:
            start = ("--resume", "--output", directory) if (directory / "config.toml").exists() else (config, "--output", directory)
            process = nerva("train", *start, "--quiet")
            if report.kills >= kills or not kill_once(process, directory / CHECKPOINT, rng):
                finish(process)
                break
            report.kills, mine = report.kills + 1, mine + 1
            report.within_an_epoch += step_in_epoch(directory / CHECKPOINT) > 0
        if mine:
            report.runs += 1
            report.identical += (directory / MODEL).read_bytes() == expected and test_losses(directory) == losses
    return report


def test_losses(directory: Path) -> list[float]:
    """The test losses of a run's epochs."""
    return [json.loads(line)["test_loss"] for line in (directory / METRICS).read_text().splitlines()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one report a backend; status 1 if a run ended differently."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="on each backend")
    parser.add_argument("--backends", default=",".join(name for name, cls in backend_classes().items() if find_spec(cls.requires)))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    good = True
    for backend in options.backends.split(","):
        with tempfile.TemporaryDirectory() as folder:
            report = torment(Path(folder), backend, options.kills, options.seed)
        print(json.dumps(asdict(report)), flush=True)
        good = good and report.identical == report.runs
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
