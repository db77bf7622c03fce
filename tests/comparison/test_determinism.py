"""The same seed and configuration give the same run, bit for bit, twice, in fresh processes; and the same noise on every backend."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.interpreters.examples import ExampleSizes, describe, examples
from nerva_core.layers import LAYERS
from tests.conftest import BACKENDS, make_backend

SCRIPT = """
import hashlib, sys
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer
from nerva_core.algebra.trees import leaves

for seed in (7, 8)[: 1 + (sys.argv[1] == "numpy")]:
    config = make_config({
        "backend": sys.argv[1], "dtype": "float32", "seed": seed, "data": "Spirals(n=48)",
        "model": {"layers": ["Linear(8)", "SReLU", "Dropout(0.25)", "BatchNormalization", "LinearDropout(outputs=3, p=0.25)"]},
        "optimizer": "Adam", "schedule": "Constant(0.01)", "training": {"epochs": 2, "batch_size": 16},
    })
    trainer = Trainer(config)
    digest = hashlib.sha256()
    for metrics in trainer.run():
        digest.update(repr((metrics.train_loss, metrics.test_loss, metrics.test_accuracy)).encode())
    for leaf in leaves(trainer.to_numpy()):
        digest.update(leaf.tobytes())
    print(digest.hexdigest())
"""


def start(name):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, name], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name", BACKENDS)
def test_two_runs_in_fresh_processes_are_the_same_bit_for_bit(name):
    first, second = [process.communicate()[0].split() for process in [start(name), start(name)]]
    assert first == second
    assert [len(digest) for digest in first] == [64] * len(first)
    assert len(set(first)) == len(first)  # on NumPy there are two seeds: the digest does see the numbers


@pytest.mark.parametrize("layer", list(examples(LAYERS)), ids=describe)
def test_noise_is_the_same_on_every_backend(layer, backend_name, dtype):
    """It is drawn by NumPy; what reaches the backend is the same matrix."""
    ops = make_backend(backend_name, dtype)
    layer = layer.for_any_data(ExampleSizes())
    shape = layer.shape_of_input(ExampleSizes())
    first, second = (layer.draw(np.random.default_rng(5), *shape) for _ in range(2))
    for R, S in zip(leaves(first), leaves(map_tree(ops.matrix, second)), strict=True):
        assert np.array_equal(R.astype(dtype), ops.to_numpy(S))
