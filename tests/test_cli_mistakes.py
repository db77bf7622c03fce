"""Mistakes at the command line: each gets one clear message."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Nerva

QUICK = ("train", "--data", "Digits(train=100, test=50)", "--epochs", "2")


DIGITS = ("--data", "Digits(train=50, test=20)")


def files(directory: Path) -> None:
    """Inputs of all kinds that are not sound."""
    good = {"Xtrain": np.ones((4, 2)), "Ttrain": np.array([0, 1, 0, 1]), "Xtest": np.ones((2, 2)), "Ttest": np.array([0, 1])}

    def npz(name: str, **changes: Any) -> None:
        np.savez(directory / name, **{**good, **changes})

    npz("good.npz")
    npz("nan.npz", Xtrain=np.full((4, 2), np.nan))
    npz("labels.npz", Ttest=np.array([0, 7]))
    npz("negative.npz", Ttrain=np.array([0, 1, -1, 1]))
    npz("shapes.npz", Xtest=np.ones((2, 3)))
    (directory / "truncated.npz").write_bytes((directory / "good.npz").read_bytes()[:-40])
    (directory / "pickled.npz").write_bytes(pickle.dumps({"Xtrain": 1}))
    npz("objects.npz", Xtrain=np.array([object], dtype=object))
    (directory / "bad.toml").write_text("backend = numpy")
    (directory / "unknown.toml").write_text("epochs = 3")
    (directory / "binary.toml").write_bytes(bytes(range(128, 256)))
    (directory / "words.csv").write_text("a,b\n1,0\nx,1\n")
    (directory / "cifar").mkdir()
    (directory / "cifar/data_batch_1").write_bytes(pickle.dumps({}))
    (directory / "idx").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (directory / f"idx/{name}-ubyte").write_bytes(b"no")
    (directory / "full").mkdir()
    (directory / "full/precious").write_text("keep me")


LINEAR2 = ("--layers", "Linear", "--sizes", "2;2")

MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "missing file": (("missing.toml",), "cannot read the configuration missing.toml"),
    "directory as file": (("full",), "cannot read the configuration full"),
    "bad TOML": (("bad.toml",), "bad.toml is not valid TOML"),
    "unknown setting": (("unknown.toml",), "unknown setting 'epochs'"),
    "binary file": (("binary.toml",), "not UTF-8"),
    "unknown layer": (("--layers", "ReLu6;Linear"), "it is Hardtanh(0, 6)"),
    "unknown parameter": (("--layers", "LeakyReLU(beta=1);ReLU;Linear"), "LeakyReLU has no parameter 'beta'"),
    "unclosed bracket": (("--layers", "LeakyReLU(0.1;ReLU;Linear"), "cannot read the layer"),
    "too few sizes": (("--sizes", "64;10"), "sizes must list 4 numbers"),
    "wrong inputs": (("--sizes", "63;20;20;10"), "number of features, 64, got 63"),
    "wrong outputs": (("--sizes", "64;20;20;9"), "9 outputs, but the data have 10 classes"),
    "sizes that are no numbers": (("--sizes", "64;many;10"), "--sizes must be numbers"),
    "negative size": (("--sizes", "64;-3;20;10"), "sizes must be positive integers"),
    "negative batch": (("--batch-size", "-1"), "batch_size"),
    "more epochs than there are numbers": (
        ("--epochs", "99999999999999999999"),
        "training.epochs: input should be less than 9223372036854775808",
    ),
    "a seed beyond 64 bits": (("--seed", "99999999999999999999"), "seed: input should be less than"),
    "no epochs": (("--epochs", "0"), "epochs"),
    "epochs that are no number": (("--epochs", "many"), "'--epochs'"),
    "negative seed": (("--seed", "-1"), "seed"),
    "unknown backend": (("--backend", "pytorch"), "unknown backend 'pytorch'; did you mean 'torch'"),
    "unknown dtype": (("--dtype", "float16"), "'float32', 'float64' or 'bfloat16'"),
    "unknown device": (("--device", "cuda:3"), "finds no device 'cuda:3'"),
    "unknown loss": (("--loss", "CrossEntrpy"), "did you mean 'CrossEntropy'"),
    "unknown optimizer": (("--optimizer", "Adan"), "did you mean 'Adam'"),
    "momentum out of range": (("--optimizer", "Momentum(1.5)"), "mu must be >= 0 and < 1, got 1.5"),
    "unknown schedule": (("--schedule", "Konstant(0.1)"), "did you mean 'Constant'"),
    "negative rate": (("--schedule", "Constant(-0.1)"), "eta0 must be > 0, got -0.1"),
    "unknown data": (("--data", "Digit"), "did you mean 'Digits'"),
    "data without a path": (("--data", "NPZ"), "needs the parameter 'path'"),
    "missing data": (("--data", "NPZ(path='nothing.npz')"), "nothing.npz is not there"),
    "NaN in the data": (("--data", "NPZ(path='nan.npz')", *LINEAR2), "must be finite, got nan in row 0"),
    "label out of range": (("--data", "NPZ(path='labels.npz')", *LINEAR2), "got 7 in Ttest"),
    "negative label": (("--data", "NPZ(path='negative.npz')", *LINEAR2), "got -1 in Ttrain"),
    "shapes that differ": (("--data", "NPZ(path='shapes.npz')", *LINEAR2), "Xtrain has 2 columns, but Xtest has 3"),
    "truncated archive": (("--data", "NPZ(path='truncated.npz')", *LINEAR2), "truncated.npz"),
    "pickle": (("--data", "NPZ(path='pickled.npz')", *LINEAR2), "pickled"),
    "pickled objects": (("--data", "NPZ(path='objects.npz')", *LINEAR2), "pickled"),
    "words in a CSV": (("--data", "CSV(path='words.csv')", *LINEAR2), "words.csv, line 3, column 'a'"),
    "pickled CIFAR-10": (("--data", "CIFAR10(path='cifar')"), "binary version"),
    "no IDX": (("--data", "IDX(path='idx')"), "not an IDX file"),
    "regression with a loss for classes": (("--data", "SineOfSum(n=9)", "--layers", "Linear", "--sizes", "1;1"), "use SquaredError"),
    "output that is in use": ((*DIGITS, "--output", "full"), "full is not empty"),
    "output that is a file": ((*DIGITS, "--output", "good.npz"), "good.npz is a file, and --output is a directory"),
    "resume without output": (("--resume",), "--resume needs --output"),
    "resume of nothing": (("--resume", "--output", "full"), "full holds no run: there is no config.toml"),
    "resume with other settings": (("--resume", "--output", "full", "--seed", "1"), "only --epochs may be given, got seed"),
    "checkpoints never": (("--checkpoint-every", "0"), "checkpoint_every"),
    "trace into a directory": (("--trace", "--output", "new"), "takes no --output"),
    "JSON with plots": (("--json", "--plot"), "give one of them"),
    "a network for another planet": (("--sizes", "64;1000000000000;20;10"), "parameters would need"),
    "an option's value with thousands of digits": (("--seed", "9" * 5000), "'--seed'"),
    "unknown option": (("--bakend", "numpy"), "--bakend"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_clear_message(nerva: Nerva, tmp_path: Path, mistake: str) -> None:
    files(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    arguments, message = MISTAKES[mistake]
    status, out, err = nerva("train", *arguments)
    assert status == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert err.count("error:") <= 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_unknown_command(nerva: Nerva) -> None:
    status, _, err = nerva("trian")
    assert status == 2
    assert "train" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--optimizer", "RAdam"), "the nearest is AdamW with a schedule"),
        (("train", "--schedule", "StepLR"), "the nearest is StepBased"),
        (("train", "--layers", "Linear(8, weights=kaiming_normal);Linear(2)"), "it is He"),
        (("show", "BCELoss"), "BinaryCrossEntropy takes logits"),
        (("train", "--loss", "NLLLoss"), "NegativeLogLikelihood takes probabilities"),
        (("train", "--layers", "Softsign;Linear"), "the nearest is Tanh"),
        (("train", "--layers", "MyLayer;Linear"), "for one of your own: nerva --import FILE.py"),
        (("landscape", "."), "is not the directory of a run"),
    ],
)
def test_names_of_other_frameworks_and_what_comes_nearest(nerva: Nerva, arguments: tuple[str, ...], message: str) -> None:
    status, _, err = nerva(*arguments)
    assert status == 2
    assert message in err


@pytest.mark.parametrize(
    "flags", [("--loss", "CrossEntropyLoss"), ("--loss", "MSELoss"), ("--loss", "L1Loss"), ("--loss", "BCEWithLogitsLoss")]
)
def test_names_of_other_frameworks_are_understood(nerva: Nerva, flags: tuple[str, ...]) -> None:
    assert nerva(*QUICK, *flags, "--quiet") == (0, "", "")
