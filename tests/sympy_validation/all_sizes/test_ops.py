"""The interpreter: declarations, conditions, gradients and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.interpreters.traced import TracingOps
from nerva_core.layers import ActivationLayer, BatchNormalization, Sequential
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix, Undefined


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("D"))


@pytest.mark.parametrize(
    ("expression", "conditions"),
    [
        (lambda o, X: o.reciprocal(X), ("X[i,j] != 0",)),
        (lambda o, X: o.reciprocal(2 * o.exp(X)), ()),
        (lambda o, X: o.reciprocal(-o.exp(X)), ()),
        (lambda o, X: o.log(X), ("X[i,j] > 0",)),
        (lambda o, X: o.log(o.rows_sum(o.exp(X))), ()),
        (lambda o, X: o.sqrt(o.hadamard(X, X)), ("X[i,j]^2 > 0",)),
        (lambda o, X: o.sqrt(o.hadamard(X, X) + o.ones(*o.shape(X))), ()),
        (lambda o, X: o.reciprocal(o.log(o.exp(X))), ("X[i,j] != 0",)),
        (lambda o, X: X / o.scalar("c"), ("c != 0",)),
        (lambda o, X: X / o.size("N"), ()),
        (lambda o, X: o.gradient(o.elements_sum(o.abs(X)), X), ("almost everywhere: X[i,j] != 0",)),
        (lambda o, X: o.variable("T", o.size("N"), o.size("K"), row_stochastic=True), ("the rows of T sum to 1",)),
        (lambda o, X: o.scalar("c", positive=True) * X, ("c > 0",)),
    ],
)
def test_conditions(ops: AllSizesOps, X: SymbolicMatrix, expression: Callable[..., Any], conditions: tuple[str, ...]) -> None:
    expression(ops, X)
    assert ops.conditions == conditions


def test_what_only_holds_off_the_kinks(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    zero = ops.zeros(*ops.shape(X))
    difference = ops.less(X, zero) + ops.less(zero, X) - ops.ones(*ops.shape(X))
    assert not ops.is_zero(difference, off_kinks=False)
    assert ops.conditions == ()
    assert ops.is_zero(difference)
    assert ops.conditions == ("almost everywhere: X[i,j] != 0",)


def test_gradients_with_respect_to_scalars_and_1x1_variables(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    c, t = ops.scalar("c"), ops.variable("t", 1, 1)
    total = ops.elements_sum(X)
    assert ops.is_zero(ops.gradient(c**2 * total, c) - 2 * c * total)
    assert ops.is_zero(ops.gradient(ops.hadamard(t, total), t) - total)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda o, X: X * X, "hadamard"),
        (lambda o, X: X + o.transpose(X), "one shape"),
        (lambda o, X: o.hadamard(X, o.transpose(X)), "one shape"),
        (lambda o, X: X @ X, "inner sizes"),
        (lambda o, X: o.diag(X), "square"),
        (lambda o, X: o.Diag(X), "vector"),
        (lambda o, X: o.gradient(X, X), "1 x 1"),
        (lambda o, X: o.gradient(o.elements_sum(X), 2 * X), "variable"),
        (lambda o, X: o.gradient(o.elements_sum(X), o.transpose(X)), "variable"),
        (lambda o, X: o.gradient(o.elements_sum(X), o.variable("T", 1, o.size("N"), row_stochastic=True)), "sum to 1"),
        (lambda o, X: o.full(float("nan"), 1, 1), "number"),
        (lambda o, X: o.reciprocal(o.zeros(1, 1)), "division by zero"),
        (lambda o, X: X / 0, "division by zero"),
    ],
)
def test_mistakes(ops: AllSizesOps, X: SymbolicMatrix, mistake: Callable[..., Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        mistake(ops, X)


@pytest.mark.parametrize(
    "operation",
    [
        lambda o, X: o.reciprocal(o.less(X, -X)),
        lambda o, X: o.log(o.zeros(1, 1)),
        lambda o, X: o.log(o.full(-2, 1, 1)),
        lambda o, X: o.sqrt(o.full(-2, 1, 1)),
    ],
)
def test_operations_without_a_value(ops: AllSizesOps, X: SymbolicMatrix, operation: Callable[..., Any]) -> None:
    with pytest.raises(Undefined):
        operation(ops, X)


def test_unknown_functions_and_abstract_layers_under_another_interpreter(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    """An interpreter that wraps this one, to look at a layer or to change it, gives the same normal forms."""
    network = Sequential((ActivationLayer(ops.unknown_activation("f")), ops.abstract_layer("g"), BatchNormalization()))
    D = ops.size("D")
    params = ((), (), (ops.variable("gamma", 1, D), ops.variable("beta", 1, D)))

    def run(o: Any, p: Any, X: Any) -> Any:
        Y, cache = network.feedforward(o, p, X)
        return network.backpropagate(o, p, cache, Y)

    DX, _ = run(ops, params, X)
    traced, _ = TracingOps(ops).call(run, params, X)
    assert ops.is_zero(DX - traced)


def test_a_rounding_of_a_number_in_the_code_is_no_mistake_and_is_told() -> None:
    ops = AllSizesOps()
    X = ops.variable("X", ops.size("N"), ops.size("D"))
    assert not ops.is_zero(X / 3 - (1 / 3) * X)
    assert ops.is_rounded(X / 3, (1 / 3) * X)
    assert ops.is_rounded((0.1 + 0.2) * X, 0.3 * X)
    assert not ops.is_rounded(X, 1.000000000000001 * X)
    assert not ops.is_rounded(X + 1e-18, X)
    assert not ops.is_rounded(X, X + 1e-18 * ops.hadamard(X, X))
