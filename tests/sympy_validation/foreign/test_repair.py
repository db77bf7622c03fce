from pathlib import Path

import pytest

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.gradient_verdict import Rung
from sympy_validation.foreign.verdicts import decide

ZOO = Path(__file__).parents[3] / "examples" / "zoo"


@pytest.mark.parametrize(
    ("file", "name", "shapes", "words"),
    [
        ("numpy_zoo", "batch_norm/batch_norm_without_scale", "x: N D, g: D, b: D", "multiply dx by g"),
        ("numpy_zoo", "dense/dense_mean_of_bias", "x: N D, w: D K, b: K", "multiply db by N"),
        ("numpy_zoo", "bias_add/bias_add_of_channels_first", "x: N H W C, b: C", "sum over the axes 0, 1, 2"),
        ("numpy_zoo", "sequence_norm/sequence_norm_mean_twice", "x: B T C, w: C, b: C", "in the place of operand 2"),
        ("torch_zoo", "LinearAttentionScaleLost", "q: B T A, k: B T A, v: B T A", "divide dq by √A"),
        ("torch_zoo", "CrossEntropySumByBatch", "logits: N K, target: N in K", "multiply dlogits by N"),
    ],
)
def test_the_change_that_makes_it_right_is_found(file: str, name: str, shapes: str, words: str) -> None:
    found = decide(load_file(ZOO / f"{file}.py"), name, shapes)
    assert found.rung is Rung.REFUTED
    assert words in found.advice


PAIR = """
import numpy as np

def layer(x, w, b):
    return np.tanh(x @ w + b), (x, w, np.tanh(x @ w + b))

def layer_backward(dy, cache):
    x, w, y = cache
    da = dy * (1 - y**2)
    return da @ w.T, -(x.T @ da), da.mean(axis=0)
"""


def test_two_mistakes_are_two_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign in dw and a mean for a sum in db; with all the time that a loaded machine needs."""
    monkeypatch.setattr("sympy_validation.foreign.verdicts.REPAIR_SECONDS", 300.0)
    monkeypatch.setattr("sympy_validation.foreign.repair.SECONDS", 60.0)
    (tmp_path / "pair.py").write_text(PAIR, encoding="utf-8")
    found = decide(load_file(tmp_path / "pair.py"), "layer", "x: N D, w: D K, b: K")
    assert found.rung is Rung.REFUTED
    assert found.advice.count("in line 10 `return da @ w.T, -(x.T @ da), da.mean(axis=0)`") == 2
    assert "change the sign" in found.advice or "subtract" in found.advice
    assert "take the sum" in found.advice or "multiply by N" in found.advice


def test_what_is_missing_is_shown_where_no_change_is_found() -> None:
    found = decide(load_file(ZOO / "numpy_zoo.py"), "gram/gram_once", "x: N D")
    assert found.advice == "dx lacks Σ_k(dY[k,i]·x[k,j])"
