"""Training: the same run on every backend, every example used, noise and order from the seed, evaluation mode, divergence."""

import gc
import json
import weakref
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves
from nerva_core.data import Dataset
from nerva_core.training.config import Config, make_config, parse_config
from nerva_core.training.metrics import all_or_none_accuracy
from nerva_core.training.models import load_model
from nerva_core.training.results import Metrics
from nerva_core.training.runs import Run
from nerva_core.training.step import BatchSteps
from nerva_core.training.trainer import DivergenceError, Trainer

RICH = {"layers": "SReLU;BatchNormalization;Dropout(0.1);LinearDropout(p=0.1);AllReLU(0.3);Linear", "sizes": [64, 20, 16, 12, 10]}
"""A network with every kind of layer that has parameters, noise or statistics."""


def configure(**changes: Any) -> Config:
    values: dict[str, Any] = {
        "data": "Digits(train=200, test=100)",
        "training": {"epochs": 5, "batch_size": 32},
        "schedule": "Constant(0.02)",
    }
    return make_config({**values, **changes})


def train(**changes: Any) -> list[Metrics]:
    return list(Trainer(configure(**changes)).run())


@pytest.fixture(scope="module")
def references() -> dict[str, list[Metrics]]:
    """NumPy's runs in float64 of the default network and of the rich one."""
    return {"plain": train(dtype="float64"), "rich": train(dtype="float64", model=RICH)}


@pytest.mark.parametrize("name", ["plain", "rich"])
def test_the_same_run_on_every_backend(ops_of_dtype: Any, references: dict[str, list[Metrics]], name: str) -> None:
    model = {"model": RICH} if name == "rich" else {}
    history = train(backend=ops_of_dtype.name, dtype=ops_of_dtype.dtype, **model)
    tolerance = {"float64": 1e-9, "float32": 1e-3}[ops_of_dtype.dtype]
    for ours, reference in zip(history, references[name], strict=True):
        assert ours.train_loss == pytest.approx(reference.train_loss, rel=tolerance)
        assert ours.test_loss == pytest.approx(reference.test_loss, rel=tolerance)
    assert history[-1].test_accuracy == pytest.approx(references[name][-1].test_accuracy, abs=0.005)


@pytest.mark.sampled(2, "jax", "tensorflow")
@pytest.mark.parametrize("optimizer", ["GradientDescent", "Nesterov", "Adam", "RMSProp", "WeightDecay(Momentum, 1e-3)"])
def test_every_optimizer_trains_alike_on_every_backend(ops: Any, optimizer: str) -> None:
    changes = {"dtype": "float64", "optimizer": optimizer, "schedule": "Constant(0.002)", "training": {"epochs": 2, "batch_size": 64}}
    reference, ours = train(**changes), train(backend=ops.name, **changes)
    assert ours[-1].train_loss == pytest.approx(reference[-1].train_loss, rel=1e-9)
    assert ours[-1].train_loss < reference[0].train_loss


def test_the_default_learns_the_digits() -> None:
    history = list(Trainer(Config()).run())
    assert len(history) == 20
    assert history[-1].test_accuracy is not None
    assert history[-1].test_accuracy >= 0.97


def test_runs_repeat_bitwise_and_differ_by_seed() -> None:
    def losses(seed: int) -> list[float]:
        return [m.test_loss for m in train(seed=seed, model=RICH)]

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)


class RecordedSteps(BatchSteps):
    """Notes the rows of every step."""

    rows: ClassVar[list[list[int]]] = []

    def on_rows(self, ops: Any, state: Any, X: Any, T: Any, rows: Any, noise: Any, scalars: Any) -> Any:
        self.rows.append(list(rows))
        return super().on_rows(ops, state, X, T, rows, noise, scalars)


