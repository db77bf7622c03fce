"""Archives with a class at each position: tags of words, classes of pixels, and labels to be ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import NPZ
from nerva_core.data.dataset import PADDING, Dataset
from nerva_core.training.config import make_config
from nerva_core.training.runs import Run

WORDS = np.arange(24).reshape(8, 3) % 5
TAGS = np.where(WORDS == 4, -100, WORDS % 2)


def load(tmp_path: Path, options: dict[str, Any] | None = None, **arrays: Any) -> Dataset:
    np.savez(tmp_path / "a.npz", **arrays)
    return NPZ(path=str(tmp_path / "a.npz"), positions=True, **(options or {})).load()


def test_words_and_their_tags(tmp_path: Path) -> None:
    data = load(tmp_path, Xtrain=WORDS, Ttrain=TAGS, Xtest=WORDS[:2], Ttest=TAGS[:2])
    assert (data.classes, data.positions, data.grid, data.per_position, data.outputs, data.vocabulary) == (2, 3, (3,), True, 2, 5)
    np.testing.assert_array_equal(data.Ttrain, np.where(TAGS == -100, PADDING, TAGS))


def test_pixels_of_images_and_a_split(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(10, 4, 5, 3))
    data = load(tmp_path, {"ignored": 255}, X=images, y=np.where(images[..., 0] > 1, 255, images[..., 1] > 0).astype(np.uint8))
    assert (data.inputs, data.positions, data.grid, len(data.Xtrain), len(data.Xtest)) == (60, 20, (4, 5), 8, 2)
    assert {*data.Ttrain.ravel()} == {PADDING, 0, 1}


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"Ttrain": np.where(TAGS < 0, -5, TAGS)}, {}, r"labels must be 0, 1, 2, ... or ignored, which is -100, got -5 in Ttrain"),
        ({}, {"ignored": -1}, r"or ignored, which is -1, got -100 in Ttrain"),
        ({"Ttrain": TAGS[:, 0]}, {}, r"must be N x positions, or N x height x width, got shapes \(8,\) and \(8, 3\)"),
        ({"Ttest": TAGS[:, :2]}, {}, r"got shapes \(8, 3\) and \(8, 2\)"),
        ({"Ttrain": TAGS[:4]}, {}, "Xtrain has 8 rows, but Ttrain has 4"),
        ({"Xtrain": WORDS[:, :2]}, {}, "Xtrain has 2 columns, which are not the same number for each of 3 positions"),
        ({"Ttrain": np.full((8, 3), -100)}, {}, "every label of Ttrain is -100, which is ignored"),
        ({"Ttrain": TAGS / 2}, {}, "Ttrain must hold class numbers, integers, got dtype float64"),
        ({"Ttest": TAGS + 7}, {}, "labels must be in 0..1, as in Ttrain, or -100, got 8 in Ttest"),
        ({}, {"task": "regression"}, "positions = true is for classes"),
    ],
)
def test_what_is_refused(tmp_path: Path, arrays: dict[str, Any], options: dict[str, Any], message: str) -> None:
    given = {"Xtrain": WORDS, "Ttrain": TAGS, "Xtest": WORDS, "Ttest": TAGS, **arrays}
    if "Ttest" in arrays and arrays["Ttest"].max() > 2:
        given["Ttest"] = np.where(TAGS < 0, TAGS, TAGS + 7)
    with pytest.raises(NervaError, match=message):
        load(tmp_path, options, **given)


def test_ignored_labels_change_nothing(tmp_path: Path) -> None:
    """The loss is a mean over what counts: a run does not depend on what the classes of ignored positions would have been."""
    losses = []
    for hidden in (0, 1):
        np.savez(tmp_path / "b.npz", X=WORDS, y=np.where(TAGS < 0, hidden + 7, TAGS))
        data = {"name": "NPZ", "path": str(tmp_path / "b.npz"), "positions": True, "ignored": hidden + 7}
        config = {"data": data, "loss": "LabelSmoothing", "model": {"layers": "Embedding(4);Linear"}, "training": {"epochs": 2}}
        run = Run.start(make_config(config), tmp_path / str(hidden))
        run.train()
        losses.append(run.history[-1].train_loss)
        assert run.trainer.config.model.layers == ["Sequences(3)", "Embedding(4, vocabulary=5)", "Linear(2)"]
    assert losses[0] == losses[1]
