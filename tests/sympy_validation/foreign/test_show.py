import json
from pathlib import Path

import pytest

from sympy_validation.foreign.requests import request
from sympy_validation.foreign.show import show
from sympy_validation.limits import Limits

ZOO = Path(__file__).parents[3] / "examples" / "zoo"


def test_verdicts_in_words_json_and_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = request(f"{ZOO}/numpy_zoo.py:gram", "x: N D")
    wrong = request(f"{ZOO}/numpy_zoo.py:gram/gram_once", "x: N D")
    assert show([right, wrong], tmp_path / "v.json", True, False, Limits(20)) == 1
    printed = capsys.readouterr().out
    assert "numpy_zoo.py:gram (dx): proved for all sizes" in printed
    assert "::error file=" in printed
    assert "should be" in printed
    assert [entry["status"] for entry in json.loads((tmp_path / "v.json").read_text())] == ["proved", "refuted"]
    assert show([right], None, False, True, Limits(20)) == 0
    assert capsys.readouterr().out == ""
