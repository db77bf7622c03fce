"""A model predicts what it was trained for: from raw examples, in files of every kind, with the names of its training data."""

import csv
import gzip
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.config import make_config
from nerva_core.training.models import Model, load_model
from nerva_core.training.predictions import predict, read_examples, to_csv, to_npz, with_probabilities
from nerva_core.training.runs import MODEL, Run


def flowers(path: Path) -> Path:
    """Two features on very different scales; the class depends on both."""
    rng = np.random.default_rng(1)
    size, weight = rng.uniform(0, 1, 200), rng.uniform(0, 1000, 200)
    names = np.where(size > weight / 1000, "rose", "aster")
    path.write_text("size,weight,kind\n" + "\n".join(f"{a},{b},{c}" for a, b, c in zip(size, weight, names, strict=True)))
    return path


def train(directory: Path, **values: Any) -> tuple[Run, Model]:
    run = Run.start(make_config({"schedule": "Constant(0.1)", "training": {"epochs": 15}, **values}), directory)
    run.train()
    return run, load_model(directory / MODEL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Model]:
    folder = tmp_path_factory.mktemp("flowers")
    path = flowers(folder / "flowers.csv")
    _, model = train(folder / "run", data={"name": "CSV", "path": str(path)}, model={"layers": "ReLU;Linear", "sizes": [2, 8, 2]})
    return path, model


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_csv_of_the_training_data_is_predicted_by_name(trained: tuple[Path, Model]) -> None:
    path, model = trained
    X, notes = read_examples(path, model)
    assert notes == [f"{path}: not used: column kind"]
    predicted = rows(to_csv(predict(model, X)))
    actual = rows(path.read_text())
    assert np.mean([p["class"] == a["kind"] for p, a in zip(predicted, actual, strict=True)]) > 0.95
    for row in predicted:
        chances = {"aster": float(row["probability_aster"]), "rose": float(row["probability_rose"])}
        assert sum(chances.values()) == pytest.approx(1)
        assert row["class"] == max(chances, key=lambda name: chances[name])


def test_columns_are_found_by_name_in_any_order(trained: tuple[Path, Model], tmp_path: Path) -> None:
    _, model = trained
    (tmp_path / "a.csv").write_text("size,weight\n0.9,10\n0.1,900\n")
    (tmp_path / "b.csv").write_text("weight,note,size\n10,new,0.9\n900,new,0.1\n")
    (tmp_path / "c.csv").write_text("0.9,10\n0.1,900\n")
    expected, notes = read_examples(tmp_path / "a.csv", model)
    assert notes == []
    assert rows(to_csv(predict(model, expected)))[0]["class"] == "rose"
    for name in ("b.csv", "c.csv"):
        np.testing.assert_array_equal(read_examples(tmp_path / name, model)[0], expected)


