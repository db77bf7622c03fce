"""The recurrence of a cell, as text; that Coq accepts it is tested beside the kernel."""

from __future__ import annotations

from sympy_validation.coq.recurrences import CELLS, CellRecurrence, projections, recurrence


def test_parts_of_nested_pairs() -> None:
    assert projections("p", 1) == ["p"]
    assert projections("p", 3) == ["fst p", "fst (snd p)", "(snd (snd p))"]


def test_each_cell_is_stated_for_all_variables_that_move_at_once() -> None:
    for subject in CELLS:
        text = str(CellRecurrence(recurrence(subject), "cell"))
        moving = ["dA", "dB", "dH", *["dC"] * (subject == "layers.LSTM")]
        assert all(f"({name} : nat -> nat -> " in text for name in moving)
        assert "recurrence_ok" in text
        assert "cell_step_right" in text
