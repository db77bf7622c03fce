"""The search for a repair, of layers and of foreign code: which change of one operation, or of two, makes all gradients right?

Changes are tried where it is asked, at points; those of common mistakes come first. To prove what is found is left to who asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any

PAIRED = 60
"""So many of the likeliest changes are tried two at a time where none helps alone."""


@dataclass(frozen=True)
class Candidate:
    """A change of the operation with the number ``at``, and how unlikely the mistake is."""

    cost: tuple[int, ...]
    at: int
    change: Any
    words: str


Group = tuple[Candidate, ...]
Right = Callable[[Group], Set[str]]
"""The gradients that are right with these changes."""


def simplest(candidates: Iterable[Candidate], right: Right, wanted: Set[str], seconds: float) -> Group:
    """The first change with which all that is wanted is right; else the first two, of different operations; nothing if time runs out.

    Two mistakes in different gradients are found by what each change mends; two in one, among the likeliest changes.
    """
    end = time.process_time() + seconds
    ordered = sorted(candidates, key=lambda candidate: candidate.cost)
    before, mending = _tried(right, ()), list[tuple[Candidate, Set[str]]]()
    for candidate in ordered:
        if time.process_time() > end:
            return ()
        found = _tried(right, (candidate,))
        if wanted <= found:
            return (candidate,)
        if found - before:
            mending.append((candidate, found))
    together = ((a, b) for (a, of_a), (b, of_b) in combinations(mending, 2) if wanted <= of_a | of_b)
    for a, b in (*together, *combinations(ordered[:PAIRED], 2)):
        if time.process_time() > end:
            return ()
        if a.at != b.at and wanted <= _tried(right, (a, b)):
            return a, b
    return ()


def _tried(right: Right, group: Group) -> Set[str]:
    try:
        return right(group)
    except Exception:
        return frozenset()  # such a change is not possible here


def exchanged(wrong: Sequence[str], stands_for: Callable[[str, str], bool]) -> dict[str, str]:
    """For each wrong gradient the other one that stands for it, if they are right in another order; otherwise nothing.

    ``stands_for(a, b)`` says whether what is returned as b is a.
    """
    order = {a: next((b for b in wrong if b != a and stands_for(a, b)), "") for a in wrong}
    return order if "" not in order.values() and len(set(order.values())) == len(wrong) > 1 else {}
