"""Gradients in numbers: right code has no difference, wrong code has, and random code says nothing."""

from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.find import find
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.quotients import tried_in_numbers

CODE = """
import numpy as np

def square(x):
    return x * x, x

def square_backward(dy, x):
    return 2 * dy * x

def wrong_backward(dy, x):
    return 2 * dy * x + 0.01

def short_backward(dy, x):
    return (dy * x)[:-1]

def noise(x):
    return x + np.random.randn(*x.shape), None

def noise_backward(dy, cache):
    return 3 * dy

def root(x):
    return np.sqrt(-1 - x * x), x

def root_backward(dy, x):
    return dy
"""


@pytest.mark.parametrize(
    ("name", "trials", "differs"),
    [("square", 3, False), ("square/wrong_backward", 3, True), ("square/short_backward", 3, True), ("noise", 3, False)],
)
def test_right_wrong_and_random_code(tmp_path: Path, name: str, trials: int, differs: bool) -> None:
    path = tmp_path / "code.py"
    path.write_text(CODE)
    found, difference = tried_in_numbers(find(load_file(path), name), parse("x: N"))
    assert found == trials
    assert (difference is not None) == differs
    if name.endswith("wrong_backward"):
        assert float(difference.found) == pytest.approx(float(difference.wanted) + 0.01, abs=1e-4)


def test_code_without_a_value_is_not_tried(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(CODE)
    with np.errstate(all="ignore"):
        assert tried_in_numbers(find(load_file(path), "root"), parse("x: N"))[1] is None
