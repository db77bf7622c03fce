import math

import pytest

from sympy_validation.all_sizes.text import text
from sympy_validation.foreign.constants import constant_of, reading


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.5, "1/2"), (1e-5, "1/100000"), (1 / 3, "1/3"), (0.044715, "8943/200000"), (math.pi, "π"), (2 * math.pi, "2·π"),
        (math.sqrt(2 / math.pi), "(2)^(1/2)·π^(-1/2)"), (0.79788456, "(2)^(1/2)·π^(-1/2)"), (math.sqrt(0.5), "1/2·(2)^(1/2)"),
        (-math.inf, "-∞"), (-1e9, "-∞"), (1.702, "851/500"),
    ],
)  # fmt: skip
def test_a_float_is_the_number_that_it_stands_for(number: float, words: str) -> None:
    assert text(constant_of(number)) == words


def test_a_float_that_is_near_to_none_is_its_decimal() -> None:
    assert text(constant_of(0.7978)) == "3989/5000"
    assert text(constant_of(0.79788123)) == "79788123/100000000"


def test_what_a_number_is_taken_for_is_a_condition() -> None:
    assert reading(1.41421356) == "1.41421356 stands for (2)^(1/2)"
    assert reading(-1e9) == "-1e+09 stands for ∞"
    for plain in (math.pi, math.sqrt(2), 0.7978, 1e-5, 1 / 3, math.inf, 7):
        assert reading(plain) is None
