from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign.requests import from_table, request

TABLE = """
[tool.nerva.prove]
"a.py:f" = "x: N"
"b.py:g" = { shapes = "x: N D", expect = "different", reason = "clipping" }
"""


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(TABLE)
    first, second = from_table(path)
    assert (first.label, first.shapes, first.different) == ("a.py:f", "x: N", "")
    assert first.path == tmp_path / "a.py"
    assert second.different == "clipping"


@pytest.mark.parametrize(
    "line", ["", "x = 3", '"a.py" = "x: N"', '"a.py:f" = { shapes = "x: N", expect = "different" }', '"a.py:f" = { shape = "x: N" }']
)
def test_other_tables_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.nerva.prove]\n{line}\n")
    with pytest.raises(NervaError):
        from_table(path)
    with pytest.raises(NervaError, match=r"FILE\.py:NAME"):
        request("layers", "x: N")
