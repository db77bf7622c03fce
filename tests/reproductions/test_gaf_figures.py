import io
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from nerva_core.reproductions import Statistic, gaf_figures
from nerva_core.reproductions.gaf import KINDS
from nerva_core.reproductions.gaf_figures import SURFACES, accuracies, equivalent_surfaces, gradient_activations, left_out, saddle
from tests.helpers import outside_of


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(matplotlib.image.imread(io.BytesIO(png)))


def test_all_figures_are_drawn_on_white() -> None:
    table = {"none": {0.1: Statistic.of([80, 81]), 0.2: Statistic.of([float("nan"), 80])}, "some": {0.1: Statistic.of([10.0])}}
    for png in (saddle(steps=5), gradient_activations(), accuracies(table)):
        image = pixels(png)
        assert image.shape[2] == 3 or (image[..., 3] == 1).all()
        assert (image[0, :, :3] == 1).all()


def test_the_surfaces_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaf_figures, "SURFACES", {name: SURFACES[name] for name in ("original", "log (0.1, 20)")})
    image = pixels(equivalent_surfaces())
    assert (np.abs(image[..., :3] - 1).max(axis=2) > 0.2).mean() > 0.02


def test_what_is_not_shown_is_said() -> None:
    trained, few, diverged = Statistic.of([80, 81]), Statistic.of([10.0, 11.0]), Statistic.of([float("nan"), 80])
    assert left_out({"none": {0.1: trained}}) == ""
    text = left_out({"none": {0.1: trained, 0.2: diverged}, "printed": {0.1: few}})
    assert text.endswith("below 75 %: none at 0.2 (1 of 2 diverge); printed at 0.1 (10.50 ± 0.71)")


def test_no_two_optimizers_share_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(gaf_figures, "png", figures.append)
    accuracies({kind: {0.1: Statistic.of([80, 81])} for kind in KINDS})
    (box,) = figures[0].legends
    assert len({handle.get_color() for handle in box.get_lines()}) == len(KINDS)
    assert outside_of(figures[0]) == []


def test_the_legend_names_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(gaf_figures, "png", figures.append)
    accuracies({"none": {0.1: Statistic.of([80, 81])}, "printed": {0.1: Statistic.of([10.0, 11.0])}})
    (box,) = figures[0].legends
    assert [text.get_text() for text in box.get_texts()] == ["none"]
