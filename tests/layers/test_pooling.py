"""Pooling against torch's own; ties; the positions that are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import AveragePool, GlobalAveragePool, Images, Layer, Linear, MaxPool, Sequential, Upsample
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from tests.layers.check import check_layer

SHAPES = [((8,), 2, None), ((6, 4), 2, None), ((5, 5), 3, 2), ((4, 4), 2, 1)]


def torch_pooling(kind: str, positions: tuple[int, ...], kernel: int, stride: int | None) -> Any:
    def forward(X: Any) -> Any:
        import torch

        images = X.reshape(-1, *positions, X.shape[1]).movedim(-1, 1)
        pool = getattr(torch.nn.functional, f"{kind}_pool{len(positions)}d")
        return pool(images, kernel, stride).movedim(1, -1).reshape(-1, X.shape[1])

    return forward


@pytest.mark.parametrize(("positions", "kernel", "stride"), SHAPES)
@pytest.mark.parametrize(("kind", "layer"), [("max", MaxPool), ("avg", AveragePool)])
def test_gradients(ops: Backend, rng: np.random.Generator, kind: str, layer: Any, positions: Any, kernel: int, stride: Any) -> None:
    bound, _ = layer(kernel, stride).bind(positions)
    X = rng.normal(size=(2 * int(np.prod(positions)), 3))
    check_layer(ops, bound, {"torch": torch_pooling(kind, positions, kernel, stride)}, X, ())


def test_the_mean_of_all_positions(ops: Backend, rng: np.random.Generator) -> None:
    bound, left = GlobalAveragePool().bind((3, 2))
    assert left == ()
    X = rng.normal(size=(4 * 6, 3))
    check_layer(ops, bound, {"torch": lambda X: X.reshape(-1, 6, 3).mean(dim=1)}, X, ())
    network = Sequential((Images(3, 2), GlobalAveragePool(), Linear(5)))
    assert (network.heights(4), network.outputs_for(18)) == ([4, 24, 4, 4], 5)


def test_of_equal_elements_the_first_has_the_gradient(ops: Backend) -> None:
    layer, _ = MaxPool(2).bind((4,))
    X = ops.matrix([[1.0], [1.0], [0.0], [2.0]])
    Y, cache = layer.feedforward(ops, (), X)
    np.testing.assert_array_equal(ops.to_numpy(Y), [[1], [2]])
    DX, _ = layer.backpropagate(ops, (), cache, ops.matrix([[3.0], [5.0]]))
    np.testing.assert_array_equal(ops.to_numpy(DX), [[3], [0], [0], [5]])


@dataclass(frozen=True)
class Twice(Layer):
    """Each position twice, and the larger of the two: Y = X, though every window of the pooling is a tie."""

    def shape_of_input(self, symbols: Any) -> Any:
        return symbols.size("N") * 2, symbols.size("C")

    def layers(self) -> tuple[Any, Any]:
        return Upsample(2).bind((2,))[0], MaxPool(2).bind((4,))[0]

    def feedforward(self, ops: Any, params: Any, X: Any) -> Any:
        up, pool = self.layers()
        return X, pool.feedforward(ops, (), up.feedforward(ops, (), X)[0])[1]

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        up, pool = self.layers()
        return up.backpropagate(ops, (), (), pool.backpropagate(ops, (), cache, DY)[0])


def to_every_tie(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """DY at every position that is the largest of its window."""
    up, pool = layer.layers()
    X, C = ops.channel_windows(cache.X, pool.windows), ops.shape(DY)[1]
    U = pool.windows.offsets
    ties = ops.equal(X, ops.column_repeat(ops.rows_max(X), U))
    DZ = ops.hadamard(ties, ops.column_repeat(ops.reshape(DY, ops.shape(X)[0], 1), U))
    return up.backpropagate(ops, (), (), ops.channel_fold(DZ, C, pool.windows))


@pytest.mark.parametrize(("equations", "status"), [(None, "open"), (to_every_tie, "refuted")])
def test_the_gradient_given_to_every_tie_is_refuted(equations: Any, status: str) -> None:
    """The right one is open, not refuted: entry by entry nothing is known of the largest. For all sizes it is proved off the ties."""
    claim = LayerGradient(lambda space: Twice(), equations)
    (verdict,) = prove([Theorem("ties", "DX", "", claim, "entries")])
    assert (verdict.status, verdict.counterexample is not None) == (status, status == "refuted"), verdict
