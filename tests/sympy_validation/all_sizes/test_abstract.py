"""Compositions of arbitrary layers: the chain rule of ``Sequential``, and wrong compositions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.layers import BatchNormalization, Layer, Linear, Sequential
from sympy_validation.all_sizes import AbstractLayer, AllSizesOps, NotDifferentiable, SymbolicMatrix


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


def f(ops: AllSizesOps) -> AbstractLayer:
    return ops.abstract_layer("f", ops.size("H"), {"W": (ops.size("P"), ops.size("Q")), "b": (1, ops.size("H"))})


def g(ops: AllSizesOps) -> AbstractLayer:
    return ops.abstract_layer("g", ops.size("K"), {"V": (ops.size("P"), ops.size("Q"))})


def h(ops: AllSizesOps) -> AbstractLayer:
    return ops.abstract_layer("h")


def proved(ops: AllSizesOps, network: Layer, names: str = "") -> list[bool]:
    """For the input and each parameter, whether its gradient is proved."""
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    params = tuple(
        tuple(ops.variable(f"{name}{k}", *shape) for name, shape in zip("abc", layer, strict=False))
        for k, layer in enumerate(network.shapes(ops.size("D")))
    )
    Y, cache = network.feedforward(ops, params, X)
    DY = ops.variable("DY", *ops.shape(Y))
    DX, gradients = network.backpropagate(ops, params, cache, DY)
    L = ops.elements_sum(ops.hadamard(DY, Y))
    pairs = [(X, DX), *((p, d) for ps, ds in zip(params, gradients, strict=True) for p, d in zip(ps, ds, strict=True))]
    return [ops.is_zero(ops.gradient(L, variable) - gradient) for variable, gradient in pairs]


def test_sequential_is_right_for_arbitrary_layers(ops: AllSizesOps) -> None:
    assert proved(ops, Sequential((f(ops), g(ops)))) == [True] * 4
    assert ops.conditions == ()


def test_three_layers(ops: AllSizesOps) -> None:
    assert proved(ops, Sequential((f(ops), g(ops), h(ops)))) == [True] * 4


def test_abstract_and_concrete_layers(ops: AllSizesOps) -> None:
    layers = (f(ops), BatchNormalization(epsilon=ops.scalar("epsilon", positive=True)), Linear(ops.size("K")), h(ops))
    network = Sequential(layers)
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    W, b = ops.variable("W", ops.size("P"), ops.size("Q")), ops.variable("b", 1, ops.size("H"))
    gamma, beta = ops.variable("gamma", 1, ops.size("H")), ops.variable("beta", 1, ops.size("H"))
    V, c = ops.variable("V", ops.size("K"), ops.size("H")), ops.variable("c", 1, ops.size("K"))
    params = ((W, b), (gamma, beta), (V, c), ())
    Y, cache = network.feedforward(ops, params, X)
    DY = ops.variable("DY", *ops.shape(Y))
    DX, (_, (Dgamma, _), (DV, _), _) = network.backpropagate(ops, params, cache, DY)
    L = ops.elements_sum(ops.hadamard(DY, Y))
    for variable, gradient in ((X, DX), (gamma, Dgamma), (V, DV)):
        assert ops.is_zero(ops.gradient(L, variable) - gradient)


@dataclass(frozen=True)
class SwappedCaches(Sequential):
    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        return super().backpropagate(ops, params, cache[::-1], DY)


@dataclass(frozen=True)
class SwappedParameters(Sequential):
    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        DX, gradients = super().backpropagate(ops, params[::-1], cache, DY)
        return DX, gradients[::-1]


@dataclass(frozen=True)
class SameDY(Sequential):
    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        results = [layer.backpropagate(ops, p, c, DY) for layer, p, c in zip(self.layers, params, cache, strict=True)]
        return results[0][0], tuple(gradients for _, gradients in results)


@dataclass(frozen=True)
class LostSkipConnection(Sequential):
    def feedforward(self, ops: MatrixOps[M], params: Any, X: M, *noise: Any) -> tuple[M, Any]:
        Y, cache = super().feedforward(ops, params, X)
        return X + Y, cache


@pytest.mark.parametrize("wrong", [SwappedCaches, SwappedParameters, SameDY, LostSkipConnection])
def test_wrong_compositions_are_refused(ops: AllSizesOps, wrong: type[Sequential]) -> None:
    shape = {"W": (ops.size("P"), ops.size("Q"))}
    layers = ops.abstract_layer("f", None, shape), ops.abstract_layer("g", None, shape)
    assert proved(ops, Sequential(layers)) == [True] * 3
    assert proved(ops, wrong(layers))[0] is False


@dataclass(frozen=True)
class Products(Sequential):
    """f(X) ⊙ g(X); the gradients are those of the given caches and parameters."""

    order: tuple[int, int] = (0, 1)
    """Whose caches are taken."""

    def shapes(self, D: Any) -> Any:
        return tuple(layer.shapes(D) for layer in self.layers)

    def feedforward(self, ops: MatrixOps[M], params: Any, X: M, *noise: Any) -> tuple[M, Any]:
        (P, c), (Q, d) = (layer.feedforward(ops, p, X) for layer, p in zip(self.layers, params, strict=True))
        return ops.hadamard(P, Q), (P, Q, (c, d))

    def backpropagate(self, ops: MatrixOps[M], params: Any, cache: Any, DY: M) -> tuple[M, Any]:
        P, Q, caches = cache
        found = [
            layer.backpropagate(ops, p, caches[k], ops.hadamard(DY, other))
            for layer, p, k, other in zip(self.layers, params, self.order, (Q, P), strict=True)
        ]
        return found[0][0] + found[1][0], tuple(gradients for _, gradients in found)


@pytest.mark.parametrize("names", ["fg", "ff"])
def test_a_cache_is_that_of_one_call(ops: AllSizesOps, names: str) -> None:
    """Two functions, or one with two parameters, of the same input: their caches hold the same matrix, and yet are not the same."""
    shape = {"W": (ops.size("P"), ops.size("Q"))}
    f = ops.abstract_layer("f", None, shape)
    layers = (f, f if names == "ff" else ops.abstract_layer("g", None, shape))
    assert proved(ops, Products(layers)) == [True] * 3
    assert proved(ops, Products(layers, order=(0, 0))) == [False, True, False]
    assert proved(ops, Products(layers, order=(1, 0))) == [False] * 3


def test_equal_arguments_give_equal_outputs(ops: AllSizesOps) -> None:
    X, Y = (ops.variable(name, ops.size("N"), ops.size("D")) for name in "XY")
    layer = h(ops)
    assert ops.is_zero(layer.feedforward(ops, (), X + Y)[0] - layer.feedforward(ops, (), Y + X)[0])
    assert not ops.is_zero(layer.feedforward(ops, (), X)[0] - layer.feedforward(ops, (), Y)[0])


def test_arguments_of_different_sizes_are_different(ops: AllSizesOps) -> None:
    N, D, K = (ops.size(name) for name in "NDK")
    narrow, wide = (ops.output("f", N, K, ops.ones(N, columns)) for columns in (D, K))
    assert not ops.is_zero(narrow - wide)


def test_second_derivatives_are_not_known(ops: AllSizesOps) -> None:
    X, R = (ops.variable(name, ops.size("N"), ops.size("D")) for name in "XR")
    Y, cache = h(ops).feedforward(ops, (), X)
    DX, _ = h(ops).backpropagate(ops, (), cache, R)
    with pytest.raises(NotDifferentiable):
        ops.gradient(ops.elements_sum(DX), X)
    assert ops.is_zero(ops.gradient(ops.elements_sum(ops.hadamard(R, Y)), X) - DX)


def test_an_abstract_layer_is_not_applied_to_a_column(ops: AllSizesOps) -> None:
    X = ops.variable("X", ops.size("N"), ops.size("D"))

    def column(x: SymbolicMatrix) -> SymbolicMatrix:
        Y, _ = h(ops).feedforward(ops, (), x)
        return Y

    with pytest.raises(NervaError, match="whole matrix"):
        ops.by_columns(column, X)
