from __future__ import annotations

from nerva_core.reproductions.dab_figures import accuracy_by_length, accuracy_by_steps
from nerva_core.reproductions.verdicts import Statistic


def test_figures_are_pngs_and_repeatable() -> None:
    found = {T: {"ELU": Statistic.of([90.0, 91.0]), "DAB": Statistic.of([80.0 - T, 82.0])} for T in (5, 10)}
    assert accuracy_by_length(found).startswith(b"\x89PNG")
    assert accuracy_by_length(found) == accuracy_by_length(found)
    assert accuracy_by_steps({1: Statistic.of([80.0]), 2: Statistic.of([85.0])}).startswith(b"\x89PNG")
