"""Random programs of matrix operations, and an interpreter that runs them on dual numbers over rigorous intervals.

A program is a list of steps; each step applies an operation to results of earlier steps. Run on ``AllSizesOps`` it gives a normal form,
run on ``NumberOps`` it gives the value and the derivative in a direction, without any symbolic rule.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import floor
from typing import Any

from mpmath import iv, mp

from nerva_core.interpreters.memberwise import MemberwiseOps

iv.prec = mp.prec = 120


class Undecided(ArithmeticError):  # noqa: N818
    """An interval is too wide to decide a comparison or holds points where a function is not defined."""


class Intervals:
    """Rigorous enclosures of real numbers: if 0 is not in the difference, the numbers are different."""

    ties = False
    """Whether numbers that are known exactly may be found equal: there functions have values, but not all have derivatives."""

    @cache  # noqa: B019
    def constant(self, c: Fraction) -> Any:
        c = Fraction(c)
        return iv.mpf(c.numerator) / c.denominator

    def exp(self, x: Any) -> Any:
        if x.b > 50:
            raise Undecided("too large")
        return iv.exp(x)

    def log(self, x: Any) -> Any:
        if not x.a > 0:
            raise Undecided("the logarithm of something that may be negative")
        return iv.log(x)

    def power(self, x: Any, exponent: Fraction) -> Any:
        if exponent.denominator > 1:
            return iv.exp(self.log(x) * self.constant(exponent))
        if exponent < 0 and x.a <= 0 <= x.b:
            raise Undecided("division by something that may be 0")
        return x ** int(exponent) if exponent >= 0 else 1 / x ** int(-exponent)

    def less(self, x: Any, y: Any) -> bool:
        difference = x - y
        if self.ties and difference.a == 0 == difference.b:
            return False  # the numbers are equal
        if difference.a <= 0 <= difference.b:
            raise Undecided("a comparison")
        return bool(difference.b < 0)

    def arctan(self, x: Any) -> Any:
        error = mp.mpf(2) ** -100
        return iv.mpf([mp.atan(mp.mpf(x.a)) - error, mp.atan(mp.mpf(x.b)) + error])

    def normal_cdf(self, x: Any) -> Any:
        error = mp.mpf(2) ** -100
        return iv.mpf([mp.ncdf(mp.mpf(x.a)) - error, mp.ncdf(mp.mpf(x.b)) + error])

    def normal_pdf(self, x: Any) -> Any:
        return iv.exp(-x * x / 2) / iv.sqrt(2 * iv.pi)

    def floor(self, x: Any) -> int:
        low, high = floor(mp.mpf(x.a)), floor(mp.mpf(x.b))
        if low != high:
            raise Undecided("a jump")
        return low


INTERVALS = Intervals()


@dataclass(frozen=True)
class Dual:
    """value + slope ε with ε² = 0."""

    value: Any
    slope: Any

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)


class Functions:
    """What the unknown functions are at the point of the test: f is a cubic, alpha a step function."""

    @staticmethod
    def f(order: int, x: Any) -> Any:
        coefficients = [Fraction(-3, 7), Fraction(5, 4), Fraction(-2, 3), Fraction(1, 5)]
        for _ in range(order):
            coefficients = [k * c for k, c in enumerate(coefficients)][1:]
        result = INTERVALS.constant(0)
        for c in reversed(coefficients):
            result = result * x + INTERVALS.constant(c)
        return result

    @staticmethod
    def alpha(order: int, x: Any) -> Any:
        return INTERVALS.constant(0 if order else Fraction(random.Random(INTERVALS.floor(3 * x)).randint(-9, 9), 7))


FUNCTIONS: dict[str, Callable[[int, Any], Any]] = {"f": Functions.f, "alpha": Functions.alpha}


class Numbers:
    """A matrix of dual numbers."""

    def __init__(self, elements: list[list[Dual]]) -> None:
        self.elements = elements
        self.shape = len(elements), len(elements[0])

    def map(self, f: Callable[[Dual], Dual]) -> Numbers:
        return Numbers([[f(x) for x in row] for row in self.elements])

    def zip(self, other: Numbers, f: Callable[[Dual, Dual], Dual]) -> Numbers:
        assert self.shape == other.shape
        return Numbers([[f(x, y) for x, y in zip(a, b, strict=True)] for a, b in zip(self.elements, other.elements, strict=True)])

    def __add__(self, other: Numbers) -> Numbers:
        return self.zip(other, lambda x, y: x + y)

    def __sub__(self, other: Numbers) -> Numbers:
        return self.zip(other, lambda x, y: x + -y)

    def __neg__(self) -> Numbers:
        return self.map(lambda x: -x)

    def __rmul__(self, c: int) -> Numbers:
        return self.map(lambda x: number(c) * x)

    def __truediv__(self, c: int) -> Numbers:
        return Fraction(1, c) * self

    def __matmul__(self, other: Numbers) -> Numbers:
        m, n, k = self.shape[0], other.shape[1], other.shape[0]
        assert self.shape[1] == k
        return Numbers([[total([self.elements[i][a] * other.elements[a][j] for a in range(k)]) for j in range(n)] for i in range(m)])


def number(c: Any) -> Dual:
    return Dual(INTERVALS.constant(c), INTERVALS.constant(0))


def total(summands: list[Dual]) -> Dual:
    result = number(0)
    for summand in summands:
        result = result + summand
    return result


class NumberOps(MemberwiseOps[Numbers]):
    """The primitives on dual numbers; everything else by its definition."""

    def shape(self, X: Numbers) -> tuple[int, int]:
        return self.of_first(X).shape

    def full(self, c: Any, m: int, n: int) -> Numbers:
        return Numbers([[number(c)] * n for _ in range(m)])

    def identity(self, n: int) -> Numbers:
        return Numbers([[number(int(i == j)) for j in range(n)] for i in range(n)])

    def constant(self, rows: Any) -> Numbers:
        return Numbers([[number(c) for c in row] for row in rows])

    def transpose(self, X: Numbers) -> Numbers:
        return Numbers([list(column) for column in zip(*X.elements, strict=True)])

    def hadamard(self, X: Numbers, Y: Numbers) -> Numbers:
        return X.zip(Y, lambda x, y: x * y)

    def diag(self, X: Numbers) -> Numbers:
        return Numbers([[row[i]] for i, row in enumerate(X.elements)])

    def Diag(self, x: Numbers) -> Numbers:
        entries = [entry for row in x.elements for entry in row]
        return Numbers([[entry if i == j else number(0) for j in range(len(entries))] for i, entry in enumerate(entries)])

    def rows_max(self, X: Numbers) -> Numbers:
        def largest(row: list[Dual]) -> Dual:
            best = row[0]
            for x in row[1:]:
                best = x if INTERVALS.less(best.value, x.value) else best
            return best

        return Numbers([[largest(row)] for row in X.elements])

    def reshape(self, X: Numbers, m: int, n: int) -> Numbers:
        entries = [entry for row in X.elements for entry in row]
        return Numbers([entries[i * n : (i + 1) * n] for i in range(m)])

    def take_columns(self, X: Numbers, columns: Any) -> Numbers:
        return Numbers([[row[j] for j in columns] for row in X.elements])

    def join_columns(self, X: Numbers, Y: Numbers) -> Numbers:
        return Numbers([a + b for a, b in zip(X.elements, Y.elements, strict=True)])

    def exp(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.exp(x.value), y * x.slope))

    def log(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.log(x.value), x.slope / x.value))

    def reciprocal(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.power(x.value, Fraction(-1)), -y * y * x.slope))

    def sqrt(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.power(x.value, Fraction(1, 2)), x.slope / (2 * y)))

    def arctan(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.arctan(x.value), x.slope * INTERVALS.power(1 + x.value * x.value, Fraction(-1))))

    def normal_cdf(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(INTERVALS.normal_cdf(x.value), INTERVALS.normal_pdf(x.value) * x.slope))

    def normal_pdf(self, X: Numbers) -> Numbers:
        return X.map(lambda x: Dual(y := INTERVALS.normal_pdf(x.value), -x.value * y * x.slope))

    def less(self, X: Numbers, Y: Numbers) -> Numbers:
        return X.zip(Y, lambda x, y: number(int(x is not y and INTERVALS.less(x.value, y.value))))

    def unknown(self, function: Any, X: Numbers, order: int = 0) -> Numbers:
        f = FUNCTIONS[function.name]
        return X.map(lambda x: Dual(f(order, x.value), f(order + 1, x.value) * x.slope))


# Programs -------------------------------------------------------------------------------------------------------------

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
