"""What the tests of workers share: a small run, and the processes that are its workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nerva_core.training.runs import MODEL

ROOT = Path(__file__).parents[2]

CONFIG = """
data = "Digits(train=103, test=40)"
[model]
layers = "ReLU;BatchNormalization;Dropout(0.2);Linear"
sizes = [64, 16, 10]
[training]
epochs = 2
batch_size = 25
blocks = 4
"""
"""Batches of 25 rows in four blocks, and a last one of three rows, which are fewer than blocks."""

SMALL = """
data = "Digits(train=31, test=4)"
[model]
layers = "BatchNormalization;Linear"
sizes = [64, 10]
[training]
epochs = 1
batch_size = 4
blocks = 2
"""
"""What is compiled quickly."""


def nerva_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nerva_core", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(nerva_command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)


def trained(folder: Path, config: str, backend: str, workers: int) -> Path:
    """The model that so many workers train without a word."""
    (folder / "c.toml").write_text(config)
    name = f"{backend}-{workers}"
    result = run(folder, "train", "c.toml", "--quiet", "--backend", backend, "--workers", str(workers), "--output", name)
    assert (result.returncode, result.stderr, result.stdout) == (0, "", "")
    return folder / name / MODEL


def assert_the_bits_of_one(folder: Path, config: str, backend: str) -> None:
    """Two workers find the bits of one."""
    one, two = (trained(folder, config, backend, workers) for workers in (1, 2))
    assert one.read_bytes() == two.read_bytes()


def ranks(launcher: int) -> dict[int, int]:
    """The processes below this one that are workers, by their numbers."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            variables = dict(item.split("=", 1) for item in (path / "environ").read_text().split("\0") if "=" in item)
            command = (path / "cmdline").read_text().split("\0")
        except OSError:  # it has ended
            continue
        rank = variables.get("PMI_RANK", variables.get("RANK"))
        if rank is not None and "nerva_core" in command and "mpiexec" not in command[0] and _is_below(int(path.name), launcher):
            found[int(rank)] = int(path.name)
    return found


def _is_below(process: int, launcher: int) -> bool:
    while process > 1:
        if process == launcher:
            return True
        try:
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False
