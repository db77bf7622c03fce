import numpy as np
import pytest
import scipy.special

from sympy_validation.foreign import functions as f
from sympy_validation.foreign.errors import SizeNeeded
from tests.sympy_validation.foreign.points import agree, both


def test_composites() -> None:
    agree(f.softmax, "x: N D", lambda x: scipy.special.softmax(x, -1))
    agree(f.log_softmax, "x: N D", lambda x: scipy.special.log_softmax(x, -1))
    agree(f.logsumexp, "x: N D", lambda x: scipy.special.logsumexp(x, -1))
    agree(f.gelu, "x: N D", lambda x: x * scipy.special.ndtr(x))
    agree(lambda x: f.clip(x, -0.6, 0.7) + f.sign(x), "x: N D", lambda x: np.clip(x, -0.6, 0.7) + np.sign(x))


def test_moving() -> None:
    agree(lambda x: f.cumulative_sum(x, 0), "x: T D", lambda x: np.cumsum(x, 0))
    agree(lambda x: f.repeated(x, 2, 1), "x: N D", lambda x: np.repeat(x, 2, 1))
    agree(lambda x: f.rolled(x, 1, 1) + f.flipped(x, (1,)), "x: N 3", lambda x: np.roll(x, 1, 1) + np.flip(x, 1))
    with pytest.raises(SizeNeeded):
        both(lambda x: f.flipped(x, (0,)), "x: T D")
