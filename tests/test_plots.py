import io

import matplotlib.image
import numpy as np
import pytest

from nerva_core.plots import confusion_matrix, learning_curves
from nerva_core.training import Metrics


def pixels(png: bytes) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(matplotlib.image.imread(io.BytesIO(png)))


def history(accuracy: float | None) -> list[Metrics]:
    return [Metrics(epoch, 0.1, 1 / epoch, 1.5 / epoch, accuracy, accuracy, 1.0) for epoch in range(1, 5)]


def test_a_regression_has_one_panel_and_a_classification_two() -> None:
    one, two = pixels(learning_curves(history(None), "a")), pixels(learning_curves(history(0.5), "b"))
    assert one.shape[1] < two.shape[1]
    assert one.shape[0] == two.shape[0]


def test_the_curves_are_drawn_in_both_colours() -> None:
    image = pixels(learning_curves(history(0.5), "title"))[..., :3]
    for colour in ("0072b2", "d55e00"):
        target = np.array([int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)])
        assert (np.abs(image - target).max(axis=-1) < 0.01).sum() > 100


def test_the_same_history_gives_the_same_bytes() -> None:
    assert learning_curves(history(0.5), "t") == learning_curves(history(0.5), "t")


@pytest.mark.parametrize("classes", [2, 25])
def test_a_confusion_matrix_is_a_figure(classes: int) -> None:
    content = confusion_matrix(np.eye(classes, dtype=int) * 7, [f"class {k}" for k in range(classes)], "confusions")
    assert content.startswith(b"\x89PNG")
