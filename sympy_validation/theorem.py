"""A theorem, how it is proved, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Literal

from sympy_validation.attempt import Attempt, Method
from sympy_validation.certificates import Counterexample
from sympy_validation.claims import Claim
from sympy_validation.faults import fault
from sympy_validation.limits import Limits, NoVerdict
from sympy_validation.numeric_check import NumericCheck
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.spaces import OTHER_SIZE, ROUNDED

Expected = Literal["proved", "refuted"]
Status = Literal["proved", "refuted", "open"]
LIMITS = Limits()
POINT_SECONDS = 4.0
"""How long a user's code is run at exact points after it is proved."""


@dataclass(frozen=True, eq=False)
class Theorem:
    """One quantity of a claim, and the method by which it is proved."""

    subject: str
    quantity: str
    statement: str
    claim: Claim
    method: Method
    conditions: tuple[str, ...] = ()
    expected: Expected = "proved"
    name: str = ""
    """Tells theorems about the same quantity apart."""
    range: str = ""
    """What it is proved for, if not for sizes of matrices."""
    entry_sizes: tuple[dict[str, int], ...] = SIZES
    numbers: NumericCheck | None = None
    """For the code of a user: what it does on NumPy, which has the last word."""
    unasked: tuple[str, ...] = ()
    """Of the conditions of a theorem about a user's code, values that nobody has asked for: other values are not proved."""

    @property
    def id(self) -> str:
        """For example layers.Linear.DX/all-sizes."""
        name = f"[{self.name}]" if self.name else ""
        return f"{self.subject}.{self.quantity}{name}/{self.method.replace(' ', '-')}"

    @cached_property
    def sizes(self) -> str:
        """For which sizes it is proved."""
        if self.range:
            return self.range
        if self.method == "all sizes":
            return "all " + ", ".join(self._size_names()) if self._size_names() else "all"
        names = self._size_names()
        each = (",".join(f"{name}={sizes.get(name, OTHER_SIZE)}" for name in names) for sizes in self.entry_sizes)
        return "; ".join(each) if names else "as it stands"

    def _size_names(self) -> list[str]:
        space = PointSpace(0)
        with suppress(Exception):  # the sizes are known before the point turns out to lie at a kink
            self.claim.problem(space)
        return sorted(space.used, key="NDKH".find)


Key = tuple[str, str, str]


def key_of(theorem: Theorem) -> Key:
    """What tells theorems apart, whatever the method by which they are proved."""
    return theorem.subject, theorem.quantity, theorem.name


@dataclass(frozen=True)
class Verdict:
    """The outcome of a proof: what became of a theorem."""

    theorem: Theorem
    status: Status
    seconds: float
    counterexample: Counterexample | None = None
    conditions: tuple[str, ...] = ()
    advice: str = ""
    """The one change of the code that makes it right, if it is refuted and one is found."""
    note: str = ""
    """Why it is not proved, or not for all sizes."""

    @property
    def as_expected(self) -> bool:
        """Whether the theorem has the status that it should have."""
        return self.status == self.theorem.expected and not (self.status == "refuted" and self.note)

    @property
    def all_sizes(self) -> bool:
        """Whether the statement is about all sizes and values; for the library's own theorems another theorem is about the others."""
        theorem = self.theorem
        any_sizes = theorem.method == "all sizes" or theorem.numbers is None or bool(theorem.range and "=" not in theorem.range)
        return any_sizes and not theorem.unasked

    @property
    def scope(self) -> str:
        """What the proof is restricted to: sizes and hyper-parameters that were numbers; empty if it is not."""
        sizes = f" at {self.theorem.sizes} only" if "=" in self.theorem.sizes and self.theorem.method == "entries" else ""
        values = f"{',' if sizes else ''} {', '.join(self.concrete)} only" if self.concrete else ""
        return sizes + values + f" {ROUNDED}" * (ROUNDED in self.conditions)

    @property
    def concrete(self) -> tuple[str, ...]:
        """The conditions that are values of hyper-parameters; a contradiction on NumPy names those that it is about."""
        if self.counterexample and self.counterexample.explanation.startswith("on NumPy"):
            return ()
        return tuple(condition for condition in self.theorem.conditions if condition.startswith("for "))

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.status == "refuted":
            defect = f"; {self.note}" if self.note and self.counterexample else ""
            return f"{' '.join(('REFUTED', *self.concrete))}: {self.counterexample}{defect}"
        if self.status == "proved":
            return f"proved{self.scope}"
        if self.note.startswith("no verdict"):
            return f"open: {self.note}"
        return f"not proved (no counterexample found){': ' + self.note if self.note else ''}"


def prove(theorems: Iterable[Theorem], limits: Limits = LIMITS) -> Iterator[Verdict]:
    """The verdicts, in the order of the theorems. Theorems that share a claim and a method follow each other."""
    attempt: Attempt | None = None
    for (claim, method), group in groupby(theorems, key=lambda theorem: (theorem.claim, theorem.method)):
        members = list(group)
        checks = attempt.checks if attempt and attempt.claim is claim else None
        numbers = members[0].numbers
        ways = numbers.ways if numbers and method == "all sizes" else None
        attempt = Attempt(claim, method, members[0].entry_sizes, numbers is not None, checks, numbers, ways=ways)
        for theorem in members:
            yield decide(theorem, attempt, limits)


