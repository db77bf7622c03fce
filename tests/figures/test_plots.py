import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from nerva_core.figures.plots import (
    COLOURS,
    DASHES,
    band,
    confusion_matrix,
    curve,
    learning_curves,
    legend,
    loss_along_directions,
    overlaid_curves,
    panels,
    png,
)
from nerva_core.inspection.landscape import LossCurve
from nerva_core.training.results import Metrics
from tests.helpers import outside_of


def pixels(png: bytes) -> np.ndarray:
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


def test_a_figure_is_opaque_and_has_a_white_margin() -> None:
    image = pixels(learning_curves(history(0.5), "title"))
    assert image.shape[2] == 3 or (image[..., 3] == 1).all()
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (edge[:, :3] == 1).all()


def test_the_legend_covers_no_data_and_lists_a_label_once() -> None:
    figure, ((left, right),) = panels(1, 2)
    for axis in (left, right):
        curve(axis, [0, 1], [0, 1], 0, "one")
        curve(axis, [0, 1], [1, 0], 1, "two")
    legend(figure)
    png(figure)  # lays it out
    (box,) = figure.legends
    assert [text.get_text() for text in box.get_texts()] == ["one", "two"]
    assert box.get_window_extent().y1 < min(axis.get_tightbbox().y0 for axis in (left, right))


def test_curves_differ_by_colour_and_line() -> None:
    styles = {(COLOURS[k % len(COLOURS)], str(DASHES[k % len(DASHES)])) for k in range(42)}
    assert len(styles) == 42


def test_a_band_spans_the_runs_as_far_as_they_go() -> None:
    _, ((axis,),) = panels()
    band(axis, [1, 2, 3], [[1.0, 2.0, 3.0], [3.0, 4.0]], 0, "runs")
    assert list(axis.lines[0].get_ydata()) == [2, 3, 3]
    (filled,) = axis.collections
    assert filled.get_paths()[0].get_extents().y1 == 4


def test_the_loss_along_directions() -> None:
    t = np.linspace(-1, 1, 5)
    found = LossCurve(t, np.array([t**2, 2 * t**2]) + 0.1)
    assert pixels(loss_along_directions({"a": found, "b": found})).shape[1] > pixels(loss_along_directions({"a": found})).shape[1]


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that a test saves."""
    figures: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **options: (figures.append(figure), save(figure, *args, **options))[1])
    return figures


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_legend_is_not_cut_off(columns: int) -> None:
    figure, (axes,) = panels(1, columns, width=3.2)
    for k in range(11):
        curve(axes[0], [0, 1], [0, 1], k, f"a label of some length, number {k}")
    legend(figure, columns=6)
    assert outside_of(figure) == []


def test_a_long_legend_leaves_the_panels_their_height() -> None:
    figure, ((axis,),) = panels()
    for k in range(22):
        curve(axis, [0, 1], [0, 1], k, f"a label of some length, number {k}")
    legend(figure)
    png(figure)
    assert axis.get_window_extent().height / figure.dpi > 2


def test_the_landscape_is_not_cut_off(saved: list[Figure]) -> None:
    t = np.linspace(-1, 1, 5)
    loss_along_directions({"model": LossCurve(t, np.array([t**2, 2 * t**2, 3 * t**2]))})
    assert outside_of(saved[0]) == []


def test_every_colour_is_its_own() -> None:
    assert len(set(COLOURS)) == len(COLOURS) >= 11  # eleven optimizers are compared


def test_groups_of_runs_are_laid_over_each_other() -> None:
    long, short = history(0.5), history(0.25)[:1]
    assert pixels(overlaid_curves({"a": [long, short], "b": [long]})).shape[1] > pixels(overlaid_curves({"a": [history(None)]})).shape[1]
    assert overlaid_curves({"a": [long, short]}) != overlaid_curves({"a": [long]})
