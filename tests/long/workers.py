"""Faults of workers: processes that are killed, that freeze, that are interrupted, that never start, a disk that is full.

Every run must end soon, with one message, and no process left; go on from its last checkpoint; and end with the bits of a run that was left
alone. Where sums do not depend on the number of workers, with NumPy and PyTorch, a run goes on with another number of them.

python -m tests.long.workers                                # thirty kills on each installed engine, and the other faults: an hour
python -m tests.long.workers --kills 5 --backends numpy
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

from nerva_core.training.checkpoints import CHECKPOINT
from nerva_core.training.launching import LOST
from nerva_core.training.runs import MODEL
from tests.backends.workers import ROOT, nerva_command, ranks
from tests.long.kill import stamp, test_losses

CONFIG = """
backend = "{backend}"
data = "Digits(train=600, test=40)"
optimizer = "Adam"
[model]
layers = "ReLU;Dropout(0.1);Linear"
sizes = [64, 8, 10]
[training]
epochs = {epochs}
batch_size = 4
blocks = 4
checkpoint_every_minutes = 1e-9
"""
NEEDS = {"numpy": "mpi4py", "torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}
ANY_NUMBER = ("numpy", "torch")
"""The engines whose runs go on with another number of workers, to the same bits."""
TIME_OUT = 5
"""Seconds that a worker waits for a frozen one."""
PATIENCE = 900
"""Seconds in which a run must end, whatever has happened; the machine may be busy."""


@dataclass
class Report:
    """What happened on an engine."""

    backend: str
    kills: int = 0
    of_the_first: int = 0
    """Kills of the worker that writes."""
    slowest: float = 0.0
    """Seconds from a kill to the end of all processes, at most."""
    runs: int = 0
    """Runs that were killed and came to their end."""
    identical: int = 0
    """Runs whose model file is bit for bit that of the run that was left alone."""
    faults: dict[str, float] = field(default_factory=dict)
    """The other faults, each with the seconds from it to the end of all processes."""


class Engine:
    """Runs of one engine in a folder."""

    def __init__(self, folder: Path, backend: str, epochs: int, seed: int) -> None:
        self.folder, self.backend, self.random = folder, backend, random.Random(seed)
        self.report = Report(backend)
        (folder / "config.toml").write_text(CONFIG.format(backend=backend, epochs=epochs))
        cache = {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "NERVA_TIME_OUT": "100"} | cache
        self.run("whole")
        self.expected, self.losses = (folder / "whole" / MODEL).read_bytes(), test_losses(folder / "whole")

    def start(self, name: str, workers: int = 2, **environment: str) -> subprocess.Popen[str]:
        """Begin or continue the run in a directory."""
        directory = self.folder / name
        begun = (directory / "config.toml").exists()
        what = ("--resume",) if begun else (str(self.folder / "config.toml"),)
        command = nerva_command("train", *what, "--output", str(directory), "--quiet", "--workers", str(workers))
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self.environment | environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, name: str, workers: int = 2) -> None:
        """Begin or continue a run, to its end."""
        self.ended(self.start(name, workers), 0, "")

    def ended(self, process: subprocess.Popen[str], status: int, said: str) -> None:
        """The process must end with a status, nothing on stdout, and one message, or none; no worker is left."""
        launcher = process.pid
        out, err = process.communicate(timeout=PATIENCE)
        left = ranks(launcher)
        if (process.returncode, out) != (status, "") or err.count("\n") != bool(said) or said not in err or left:
            raise AssertionError(f"{self.backend}: status {process.returncode}, not {status}; stdout {out!r}; stderr {err!r}; left {left}")

    def worker(self, process: subprocess.Popen[str], rank: int) -> int | None:
        """The worker with a number, as soon as it is there; None if the run has ended before."""
        while process.poll() is None:
            if rank in (found := ranks(process.pid)):
                return found[rank]
            time.sleep(0.01)
        return None

    def at_a_checkpoint(self, name: str, process: subprocess.Popen[str]) -> bool:
        """Wait until another checkpoint is written, and a random moment; False if the run has ended before."""
        checkpoint = self.folder / name / CHECKPOINT
        before = stamp(checkpoint)
        while stamp(checkpoint) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, 0.1))
        return process.poll() is None

    def compare(self, name: str) -> bool:
        """Whether a run has ended as the one that was left alone."""
        return (self.folder / name / MODEL).read_bytes() == self.expected and test_losses(self.folder / name) == self.losses

    def kill(self, kills: int) -> None:
        """Kill workers so many times in all, at random moments; every run goes on to its end."""
        report, counts = self.report, (1, 2, 4) if self.backend in ANY_NUMBER else (2,)
        while report.kills < kills or not report.runs:
            name, mine = f"killed-{report.runs}", 0
            while True:
                workers = self.random.choice([count for count in counts if count > 1])
                process = self.start(name, workers)
                rank, early = self.random.randrange(workers), self.random.random() < 0.1
                victim = self.worker(process, rank) if report.kills < kills else None
                if victim is None or not (early or self.at_a_checkpoint(name, process)):
                    self.ended(process, 0, "")
                    break
                os.kill(victim, signal.SIGKILL)
                started = time.monotonic()
                self.ended(process, LOST, "was ended by SIGKILL, and the others with it")
                report.slowest = max(report.slowest, time.monotonic() - started)
                print(f"{self.backend}: kill {report.kills + 1} of {kills}", file=sys.stderr, flush=True)
                report.kills, report.of_the_first, mine = report.kills + 1, report.of_the_first + (rank == 0), mine + 1
            report.runs += mine > 0
            report.identical += mine > 0 and self.compare(name)

    def fault(self, name: str, status: int, said: str, cause: Callable[[str, subprocess.Popen[str]], None], **environment: str) -> None:
        """A run to which something happens, which then goes on to the same end."""
        process = self.start(name, **environment)
        cause(name, process)
        started = time.monotonic()
        self.ended(process, status, said)
        self.report.faults[name] = round(time.monotonic() - started, 1)
        print(f"{self.backend}: {name}, ended after {self.report.faults[name]} s", file=sys.stderr, flush=True)
        self.run(name)
        if not self.compare(name):
            raise AssertionError(f"{self.backend}: the run that was {name} ended differently")

    def other_faults(self) -> None:
        """One of each kind."""
        short = {"NERVA_TIME_OUT": str(TIME_OUT)}
        for rank in (0, 1):
            self.fault(f"frozen-{rank}", LOST, "and the others with it", self._signals(signal.SIGSTOP, rank), **short)
            self.fault(f"interrupted-{rank}", 128 + signal.SIGINT, "and saved; continue with", self._signals(signal.SIGINT, rank))
        module = self.folder / "never"
        module.mkdir()
        (module / "sitecustomize.py").write_text('import os\nif "1" in (os.getenv("RANK"), os.getenv("PMI_RANK")): os._exit(3)\n')
        process = self.start("never-started", PYTHONPATH=f"{module}:{ROOT}", **short)
        started = time.monotonic()
        process.communicate(timeout=PATIENCE)
        if not process.returncode or ranks(process.pid):
            raise AssertionError(f"{self.backend}: a worker that ends at once: status {process.returncode}")
        self.report.faults["never-started"] = round(time.monotonic() - started, 1)

    def _signals(self, number: signal.Signals, rank: int) -> Callable[[str, subprocess.Popen[str]], None]:
        def send(name: str, process: subprocess.Popen[str]) -> None:
            worker = self.worker(process, rank)
            if worker is None or not self.at_a_checkpoint(name, process):
                raise AssertionError(f"{self.backend}: the run has ended before it could be {name}")
            os.kill(worker, number)

        return send


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one report an engine; status 1 if a run ended differently."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30, help="on each engine")
    parser.add_argument("--backends", default=",".join(name for name, module in NEEDS.items() if find_spec(module)))
    parser.add_argument("--epochs", type=int, default=200, help="of a run")
    parser.add_argument("--kills-only", action="store_true", help="not the other faults")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    good = True
    for backend in options.backends.split(","):
        with tempfile.TemporaryDirectory() as folder:
            engine = Engine(Path(folder), backend, options.epochs, options.seed)
            if not options.kills_only:
                engine.other_faults()
            engine.kill(options.kills)
        print(json.dumps(asdict(engine.report)), flush=True)
        good = good and engine.report.identical == engine.report.runs
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