def prove_or_try_entries(theorems: Iterable[Theorem], limits: Limits = LIMITS) -> Iterator[Verdict]:
    """Theorems for all sizes; one that is neither proved nor refuted is tried at concrete sizes."""
    attempt: Attempt | None = None
    for verdict in prove(theorems, limits):
        if verdict.status == "open":
            theorem, why = replace(verdict.theorem, method="entries"), verdict.note
            if attempt is None or attempt.claim is not theorem.claim:
                attempt = Attempt(theorem.claim, "entries", theorem.entry_sizes, theorem.numbers is not None)
            verdict = decide(theorem, attempt, limits)
            verdict = replace(verdict, note=verdict.note or why) if verdict.status != "refuted" else verdict
        yield verdict


def decide(theorem: Theorem, attempt: Attempt, limits: Limits = LIMITS) -> Verdict:
    """Try to prove the theorem; if that fails, search for a counterexample."""
    start = time.perf_counter()
    proved, note = False, ""
    conditions: tuple[str, ...] = ()
    try:
        with limits.held():
            proved, conditions = attempt.proves(theorem.quantity)
    except (Exception, NoVerdict) as error:
        # Whatever stops a proof, code of a user's layer included, the theorem is not proved; a counterexample may say more.
        note = limits.words(error) or fault(error)
    try:
        verdict = _at_points(theorem, attempt, conditions, limits) if proved else None
        if not verdict:
            with limits.held():
                verdict = _checked(theorem, attempt, proved, conditions, note)
    except (NoVerdict, MemoryError) as error:
        verdict = Verdict(theorem, "open", 0, None, theorem.conditions, note=note or limits.words(error))
    return replace(verdict, seconds=time.perf_counter() - start)


def _at_points(theorem: Theorem, attempt: Attempt, conditions: tuple[str, ...], limits: Limits) -> Verdict | None:
    """What exact points say against a proof; nothing of a user's code for which they take too long: it runs on NumPy besides."""
    if not attempt.own:
        with limits.held():
            return _contradicted(theorem, attempt, conditions)
    if attempt.slow:
        return None
    try:
        with replace(limits, seconds=min(limits.seconds, POINT_SECONDS)).held():
            return _contradicted(theorem, attempt, conditions)
    except (NoVerdict, MemoryError):
        attempt.slow = True
        return None


def _contradicted(theorem: Theorem, attempt: Attempt, conditions: tuple[str, ...]) -> Verdict | None:
    """The verdict on what is proved, if points are against it."""
    refuted = attempt.checks.contradiction(theorem.quantity)
    if refuted:
        # For all sizes this is a defect of the prover, unless code of a user went another way there than on symbols.
        defect = attempt.method == "all sizes" and not attempt.own
        note = "proved, although a point refutes it: this is a defect of the prover" if defect else ""
        return Verdict(theorem, "refuted", 0, refuted, theorem.conditions, note=note)
    if attempt.checks.vacuous():
        note = "proved under conditions that hold at no point that was tried"
        return Verdict(theorem, "open", 0, None, (*theorem.conditions, *conditions), note=note)
    error = attempt.checks.error(theorem.quantity) if not attempt.own else None
    if error:
        # Code of a user may take what symbols have and numbers do not; it has a numeric check of its own.
        note = f"proved, but looked at at no point: {fault(error)}"
        return Verdict(theorem, "open", 0, None, theorem.conditions, note=note)
    return None


def _checked(theorem: Theorem, attempt: Attempt, proved: bool, conditions: tuple[str, ...], note: str) -> Verdict:
    """The verdict, after numbers have been looked at."""
    contradiction = theorem.numbers.contradiction(theorem.quantity) if theorem.numbers else ""
    objection = theorem.numbers.objection(theorem.method == "all sizes") if theorem.numbers and proved and not contradiction else ""
    if objection:
        return Verdict(theorem, "open", 0, None, theorem.conditions, note=objection)
    if proved and not contradiction:
        return Verdict(theorem, "proved", 0, conditions=(*theorem.conditions, *conditions))
    counterexample = None if proved else _searched(theorem, attempt, bool(contradiction))
    if contradiction and not counterexample:
        counterexample = Counterexample(theorem.quantity, {}, contradiction)
    status: Status = "refuted" if counterexample else "open"
    advice = attempt.advice(theorem.quantity) if counterexample and theorem.numbers and not attempt.slow else ""
    return Verdict(theorem, status, 0, counterexample, theorem.conditions, advice, "" if counterexample else note)


def _searched(theorem: Theorem, attempt: Attempt, known: bool) -> Counterexample | None:
    """An exact counterexample; where it is ``known`` that there is one, it is not searched for long."""
    if not known:
        return attempt.points.search(theorem.quantity)
    if attempt.slow:
        return None
    try:
        with Limits(POINT_SECONDS).held():
            return attempt.points.search(theorem.quantity)
    except (NoVerdict, MemoryError):
        attempt.slow = True
        return None
