import io

import matplotlib.image
import numpy as np
import pytest

from nerva_core.reproductions import Statistic, gaf_figures
from nerva_core.reproductions.gaf_figures import SURFACES, accuracies, equivalent_surfaces, gradient_activations, saddle


def pixels(png: bytes) -> np.ndarray:  # type: ignore[type-arg]
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
