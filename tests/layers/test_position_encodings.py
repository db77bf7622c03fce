"""Sinusoidal positions against the formula, rotary ones against complex numbers; and what they are for: differences of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import RotaryPositions, SinusoidalPositions
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.conftest import make_backend
from tests.layers.check import check_layer

N, L, HEADS, A = 2, 5, 2, 4


def test_sines_and_cosines(ops: Backend, rng: np.random.Generator) -> None:
    D = 6
    P = [[f(l / 10_000 ** (2 * i / D)) for i in range(D // 2) for f in (np.sin, np.cos)] for l in range(L)]  # noqa: E741

    def forward(X: Any) -> Any:
        import torch

        return X + torch.tensor(np.tile(P, (N, 1)))

    check_layer(ops, SinusoidalPositions(length=L), {"torch": forward}, rng.normal(size=(N * L, D)), ())


def rotated(X: Any) -> Any:
    """Each pair of columns as a complex number times e^(i·l·θ)."""
    import torch

    angles = torch.outer(torch.arange(L, dtype=torch.float64), 10_000.0 ** (-torch.arange(0, A, 2, dtype=torch.float64) / A))
    Q, K, V = (part.reshape(N, L, HEADS, A) for part in X.chunk(3, dim=1))
    turn = torch.polar(torch.ones_like(angles), angles)[None, :, None]
    turned = [torch.complex(*part.chunk(2, dim=3)) * turn for part in (Q, K)]
    return torch.cat([*(torch.cat((Z.real, Z.imag), dim=3).reshape(N * L, -1) for Z in turned), V.reshape(N * L, -1)], dim=1)


def test_queries_and_keys_are_turned(ops: Backend, rng: np.random.Generator) -> None:
    check_layer(ops, RotaryPositions(HEADS, length=L), {"torch": rotated}, rng.normal(size=(N * L, 3 * HEADS * A)), ())


def test_products_depend_on_the_difference_of_positions(rng: np.random.Generator) -> None:
    ops, layer = make_backend("numpy", "float64"), RotaryPositions(1, length=L)
    X = np.tile(rng.normal(size=(1, 3 * A)), (L, 1))  # the same query and key everywhere
    Y, _ = layer.feedforward(ops, (), X)
    products = Y[:, :A] @ Y[:, A : 2 * A].T
    for d in range(-2, 3):
        np.testing.assert_allclose(np.diag(products, d), np.diag(products, d)[0], atol=1e-12)
    assert abs(products[0, 1] - products[0, 0]) > 1e-3


def test_turned_the_same_way_in_the_backward_is_refuted() -> None:
    def wrong(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        return layer.feedforward(ops, params, DY)[0], ()

    (verdict,) = prove([Theorem("rotary", "DX", "", LayerGradient(layer_of(RotaryPositions), wrong), "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: SinusoidalPositions(length=3).outputs_for(5), "a sine and a cosine of each frequency, .* must be even, got 5"),
        (lambda: RotaryPositions(2, length=3).outputs_for(18), r"so 6 · 2 must divide them, got 18"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
