from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import AllSizesOps


def test_the_derivative_is_that_of_what_is_not_stopped() -> None:
    """x · stop(eˣ) has the derivative eˣ, not (1 + x) eˣ; inside a sum, a product and a function too."""
    ops = AllSizesOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    stop = ops.stop_gradient
    for L, expected in (
        (ops.hadamard(X, stop(ops.exp(X))), ops.exp(X)),
        (ops.exp(X + stop(X)), ops.exp(2 * X)),
        (ops.hadamard(stop(X) + X, stop(X) - X), -2 * X),
        (ops.apply(ops.unknown_activation("f").value, stop(ops.exp(X))), ops.zeros(*ops.shape(X))),
        (X @ stop(ops.transpose(X)) @ stop(X), ops.ones(*ops.shape(X)) @ ops.transpose(X) @ X),
    ):
        gradient = ops.released(ops.gradient(ops.elements_sum(L), X))
        assert ops.is_zero(gradient - expected), gradient
        assert "stop_gradient" not in gradient.text()
    assert ops.conditions == ()


def test_what_is_stopped_is_released_in_the_arguments_of_abstract_layers() -> None:
    """∂/∂X Σ f(X; stop(W)) is the pullback of f at (X, W); W gets nothing."""
    ops = AllSizesOps()
    N, D = ops.size("N"), ops.size("D")
    X, W = ops.variable("X", N, D), ops.variable("W", D, D)
    layer = ops.abstract_layer("f", D, {"W": (D, D)})
    Y, _ = layer.feedforward(ops, (ops.stop_gradient(W),), X)
    _, cache = layer.feedforward(ops, (W,), X)
    DX, _ = layer.backpropagate(ops, (W,), cache, ops.ones(N, D))
    L = ops.elements_sum(Y)
    assert ops.is_zero(ops.released(ops.gradient(L, X)) - DX)
    assert ops.is_zero(ops.gradient(L, W))


def test_nothing_is_released_before_it_is_differentiated() -> None:
    ops = AllSizesOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    assert not ops.is_zero(ops.stop_gradient(X) - X)
    assert ops.is_zero(ops.released(ops.stop_gradient(X)) - X)
    assert ops.is_zero(ops.released(ops.stop_gradient(ops.stop_gradient(X) + X)) - 2 * X)


def test_what_numbers_its_elements_has_no_symbolic_size() -> None:
    ops = AllSizesOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    with pytest.raises(NervaError, match="which symbolic sizes do not have"):
        ops.take_columns(X, [0])


def test_its_name_is_taken() -> None:
    with pytest.raises(NervaError, match="arctan or stop_gradient"):
        AllSizesOps().unknown_step("stop_gradient")