@pytest.mark.parametrize(("examples", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (3, 4, [3]), (8, 4, [4, 4])])
def test_every_example_is_used_once_an_epoch(monkeypatch: Any, examples: int, batch_size: int, sizes: list[int]) -> None:
    monkeypatch.setattr("nerva_core.training.trainer.BatchSteps", RecordedSteps)
    monkeypatch.setattr(RecordedSteps, "rows", steps := [])
    list(Trainer(configure(data=f"Digits(train={examples})", training={"epochs": 2, "batch_size": batch_size}, compile=False)).run())
    assert [len(rows) for rows in steps] == sizes * 2
    half = len(steps) // 2
    for epoch in (steps[:half], steps[half:]):
        assert Counter(row for rows in epoch for row in rows) == Counter(range(examples))
    if examples > 3:
        assert steps[:half] != steps[half:]


def test_a_trainer_goes_when_it_is_no_longer_used(ops: Any) -> None:
    """Compiled steps refer to it, so they must not be kept in a global place."""
    trainer = Trainer(configure(backend=ops.name, dtype="float64", training={"epochs": 1, "batch_size": 100}))
    list(trainer.run())
    gone = weakref.ref(trainer)
    del trainer
    gc.collect()
    assert gone() is None


def test_a_restored_run_is_bitwise_the_uninterrupted_one() -> None:
    config = configure(model=RICH, optimizer="Adam", training={"epochs": 4, "batch_size": 32})
    whole, first, second = Trainer(config), Trainer(config), Trainer(config)
    uninterrupted = list(whole.run())
    steps = first.run()
    next(steps), next(steps)
    second.restore(first.epoch, first.to_numpy())
    assert [m.test_loss for m in second.run()] == [m.test_loss for m in uninterrupted[2:]]
    for a, b in zip(leaves(whole.to_numpy()), leaves(second.to_numpy()), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("loss", ["SquaredError", "MeanSquaredError"])
def test_regression(loss: str) -> None:
    changes = {"data": "SineOfSum(n=500)", "model": {"layers": "Tanh;Linear", "sizes": [1, 20, 1]}, "loss": loss}
    history = train(**changes, optimizer="Adam", schedule="Constant(0.01)", training={"epochs": 30, "batch_size": 50})
    assert history[-1].train_accuracy is None
    assert history[-1].train_loss < 0.8 * history[0].train_loss


@pytest.mark.parametrize(
    ("layers", "loss"),
    [("Tanh;Linear", "BinaryCrossEntropy"), ("Tanh;Sigmoid", "SquaredError")],
)
def test_two_classes_with_one_output(layers: str, loss: str) -> None:
    model = {"layers": layers, "sizes": [2, 16, 1]}
    history = train(data="Checkerboard(cells=2, n=400)", model=model, loss=loss, optimizer="Adam", schedule="Constant(0.02)",
                    training={"epochs": 30, "batch_size": 20})  # fmt: skip
    assert history[-1].test_accuracy is not None
    assert history[-1].test_accuracy > 0.9


@pytest.mark.parametrize(
    ("layers", "loss"),
    [("ReLU;Softmax", "CrossEntropy"), ("ReLU;Softmax", "NegativeLogLikelihood"), ("ReLU;LogSoftmax", "SoftmaxCrossEntropy")],
)
def test_networks_with_a_softmax(layers: str, loss: str) -> None:
    history = train(model={"layers": layers, "sizes": [64, 32, 10]}, loss=loss, schedule="Constant(0.05)")
    assert history[-1].train_loss < history[0].train_loss


def test_the_schedule_counts_epochs_or_steps() -> None:
    by_epoch = train(schedule="Exponential(0.02, d=0.5)")
    assert [m.lr for m in by_epoch] == pytest.approx([0.02 * np.exp(-0.5 * i) for i in range(5)])
    by_step = train(schedule="Exponential(0.02, d=0.5)", training={"epochs": 2, "batch_size": 100, "schedule_by": "step"})
    assert [m.lr for m in by_step] == pytest.approx([0.02 * np.exp(-0.5), 0.02 * np.exp(-1.5)])


def test_divergence_is_an_error_that_tells_where(ops: Any) -> None:
    trainer = Trainer(configure(backend=ops.name, dtype="float64", loss="SquaredError", schedule="Constant(1e4)"))
    with pytest.raises(DivergenceError, match=r"the loss is (inf|nan) at step \d+ of epoch 1 \(learning rate 10000\)"):
        list(trainer.run())


def test_data_of_ones_own() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    T = (X[:, 0] > 0).astype(int)
    data = Dataset(X, T, X, T, classes=2)
    trainer = Trainer(configure(model={"layers": "Tanh;Linear", "sizes": [3, 5, 2]}, training={"epochs": 30}), data)
    assert list(trainer.run())[-1].train_accuracy == pytest.approx(1, abs=0.05)


SEQUENCES = """
data = "SortingSequences(n=2000, length=3, standardised=true)"
loss = "SequenceCrossEntropy(3)"
optimizer = "Adam"
schedule = "Constant(0.005)"
[model]
layers = ["Linear(32)", "Tanh", "Linear(32)", "StraightThrough(Signum, clipped=true)", "Linear(9)"]
[training]
epochs = 8
batch_size = 50
record_distances = true
"""


def test_sequences_are_sorted_through_a_hard_layer(tmp_path: Path) -> None:
    """The accuracy is all-or-none, 1/6 for a guess; the distance of the hard layer is in the metrics of those who ask for it."""
    run = Run.start(parse_config(SEQUENCES), tmp_path / "run")
    run.train()
    data, last = run.trainer.data, run.history[-1]
    Y = load_model(tmp_path / "run" / "model.safetensors").predict(data.Xtest)
    assert last.test_accuracy == pytest.approx(all_or_none_accuracy(Y, data.Ttest, 3))
    assert last.test_accuracy is not None
    assert last.test_accuracy > 0.7
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert all(line["hard_distance"] > 0 for line in lines)


def test_the_largest_gradient_is_recorded(ops: Any) -> None:
    """One step on all rows: the gradient is the change of the parameters under gradient descent, divided by the rate."""
    changes = {"backend": ops.name, "dtype": "float64", "optimizer": "GradientDescent", "schedule": "Constant(0.5)"}
    trainer = Trainer(configure(**changes, training={"epochs": 1, "batch_size": 200, "record_gradients": True}))
    before = list(map(np.array, leaves(trainer.to_numpy().params)))
    (metrics,) = trainer.run()
    largest = max(np.abs(a - b).max() / 0.5 for a, b in zip(before, leaves(trainer.to_numpy().params), strict=True))
    assert metrics.largest_gradient == pytest.approx(largest, rel=1e-9)


def test_recording_gradients_changes_nothing_else() -> None:
    training = {"epochs": 3, "batch_size": 32}
    plain, recorded = train(model=RICH, training=training), train(model=RICH, training={**training, "record_gradients": True})
    assert [m.test_loss for m in plain] == [m.test_loss for m in recorded]
    assert all(m.largest_gradient is None for m in plain)
    assert all(m.largest_gradient is not None and m.largest_gradient > 0 for m in recorded)


def test_the_log_has_the_annealed_lambda() -> None:
    model = {"layers": "q-ELU(lambda=1, gamma=0.5);q-tanh(lambda=0.02);Linear", "sizes": [64, 8, 8, 10]}
    assert [m.q_lambda for m in train(model=model)] == pytest.approx([1, 1 / 1.5, 1 / 2, 1 / 2.5, 1 / 3])
    assert train()[0].q_lambda is None


def test_clipping_all_gradients_by_their_norm_bounds_the_step(ops: Any) -> None:
    optimizer = "GlobalNormClipping(GradientDescent, threshold=0.01)"
    trainer = Trainer(configure(backend=ops.name, dtype="float64", optimizer=optimizer, training={"epochs": 1, "batch_size": 200}))
    before = list(map(np.array, leaves(trainer.to_numpy().params)))
    list(trainer.run())
    change = sum(((a - b) ** 2).sum() for a, b in zip(before, leaves(trainer.to_numpy().params), strict=True)) ** 0.5
    assert change == pytest.approx(0.02 * 0.01, rel=1e-9)


def test_another_network_of_the_same_parameters_is_evaluated() -> None:
    trainer = Trainer(configure(model={"layers": "Tanh;Linear", "sizes": [64, 8, 10]}))
    network = configure(model={"layers": "ReLU;Linear", "sizes": [64, 8, 10]}).model.build()
    other = Trainer(trainer.config, network=network)
    other.restore(0, trainer.state)
    assert trainer.evaluate() != other.evaluate()
