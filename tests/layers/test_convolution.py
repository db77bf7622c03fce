"""Convolution against the frameworks' own, over sequences and images; what does not fit is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.initializers import He
from nerva_core.layers import Convolution, DepthwiseConvolution, Images, Linear, Sequences, Sequential, parse_layers
from nerva_core.layers.convolution import ConvolutionParameters
from sympy_validation.claims import Claim
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of
from tests.layers.check import check_layer, check_whole_numbers, random_parameters, sample

CASES = [
    ((7,), Convolution(4)),
    ((6, 5), Convolution(2, kernel=2, padding=1)),
    ((6, 7), Convolution(3, kernel=3, stride=2, padding=1)),
    ((5, 5), Convolution(1, kernel=2, dilation=2)),
    ((3, 3), Convolution(2, kernel=3)),
    ((5, 4), Convolution(6, kernel=2, stride=2, groups=3)),
    ((7,), DepthwiseConvolution(2, multiplier=2, padding=1)),
]
WHOLE = [
    ((6,), Convolution(4, kernel=3, stride=s, padding=p, dilation=d, groups=g))
    for s in (1, 2)
    for p in (0, 2)
    for d in (1, 2)
    for g in (1, 2)
]
WHOLE += [((5, 6), Convolution(4, kernel=k, stride=s, padding=1, groups=g)) for k, s in ((1, 1), (2, 3), (3, 2)) for g in (1, 2, 4)]
WHOLE += [((5, 4), DepthwiseConvolution(k, m, s, padding=1)) for k in (2, 3) for m in (1, 3) for s in (1, 2)]
"""Strides, paddings, dilations, groups; kernels that are wider than the stride, as wide, and narrower."""


def torch_convolution(positions: tuple[int, ...], layer: Convolution) -> Any:
    def forward(X: Any, W: Any, b: Any) -> Any:
        import torch

        axes, C, K = len(positions), X.shape[1], W.shape[1]
        groups = getattr(layer, "groups", C)
        images = X.reshape(-1, *positions, C).movedim(-1, 1)
        kernels = W.reshape(*(layer.kernel,) * axes, C // groups, K).movedim((-1, -2), (0, 1))
        convolve = getattr(torch.nn.functional, f"conv{axes}d")
        Y = convolve(images, kernels, b[0], stride=layer.stride, padding=layer.padding, dilation=layer.dilation, groups=groups)
        return Y.movedim(1, -1).reshape(-1, K)

    return forward


@pytest.mark.parametrize(("positions", "layer"), CASES, ids=str)
def test_gradients(ops: Backend, rng: np.random.Generator, positions: tuple[int, ...], layer: Convolution) -> None:
    bound, left = layer.bind(positions)
    assert left == bound.windows_over(positions).out
    X = rng.normal(size=(2 * int(np.prod(positions)), 3))
    check_layer(ops, bound, {"torch": torch_convolution(positions, layer)}, X, random_parameters(rng, bound, 3))


def test_whole_numbers_bit_for_bit(ops: Backend) -> None:
    for positions, layer in sample(ops, WHOLE):
        check_whole_numbers(ops, layer, positions, torch_convolution(positions, layer))


@pytest.mark.parametrize("groups", [2, 4])
def test_groups_are_convolutions_side_by_side(ops: Backend, rng: np.random.Generator, groups: int) -> None:
    """Of C/G channels each; in as many groups as channels they are the depthwise convolution."""
    layer, _ = Convolution(8, kernel=2, groups=groups).bind((3, 3))
    one, _ = Convolution(8 // groups, kernel=2).bind((3, 3))
    X, params = rng.normal(size=(18, 4)), random_parameters(rng, layer, 4)
    whole, _ = layer.feedforward(ops, ConvolutionParameters(*map(ops.matrix, params)), ops.matrix(X))
    parts = [np.split(M, groups, axis=1) for M in (X, *params)]
    for expected, (x, W, b) in zip(np.split(ops.to_numpy(whole), groups, axis=1), zip(*parts, strict=True), strict=True):
        Y, _ = one.feedforward(ops, ConvolutionParameters(ops.matrix(W), ops.matrix(b)), ops.matrix(x))
        np.testing.assert_allclose(ops.to_numpy(Y), expected, rtol=1e-12, atol=1e-12)
    if groups == 4:
        depthwise, _ = DepthwiseConvolution(2, multiplier=2).bind((3, 3))
        Y, _ = depthwise.feedforward(ops, ConvolutionParameters(*map(ops.matrix, params)), ops.matrix(X))
        np.testing.assert_array_equal(ops.to_numpy(Y), ops.to_numpy(whole))


def wrong(gradient: str, change: Any) -> Theorem:
    """The theorem of a published-looking backward with one gradient changed."""

    def equations(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, D = layer.backpropagate(ops, params, cache, DY)
        changed = {"DX": DX, "DW": D.W, "Db": D.b}
        changed[gradient] = change(ops, layer, params, cache, DY)
        return changed["DX"], ConvolutionParameters(changed["DW"], changed["Db"])

    claim: Claim = LayerGradient(layer_of(Convolution), equations)
    return Theorem("convolution", gradient, "", claim, "all sizes", expected="refuted")


@pytest.mark.parametrize(
    ("gradient", "change"),
    [
        ("Db", lambda ops, layer, params, cache, DY: ops.columns_mean(DY)),  # the mean over positions for the sum
        ("DX", lambda ops, layer, params, cache, DY: ops.convolve_inputs(2 * DY, params.W, layer.windows)),
        ("DW", lambda ops, layer, params, cache, DY: -ops.convolve_weights(cache.X, DY, layer.windows)),
        ("DW", lambda ops, layer, params, cache, DY: ops.convolve_weights(ops.abs(cache.X), DY, layer.windows)),
    ],
)
def test_wrong_gradients_are_refuted(gradient: str, change: Any) -> None:
    (verdict,) = prove([wrong(gradient, change)])
    assert verdict.status == "refuted"
    assert "counterexample" not in verdict.note


@dataclass(frozen=True)
class WithPadding(Convolution):
    """A convolution over three positions and one of padding on each side, wherever it is proved or refuted."""

    def for_any_data(self, symbols: Any) -> Any:
        return self.bind((3,))[0]


@dataclass(frozen=True)
class OfTheEdge(Geometry):
    """Windows whose padding sees the position at the edge, as if it were data."""

    @property
    def map(self) -> Any:
        places, offsets = np.arange(self.places), np.arange(self.offsets)
        return np.clip(places[:, None] * self.stride[0] + offsets - self.padding[0], 0, self.positions - 1)

    @property
    def sources(self) -> Any:
        seen = [[n for n, position in enumerate(self.map.flat) if position == p] for p in range(self.positions)]
        return np.array([row + [self.map.size] * (max(map(len, seen)) - len(row)) for row in seen])


def with_padding_as_data(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    G = layer.windows
    return replace(layer, geometry=OfTheEdge(G.size, G.kernel, G.stride, G.padding, G.dilation)).backpropagate(ops, params, cache, DY)


def with_a_flipped_kernel(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    """Both gradients at the offsets of the other direction."""

    def flipped(W: Any) -> Any:
        (UC, _), U = ops.shape(W), layer.windows.offsets
        rows = [u * (UC // U) + c for u in reversed(range(U)) for c in range(UC // U)]
        return ops.transpose(ops.take_columns(ops.transpose(W), rows))

    DX, D = layer.backpropagate(ops, params._replace(W=flipped(params.W)), cache, DY)
    return DX, ConvolutionParameters(flipped(D.W), D.b)


@pytest.mark.parametrize(
    ("equations", "refuted"), [(with_a_flipped_kernel, {"DX", "DW"}), (with_padding_as_data, {"DX", "DW"}), (None, set())]
)
def test_famous_faults_have_an_exact_counterexample(equations: Any, refuted: set[str]) -> None:
    claim = LayerGradient(lambda space: WithPadding(space.size("K"), padding=1), equations)
    verdicts = list(prove([Theorem("convolution", name, "", claim, "entries") for name in ("DX", "DW", "Db")]))
    assert {v.theorem.quantity for v in verdicts if v.status == "refuted" and v.counterexample} == refuted
    assert {v.theorem.quantity for v in verdicts if v.status == "proved"} == {"DX", "DW", "Db"} - refuted


def test_initial_values_count_what_a_window_sees(rng: np.random.Generator) -> None:
    layer, _ = Convolution(50, kernel=3, weights=He()).bind((8, 8))
    W, b = layer.init(rng, 4)
    assert W.shape == (36, 50)
    assert abs(W.std() - np.sqrt(2 / 36)) < 0.01
    in_groups, _ = Convolution(400, kernel=3, groups=2, weights=He()).bind((8, 8))
    assert in_groups.init(rng, 4).W.shape == (18, 400)
    assert abs(in_groups.init(rng, 4).W.std() - np.sqrt(2 / 18)) < 0.01
    assert not b.any()


def test_a_network_binds_it() -> None:
    network = parse_layers(["Images(8, 8)", "Conv(4, 3, padding=1)", "ReLU", "Conv2d(2, kernel=2, stride=2)", "Flatten", "Linear(3)"])
    assert network.heights(5) == [5, 320, 320, 320, 80, 5, 5]
    assert network.widths(128) == [128, 2, 4, 4, 2, 32, 3]
    assert "geometry" not in repr(network)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda: Convolution(2).shapes(3), "does not know the positions of an example; begin the network with Images"),
        (lambda: Sequential((Linear(3), Convolution(2))).rows_for(4), "does not know the positions"),
        (lambda: Sequential((Images(2, 2), Convolution(2, kernel=3))), "a window of 3 x 3 positions does not fit into 2 x 2"),
        (lambda: Sequential((Sequences(4), Convolution(2))).layers[1].rows_for(7), "takes examples of 4 positions, a row each, got 7 rows"),
        (lambda: Convolution(4, groups=3).outputs_for(6), "the number of outputs must be a multiple of 3, the groups, got 4"),
        (lambda: parse_layers(["Images(4,4)", "Conv(4, groups=2)"]).outputs_for(48), "the number of channels must be a multiple of 2, the"),
        (lambda: Convolution(2, stride=0), "stride must be >= 1"),
    ],
)
def test_what_does_not_fit_is_refused(code: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        code()
