"""The numbers of code are found wherever it takes them from."""

from __future__ import annotations

from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.mentioned import LARGEST_COLUMNS, mentioned, sizes_beside, values_beside

CODE = """
LIMIT = 77

def helper(x):
    return x > 5.5

class Base:
    def inherited(self):
        return 11

class Own(Base):
    def method(self, x):
        inner = lambda y: y + 1001
        return helper(x) or x in (13, 0.25) or x > LIMIT or str(x) == "42" or inner(x) or 1 or 0 or True
"""


def test_numbers_are_found(tmp_path: Path) -> None:
    (tmp_path / "numbers.py").write_text(CODE, encoding="utf-8")
    assert {*mentioned(load_file(tmp_path / "numbers.py").Own)} == {77, 5.5, 11, 1001, 13, 0.25, 42}


def test_what_is_tried_is_on_both_sides() -> None:
    sizes = sizes_beside([64.0, 0.5, LARGEST_COLUMNS * 2])
    assert {(64, 2, 3), (65, 2, 3), (63, 2, 3), (2, 65, 3), (2, 3, 65), (LARGEST_COLUMNS * 2, 2, 3)} <= {*sizes}
    assert max(max(D, K) for _, D, K in sizes) <= LARGEST_COLUMNS
    assert min(values_beside([0.5], whole=False)) < 0.5 < max(values_beside([0.5], whole=False))
    assert {6, 7, 8} <= {*values_beside([6, 0.5, 1000], whole=True)} <= {*range(1, 33)}
