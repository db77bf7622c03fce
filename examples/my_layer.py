"""A layer of one's own: a gate, Y = σ(X · Vᵀ) ⊙ (X · Wᵀ), and the same with a mistake in its backward pass.

Prove it with

    nerva prove examples/my_layer.py:Gate
    nerva prove examples/my_layer.py:WrongGate     # refused, with a counterexample
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.registry import Count
from nerva_core.layers import LAYERS, Layer


class Parameters(NamedTuple):
    """V and W, both K x D."""

    V: Any
    W: Any


class Cache(NamedTuple):
    """X is N x D; S = σ(X · Vᵀ) and L = X · Wᵀ are N x K."""

    X: Any
    S: Any
    L: Any


@LAYERS.add
@dataclass(frozen=True)
class Gate(Layer):
    """Y = S ⊙ L, with S = σ(X · Vᵀ) and L = X · Wᵀ (Dauphin et al. 2017, without biases)."""

    outputs: Count

    def outputs_for(self, D):
        return self.outputs

    def shapes(self, D):
        return Parameters(V=(self.outputs, D), W=(self.outputs, D))

    def feedforward(self, ops, params, X):
        V, W = params
        S = ops.sigmoid(X @ ops.transpose(V))
        L = X @ ops.transpose(W)
        Y = ops.hadamard(S, L)
        return Y, Cache(X, S, L)

    def backpropagate(self, ops, params, cache, DY):
        V, W = params
        X, S, L = cache
        DL = ops.hadamard(DY, S)
        DA = ops.hadamard(ops.hadamard(DY, L), ops.hadamard(S, ops.ones(*ops.shape(S)) - S))
        DV = ops.transpose(DA) @ X
        DW = ops.transpose(DL) @ X
        DX = DA @ V + DL @ W
        return DX, Parameters(DV, DW)


@dataclass(frozen=True)
class WrongGate(Gate):
    """The mistake: the path through the gate is missing in DX."""

    def backpropagate(self, ops, params, cache, DY):
        _, gradients = super().backpropagate(ops, params, cache, DY)
        _, W = params
        _, S, _ = cache
        return ops.hadamard(DY, S) @ W, gradients
