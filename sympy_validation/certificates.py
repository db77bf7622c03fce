"""Exact counterexamples: "not proved" is not "wrong", this is.

A claim is evaluated at random rational points, in exact arithmetic or in intervals of sixty digits. An element that certainly
differs from what it should be refutes the claim for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy_validation.claims import Claim, Problem
from sympy_validation.spaces.grids import Grid, ShapeError
from sympy_validation.spaces.numbers import Interval, OutsideDomain, Real, Undecided, differ, sign, text
from sympy_validation.spaces.points import CHECKS, PointSpace

POINTS = 24
CLEAR, FEW = 16, 6
"""Numbers of so few characters are clear; of so many counterexamples the clearest is taken."""


@dataclass(frozen=True)
class Counterexample:
    """A point at which a quantity is not what it should be."""

    quantity: str
    sizes: Mapping[str, int]
    explanation: str
    obscurity: int = 0
    """The length of its numbers, more if they are hard to tell apart; of several the least is shown."""

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={self.sizes[name]}" for name in sorted(self.sizes, key="NDKH".find))
        return f"at {sizes}: {self.explanation}" if sizes else self.explanation


@dataclass
class Point:
    """A claim at one point, with the expected values, which are computed once."""

    space: PointSpace
    problem: Problem
    _expected: dict[str, Grid] = field(default_factory=dict)
    _found: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, claim: Claim, number: int, sizes: Mapping[str, int] | None = None) -> Point:
        """The point with the given number, at sizes of its own or at the given ones."""
        space = PointSpace(number, sizes)
        return cls(space, claim.problem(space))

    def expected(self, quantity: str) -> Grid:
        """What the quantity should be."""
        if quantity not in self._expected:
            self._expected[quantity] = self.problem.expected[quantity]()
        return self._expected[quantity]

    def tested(self, change: Callable[[Any], Any] | None) -> Mapping[str, Any]:
        """What the quantities are, by changed operations or, computed once, by the operations themselves."""
        if change:
            return self.problem.tested(change(self.space.ops))
        if self._found is None:
            self._found = self.problem.tested(self.space.ops)
        return self._found

    def refute(self, quantities: Iterable[str], change: Callable[[Any], Any] | None = None) -> Counterexample | None:
        """The first element that is wrong here, when the quantities are computed by changed operations; None if none is."""
        try:
            expected = {quantity: self.expected(quantity) for quantity in quantities}
        except Undecided:
            return None
        first = next(iter(expected))
        try:
            found = self.tested(change)
        except OutsideDomain as error:
            return self._because(first, f"{first} is not defined: {error}")
        except Undecided:
            return None
        except ShapeError as error:
            return self._because(first, f"the shapes do not fit: {error}")
        return next((wrong for q in expected if (wrong := self._compare(q, expected[q], found[q]))), None)

    def _compare(self, quantity: str, expected: Grid, found: Any) -> Counterexample | None:
        if not isinstance(found, Grid):
            return self._because(quantity, f"{quantity} should be a matrix, is {type(found).__name__}")
        if found.shape != expected.shape:
            shapes = [f"{m} x {n}" for m, n in (expected.shape, found.shape)]
            return self._because(quantity, f"{quantity} should be {shapes[0]}, is {shapes[1]}")
        m, n = expected.shape
        pairs = [((i, j), expected[i, j].value, found[i, j].value) for i in range(m) for j in range(n)]
        wrong = [(_obscurity(a, b), f"{quantity}[{i},{j}] should be {text(a)}, is {text(b)}") for (i, j), a, b in pairs if differ(a, b)]
        if not wrong:
            return None
        obscurity, explanation = min(wrong, key=lambda each: max(each[0], CLEAR))  # of clear ones the first
        return Counterexample(quantity, self.space.used, explanation, obscurity)

    def _because(self, quantity: str, explanation: str) -> Counterexample:
        return Counterexample(quantity, self.space.used, explanation)


class SamplePoints:
    """The points of a claim at which it has a value, made when they are needed and kept."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._made: list[Point] = []
        self._next = 0

    def __iter__(self) -> Iterator[Point]:
        yield from self._made
        while self._next < POINTS:
            self._next += 1
            try:
                point = Point.of(self.claim, self._next - 1)
            except Exception:
                continue  # the code does not run, or a function is not defined here
            self._made.append(point)
            yield point

    def search(self, quantity: str) -> Counterexample | None:
        """The clearest exact counterexample among a few, or None if the points that were tried show none."""
        found: list[Counterexample] = []
        for point in self:
            try:
                wrong = point.refute([quantity])
            except Exception:
                continue  # code that does not run is not refuted
            if wrong:
                found.append(wrong)
            if wrong and (wrong.obscurity <= CLEAR or len(found) == FEW):
                break
        return min(found, key=lambda each: each.obscurity, default=None)


def _obscurity(right: Real, wrong: Real) -> int:
    """How long two numbers are to read, and more if they are close to each other, very small or very large."""
    a, b = (abs(float(Interval.of(x).x.mid)) for x in (right, wrong))
    close = abs(a - b) < 0.01 * (a + b) and _sign(right) == _sign(wrong)
    return len(text(right)) + len(text(wrong)) + 100 * (close or not 0.01 <= max(a, b) <= 10_000)


def _sign(x: Real) -> int:
    try:
        return sign(x)
    except Undecided:
        return 0


def search(claim: Claim, quantity: str) -> Counterexample | None:
    """An exact counterexample to one claim."""
    return SamplePoints(claim).search(quantity)


class Checks:
    """A few points of a claim, at sizes that are 1 and that are equal among them, where what is proved is looked at again."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._made: list[Point] | None = None
        self._contradictions: dict[str, Counterexample | None] = {}
        self._errors: list[Exception] = []
        self._ran: set[str] = set()

    def contradiction(self, quantity: str) -> Counterexample | None:
        """A counterexample; None if no point shows one. The points are looked at once, however often it is asked for."""
        if quantity not in self._contradictions:
            self._contradictions[quantity] = self._contradiction(quantity)
        return self._contradictions[quantity]

    def _contradiction(self, quantity: str) -> Counterexample | None:
        for point in self._points():
            try:
                found = point.refute([quantity])
            except Exception as error:
                self._errors.append(error)  # code that does not run is not refuted
                continue
            self._ran.add(quantity)
            if found and "not defined" not in found.explanation:  # the conditions of a theorem exclude where it is not defined
                return found
        return None

    def error(self, quantity: str) -> Exception | None:
        """What kept the code from running at every point; None if it ran at one, or was only defined at none."""
        self.contradiction(quantity)
        errors = [error for error in self._errors if not isinstance(error, (OutsideDomain, Undecided))]
        return errors[-1] if errors and quantity not in self._ran else None

    def vacuous(self) -> bool:
        """Whether the functions are defined at none of all points: then the conditions of the theorem may never hold."""
        return not any(map(has_value, self._points())) and all(_is_outside(self.claim, number) for number in range(POINTS))

    def _points(self) -> list[Point]:
        if self._made is None:
            self._made = []
            for number, sizes in CHECKS:
                try:
                    self._made.append(Point.of(self.claim, number, sizes))
                except Exception as error:  # the code does not run, or a function is not defined here
                    self._errors.append(error)
        return self._made


def has_value(point: Point) -> bool:
    """Whether the tested code has a value at the point."""
    try:
        return bool(point.tested(None))
    except Exception:
        return False


def _is_outside(claim: Claim, number: int) -> bool:
    try:
        Point.of(claim, number).tested(None)
    except OutsideDomain:
        return True
    except Exception:
        return False  # the code does not run here, which says nothing of the conditions
    return False
