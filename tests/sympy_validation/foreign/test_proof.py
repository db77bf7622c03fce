"""One function with some sizes as numbers: proved, refuted with the exact element, or with what is missing."""

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.find import find
from sympy_validation.foreign.gradients import Captured
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.proof import Refuted, prove_at

CODE = """
def scaled(x, w):
    return x * w, (x, w)

def scaled_backward(dy, cache):
    x, w = cache
    return dy * w, dy * x

def half_backward(dy, cache):
    x, w = cache
    return dy * w / 2, dy * x

def transposed_backward(dy, cache):
    x, w = cache
    return (dy * w).T, dy * x

def none_backward(dy, cache):
    x, w = cache
    return dy * w, None
"""


def proved(tmp_path: Path, backward: str, shapes: str = "x: N D, w: N D", **sizes: int) -> Captured:
    path = tmp_path / "code.py"
    path.write_text(CODE)
    return prove_at(find(load_file(path), f"scaled/{backward}_backward"), parse(shapes), sizes)


def test_it_is_proved_for_all_sizes_and_with_a_size_as_a_number(tmp_path: Path) -> None:
    assert set(proved(tmp_path, "scaled").found) == {"x", "w"}
    assert proved(tmp_path, "scaled", D=3).found["x"].shape[1] == 3


def test_the_difference_is_exact(tmp_path: Path) -> None:
    with pytest.raises(Refuted) as refuted:
        proved(tmp_path, "half")
    assert refuted.value.wrong == ("x",)
    wanted, found = refuted.value.difference.wanted, refuted.value.difference.found
    assert float(eval_fraction(wanted)) == pytest.approx(2 * float(eval_fraction(found)), rel=1e-6)


def eval_fraction(text: str) -> float:
    numerator, _, denominator = text.removesuffix("...").partition("/")
    return float(numerator) / float(denominator or 1)


def test_what_is_of_another_shape_or_not_given_is_refuted(tmp_path: Path) -> None:
    with pytest.raises(Refuted) as refuted:
        proved(tmp_path, "transposed")
    assert refuted.value.reason == "dx has the shape (D, N), and x has (N, D)"
    with pytest.raises(Refuted) as refuted:
        proved(tmp_path, "none")
    assert refuted.value.reason.startswith("no gradient is given for w (None)")


def test_the_stated_shape_of_the_output_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match=r"stated to have the shape \(N\), and has \(N, D\)"):
        proved(tmp_path, "scaled", "x: N D, w: N D -> N")
