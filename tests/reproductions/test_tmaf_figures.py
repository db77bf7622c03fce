from __future__ import annotations

import numpy as np
import pytest

from nerva_core.data import Digits
from nerva_core.data.synthetic import ThreeFrequencies, three_frequencies
from nerva_core.reproductions import Bench, tmaf, tmaf_figures
from nerva_core.reproductions.tmaf_figures import approximations, class_curves, errors, learned
from tests.helpers import outside_of


@pytest.fixture(scope="module")
def runs():
    kinds = {kind: tmaf.network(layer, [3], 1) for kind, (layer, _) in tmaf.OSCILLATORY.items()}
    common = {**tmaf.training(2, 0.01), "loss": "MeanSquaredError"}
    return Bench().train(kinds, (0, 1), ThreeFrequencies(n=1000), **common)


def test_each_figure_is_drawn(runs):
    for figure in (learned({"a": runs["diagonal TMAF"][0], "b": runs["tri-diagonal TMAF"][0]}), errors({"a": runs}), approximations(runs)):
        assert figure.startswith(b"\x89PNG")


def test_the_curves_of_a_classification_name_what_they_are(monkeypatch):
    kinds = {kind: tmaf.network(layer, [3], 10) for kind, layer in tmaf.KINDS.items()}
    common = {**tmaf.training(2, 0.01), "loss": "SoftmaxCrossEntropyOneHot"}
    figures = []
    monkeypatch.setattr(tmaf_figures, "png", figures.append)
    class_curves(Bench().train(kinds, (0, 1), Digits(train=500, test=50), **common))
    assert [axis.get_ylabel() for axis in figures[0].axes] == ["training loss", "test accuracy (%)"]
    assert {text.get_text() for text in figures[0].legends[0].get_texts()} == {"ReLU", "PReLU", "TMAF"}
    assert outside_of(figures[0]) == []


def test_the_function_has_the_variance_of_three_waves():
    """Two waves of one half each remain when sin(πx) is fitted (erratum 002-26)."""
    x = (np.arange(100_000) + 0.5) / 50_000 - 1
    assert np.mean(three_frequencies(x) ** 2) == pytest.approx(1.5)
    assert np.mean((three_frequencies(x) - np.sin(np.pi * x)) ** 2) == pytest.approx(1.0)


def test_no_two_activations_of_a_figure_look_alike(runs, monkeypatch):
    figures = []
    monkeypatch.setattr(tmaf_figures, "png", figures.append)
    errors({"n = 1": {"ReLU": runs["ReLU"], "PReLU": runs["PReLU"], "TMAF": runs["diagonal TMAF"]}, "three frequencies": runs})
    (box,) = figures[0].legends
    styles = {(handle.get_color(), str(handle.get_linestyle())) for handle in box.get_lines()}
    assert len(styles) == len(box.get_texts()) == 5
    assert outside_of(figures[0]) == []
