import numpy as np
import pytest

from sympy_validation.foreign.errors import ShapesDiffer
from sympy_validation.foreign.products import Products
from tests.sympy_validation.foreign.points import agree, both


def test_matrix_products() -> None:
    agree(lambda x, y: x @ y, "x: N T D, y: D K")
    agree(lambda x, y: x @ y, "x: 2 3, y: 3")
    agree(lambda x, y: x.swapaxes(-1, -2) @ y, "x: B N T, y: B N D")
    with pytest.raises(ShapesDiffer):
        both(lambda x, y: x @ y, "x: N D, y: N D")


def test_einsum() -> None:
    agree(lambda x, y: Products.einsum("ntc,ntk->ck", x, y), "x: N T D, y: N T K", lambda x, y: np.einsum("ntc,ntk->ck", x, y))
    agree(lambda x, y: Products.einsum("...d,d", x, y), "x: N T D, y: D", lambda x, y: np.einsum("...d,d->...", x, y))


def test_joining() -> None:
    agree(lambda x, y: Products.concatenate([x, y], 1), "x: N D, y: N K", lambda x, y: np.concatenate([x, y], 1))
    agree(lambda x, y: Products.concatenate([x, y], 1), "x: N 2, y: N 3", lambda x, y: np.concatenate([x, y], 1))
    agree(lambda x: Products.stack([x, 2 * x], 1), "x: N D", lambda x: np.stack([x, 2 * x], 1))
    agree(lambda x: x.pad([(0, 0), (1, 2)], 3), "x: N D", lambda x: np.pad(x, [(0, 0), (1, 2)], constant_values=3))
    agree(lambda x: x.pad([(0, 0), (1, 1)]), "x: N 3", lambda x: np.pad(x, [(0, 0), (1, 1)]))
