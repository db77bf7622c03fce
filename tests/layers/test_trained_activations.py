"""SReLU, PReLU and the rescaled activation, against other frameworks' differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.activations import Tanh
from nerva_core.layers import PReLU, RescaledActivation, SReLU
from nerva_core.layers.trained_activations import SReLUParameters
from tests.layers.check import check_layer, library, random_parameters, run

N, K = 5, 4


def srelu_forwards() -> dict[str, Any]:
    def forward(where: Any) -> Any:
        def srelu(Z: Any, al: Any, tl: Any, ar: Any, tr: Any) -> Any:
            return where(tl >= Z, tl + al * (Z - tl), where(tr > Z, Z, tr + ar * (Z - tr)))

        return srelu

    def torch_forward(*args: Any) -> Any:
        import torch

        return forward(torch.where)(*args)

    def jax_forward(*args: Any) -> Any:
        import jax

        return forward(jax.numpy.where)(*args)

    def tensorflow_forward(*args: Any) -> Any:
        import tensorflow as tf

        return forward(tf.where)(*args)

    return {"torch": torch_forward, "jax": jax_forward, "tensorflow": tensorflow_forward}


@pytest.mark.parametrize(
    ("al", "tl", "ar", "tr"),
    [(0.2, -0.5, 0.3, 0.7), (0.0, 0.0, 0.0, 1.0), (-0.4, 0.8, 1.7, -0.3), (0.3, 0.1, 0.6, 0.1), (0.0, -9.0, 2.0, 9.0)],
    ids=["ordinary", "initial", "tl > tr", "tl = tr", "all in the middle"],
)
def test_srelu_gradients(ops: Backend, rng: np.random.Generator, al: float, tl: float, ar: float, tr: float) -> None:
    params = SReLUParameters(*(np.array([[c]]) for c in (al, tl, ar, tr)))
    check_layer(ops, SReLU(), srelu_forwards(), rng.normal(size=(6, 5)), params)


def test_srelu_at_its_thresholds_takes_the_first_case_that_holds(ops: Backend) -> None:
    params = SReLUParameters(*(np.array([[c]]) for c in (0.2, -1.0, 0.3, 2.0)))
    Y, DZ, gradients = run(ops, SReLU(), np.array([[-1.0, 2.0]]), params, np.array([[1.0, 10.0]]))
    np.testing.assert_allclose(Y, [[-1.0, 2.0]])
    np.testing.assert_allclose(DZ, [[0.2, 3.0]])
    np.testing.assert_allclose([g.item() for g in gradients], [0.0, 0.8, 0.0, 7.0])


def test_srelu_starts_from_its_fields(rng: np.random.Generator) -> None:
    params = SReLU(0.1, 0.2, 0.3, 0.4).init(rng, 7)
    assert params == SReLUParameters(0.1, 0.2, 0.3, 0.4)


def test_prelu_and_rescaled_activations(ops: Backend, rng: np.random.Generator) -> None:
    def prelu(name: str) -> Any:
        return lambda Z, a: library(name).where(Z > 0, Z, a * Z)

    def rescaled(name: str) -> Any:
        return lambda Z, omega: library(name).tanh(omega * Z)

    for layer, forward in ((PReLU(), prelu), (RescaledActivation(Tanh()), rescaled)):
        oracles = {name: forward(name) for name in ("torch", "jax")}
        check_layer(ops, layer, oracles, rng.normal(size=(N, K)), random_parameters(rng, layer, K))
    assert PReLU(0.1).init(rng, 3).a == [[0.1]]
    np.testing.assert_array_equal(RescaledActivation().init(rng, 3).omega, [[1.0, 1.0, 1.0]])
