from __future__ import annotations

from typing import Any

import pytest

from nerva_core.reproductions import dab_figures
from nerva_core.reproductions.dab_figures import accuracy_by_length, accuracy_by_steps, codes
from nerva_core.reproductions.verdicts import Statistic
from tests.helpers import outside_of


def test_figures_are_pngs_and_repeatable() -> None:
    found = {T: {"ELU": Statistic.of([90.0, 91.0]), "DAB": Statistic.of([80.0 - T, 82.0])} for T in (5, 10)}
    assert accuracy_by_length(found).startswith(b"\x89PNG")
    assert accuracy_by_length(found) == accuracy_by_length(found)
    pondered = {T: {1: Statistic.of([80.0]), 2: Statistic.of([85.0])} for T in (5, 10)}
    assert accuracy_by_steps(pondered).startswith(b"\x89PNG")


def test_there_is_a_panel_a_length_and_a_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(dab_figures, "png", figures.append)
    accuracy_by_steps({T: {1: Statistic.of([80.0]), 2: Statistic.of([85.0])} for T in (5, 10)})
    assert [axis.get_title() for axis in figures[0].axes] == ["T = 5", "T = 10"]
    of = Statistic.of([70.0, 71.0])
    codes({"dab-signum": {0.1: (Statistic.of([0.5, 0.6]), of)}, "threshold": {0.1: (None, of)}})
    assert [len(axis.get_lines()) for axis in figures[1].axes] == [1, 2]
    codes({"dab-signum": {0.1: (None, of)}})  # images too small for MS-SSIM
    assert len(figures[2].axes) == 1
    assert [outside_of(figure) for figure in figures] == [[], [], []]


def test_a_kind_need_not_be_trained_at_every_length() -> None:
    one = Statistic.of([90.0, 91.0])
    assert accuracy_by_length({5: {"ELU": one, "straight-through": one}, 10: {"ELU": one}}).startswith(b"\x89PNG")
