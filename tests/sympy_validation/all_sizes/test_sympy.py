"""The derivatives of normal forms, at concrete sizes, are those that SymPy finds."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
import sympy

from nerva_core.equations.activations import GELU, Activation, Sigmoid, SiLU, Softplus, Tanh
from nerva_core.layers import BatchNormalization, Layer, LogSoftmax, Softmax
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix, evaluate

SIZES = {"N": 3, "D": 2}


class Expressions:
    """SymPy expressions as scalars, without the comparisons that a maximum or an indicator would need."""

    def constant(self, c: Fraction) -> Any:
        return sympy.Rational(c.numerator, c.denominator)

    def power(self, x: Any, exponent: Fraction) -> Any:
        return x ** self.constant(exponent)

    def exp(self, x: Any) -> Any:
        return sympy.exp(x)

    def log(self, x: Any) -> Any:
        return sympy.log(x)

    def less(self, x: Any, y: Any) -> bool:
        raise NotImplementedError

    def arctan(self, x: Any) -> Any:
        return sympy.atan(x)

    def normal_cdf(self, x: Any) -> Any:
        return (1 + sympy.erf(x / sympy.sqrt(2))) / 2

    def normal_pdf(self, x: Any) -> Any:
        return sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)


def f(order: int, x: Any) -> Any:
    """An unknown function, as one that SymPy knows."""
    u = sympy.Dummy("u")
    return sympy.sin(u).diff(u, order).subs(u, x)


def compare(ops: AllSizesOps, X: SymbolicMatrix, Y: SymbolicMatrix) -> None:
    """The derivative of ⟨R, Y⟩ with respect to X, at a random point."""
    R = ops.variable("R", *ops.shape(Y))
    L = ops.elements_sum(ops.hadamard(R, Y))
    symbols = {name: [[sympy.Symbol(f"{name}{i}{j}") for j in range(SIZES["D"])] for i in range(SIZES["N"])] for name in ("X", "R")}
    rng = random.Random(1)
    point = {x: sympy.Rational(rng.randint(-20, 20), 7) for rows in symbols.values() for row in rows for x in row}
    values = {**symbols, "epsilon": sympy.Rational(1, 10)}
    [[value]] = evaluate(L, SIZES, values, {"f": f}, domain=Expressions())
    G = evaluate(ops.gradient(L, X), SIZES, values, {"f": f}, domain=Expressions())
    for i, row in enumerate(G):
        for j, entry in enumerate(row):
            expected = value.diff(symbols["X"][i][j]).evalf(30, subs=point)
            assert abs(entry.evalf(30, subs=point) - expected) < 1e-20 * (1 + abs(expected))
            assert abs(expected) > 1e-6, "nothing is compared"


def matrices() -> tuple[AllSizesOps, SymbolicMatrix]:
    ops = AllSizesOps()
    return ops, ops.variable("X", ops.size("N"), ops.size("D"))


@pytest.mark.parametrize("activation", [Tanh(), Sigmoid(), Softplus(), SiLU(), GELU()], ids=repr)
def test_activations(activation: Activation) -> None:
    ops, X = matrices()
    compare(ops, X, activation.value(ops, X))


@pytest.mark.parametrize("layer", [Softmax(), LogSoftmax(), BatchNormalization()], ids=lambda layer: type(layer).__name__)
def test_layers(layer: Layer) -> None:
    ops, X = matrices()
    D = ops.size("D")
    ones = tuple(ops.full(k + 2, *shape) for k, shape in enumerate(layer.shapes(D)))
    params = type(layer.shapes(D))(*ones) if ones else ()
    compare(ops, X, layer.feedforward(ops, params, X)[0])


def test_an_unknown_function_of_products() -> None:
    ops, X = matrices()
    Y = ops.unknown_activation("f").value(ops, X @ ops.transpose(X) @ X)
    compare(ops, X, ops.hadamard(Y, ops.column_repeat(ops.rows_mean(X), ops.size("D"))))
