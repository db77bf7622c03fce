from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from nerva_core.inspection.trace_printing import print_trace, shown
from tests.inspection.test_trace import traced


def test_it_is_printed_with_names_and_shapes() -> None:
    console = Console(width=90, record=True, file=io.StringIO())
    print_trace(traced("ReLU;Linear", [3, 4, 2]), console)
    text = console.export_text()
    assert "Z = X · Wᵀ + 1_N · b  (N × K = 5 × 4)" in text
    assert "X  from layer 2  (N × D = 5 × 4)\nW  parameter" in text, "what a neighbour gave is printed once"
    assert "-0.0000" not in text


def test_of_a_large_matrix_a_corner_is_shown() -> None:
    rows = shown(np.arange(200.0).reshape(10, 20), digits=1)
    assert len(rows) == 9
    assert rows[0] == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "…"]
    assert set(rows[-1]) == {"…"}
    assert shown(np.array([[-1e-9, 2e-9]]), digits=2) == [["-1.00e-09", "2.00e-09"]]
    assert shown(np.array([[-1e-9, 1.0]]), digits=2) == [["0.00", "1.00"]]
