"""Claims on exact numbers: every variable is a matrix of random rationals, at sizes that are all different and at least 2."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.interpreters.memberwise import on_matrices
from sympy_validation.spaces.duals import Dual, DualDomain
from sympy_validation.spaces.grids import Grid, GridOps, flat, rowwise
from sympy_validation.spaces.numbers import IV, Interval, Rational, RealDomain
from sympy_validation.spaces.spaces import Kind, Space

KINKS = 7
"""The point whose numbers are -1, 0 and 1, so that it lies on kinks. The numbers of later points are of very different sizes."""
SIZES = ({"N": 3, "D": 2, "K": 4, "H": 5}, {"N": 4, "D": 3, "K": 2, "H": 5})
"""Concrete sizes, all different and at least 2, where a transposed matrix or a lost factor shows. With N = 2 batch normalisation has
DX = 0 for every input, so N is at least 3; with D = 2 softmax(-x) has the Jacobian of softmax(x), so D is 3 in one of them."""


INNER_SIZES = {"L": 3, "S": 2, "G": 2, "A": 2, "C": 2, "P": 3}
"""Sizes that are multiplied with others: positions, heads and their columns, channels. Of L positions, S are the memory: fewer than all."""

CHECKS: tuple[tuple[int, Mapping[str, int] | None], ...] = (
    (0, None),
    (1, {"N": 1, "D": 3, "K": 2, "H": 4}),
    (2, {"N": 3, "D": 1, "K": 2, "H": 2}),
    (4, {"N": 2, "D": 2, "K": 2, "H": 2}),
    (5, {"N": 3, "D": 2, "K": 1, "H": 1}),
    (KINKS, None),
)
"""The points at which everything that is proved is checked: seeds and sizes, with sizes that are 1 and that are equal."""


class PointSpace(Space[Grid]):
    """One random point, the same for the same seed. Every second one is positive, where functions such as log are defined."""

    def __init__(self, seed: int, sizes: Mapping[str, int] | None = None) -> None:
        self.seed, self.positive = seed, seed % 2 == 1 and seed != KINKS
        self.sizes = dict(sizes or SIZES[seed // 2 % len(SIZES)])
        self.used: dict[str, int] = {}
        self.ops = GridOps(DualDomain())
        real = RealDomain()
        functions = {"exp": real.exp, "sqrt": real.sqrt, "cos": _cos}
        self.math = SimpleNamespace(pi=Interval(IV.pi), prod=math.prod, **{name: _of_number(f) for name, f in functions.items()})
        self._shapes: dict[str, tuple[int, int]] = {}

    def size(self, name: str) -> Size:
        name = self.case.name(name)
        self.used[name] = self.case.fit(name, self.sizes.setdefault(name, INNER_SIZES.get(name, 2 + len(self.sizes))))
        return self.used[name]

    def geometry(self, name: str) -> Geometry:
        """Images with padding at every second point; stride 2 in a row at the others."""
        return Geometry.of((2, 2), 2, padding=1) if self.positive else Geometry.of((5,), 3, stride=2)

    def scalar(self, name: str, low: float | None = None, high: float | None = None, closed: bool = False) -> Scalar:
        low, high = self.case.scalars.get(name, (low, high))
        if low is not None and low == high:
            return low
        return Rational(self._scalar(random.Random(f"{self.seed} {name}"), low, high))

    def _scalar(self, rng: random.Random, low: float | None, high: float | None) -> Fraction:
        if low is not None and high is not None:
            return Fraction(low) + Fraction(rng.randint(2, 18), 20) * (Fraction(high) - Fraction(low))
        if low is not None:
            return Fraction(low) + self._rational(rng, True)
        if self.seed % 3 == 2 and high is None:
            return Fraction(rng.randint(1, 19), 20)  # where a factor such as 2 is the difference between less and more than 1
        return self._rational(rng, self.positive) if high is None else Fraction(high) - self._rational(rng, True)

    def _rational(self, rng: random.Random, positive: bool) -> Fraction:
        """A number other than 0; at the first point it is whole, so that the counterexample can be checked by hand."""
        if self.seed == KINKS:
            return Fraction(rng.choice((0, 1, 2) if positive else (-1, 0, 1)))
        sign = 1 if positive else rng.choice((1, -1))
        if self.seed == 0:
            return Fraction(sign * rng.randint(1, 4))
        spread = Fraction(2) ** rng.randint(-2, 5) if self.seed > KINKS else 1
        return sign * spread * Fraction(rng.randint(1, 30), rng.randint(5, 13))

    def _element(self, rng: random.Random, kind: Kind) -> Fraction:
        return Fraction(rng.randint(0, 1)) if kind is Kind.NUMBERS else self._rational(rng, self.positive or kind is Kind.POSITIVE)

    def matrix(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> Grid:
        self._shapes[name] = m, n
        constant = self.constant(name, m, n, kind)
        if kind is Kind.NUMBERS:
            return constant  # nothing is differentiable in a number of a row
        return Grid.build(m, n, lambda i, j: Dual(constant[i, j].value, {(name, i, j): Fraction(1)}))

    def constant(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> Grid:
        rng = random.Random(f"{self.seed} {name}")
        rows = [[self._element(rng, kind) for _ in range(n)] for _ in range(m)]
        if kind is Kind.ROW_STOCHASTIC:
            rows = [[*row[:-1], 1 - sum(row[:-1], Fraction(0))] for row in rows]
        return Grid(rows, (m, n)).map(Dual)

    def detach(self, tree: Tree) -> Any:
        return map_tree(on_matrices(Grid, lambda X: X.map(lambda x: Dual(x.value))), tree)

    def gradient(self, DY: Grid, Y: Grid, name: str) -> Grid:
        product = self.ops.elements_sum(self.ops.hadamard(self.detach(DY), Y))[0, 0]
        return Grid.build(*self._shapes[name], lambda i, j: Dual(product.partials.get((name, i, j), Fraction(0))))

    def columnwise(self, f: Callable[..., Grid], *matrices: Grid) -> Grid:
        T = self.ops.transpose
        return T(rowwise(lambda *xs: T(f(*map(T, xs))), *map(T, matrices)))

    def rowwise(self, f: Callable[..., Grid], *matrices: Grid) -> Grid:
        return rowwise(f, *matrices)

    def jacobian(self, y: Grid, name: str) -> Grid:
        m, n = self._shapes[name]
        index = (lambda q: (name, 0, q)) if m == 1 else (lambda q: (name, q, 0))
        ys = flat(y)
        return Grid.build(len(ys), m * n, lambda j, q: Dual(ys[j].partials.get(index(q), Fraction(0))))

    def unknown_vector(self, name: str, n: Size, row: bool, x: Grid) -> Grid:
        """Quadratic polynomials."""
        xs = flat(x)

        def function(k: int) -> Any:
            rng = random.Random(f"{self.seed} {name} {k}")
            linear = sum((self._rational(rng, False) * x for x in xs), Dual(Fraction(1)))
            return linear + linear * sum((self._rational(rng, False) * x for x in xs), Dual(Fraction(0)))

        functions = [function(k) for k in range(n)]
        return Grid([functions], (1, n)) if row else Grid([[f] for f in functions], (n, 1))


def _of_number(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, also of an int or a float in the code."""
    return lambda x: f(RealDomain().number(x))


def _cos(x: Any) -> Any:
    return Fraction(1) if x == 0 else Interval(IV.cos(Interval.of(x).x))
