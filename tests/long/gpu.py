"""What must hold on a GPU: results, placement, the same bits twice and after a resumption; and the time of a step.

Of each framework that finds a GPU its first one is tried.

python -m tests.long.gpu --output report.md
python -m tests.long.gpu --devices torch=cpu        # to see that it works where there is none
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import Backend, backend, backend_classes, statuses
from nerva_core.algebra.trees import leaves
from nerva_core.benchmark.machine import machine
from nerva_core.comparison.subjects import subjects
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer

BOUND = {"float64": 1e-9, "float32": 1e-3}
"""Of what is computed on a device: its greatest distance from NumPy's in float64, relative to the largest element or 1. Not yet known
better; a product in TF32 has 1e-3 at once."""
SETTINGS = {
    "data": "Digits(train=600, test=100)",
    "model.layers": "ReLU;BatchNormalization;Dropout(0.1);Linear",
    "model.sizes": [64, 128, 10],
    "training.epochs": 3,
    "optimizer": "Adam",
    "schedule": "Constant(0.01)",
}


def results(ops: Backend, subject: Any, inputs: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The outputs of a subject, as NumPy arrays."""
    given = {name: ops.matrix(values) if isinstance(values, np.ndarray) else values for name, values in inputs.items()}
    with np.errstate(all="ignore"):
        return {name: np.asarray(ops.to_numpy(X), float) for name, X in subject.function(ops, subject.entry, given).items()}


def conformance(ops: Backend) -> Iterator[str]:
    """A line for each subject that is not what NumPy finds, or raises."""
    numpy = backend("numpy", "float64")
    for subject in subjects():
        inputs = next(iter(subject.inputs(0, ops.dtype).values()))
        try:
            found = results(ops, subject, inputs)
        except Exception as error:
            yield f"{subject.kind} {subject.name}: {type(error).__name__}: {str(error)[:100]}"
            continue
        for name, X in results(numpy, subject, inputs).items():
            finite = np.isfinite(X)
            error = np.abs(found[name] - X)[finite].max(initial=0) / max(1.0, np.abs(X[finite]).max(initial=0))
            if not error <= BOUND[ops.dtype]:
                yield f"{subject.kind} {subject.name}: {name} is off by {error:.2g}"


def trained(name: str, device: str, dtype: str = "float32") -> tuple[bytes, float, Trainer]:
    """What a run has learned, and its seconds a step in the last epoch."""
    trainer = Trainer(make_config(override({}, {**SETTINGS, "backend": name, "device": device, "dtype": dtype}), "here"))
    *_, last = trainer.run()
    return b"".join(X.tobytes() for X in leaves(trainer.to_numpy())), last.seconds / trainer.steps_per_epoch, trainer


def resumed(name: str, device: str) -> bytes:
    """What a run has learned that another process began: its state is read as NumPy arrays after the first epoch."""
    first = Trainer(make_config(override({}, {**SETTINGS, "backend": name, "device": device}), "here"))
    next(first.run())
    second = Trainer(first.config)
    second.restore(first.epoch, first.to_numpy())
    list(second.run())
    return b"".join(X.tobytes() for X in leaves(second.to_numpy()))


def report(name: str, device: str) -> Iterator[str]:
    """The lines on one device."""
    yield f"## {name} on {device}\n"
    for dtype in BOUND:
        wrong = list(conformance(backend(name, dtype, device)))
        yield f"* {dtype}: {len(list(subjects()))} subjects, {len(wrong)} not within {BOUND[dtype]:g} of NumPy in float64"
        yield from (f"    * {line}" for line in wrong)
    started = time.perf_counter()
    (one, seconds, _), (two, _, _) = trained(name, device), trained(name, device)
    yield f"* two runs: {'the same bits' if one == two else 'DIFFERENT bits'}"
    yield f"* a run that is resumed: {'the same bits' if one == resumed(name, device) else 'DIFFERENT bits'}"
    of_cpu = trained(name, "cpu")
    yield f"* a step: {1e3 * seconds:.3f} ms, on the processor {1e3 * of_cpu[1]:.3f} ms; all runs {time.perf_counter() - started:.0f} s"


def found_devices() -> list[tuple[str, str]]:
    """For each framework, its first device that is not the processor."""
    first = {status.name: [device for device in status.devices if not device.startswith("cpu")] for status in statuses()}
    return [(name, devices[0]) for name, devices in first.items() if devices]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report, or write it; status 1 if there is no GPU, or something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", help=f"such as torch=cuda:0,jax=gpu; of {', '.join(backend_classes())}")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    chosen = [(name, device) for name, _, device in (pair.partition("=") for pair in (options.devices or "").split(",") if pair)]
    devices = chosen or found_devices()
    if not devices:
        print("error: no framework finds a GPU here", file=sys.stderr)
        return 1
    lines = [f"# On GPUs\n\n{machine()}\n", *(line for name, device in devices for line in report(name, device))]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return int("DIFFERENT" in text or " off by " in text)


if __name__ == "__main__":
    sys.exit(main())
