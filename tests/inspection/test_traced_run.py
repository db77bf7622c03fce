"""Any step of a run, traced, is the one that trains."""

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.inspection.traced_run import trace_run
from nerva_core.training.batches import epoch_inputs
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer


def test_the_first_step_of_a_run() -> None:
    """A run of one step ends with the parameters that its trace ends with."""
    values = {"data": "Checkerboard(n=30)", "dtype": "float64", "training": {"epochs": 1, "batch_size": 30}}
    model = {"layers": "ReLU;Dropout(0.3);BatchNormalization;Linear", "sizes": [2, 5, 2]}
    config = make_config({**values, "model": model})
    trainer = Trainer(config)
    list(trainer.run())
    for found, expected in zip(leaves(trace_run(config).params), leaves(trainer.to_numpy().params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["Adam", "GAF(GlobalNormClipping(Momentum, 0.01))", "EMA(Adafactor, 0.9)"])
@pytest.mark.parametrize("step", [3, 8])
def test_any_step_is_the_one_that_trains(optimizer: str, step: int) -> None:
    """The fourth step begins the second epoch."""
    values = {"data": "Digits(train=60, test=20)", "optimizer": optimizer, "dtype": "float64", "training": {"batch_size": 16, "epochs": 2}}
    model = {"layers": "ReLU;Dropout(0.3);Linear", "sizes": [64, 5, 10]}
    config = make_config({**values, "model": model})
    trace, trainer = trace_run(config, step), Trainer(config)
    inputs = [group for epoch in (0, 1) for group in epoch_inputs(config, trainer.network, trainer.data, trainer.ops, epoch)]
    singles = [map_tree(lambda a, k=k: a[k : k + 1], group) for group in inputs for k in range(len(group.rows))]
    losses = [float(trainer.advance(single)[0, 0]) for single in singles[:step]]
    assert trace.loss == pytest.approx(losses[-1], rel=1e-12)
    for found, expected in zip(leaves(trace.params), leaves(trainer.to_numpy().params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("step", [0, 9])
def test_a_step_that_the_run_has_not(step: int) -> None:
    training = {"batch_size": 16, "epochs": 2}
    with pytest.raises(NervaError, match=f"the run has the steps 1 to 8, got {step}"):
        trace_run(make_config({"data": "Digits(train=60, test=20)", "training": training}), step)
