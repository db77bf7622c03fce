import numpy as np
import pytest

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.numpy_front import NUMPY
from tests.sympy_validation.foreign.points import agree, both


@pytest.mark.parametrize("name", ["exp", "tanh", "square", "sign", "abs", "log1p", "negative", "reciprocal", "cosh"])
def test_functions_of_elements(name: str) -> None:
    agree(NUMPY[name], "x > 0: N D", getattr(np, name))


def test_functions_with_axes() -> None:
    agree(
        lambda x: NUMPY["sum"](x, axis=1, keepdims=True) + NUMPY["std"](x), "x: N D", lambda x: np.sum(x, axis=1, keepdims=True) + np.std(x)
    )
    agree(
        lambda x: NUMPY["concatenate"](NUMPY["split"](x, 2, axis=1), axis=0),
        "x: N (2 D)",
        lambda x: np.concatenate(np.split(x, 2, axis=1), axis=0),
    )
    agree(lambda x: NUMPY["linalg.norm"](x, axis=1), "x: N D", lambda x: np.linalg.norm(x, axis=1))
    agree(lambda x: x.transpose(1, 0).dot(x), "x: N D")


def test_what_depends_on_data_is_refused() -> None:
    with pytest.raises(NotCaptured, match="depends on the data"):
        both(lambda x: NUMPY["where"](x > 0), "x: N D")
