import math

import numpy as np

from nerva_core.figures.terminal import confusion_table, curves


def test_curves_stand_where_their_values_are() -> None:
    lines = curves({"a": [0.0, 1.0, 2.0], "b": [2.0, 2.0, 2.0]}, first=5, name="epoch", width=9, height=3).splitlines()
    assert lines == [
        "   • a,  × b",
        "2 ┤×   ×   *",
        "  ┤    •",
        "0 ┤•",
        "  └─────────",
        "   5       7  epoch",
    ]


def test_a_wide_range_is_drawn_on_a_logarithmic_scale() -> None:
    lines = curves({"a": [100.0, 1.0, 0.01]}, first=1, name="epoch", width=3, height=3).splitlines()
    assert lines[0].endswith("• a (logarithmic)")
    assert [line.split("┤")[1] for line in lines[1:4]] == ["•", " •", "  •"]


def test_values_that_cannot_be_drawn() -> None:
    assert curves({"a": [math.nan, math.inf]}, 1, "epoch") == "nothing to draw: no value is finite"
    lines = curves({"a": [math.nan, 1.0]}, 1, "epoch", width=5, height=2).splitlines()
    assert lines[1] == "1 ┤    •"
    assert "1 ┤•" in curves({"a": [1.0]}, 1, "epoch", width=5, height=2)


def test_a_table_of_confusions() -> None:
    assert confusion_table(np.array([[10, 0], [2, 3]]), ["no", "yes"]).splitlines() == [
        "class  predicted",
        "        no  yes",
        "no      10    ·",
        "yes      2    3",
    ]
    assert confusion_table(np.zeros((21, 21), dtype=int), ["x"] * 21) == "the table of confusions of 21 classes is in the figure alone"
