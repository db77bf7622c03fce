"""What a step of bench's configuration D costs one worker and each of two, of NumPy by MPI, in processor time; and what of it is exchange.

Processor time is what a busy machine can tell: on two free cores, two workers take the time of one of them, if neither waits.

python -m tests.long.two_workers
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.data.dataset import make_dataset
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer
from tests.backends.workers import ROOT

BATCH, STEPS, ROUNDS = 1024, 4, 5
SETTINGS = {
    "optimizer": "Momentum(mu=0.9)",
    "model.layers": "ReLU;BatchNormalization;ReLU;BatchNormalization;Linear",
    "model.sizes": [784, 1024, 1024, 10],
    "training.batch_size": BATCH,
}


def measure() -> None:
    """As one of the workers: print the least seconds a step of several rounds, and of those in the exchange of sums."""
    rng = np.random.default_rng(0)
    N = STEPS * BATCH
    X, T = rng.normal(size=(N, 784)).astype(np.float32), rng.integers(0, 10, N)
    data = make_dataset("numbers", X, T, X[:10], np.arange(10), regression=False)
    trainer = Trainer(make_config(override({}, SETTINGS), "here"), data)
    workers, spent = trainer.ops.workers, [0.0, 0]
    exchange = workers.exchange

    def timed(X: Any, other: int) -> Any:
        started = time.process_time()
        found = exchange(X, other)
        spent[0], spent[1] = spent[0] + time.process_time() - started, spent[1] + X.nbytes
        return found

    workers.exchange = timed  # type: ignore[method-assign]
    rounds = []
    for _ in range(ROUNDS + 1):
        group, before, started = next(trainer._inputs()), list(spent), time.process_time()
        steps = len(trainer.advance(group))
        rounds.append([(time.process_time() - started) / steps, (spent[0] - before[0]) / steps, (spent[1] - before[1]) / steps])
    least = min(rounds[1:])
    sys.stdout.write(
        json.dumps({"rank": workers.rank, "of": workers.count, "step": least[0], "exchange": least[1], "bytes": least[2]}) + "\n"
    )
    sys.stdout.flush()


def main() -> int:
    """Print a line for each worker, and how many times the step of one is that of the slower of two."""
    if os.environ.get("NERVA_MEASURED"):
        measure()
        return 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "NERVA_MEASURED": "1"}
    found = []
    for count in (1, 2):
        command = [str(Path(sys.executable).with_name("mpiexec")), "-n", str(count), sys.executable, "-m", "tests.long.two_workers"]
        out = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        found += [json.loads(text) for text in re.findall(r"\{[^}]*\}", out)]  # mpiexec may join two lines
    print("\n".join(map(json.dumps, found)))
    one, *two = (each["step"] for each in found)
    print(json.dumps({"times": round(one / max(two), 2)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
