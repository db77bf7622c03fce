"""What does not fit together is refused before training."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data.dataset import make_dataset
from nerva_core.equations.activations import ReLU
from nerva_core.layers import ActivationLayer, Layer, Linear, Sequential
from nerva_core.training.checks import batch_warning, check_shapes, precision_warning
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer
from tests.training.test_trainer import configure

BINARY, TEN, LINE = "Checkerboard(n=50)", "Digits", "SineOfSum(n=50)"


@pytest.mark.parametrize(
    ("data", "layers", "loss", "message"),
    [
        (BINARY, ["Linear(1)"], "SoftmaxCrossEntropyOneHot", "trains nothing: the softmax .* use BinaryCrossEntropy"),
        (BINARY, ["Linear(1)", "Sigmoid"], "CrossEntropy", "no term for the class 0; use BinaryCrossEntropy"),
        (BINARY, ["Linear(1)", "Sigmoid"], "NegativeLogLikelihood", "no term for the class 0"),
        (BINARY, ["Linear(1)"], "LogisticCrossEntropy", "no term for the class 0"),
        (BINARY, ["Linear(1)", "Softmax"], "SquaredError", "constant"),
        (BINARY, ["Linear(1)"], "Hinge", "rank of one number is constant; use BinaryCrossEntropy"),
        (BINARY, ["Linear(1)"], "LabelSmoothing", "trains nothing: the softmax"),
        (BINARY, ["Linear(1)", "Sigmoid"], "Focal", "turns logits into probabilities itself.* make it Linear"),
        (TEN, ["Linear(10)", "Softmax"], "LabelSmoothing", "probabilities already; make it Linear, or use CrossEntropy"),
        (BINARY, ["Linear(1)", "Sigmoid"], "BinaryCrossEntropy", "turns logits into probabilities itself.* make it Linear"),
        (BINARY, ["Linear(2)", "Sigmoid"], "CrossEntropy", "do not sum to 1; make it Softmax, or use BinaryCrossEntropy"),
        (TEN, ["Linear(10)"], "CrossEntropy", "any numbers; make it Softmax, or use SoftmaxCrossEntropyOneHot"),
        (TEN, ["Linear(10)", "ReLU"], "NegativeLogLikelihood", "any numbers; make it Softmax"),
        (TEN, ["Linear(10)", "LogSoftmax"], "NegativeLogLikelihood", "logarithms of probabilities; make it Softmax"),
        (TEN, ["Linear(10)", "Softmax"], "SoftmaxCrossEntropyOneHot", "probabilities already; make it Linear, or use CrossEntropy"),
        (TEN, ["Linear(10)", "Sigmoid"], "SoftmaxCrossEntropyOneHot", "make it Linear"),
        (TEN, ["Linear(10)"], "SequenceCrossEntropy(classes=5)", r"use SequenceCrossEntropy\(classes=10\)"),
        ("SortingSequences(n=50)", ["Linear(25)"], "SoftmaxCrossEntropyOneHot", r"use SequenceCrossEntropy\(classes=5\)"),
        (LINE, ["Linear(1)", "Sigmoid"], "SquaredError", "gives numbers from 0 to 1, but the targets go from -"),
        (LINE, ["Linear(1)", "ReLU"], "SquaredError", "make the last layer Linear"),
        (LINE, ["Linear(1)"], "CosineDistance", "direction or rank of one number is constant; use SquaredError after a Linear layer"),
        (LINE, ["Linear(1)", "Softmax"], "AbsoluteError", "constant; use SquaredError"),
    ],
)
def test_loss_last_layer_outputs_and_data_must_fit_together(data: str, layers: list[str], loss: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        Trainer(make_config({"data": data, "model": {"layers": layers}, "loss": loss}))


def labels(change: Any = None) -> Any:
    """Targets of CTC for 4 positions and 3 classes: the labels 1 2, 2 and none."""
    T = np.zeros((3, 4, 3))
    T[0, (0, 1), (1, 2)] = T[1, 0, 2] = 1
    for place in change or ():
        T[place] = 1 - T[place]
    return T.reshape(3, -1)


@pytest.mark.parametrize(
    ("T", "task", "classes"),
    [
        (labels([(1, 0, 1)]), "regression", 3),
        (labels([(1, 1, 0)]), "regression", 3),
        (labels([(2, 2, 1)]), "regression", 3),
        (labels() / 2, "regression", 3),
        (labels(), "regression", 5),
        (np.arange(3), "classification", 3),
    ],
    ids=["two at one position", "the blank", "after none", "no labels", "another number of classes", "classes"],
)
def test_the_targets_of_ctc_are_labels(tmp_path: Path, T: Any, task: str, classes: int) -> None:
    def trainer(T: Any, task: str, classes: int) -> Trainer:
        X = np.ones((3, 2))
        np.savez(tmp_path / "labels.npz", Xtrain=X, Ttrain=T, Xtest=X, Ttest=T)
        data = {"name": "NPZ", "path": str(tmp_path / "labels.npz"), "task": task}
        outputs = 12 if task == "regression" else 3
        return Trainer(make_config({"data": data, "model": {"layers": [f"Linear({outputs})"]}, "loss": f"CTC({classes})"}))

    trainer(labels(), "regression", 3)
    with pytest.raises(NervaError, match="the labels one after the other, each one-hot"):
        trainer(T, task, classes)


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        (BINARY, ["Linear(1)"], "BinaryCrossEntropy"),
        (BINARY, ["Linear(1)", "Sigmoid"], "SquaredError"),
        (TEN, ["Linear(10)", "Softmax"], "CrossEntropy"),
        (TEN, ["Linear(10)", "LogSoftmax"], "SoftmaxCrossEntropyOneHot"),
        (TEN, ["Linear(10)"], "BinaryCrossEntropy"),
        (BINARY, ["Linear(1)"], "Focal"),
        (TEN, ["Linear(10)"], "Hinge"),
        (TEN, ["Linear(10)", "LogSoftmax"], "KLDivergence"),
        (LINE, ["Linear(1)", "Tanh"], "SquaredError"),
        ("SortingSequences(n=50)", ["Linear(25)"], "SequenceCrossEntropy(classes=5)"),
    ],
)
def test_what_fits_together_is_taken(data: str, layers: list[str], loss: str) -> None:
    Trainer(make_config({"data": data, "model": {"layers": layers}, "loss": loss}))


def test_an_example_must_come_out_as_one_row() -> None:
    with pytest.raises(NervaError, match=r"the network gives 36 rows of every example.* put Flatten"):
        Trainer(make_config({"data": "Digits(train=50)", "model": {"layers": "Conv(8, 3);Linear"}}))


@pytest.mark.parametrize(
    "normalised",
    [
        "BatchNormalization",
        {"name": "Repeat", "layers": ["BatchNormalization"]},
        {"name": "DAB", "hard": "Signum", "bridge": ["BatchNormalization"]},
    ],
)
def test_a_normalisation_inside_a_layer_is_found(normalised: Any) -> None:
    with pytest.raises(NervaError, match="at least two examples in every batch"):
        Trainer(make_config({"data": "Digits(train=17)", "training": {"batch_size": 16}, "model": {"layers": [normalised, "Linear(10)"]}}))


@pytest.mark.parametrize(("batch", "train"), [(1, 50), (7, 50), (16, 17), (16, 1)])
def test_batches_of_one_are_refused_where_they_are_normalised(batch: int, train: int) -> None:
    values = {"data": f"Digits(train={train})", "training": {"batch_size": batch}}
    Trainer(make_config({**values, "model": {"layers": ["Linear(10)"]}}))
    with pytest.raises(NervaError, match=r"at least two examples in every batch.*got batches of"):
        Trainer(make_config({**values, "model": {"layers": ["Linear(10)", "BatchNormalization", "Linear(10)"]}}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"layers": "Linear", "sizes": [63, 10]}}, "first of model.sizes must be the number of features, 64, got 63"),
        ({"model": {"layers": "Linear", "sizes": [64, 9]}}, "9 outputs, but the data have 10 classes"),
        ({"data": "SineOfSum(n=10)", "model": {"layers": "Linear", "sizes": [1, 1]}}, "is for classes, but the data are a regression"),
        ({"backend": "nunpy"}, "unknown backend 'nunpy'; did you mean 'numpy'"),
        ({"device": "cuda:7"}, "finds no device 'cuda:7'"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        Trainer(configure(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": {"layers": "ReLU;Linear", "sizes": [2, 10**12, 2]}},
            r"a network with 5,000,000,000,002 parameters would need .*iB",
        ),
        ({"model": {"layers": "ReLU;ReLU;Linear", "sizes": [2, 10**18, 10**18, 2]}}, "parameters would need"),
        ({"data": "Checkerboard(n=1000000000000)"}, "Checkerboard with n = 1000000000000 would need"),
        ({"data": "SineOfSum(n=10, d=1000000000000)", "loss": "SquaredError"}, "SineOfSum with n = 10 would need"),
    ],
)
def test_what_cannot_fit_in_memory_is_refused_before_it_is_made(changes: dict[str, Any], message: str) -> None:
    config = {"data": "Checkerboard(n=20)", "model": {"layers": "Linear", "sizes": [2, 2]}, **changes}
    with pytest.raises(NervaError, match=message):
        Trainer(make_config(config))


def test_numbers_that_the_dtype_does_not_have_are_refused(tmp_path: Path) -> None:
    X, T = np.array([[1e39, 0.0], [0.0, 1.0]]), np.array([0, 1])
    np.savez(tmp_path / "a.npz", Xtrain=X, Ttrain=T, Xtest=X, Ttest=T)
    values = {"data": {"name": "NPZ", "path": str(tmp_path / "a.npz")}, "model": {"layers": ["Linear(2)"]}}
    with pytest.raises(NervaError, match=r"the inputs go up to 1e\+39, but float32 ends at 3\.4e\+38; use dtype = 'float64', or scale"):
        Trainer(make_config(values))
    Trainer(make_config({**values, "dtype": "float64"}))
    targets = {**values["data"], "task": "regression"}
    np.savez(tmp_path / "a.npz", Xtrain=X / 1e39, Ttrain=X, Xtest=X / 1e39, Ttest=X)
    with pytest.raises(NervaError, match="the targets go up to"):
        Trainer(make_config({**values, "data": targets, "loss": "SquaredError"}))


def test_columns_that_the_dtype_makes_constant_are_told() -> None:
    X = np.array([[1.6e9, 1.0], [1.6e9 + 30, 2.0]])
    data = make_dataset("x", X, np.array([0, 1]), X, np.array([0, 1]), regression=False)
    assert re.match(
        r"1 column of the inputs, such as 0, which is near 1\.6e\+09, is constant in float32", precision_warning("float32", data)
    )
    assert precision_warning("float64", data) == ""


def test_batches_that_cannot_be_filled_are_told() -> None:
    X = np.zeros((3, 1))
    data = make_dataset("x", X, X, X, X, regression=True)
    assert batch_warning(3, data) == ""
    assert batch_warning(4, data) == "batches of 4 cannot be filled: there are 3 training examples, and each step takes all of them"


# The shapes of the layers of users ----------------------------------------------------------------


@dataclass(frozen=True)
class Shortcut(Layer):
    """Y = X + X Wᵀ, without a check of the width; what is ``wrong`` has another shape than stated."""

    width: int
    wrong: str = ""

    def outputs_for(self, D: int) -> int:
        return D + (self.wrong == "Y")

    def shapes(self, D: int) -> Any:
        return ((self.width, D),)

    def feedforward(self, ops: Any, params: Any, X: Any, *noise: Any) -> Any:
        if self.wrong == "value":
            float(X)
        return X + X @ ops.transpose(params[0]), X

    def backpropagate(self, ops: Any, params: Any, X: Any, DY: Any) -> Any:
        DX, DW = DY + DY @ params[0], ops.transpose(DY) @ X
        return ops.transpose(DX) if self.wrong == "DX" else DX, (ops.columns_sum(DW) if self.wrong == "DW" else DW,)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Shortcut(7), r"Shortcut, whose input has 4 columns: add: shapes \(5, 4\) and \(5, 7\) differ; .* as many columns"),
        (Shortcut(1), r"add: shapes \(5, 4\) and \(5, 1\) differ; nothing broadcasts"),
        (Shortcut(4, "Y"), r"Y, by outputs_for and rows_for, must have the shape \(5, 5\), got \(5, 4\)"),
        (Shortcut(4, "DX"), r"DX must have the shape \(5, 4\), got \(4, 5\)"),
        (Shortcut(4, "DW"), r"D0 must have the shape \(4, 4\), got \(1, 4\)"),
    ],
)
def test_a_layer_whose_shapes_do_not_fit_is_named(layer: Layer, message: str) -> None:
    """A framework repeats a branch with one column, without a word, and refuses seven as a defect of this library."""
    with pytest.raises(NervaError, match=message):
        check_shapes(Sequential((Linear(4), ActivationLayer(ReLU()), layer)), 5, 3)


@pytest.mark.parametrize("layer", [Shortcut(4), Shortcut(4, "value")])
def test_layers_that_fit_and_those_that_ask_for_values_pass(layer: Layer) -> None:
    check_shapes(Sequential((layer, Linear(2))), 5, 4)


def test_a_configuration_with_a_layer_that_does_not_fit_is_refused() -> None:
    config = make_config({"data": TEN, "model": {"layers": ["Linear(10)"]}})
    with pytest.raises(NervaError, match="Shortcut, whose input has 64 columns"):
        Trainer(config, network=Sequential((Shortcut(1), Linear(10))))
