"""A data set of 8 GB in a file, which is all holes on the disk, trains within 1 GB of resident memory, the pages of the file included.

python -m tests.long.memory                    # one epoch and its evaluation: ten minutes and more
python -m tests.long.memory --gigabytes 1
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.backends.workers import ROOT, nerva_command

INPUTS = 784
MOST = 10**9
"""Bytes that may be resident."""


def write(folder: Path, gigabytes: float) -> int:
    """Write a data set whose inputs are a file of so many gigabytes, of bytes 0; the number of its examples."""
    N = int(gigabytes * 10**9 / INPUTS)
    for name, rows in (("Xtrain", N), ("Xtest", 1000)):
        with (folder / f"{name}.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (rows, INPUTS)})
            file.truncate(file.tell() + rows * INPUTS)
    for name, rows in (("Ttrain", N), ("Ttest", 1000)):
        np.save(folder / f"{name}.npy", np.arange(rows) % 10)
    return N


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was measured; status 1 if it is more than may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=8.6)
    parser.add_argument("--backend", default="numpy")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        N = write(folder, options.gigabytes)
        given = (
            "--data",
            f"NPY(path='{folder}')",
            "--layers",
            "Linear",
            "--sizes",
            f"{INPUTS};10",
            "--epochs",
            "1",
            "--batch-size",
            "4096",
        )
        command = nerva_command("train", *given, "--backend", options.backend, "--output", str(folder / "run"), "--quiet")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=folder, env=environment, check=True)
        on_disk = sum(path.stat().st_blocks * 512 for path in folder.glob("*.npy"))
        size = (folder / "Xtrain.npy").stat().st_size
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss * 1024
    report = {"backend": options.backend, "examples": N, "bytes": size, "on the disk": on_disk, "peak resident bytes": peak}
    print(json.dumps(report | {"processor seconds": round(used.ru_utime + used.ru_stime)}))
    return int(peak > MOST)


if __name__ == "__main__":
    sys.exit(main())
