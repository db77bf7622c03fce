from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.find import find
from sympy_validation.foreign.reasons import readable, source_line


def test_letters_for_numbered_indices() -> None:
    assert readable("x[i0_0,i1_0] + y[i2_1] != 0") == "x[i,j] + y[k1] != 0"


def test_a_line_is_shown_of_the_files_of_the_user_only(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(f"def f(x):\n    return x, x  # {'long ' * 20}\n\ndef f_backward(dy, x):\n    return dy\n", encoding="utf-8")
    code = find(load_file(path), "f")
    assert source_line(str(path), 2, code).startswith("line 2 `return x, x  # long")
    assert source_line(str(path), 2, code).endswith(" ...`")
    assert source_line(str(path), 5, code) == "line 5 `return dy`"
    assert source_line(__file__, 1, code) == ""
