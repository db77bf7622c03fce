"""Small networks with every block that opponents have, and the losses of a contender on them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nerva_core.benchmark.configurations import CHECKED_STEPS, BenchmarkProblem, Generated, make_problem
from nerva_core.benchmark.contenders import Ours
from nerva_core.benchmark.measure import disagreement
from nerva_core.data.dataset import make_dataset
from nerva_core.training.config import parse_config

SHORTCUT = '{name = "Add", f = ["Convolution(4, 3, stride=2, padding=1)", "BatchNormalization"], g = ["Convolution(4, 1, stride=2)"]}'
INNER = '{name = "Residual", layers = ["Convolution(4, 3, padding=1)", "BatchNormalization", "ReLU"]}'
IMAGES = f'["Images(5, 4)", "Convolution(3, 2)", "ReLU", {SHORTCUT}, {INNER}, "GlobalAveragePool", "Linear(3)"]'
POOLED = '["Images(5, 4)", "Convolution(3, 3, padding=1)", "ReLU", "MaxPool", "Flatten", "BatchNormalization", "Linear(3)"]'
SEQUENCES = '["Sequences(5)", "LSTM(6)", "Last", "Linear(3)"]'
TEXT = '["Sequences(6)", "Embedding(4, 5)", "PositionEmbedding", "TransformerBlock(2)", "LayerNorm", "Linear(5)"]'


def problem(
    layers: str = '["Linear(8)", "BatchNormalization", "ReLU", "Linear(3)"]', extra: str = "", columns: int = 6
) -> BenchmarkProblem:
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(60, columns)), rng.integers(3, size=60)
    data = make_dataset("test", X, T, X, T, regression=False, classes=3)
    text = f'schedule = "Constant(0.1)"\n{extra}\n[model]\nlayers = {layers}\n[training]\nbatch_size = 10'
    return make_problem(parse_config(text), data)


def losses(cls: Any, given: BenchmarkProblem) -> list[float]:
    found: list[float] = cls(given, 1).losses(given.rows[:CHECKED_STEPS])
    return found


def problem_of_text() -> BenchmarkProblem:
    given = Generated([], [6, 5], batch_size=10, steps=6, text=True)
    text = f'loss = "SoftmaxCrossEntropy"\nschedule = "Constant(0.1)"\n[model]\nlayers = {TEXT}\n[training]\nbatch_size = 10'
    return make_problem(parse_config(text), given.data())


KINDS = ("rows", "images", "pooled images", "sequences", "text")


@functools.cache
def problem_and_losses(kind: str) -> tuple[BenchmarkProblem, list[float]]:
    networks = {"images": IMAGES, "pooled images": POOLED, "sequences": SEQUENCES}
    made = {"text": problem_of_text, "rows": problem}
    given = made[kind]() if kind in made else problem(networks[kind], columns=20)
    return given, losses(Ours, given)


def check_that_it_agrees(cls: Any, kind: str) -> None:
    """The contender computes what ours does; the losses of the steps differ from each other."""
    given, ours = problem_and_losses(kind)
    assert disagreement(ours, losses(cls, given), "float32") is None
    assert len(set(ours)) == CHECKED_STEPS
