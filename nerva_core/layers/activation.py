"""The activation layer: an activation function on every element.

The specification's activation layer is a linear layer followed by this one (section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.activations import Activation
from nerva_core.layers.base import LAYERS, Layer


class ActivationCache(NamedTuple, Generic[M]):
    """Z, the input, is N x K."""

    Z: M


@LAYERS.add
@dataclass(frozen=True)
class ActivationLayer(Layer):
    """Y = act(Z)."""

    aliases = ("Activation",)
    activation: Activation

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], Z: M) -> tuple[M, ActivationCache[M]]:
        Y = ops.apply(self.activation.value, Z)
        return Y, ActivationCache(Z)

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: ActivationCache[M], DY: M) -> tuple[M, tuple[()]]:
        (Z,) = cache
        DZ = ops.hadamard(DY, ops.apply(self.activation.gradient, Z))
        return DZ, ()
