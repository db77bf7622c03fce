"""Random programs of matrix operations, and an interpreter that runs them on dual numbers over rigorous intervals.

A program is a list of steps; each step applies an operation to results of earlier steps. Run on ``AllSizesOps`` it gives a normal form,
run on ``NumberOps`` it gives the value and the derivative in a direction, without any symbolic rule.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import iv, mp

iv.prec = mp.prec = 120


SIZES = {"N": 2, "D": 3}
"""Different sizes, each at least 2: at size 1 a wrong factor would not be seen."""

VARIABLES = {"X": "ND", "Y": "ND", "P": "ND", "A": "DD", "b": "1D", "c": "N1", "s": "11"}
POSITIVE = {"P", "s"}


def one_plus(ops: Any, X: Any) -> Any:
    return ops.ones(*ops.shape(X)) + X


def square(ops: Any, X: Any) -> Any:
    return ops.hadamard(X, X)


ELEMENTWISE: dict[str, tuple[int, Callable[[Any, Any, Any], Any]]] = {
    "exp": (2, lambda o, X, f: o.exp(X)),
    "reciprocal": (2, lambda o, X, f: o.reciprocal(X)),
    "reciprocal of 1 + x²": (4, lambda o, X, f: o.reciprocal(one_plus(o, square(o, X)))),
    "reciprocal of e^x": (2, lambda o, X, f: o.reciprocal(o.exp(X))),
    "root of 1 + x²": (4, lambda o, X, f: o.sqrt(one_plus(o, square(o, X)))),
    "root of x²": (2, lambda o, X, f: o.sqrt(square(o, X))),
    "inverse root of 2 + 2x²": (4, lambda o, X, f: o.inv_sqrt(2 * one_plus(o, square(o, X)))),
    "log of 1 + e^x": (3, lambda o, X, f: o.softplus(X)),
    "log of x²": (2, lambda o, X, f: o.log(square(o, X))),
    "log of 3 e^x": (2, lambda o, X, f: o.log(3 * o.exp(X))),
    "sigmoid": (3, lambda o, X, f: o.sigmoid(X)),
    "sigmoid of -x": (3, lambda o, X, f: o.sigmoid(-X)),
    "tanh": (3, lambda o, X, f: o.tanh(X)),
    "arctan": (2, lambda o, X, f: o.arctan(X)),
    "Φ": (2, lambda o, X, f: o.normal_cdf(X)),
    "φ": (2, lambda o, X, f: o.normal_pdf(X)),
    "f": (2, lambda o, X, f: o.apply(f["f"].value, X)),
    "f'": (2, lambda o, X, f: o.apply(f["f"].gradient, X)),
    "alpha": (2, lambda o, X, f: o.apply(f["alpha"].value, X)),
    "relu": (2, lambda o, X, f: o.maximum(X, o.zeros(*o.shape(X)))),
    "min(x, 0)": (2, lambda o, X, f: o.minimum(X, o.zeros(*o.shape(X)))),
    "abs": (2, lambda o, X, f: o.abs(X)),
    "sign": (2, lambda o, X, f: o.sign(X)),
    "clip": (3, lambda o, X, f: o.clip(X, -1, 0.5)),
    "square": (1, lambda o, X, f: square(o, X)),
    "1 + x": (1, lambda o, X, f: one_plus(o, X)),
    "-x/3": (0, lambda o, X, f: -X / 3),
    "2x": (0, lambda o, X, f: 2 * X),
}

BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "+": lambda o, X, Y: X + Y,
    "-": lambda o, X, Y: X - Y,
    "⊙": lambda o, X, Y: o.hadamard(X, Y),
    "/": lambda o, X, Y: o.hadamard(X, o.reciprocal(Y)),
    "max": lambda o, X, Y: o.maximum(X, Y),
    "where": lambda o, X, Y: o.where(o.less(Y, X), Y, o.hadamard(X, X)),
    "<=": lambda o, X, Y: o.less_equal(X, Y),
}

SHAPING: dict[str, Callable[[Any, Any], Any]] = {
    "transpose": lambda o, X: o.transpose(X),
    "rows_sum": lambda o, X: o.rows_sum(X),
    "columns_sum": lambda o, X: o.columns_sum(X),
    "columns_mean": lambda o, X: o.columns_mean(X),
    "rows_mean": lambda o, X: o.rows_mean(X),
    "elements_sum": lambda o, X: o.elements_sum(X),
    "rows_max": lambda o, X: o.rows_max(X),
    "softmax": lambda o, X: o.hadamard(o.exp(X), o.column_repeat(o.reciprocal(o.rows_sum(o.exp(X))), o.shape(X)[1])),
    "X Xᵀ": lambda o, X: X @ o.transpose(X),
    "Xᵀ X": lambda o, X: o.transpose(X) @ X,
}


@dataclass(frozen=True)
class Step:
    """An operation, its operands (numbers of earlier results), and a size where it needs one."""

    name: str
    operands: tuple[int, ...]
    size: str = ""

    def run(self, ops: Any, results: list[Any], functions: dict[str, Any], sizes: dict[str, Any]) -> Any:
        operands = [results[k] for k in self.operands]
        if self.name in ELEMENTWISE:
            return ELEMENTWISE[self.name][1](ops, *operands, functions)
        if self.name in BINARY:
            return BINARY[self.name](ops, *operands)
        if self.name in SHAPING:
            return SHAPING[self.name](ops, *operands)
        if self.name == "matmul":
            return operands[0] @ operands[1]
        if self.name == "fill":
            return ops.fill(operands[0], sizes[self.size[0]], sizes[self.size[1]])
        if self.name in ("row_repeat", "column_repeat"):
            return getattr(ops, self.name)(operands[0], sizes[self.size])
        if self.name == "scale":
            return ops.scale(sizes[self.size], operands[0])
        return getattr(ops, self.name)(operands[0])


def random_program(rng: random.Random, steps: int, heaviest: int = 9) -> list[Step]:
    """A program whose shapes fit. The weight of a result bounds how much the normal form can grow."""
    shapes = list(VARIABLES.values())
    weights = [1] * len(shapes)
    program: list[Step] = []
    while len(program) < steps:
        step, shape, weight = random_step(rng, shapes, weights)
        if shape and weight <= heaviest:
            program.append(step)
            shapes.append(shape)
            weights.append(weight)
    return program


def random_step(rng: random.Random, shapes: list[str], weights: list[int]) -> tuple[Step, str, int]:
    """A step with the shape and the weight of its result; the shape is empty if the operands do not fit."""
    name = rng.choice(
        [*ELEMENTWISE, *BINARY, *BINARY, *SHAPING, *("matmul",) * 6, *("repeat",) * 4, "fill", "diag", "Diag", "Diag", "scale"]
    )
    x = len(shapes) - 1 if rng.random() < 0.6 and len(shapes) > len(VARIABLES) else rng.randrange(len(shapes))
    y = rng.randrange(len(shapes))
    (m, n), weight = shapes[x], weights[x]
    if name in ELEMENTWISE:
        return Step(name, (x,)), m + n, weight + ELEMENTWISE[name][0]
    if name in BINARY:
        fits = shapes[x] == shapes[y] and x != y
        return Step(name, (x, y)), (m + n) * fits, weight + weights[y]
    if name in SHAPING:
        shape = {"transpose": n + m, "columns_sum": "1" + n, "columns_mean": "1" + n, "elements_sum": "11", "softmax": m + n}
        shape |= {"X Xᵀ": m + m, "Xᵀ X": n + n}
        return Step(name, (x,)), shape.get(name, m + "1"), weight * (1 + ("X" in name)) + 1
    if name == "matmul":
        return Step(name, (x, y)), (m + shapes[y][1]) * (n == shapes[y][0]), weight + weights[y] + 1
    if name == "diag":
        return Step(name, (x,)), (m + "1") * (m == n), weight
    if name == "Diag":
        longer = n if m == "1" else m
        return Step(name, (x,)), 2 * longer * ("1" in (m, n)), weight
    if name == "scale":
        return Step(name, (x,), rng.choice("ND")), m + n, weight
    return random_repeat(rng, name, x, m, n, weight)


def random_repeat(rng: random.Random, name: str, x: int, m: str, n: str, weight: int) -> tuple[Step, str, int]:
    size = rng.choice("ND")
    if m == n == "1":
        return Step("fill", (x,), "ND"), "ND", weight
    if name == "fill" or "1" not in (m, n):
        return Step("fill", (x,)), "", weight
    if m == "1":
        return Step("row_repeat", (x,), size), size + n, weight
    return Step("column_repeat", (x,), size), m + size, weight


def execute(program: list[Step], ops: Any, variables: dict[str, Any], functions: dict[str, Any], sizes: dict[str, Any]) -> Any:
    """The result of the last step."""
    results = [variables[name] for name in VARIABLES]
    for step in program:
        results.append(step.run(ops, results, functions, sizes))
    return results[-1]
