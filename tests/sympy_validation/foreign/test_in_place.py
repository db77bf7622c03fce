"""Changes in place are seen through every name of the memory, and by no number."""

import numpy as np
import pytest

from sympy_validation.foreign.errors import ShapesDiffer
from tests.sympy_validation.foreign.points import agree, both


def test_a_change_in_place_is_seen_by_all_names() -> None:
    def f(x):
        y = x
        y *= 2
        return x + y

    agree(f, "x: N D")


def test_every_change_by_an_operator() -> None:
    def f(x, y):
        z = x * 1.0
        z += y
        z -= 3
        z *= y
        z /= 2 + y * y
        z **= 2
        return z

    agree(f, "x: N D, y: D")


@pytest.mark.parametrize("style", ["numpy", "torch"])
def test_the_sum_of_all_elements_is_memory_in_pytorch_only(style: str) -> None:
    def f(x):
        y = x.sum()
        z = y
        z += 1.0
        return y + z

    def expected(x):
        return 2 * np.sum(x) + (1 if style == "numpy" else 2)

    a, b = both(f, "x: N D", expected, style=style)
    np.testing.assert_allclose(a, b)


def test_a_larger_tensor_does_not_fit() -> None:
    with pytest.raises(ShapesDiffer, match="a change in place from"):
        both(lambda x, y: x[...].assign(y), "x: D, y: N D")
