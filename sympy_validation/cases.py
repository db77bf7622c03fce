"""Cases of a proof: where code decides by a size or a hyper-parameter, each answer is a case that is proved by itself.

A case restricts sizes to ranges and hyper-parameters to intervals. A comparison that it does not answer divides it into cases that do,
and together these are all that it was: a proof in each is a proof without any restriction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST = 16
"""The most cases into which one claim is divided."""
NUMBERED = 8
"""Where a case leaves a size one value, it is that number, up to this one; beyond, what is proved is proved for any size."""
LARGEST = 70
"""The largest size at which a case is looked at with exact numbers."""
MIRRORED = {"==": "==", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

Range = tuple[int, int | None]
"""The least size, and the greatest if there is one."""
Bounds = tuple[float | None, float | None]
"""An open interval; both ends are the same if it is one number."""


class DividedError(Exception):
    """The case does not answer a comparison; these cases do."""

    def __init__(self, cases: list[Case]) -> None:
        super().__init__()
        self.cases = cases


class ImpossibleError(Exception):
    """The case has values that the entry does not take."""


@dataclass(frozen=True)
class Case:
    """What is assumed of sizes and hyper-parameters, by their names; nothing, if nothing is compared."""

    sizes: Mapping[str, Range] = field(default_factory=dict)
    scalars: Mapping[str, Bounds] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    """Sizes that are another one: {"K": "D"}."""
    order: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """How sizes that differ compare: "!=", "<" or ">"; both ways round."""

    def name(self, name: str) -> str:
        """The size that this one is."""
        while name in self.same:
            name = self.same[name]
        return name

    def range(self, name: str) -> Range:
        """Between which numbers the size is."""
        return self.sizes.get(name, (1, None))

    def number(self, name: str) -> int | None:
        """The one number that the size can be; None if there are others, or if it is large."""
        low, high = self.range(name)
        return low if low == high and low <= NUMBERED else None

    def within(self, other: Case) -> Case:
        """This, and what the other assumes of sizes and hyper-parameters of which this one assumes nothing."""
        return replace(self, sizes={**other.sizes, **self.sizes}, scalars={**other.scalars, **self.scalars})

    def fit(self, name: str, value: int) -> int:
        """The number nearest to this one that the size can be; the number itself where that is large, and takes long."""
        low, high = self.range(name)
        return value if low > LARGEST else max(low, value if high is None else min(value, high))

    def compare_sizes(self, a: str, sign: str, b: str) -> bool:
        """Whether ``a sign b``; DividedError if both are possible."""
        known = self.order.get((a, b))
        if known is None or (known == "!=" and sign != "=="):
            divided = [] if known else [replace(self, same={**self.same, b: a})]
            for each in ("!=",) if sign == "==" else ("<", ">"):
                divided.append(replace(self, order={**self.order, (a, b): each, (b, a): MIRRORED.get(each, each)}))
            raise DividedError(divided)
        return known == sign.rstrip("=")

    def compare_size(self, name: str, sign: str, t: int) -> bool:
        """Whether the size is ``sign t``; DividedError if both are possible."""
        low, high = self.range(name)
        if sign == "==":
            if low <= t and (high is None or t <= high) and low != high:
                raise DividedError(self._ranges(name, [(low, t - 1), (t, t), (t + 1, high)]))
            return low == high == t
        bound = t if sign in ("<", ">=") else t + 1  # is n < bound?
        if low < bound and (high is None or high >= bound):
            raise DividedError(self._ranges(name, [(low, bound - 1), (bound, high)]))
        return (low < bound) == (sign in ("<", "<="))

    def _ranges(self, name: str, ranges: list[Range]) -> list[Case]:
        return [replace(self, sizes={**self.sizes, name: each}) for each in ranges if each[1] is None or each[0] <= each[1]]

    def compare_scalar(self, name: str, sign: str, t: float, declared: Bounds, closed: bool) -> bool:
        """Whether the hyper-parameter is ``sign t``; DividedError if both are possible.

        ``declared`` is what its annotation allows, with the lower end if ``closed``, and perhaps with the upper end.
        """
        divided = name in self.scalars
        low, high = self.scalars.get(name, declared)
        if low is not None and (t < low or (t == low and (divided or not closed))):
            return sign in (">", ">=")
        if high is not None and (t > high or (t == high and divided)):
            return sign in ("<", "<=")
        intervals: list[Bounds] = [] if t == low else [(low, t)]
        intervals += [(t, t)] if t == high else [(t, t), (t, high)]
        if not divided:
            intervals += [(end, end) for end, has in ((low, closed), (high, True)) if has and end is not None and end != t]
        raise DividedError([replace(self, scalars={**self.scalars, name: each}) for each in intervals])

    @property
    def words(self) -> str:
        """What is assumed, as ``D = K, N > 1``; empty if nothing is."""
        return ", ".join(dict.fromkeys(self._words()))

    def _words(self) -> Iterator[str]:
        yield from (f"{a} = {b}" for b, a in self.same.items())
        yield from (
            f"{a} {'≠' if sign == '!=' else sign} {b}" for (a, b), sign in self.order.items() if sign == "<" or (sign == "!=" and a < b)
        )
        for name, (least, most) in self.sizes.items():
            yield _between(name, least, least) if least == most else _between(name, least - 1 or None, None if most is None else most + 1)
        for name, (low, high) in self.scalars.items():
            yield _between(name, low, high)


def _between(name: str, low: float | None, high: float | None) -> str:
    """An open interval, or one number."""
    if low is not None and low == high:
        return f"{name} = {low:g}"
    if low is None:
        return name if high is None else f"{name} < {high:g}"
    return f"{name} > {low:g}" if high is None else f"{low:g} < {name} < {high:g}"


ANY = Case()
"""Nothing is assumed."""


@dataclass(frozen=True)
class InCase:
    """What makes an entry of a table, in one case."""

    make: Callable[[Any], Any]
    case: Case

    def __call__(self, space: Any) -> Any:
        space.assume(self.case)
        return self.make(space)


def divide(divisions: Callable[[Case], list[Case]]) -> list[Case] | None:
    """The cases in which every comparison has an answer; None if there are too many.

    ``divisions`` gives the parts of a case in which code compares what the case does not answer, none if there is no such comparison.
    """
    waiting, found = [Case()], list[Case]()
    while waiting:
        case = waiting.pop(0)
        try:
            parts = divisions(case)
        except ImpossibleError:
            continue
        if not parts:
            found.append(case)
        waiting[:0] = parts
        if len(waiting) + len(found) > MOST:
            return None
    return found
