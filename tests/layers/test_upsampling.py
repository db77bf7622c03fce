"""Transposed convolution and repetition against torch's own; they are adjoints; wrong gradients are refuted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import AveragePool, Convolution, TransposedConvolution, Upsample, parse_layers
from nerva_core.layers.convolution import ConvolutionParameters
from nerva_core.layers.upsampling import TransposedConvolutionParameters
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, check_whole_numbers, is_quick, random_parameters, sample

Up = TransposedConvolution
TRANSPOSED = [((5,), Up(3, k, s, p, o, d)) for k in (1, 2, 3) for s in (1, 3) for p in (0, 1) for o in (0, s - 1) for d in (1, 2)
              if 4 * s - 2 * p + d * (k - 1) + o >= 0]  # fmt: skip
TRANSPOSED += [
    ((3, 4), Up(2, 3, 2, 1, 1)),
    ((3, 4), Up(2, 2, 2)),
    ((2, 2), Up(1, 3, 1, 1)),
    ((3, 4), Up(6, 3, 2, 1, 1, groups=2)),
    ((5,), Up(4, groups=4)),
]


def torch_transposed(positions: tuple[int, ...], layer: TransposedConvolution) -> Any:
    def forward(X: Any, W: Any, b: Any) -> Any:
        import torch

        axes, C, K, G = len(positions), X.shape[1], layer.outputs, layer.groups
        images = X.reshape(-1, *positions, C).movedim(-1, 1)
        kernels = W.reshape(*(layer.kernel,) * axes, K // G, C).movedim((-1, -2), (0, 1))
        transposed = getattr(torch.nn.functional, f"conv_transpose{axes}d")
        numbers = {name: getattr(layer, name) for name in ("stride", "padding", "output_padding", "groups", "dilation")}
        return transposed(images, kernels, b[0], **numbers).movedim(1, -1).reshape(-1, K)

    return forward


def torch_nearest(positions: tuple[int, ...], factor: int) -> Any:
    def forward(X: Any) -> Any:
        import torch

        images = X.reshape(-1, *positions, X.shape[1]).movedim(-1, 1)
        return torch.nn.functional.interpolate(images, scale_factor=factor, mode="nearest").movedim(1, -1).reshape(-1, X.shape[1])

    return forward


def test_transposed_convolution_of_whole_numbers_bit_for_bit(ops: Backend) -> None:
    for positions, layer in sample(ops, TRANSPOSED):
        check_whole_numbers(ops, layer, positions, torch_transposed(positions, layer))


def test_gradients(ops: Backend, rng: np.random.Generator) -> None:
    layer, left = Up(4, 3, stride=2, padding=1, output_padding=1, groups=2).bind((3, 4))
    assert left == (6, 8)
    X = rng.normal(size=(24, 6))
    check_layer(ops, layer, {"torch": torch_transposed((3, 4), layer)}, X, random_parameters(rng, layer, 6))


def test_repetition(ops: Backend) -> None:
    for positions, factor in (((3, 2), 2), ((4,), 3), ((2, 3), 1))[: None if is_quick(ops) else 1]:
        layer, left = Upsample(factor).bind(positions)
        assert left == tuple(factor * n for n in positions)
        check_whole_numbers(ops, layer, positions, torch_nearest(positions, factor))


def test_it_is_the_adjoint_of_the_convolution(ops: Backend) -> None:
    """⟨conv(X), Y⟩ = ⟨X, transposed(Y)⟩ for the same weights and no bias, on whole numbers."""
    rng = np.random.default_rng(3)
    convolution, left = Convolution(4, 3, stride=2, padding=1).bind((6, 5))
    transposed, back = Up(2, 3, stride=2, padding=1, output_padding=0).bind(left)
    assert (left, back) == ((3, 3), (5, 5))
    transposed, back = Up(2, 3, stride=2, padding=1, output_padding=1).bind((3, 3))
    convolution, left = Convolution(4, 3, stride=2, padding=1).bind(back)
    assert (left, back) == ((3, 3), (6, 6))
    X, Y, W = (rng.integers(-9, 10, shape).astype(float) for shape in ((72, 2), (18, 4), (18, 4)))
    x, y, w = map(ops.matrix, (X, Y, W))
    down, _ = convolution.feedforward(ops, ConvolutionParameters(w, ops.zeros(1, 4)), x)
    up, _ = transposed.feedforward(ops, TransposedConvolutionParameters(w, ops.zeros(1, 2)), y)
    assert (ops.to_numpy(down) * Y).sum() == (X * ops.to_numpy(up)).sum()


def test_an_autoencoder_of_images() -> None:
    layers = ["Images(8,8)", "Conv(4,3,stride=2,padding=1)", "ReLU", "ConvTranspose2d(4,2,stride=2)", "Upsample", "AvgPool(2)", "Flatten"]
    network = parse_layers([*layers, "Linear(3)"])
    assert network.heights(2) == [2, 128, 32, 32, 128, 512, 128, 2, 2]


def mistaken(kind: str) -> Any:
    def backpropagate(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, D = layer.backpropagate(ops, params, cache, DY)
        if kind == "mean":
            return ops.divide(DX, layer.windows.offsets), D
        flipped = TransposedConvolutionParameters(ops.scale(-1, params.W), params.b)
        return layer.backpropagate(ops, flipped, cache, DY)

    return backpropagate


@pytest.mark.parametrize(("layer", "kind"), [(Upsample, "mean"), (TransposedConvolution, "sign")])
def test_wrong_gradients_are_refuted(layer: Any, kind: str) -> None:
    """The mean over a window, which is the gradient of average pooling's neighbour, in the place of the sum."""
    (verdict,) = prove([Theorem("up", "DX", "", LayerGradient(layer_of(layer), mistaken(kind)), "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Up(2, 3, stride=2, output_padding=2).bind((3,)), "output_padding must be less than the stride, 2, got 2"),
        (lambda: Up(4, groups=3).outputs_for(6), "the number of outputs must be a multiple of 3, the groups, got 4"),
        (lambda: Up(6, groups=3).outputs_for(4), "the number of channels must be a multiple of 3, the groups, got 4"),
        (lambda: Up(2, 1, padding=3).bind((3,)), "size must be 1 numbers of at least 1, got"),
        (lambda: Upsample().bind((2, 2))[0].rows_for(6), "takes examples of 4 positions, a row each, got 6 rows"),
        (lambda: Upsample().rows_for(6), "does not know the positions"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()


def test_average_pooling_undoes_it(ops: Backend) -> None:
    X = np.arange(12.0).reshape(6, 2)
    up, left = Upsample(2).bind((2, 3))
    down, _ = AveragePool(2).bind(left)
    Y, _ = down.feedforward(ops, (), up.feedforward(ops, (), ops.matrix(X))[0])
    np.testing.assert_array_equal(ops.to_numpy(Y), X)
