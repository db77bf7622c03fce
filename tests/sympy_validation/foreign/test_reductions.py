import numpy as np

from tests.sympy_validation.foreign.points import agree


def test_reductions_over_sizes_and_numbers() -> None:
    for shapes in ("x: N D T", "x: 2 D 3", "x: 2 3 2"):
        agree(lambda x: x.sum((0, 2)) + x.mean() + x.var(1).sum(), shapes)
        agree(lambda x: x.max(-1, keepdims=True) + x.min(0), shapes)
    agree(lambda x: x.prod(axis=1), "x: N 3", lambda x: np.prod(x, axis=1))


def test_the_variance_by_n_less_one() -> None:
    agree(lambda x: x.var(0, ddof=1), "x: N D")
