from __future__ import annotations

import numpy as np
import pytest

from backends.numpy import NumpyBackend
from nerva_core.comparison.training_run import NETWORK, SUBJECT, exact_run, measure_training
from nerva_core.layers import Linear, SReLU
from nerva_core.layers.batch_normalization import BatchNormalization
from tests.conftest import make_backend


def test_it_is_a_network_of_three_layers_with_batch_normalization_and_srelu_that_learns():
    assert sum(isinstance(layer, Linear) for layer in NETWORK.layers) == 3
    assert {BatchNormalization, SReLU} <= {type(layer) for layer in NETWORK.layers}
    run = exact_run("float64", 0)
    assert run["loss 100"].rounded[0, 0] < 0.7 * run["loss 1"].rounded[0, 0]
    assert sum(name.startswith("loss ") for name in run) == 100


def test_a_hundred_steps_agree_with_the_exact_run(backend_name, dtype):
    results = list(measure_training(make_backend(backend_name, dtype), 0))
    assert [result.quantity for result in results] == [f"{SUBJECT}: loss", f"{SUBJECT}: parameters"]
    for result in results:
        assert result.within, (result.quantity, result.relative)
        assert result.relative <= {"float64": 1e-12, "float32": 1e-5}[dtype]


def test_float32_inside_float64_is_found():
    class Half(NumpyBackend):
        def hadamard(self, X, Y):
            return (X.astype("float32") * Y.astype("float32")).astype("float64")

    assert not any(result.within for result in measure_training(Half("float64"), 0))


def test_nan_is_found():
    class Broken(NumpyBackend):
        def exp(self, X):
            return super().exp(X) * np.nan

    with np.errstate(all="ignore"):
        assert not any(result.within for result in measure_training(Broken("float64"), 0))


@pytest.mark.parametrize("seed", [1])
def test_other_seeds_agree_too(seed):
    assert all(result.within for result in measure_training(make_backend("numpy", "float64"), seed))