def test_the_predictions_of_a_run_are_those_of_its_evaluation(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    from nerva_core.data import Digits

    run, model = train(tmp_path / "run", data="Digits", training={"epochs": 2})
    raw = Digits(scaling="none").load()
    classes = predict(model, raw.Xtest).classes
    assert classes is not None
    assert np.mean(classes == raw.Ttest) == run.history[-1].test_accuracy
    np.savez(tmp_path / "x.npz", X=load_digits().images)
    assert read_examples(tmp_path / "x.npz", model)[0].shape == (1797, 64)


def test_idx_files(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (5, 8, 8), dtype=np.uint8)
    content = struct.pack(">HBB3I", 0, 8, 3, *images.shape) + images.tobytes()
    (tmp_path / "images-idx3-ubyte").write_bytes(content)
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    _, model = train(tmp_path / "run", data="Digits(train=50)", training={"epochs": 1})
    for name in ("images-idx3-ubyte", "images-idx3-ubyte.gz"):
        np.testing.assert_array_equal(read_examples(tmp_path / name, model)[0], images.reshape(5, 64))


def test_a_regression_gives_outputs(tmp_path: Path) -> None:
    source = {"name": "SineOfSum", "n": 50, "d": 2}
    _, model = train(
        tmp_path / "run", data=source, loss="SquaredError", schedule="Constant(0.001)", model={"layers": "Linear", "sizes": [2, 1]}
    )
    result = predict(model, np.ones((3, 2)))
    assert (result.classes, result.probabilities) == (None, None)
    assert to_csv(result).splitlines()[0] == "output_0"
    with np.load(io.BytesIO(to_npz(result))) as archive:
        assert archive.files == ["outputs"]
        np.testing.assert_array_equal(archive["outputs"], result.outputs)


def test_one_output_for_two_classes(tmp_path: Path) -> None:
    _, model = train(tmp_path / "run", data="Checkerboard(n=50)", loss="BinaryCrossEntropy", model={"layers": "Linear", "sizes": [2, 1]})
    result = predict(model, np.array([[0.5, 0.5], [-0.5, 0.3]]))
    assert result.probabilities is not None
    assert result.classes is not None
    sigmoid = 1 / (1 + np.exp(-result.outputs[:, 0]))
    np.testing.assert_allclose(result.probabilities, np.stack([1 - sigmoid, sigmoid], axis=1), rtol=1e-12)
    np.testing.assert_array_equal(result.classes, sigmoid > 0.5)
    with np.load(io.BytesIO(to_npz(result))) as archive:
        assert sorted(archive.files) == ["classes", "names", "outputs", "probabilities"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"size,wieght\n1,2\n", "has no column 'weight', a feature of the training data; did you mean 'wieght'"),
        ("a.csv", b"1,2,3,4\n", "the network has 2 inputs, but .* has 4 columns"),
        ("a.csv", b"size,weight\n1,heavy\n", "expected a number, got 'heavy'"),
        ("a.csv", b"size,weight\n1,nan\n", "line 2, column 'weight': numbers must be finite, got 'nan'"),
        ("a.txt", b"", "from .csv, .npz or IDX files"),
        ("a.npz", b"", "pickled Python objects or is no .npz archive"),
        ("idx", b"hello", "is not an IDX file"),
    ],
)
def test_unsound_data(trained: tuple[Path, Model], tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NervaError, match=message):
        read_examples(tmp_path / name, trained[1])


def test_archives_say_which_arrays_they_have(trained: tuple[Path, Model], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", Xtest=np.ones((2, 2)), wide=np.ones((2, 3)))
    assert read_examples(tmp_path / "a.npz", trained[1])[0].shape == (2, 2)
    with pytest.raises(NervaError, match="no array 'Xtset'; did you mean 'Xtest'"):
        read_examples(tmp_path / "a.npz", trained[1], "Xtset")
    with pytest.raises(NervaError, match=r"has 2 inputs, but .* has 3 columns"):
        read_examples(tmp_path / "a.npz", trained[1], "wide")
    with pytest.raises(NervaError, match="is not there"):
        read_examples(tmp_path / "b.npz", trained[1])
    (tmp_path / "c.csv").write_text("1,2\n")
    with pytest.raises(NervaError, match=r"--array names an array of an \.npz"):
        read_examples(tmp_path / "c.csv", trained[1], "X")


@pytest.mark.parametrize(
    "loss", ["SoftmaxCrossEntropyOneHot", "BinaryCrossEntropy", "CrossEntropy", "LabelSmoothing", "LogisticCrossEntropy"]
)
def test_a_network_with_the_probabilities_of_its_loss(loss: str) -> None:
    config = make_config({"loss": loss, "model": {"layers": ["Linear(4)", "Tanh", "Linear(3)"]}})
    network = config.model.build()
    model = Model(config, network, 2, network.init(np.random.default_rng(0), 2), network.initial_state(2))
    X = np.random.default_rng(1).normal(size=(5, 2))
    expected = predict(model, X).probabilities
    np.testing.assert_allclose(with_probabilities(model).predict(X), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["SquaredError", "Hinge", "SequenceCrossEntropy(3)"])
def test_a_loss_without_probabilities(loss: str) -> None:
    config = make_config({"loss": loss, "model": {"layers": ["Linear(3)"]}})
    network = config.model.build()
    model = Model(config, network, 2, network.init(np.random.default_rng(0), 2), network.initial_state(2))
    with pytest.raises(NervaError, match="neither as probabilities nor as logits"):
        with_probabilities(model)


def test_outputs_that_are_no_numbers_are_refused(trained: tuple[Path, Model]) -> None:
    _, model = trained
    with pytest.raises(NervaError, match="the outputs for 1 example, the first in row 1 counted from 0, are no finite numbers in float64"):
        predict(model, np.array([[0.5, 500.0], [1e308, 1e308]]))
