"""A profiled step is the step that trains, and every operation of it is counted once, where it belongs."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves
from nerva_core.inspection.profiling import BETWEEN, PROFILE, Profiler, print_profile, profile_run
from nerva_core.interpreters.traced import Recorder
from nerva_core.training.config import make_config
from nerva_core.training.runs import Run
from nerva_core.training.step import training_step
from nerva_core.training.trainer import Trainer


def trainer(backend: str = "numpy", optimizer: str = "Momentum", layers: str = "ReLU;BatchNormalization;Dropout(0.4);Linear") -> Trainer:
    description = {
        "backend": backend,
        "dtype": "float64",
        "data": "Digits(train=60, test=20)",
        "optimizer": optimizer,
        "model": {"layers": layers, "sizes": [64, 8, 10]},
        "training": {"epochs": 1, "batch_size": 20},
    }
    return Trainer(make_config(description, "test"))


@pytest.mark.parametrize(
    ("backend", "optimizer"),
    [
        *((name, "Momentum") for name in ("numpy", "jax", "torch", "tensorflow")),
        *((name, "WeightDecay(Adam, 0.01)") for name in ("numpy", "torch")),
    ],
)
def test_it_is_the_step_that_trains(backend: str, optimizer: str) -> None:
    subject = trainer(backend, optimizer)
    ops, data, given, config = subject.ops, subject.data, subject.first_input(), subject.config
    found = Profiler(subject).step(subject.state, given)
    X, T = ops.matrix(data.Xtrain[given.rows]), ops.matrix(data.targets(data.Ttrain, 10)[given.rows])
    noise, scalars = ops.matrices(given.noise), tuple(ops.scalar(float(c)) for c in given.scalars)
    network = subject.network.at_epoch(1)
    expected, _ = training_step(ops, network, config.loss, config.optimizer, subject.state, X, T, noise, scalars)
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_array_equal(ops.to_numpy(a), ops.to_numpy(b))


def test_every_operation_is_counted_once() -> None:
    """With a clock that ticks when it is read, an operation takes 1, and a step 1 + 2 for each operation."""
    subject = trainer()
    ticks = itertools.count()
    profiler = Profiler(subject, clock=lambda: float(next(ticks)))
    given = subject.first_input()
    for _ in range(2):
        profiler.step(subject.state, given)
    profile = profiler.profile()
    *rows, between = profile.rows
    data, config = subject.data, subject.config
    recorder = Recorder(subject.ops)
    batch = (data.Xtrain[given.rows], data.targets(data.Ttrain, 10)[given.rows])
    wrapped = recorder.wrap((subject.state, *map(subject.ops.matrix, batch), subject.ops.matrices(given.noise)))
    training_step(recorder, subject.network.at_epoch(1), config.loss, config.optimizer, *wrapped, given.scalars)
    assert sum(row.calls for row in rows) == sum(row.seconds for row in rows) == len(recorder.steps)
    assert (between.operation, between.seconds) == (BETWEEN, len(recorder.steps) + 1)
    assert sum(row.seconds for row in profile.rows) == profile.seconds


def test_layers_directions_and_native_operators() -> None:
    subject = trainer()
    profiler = Profiler(subject)
    profiler.step(subject.state, subject.first_input())
    found = {(row.part, row.direction) for row in profiler.profile().rows}
    layers = ["1 Linear", "2 ReLU", "3 BatchNormalization", "4 Dropout", "5 Linear"]
    assert {part for part, direction in found if direction == "forward"} == set(layers)
    assert {part for part, direction in found if direction == "backward"} == set(layers)
    assert ("SoftmaxCrossEntropyOneHot", "loss") in found
    assert ("Momentum", "update") in found
    assert ("3 BatchNormalization", "update") in found
    assert ("1 Linear", "backward", "matmul") in {(row.part, row.direction, row.operation) for row in profiler.profile().rows}


def test_the_layers_of_a_composition_are_seen() -> None:
    subject = trainer(layers="ActivationDropout(Tanh);Linear")
    profiler = Profiler(subject)
    profiler.step(subject.state, subject.first_input())
    assert {row.part for row in profiler.profile().rows if row.direction == "forward"} == {"1 LinearDropout", "2 Tanh", "3 Linear"}


def test_a_run_is_profiled_and_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path, trainer())
    before = run.trainer.to_numpy()
    profile = profile_run(run, steps=2)
    for a, b in zip(leaves(run.trainer.to_numpy()), leaves(before), strict=True):
        np.testing.assert_array_equal(a, b)
    written = json.loads((tmp_path / PROFILE).read_text())
    assert (written["steps"], written["compiled_seconds"]) == (2, None)
    assert sum(row["seconds"] for row in written["rows"]) == pytest.approx(profile.seconds)
    print_profile(profile)
    assert "4 Dropout" in capsys.readouterr().out
