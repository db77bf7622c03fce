"""Repairs of a refuted gradient of a layer: one change, or two, after which it is right at exact points and then proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from sympy_validation.certificates import Point, has_value
from sympy_validation.changes import Repair, RepairedOps, changes
from sympy_validation.search import Candidate, Group, exchanged, simplest
from sympy_validation.spaces.numbers import differ

SECONDS = 6.0
"""How long a repair is searched for."""
POINTS = 5
"""The number of points at which a repair must be right before it is proved."""


@dataclass(frozen=True)
class Advice:
    """What to do, the gradients that are right then, and whether that is proved for all sizes or seen at the points only."""

    words: str
    quantities: tuple[str, ...]
    proved: bool
    changes: int = 1

    def __str__(self) -> str:
        where, what = "" if self.proved else " at the points tried", "one change makes" if self.changes == 1 else "two changes make"
        return f"{what} {' and '.join(self.quantities)} right{where}: {self.words}"


Found = Mapping[str, Any]


@dataclass
class Search:
    """The search for a repair of a claim, at some of its points."""

    points: Sequence[Point]
    quantities: tuple[str, ...]
    settings: Sequence[Any] = ()
    """Where what is right at the points is proved: spaces with the problem."""
    seconds: float = SECONDS

    def best(self) -> Advice | None:
        """The simplest change that makes every quantity right, if one is found."""
        self.points = [point for point in self.points if has_value(point) and self._has_expected(point)]
        if not self.points:
            return None
        wrong = tuple(q for q in self.quantities if not self._holds(q, q))
        if not wrong:
            return None
        return self._exchanged(wrong) or self._operation(wrong) or self._scaled(wrong)

    def _has_expected(self, point: Point) -> bool:
        """Whether what should be has a value there: it may lie on a kink."""
        try:
            return all(point.expected(quantity) is not None for quantity in self.quantities)
        except Exception:
            return False

    def _holds(self, quantity: str, of: str) -> bool:
        """Whether the one is at all points what the other should be."""
        return all(_equal(point.expected(of), point.tested(None)[quantity]) for point in self.points)

    def _exchanged(self, wrong: tuple[str, ...]) -> Advice | None:
        """Gradients that are returned in another order."""
        order = exchanged(wrong, lambda q, r: self._holds(r, q))
        if not order:
            return None
        proved = self._proved(lambda setting: _reordered(setting.tested, order))
        return Advice("they are exchanged", wrong, proved)

    def _scaled(self, wrong: tuple[str, ...]) -> Advice | None:
        """The whole gradient times a number, or a power of a size."""
        if len(wrong) > 1:
            return None
        (quantity,) = wrong
        ratios = [_ratio(point.expected(quantity), point.tested(None)[quantity]) for point in self.points]
        if None in ratios:
            return None
        if len(set(ratios)) == 1:
            c = Fraction(ratios[0] or 0)
            words = "the sign is opposite" if c == -1 else f"divide it by {1 / c}" if c.numerator == 1 else f"multiply it by {c}"
            return Advice(words, wrong, self._proved(lambda setting: _times(setting, quantity, c)))
        for name in self.points[0].space.used:
            for words, power in (("multiply", 1), ("divide", -1)):
                if ratios == [Fraction(point.space.used[name]) ** power for point in self.points]:
                    return Advice(f"{words} it by {name}", wrong, self._proved(partial(_by_size, quantity, name, power)))
        return None

    def _operation(self, wrong: tuple[str, ...]) -> Advice | None:
        """Operations that are done otherwise."""
        recorder = RepairedOps(self.points[0].space.ops)
        try:
            self.points[0].problem.tested(recorder)
        except Exception:
            return None  # the code does more than the operations that can be changed
        candidates = [
            Candidate((order, index), index, Repair(words, index, change, site.place), words)
            for index, site in enumerate(recorder.sites, start=1)
            for order, (words, change) in enumerate(changes(site))
        ]
        right_before = set(self.quantities) - set(wrong)
        group = simplest(candidates, lambda group: self._right(group, right_before), set(self.quantities), self.seconds)
        if not group:
            return None
        repairs = [candidate.change for candidate in group]
        return Advice("; and ".join(map(str, repairs)), wrong, self._proved(partial(_repaired, repairs)), len(repairs))

    def _right(self, group: Group, before: set[str]) -> set[str]:
        """The quantities that are right at all points with these changes; as soon as none is that was not before, no more are tried."""
        right = set(self.quantities)
        for point in self.points:
            found = point.tested(lambda ops: RepairedOps(ops, *(candidate.change for candidate in group)))
            right = {q for q in right if _equal(point.expected(q), found[q])}
            if right <= before:
                break
        return right

    def _proved(self, tested: Callable[[Any], Found]) -> bool:
        try:
            for setting in self.settings:
                found = tested(setting)
                if not all(setting.space.proves(setting.problem.expected[q](), found[q])[0] for q in self.quantities):
                    return False
        except Exception:
            return False
        return bool(self.settings)


def _reordered(found: Found, order: Mapping[str, str]) -> Found:
    return {q: found[order.get(q, q)] for q in found}


def _times(setting: Any, quantity: str, c: Any, power: int = 1) -> Found:
    ops, X = setting.space.ops, setting.tested[quantity]
    return {**setting.tested, quantity: ops.scale(c, X) if power == 1 else ops.divide(X, c)}


def _by_size(quantity: str, name: str, power: int, setting: Any) -> Found:
    return _times(setting, quantity, setting.space.size(name), power)


def _repaired(repairs: Sequence[Repair], setting: Any) -> Found:
    found: Found = setting.problem.tested(RepairedOps(setting.space.ops, *repairs))
    return found


def _equal(expected: Any, found: Any) -> bool:
    if getattr(found, "shape", None) != expected.shape:
        return False
    m, n = expected.shape
    return not any(differ(expected[i, j].value, found[i, j].value) for i in range(m) for j in range(n))


def _ratio(expected: Any, found: Any) -> Fraction | None:
    """The one rational number, other than 0, by which all elements must be multiplied."""
    if getattr(found, "shape", None) != expected.shape:
        return None
    m, n = expected.shape
    pairs = [(expected[i, j].value, found[i, j].value) for i in range(m) for j in range(n)]
    for right, wrong in pairs:
        if isinstance(right, Fraction) and isinstance(wrong, Fraction) and right and wrong:
            c = Fraction(right / wrong)
            return None if any(differ(a, c * b) for a, b in pairs) else c
    return None
