from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import Tanh
from nerva_core.layers import GLU, GeGLU, Layer, SwiGLU, parse_layers
from nerva_core.layers.gated import GatedParameters
from sympy_validation.theorem import prove
from sympy_validation.theorems.layers import gradient_theorems, layer_of
from tests.layers.check import check_layer, random_parameters


def torch_gated(name: str) -> Callable[..., Any]:
    """Halves of one linear function, as torch's glu takes them; or the gate by itself."""

    def forward(X: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        import torch

        F = torch.nn.functional
        if name == "glu":
            return F.glu(F.linear(X, torch.cat([W, V]), torch.cat([b[0], c[0]])), dim=1)
        return F.linear(X, W, b[0]) * getattr(F, name)(F.linear(X, V, c[0]))

    return forward


def jax_gated(name: str) -> Callable[..., Any]:
    def forward(X: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        import jax

        gates = {"glu": jax.nn.sigmoid, "silu": jax.nn.silu, "gelu": lambda Z: jax.nn.gelu(Z, approximate=False), "tanh": jax.numpy.tanh}
        return (X @ W.T + b) * gates[name](X @ V.T + c)

    return forward


@pytest.mark.parametrize(("layer", "name"), [(GLU(4), "glu"), (SwiGLU(4), "silu"), (GeGLU(1), "gelu"), (GLU(2, Tanh()), "tanh")], ids=repr)
@pytest.mark.parametrize(("N", "D"), [(5, 3), (1, 1)])
def test_gradients(ops: Backend, rng: np.random.Generator, layer: Layer, name: str, N: int, D: int) -> None:
    forwards = {"torch": torch_gated(name), "jax": jax_gated(name)}
    check_layer(ops, layer, forwards, rng.normal(size=(N, D)), random_parameters(rng, layer, D))


def test_a_network_with_gates_is_written_by_name() -> None:
    network = parse_layers(["SwiGLU(8)", "GLU(4, Tanh)", "Linear(2)"])
    assert network.layers[:2] == (SwiGLU(8), GLU(4, Tanh()))
    assert network.parameter_count(3) == 2 * (8 * 3 + 8) + 2 * (4 * 8 + 4) + 2 * 4 + 2


class WithoutTheSlope(GLU):
    """The gate is taken for a constant factor: what should be act' is act."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        W, _, V, _ = params
        X, A, Z = cache
        DA = ops.hadamard(DY, ops.apply(self.activation.value, Z))
        DZ = ops.hadamard(A, DA)
        return DA @ W + DZ @ V, GatedParameters(ops.transpose(DA) @ X, ops.columns_sum(DA), ops.transpose(DZ) @ X, ops.columns_sum(DZ))


class Swapped(SwiGLU):
    """DX through the other matrices."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, _ = super().backpropagate(ops, GatedParameters(params.V, params.b, params.W, params.c), cache, DY)
        return DX, super().backpropagate(ops, params, cache, DY)[1]


class RowsWrittenToTheFirst(SwiGLU):
    """All rows of DX are added to row 0, as by a kernel whose pointer stays where it is."""

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        N, _ = ops.shape(DX)
        return ops.first_ones(1, N) @ ops.columns_sum(DX), gradients


@pytest.mark.parametrize(
    ("wrong", "quantities"), [(RowsWrittenToTheFirst, {"DX"}), (WithoutTheSlope, {"DX", "DV", "Dc"}), (Swapped, {"DX"})]
)
def test_a_wrong_backward_is_refuted(wrong: type[Layer], quantities: set[str]) -> None:
    verdicts = list(prove(list(gradient_theorems("wrong", layer_of(wrong), methods=("all sizes",)))))
    assert {v.theorem.quantity for v in verdicts if v.status == "refuted"} == quantities
    assert {v.status for v in verdicts if v.theorem.quantity not in quantities} == {"proved"}
