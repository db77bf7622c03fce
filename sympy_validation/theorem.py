"""A theorem, how it is proved, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from sympy_validation import certificates
from sympy_validation.certificates import Counterexample
from sympy_validation.claims import Claim
from sympy_validation.faults import fault
from sympy_validation.numeric_check import NumericCheck
from sympy_validation.spaces.points import SIZES, PointSpace

Method = Literal["all sizes", "entries"]
Expected = Literal["proved", "refuted"]
Status = Literal["proved", "refuted", "open"]


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
        return "; ".join(",".join(f"{k}={size[k]}" for k in names) for size in self.entry_sizes) if names else "as it stands"

    def _size_names(self) -> list[str]:
        space = PointSpace(0)
        with suppress(Exception):  # the sizes are known before the point turns out to lie at a kink
            self.claim.problem(space)
        return sorted(space.used, key="NDKH".find)


@dataclass(frozen=True)
class Verdict:
    """The outcome of a proof: what became of a theorem."""

    theorem: Theorem
    status: Status
    seconds: float
    counterexample: Counterexample | None = None
    conditions: tuple[str, ...] = ()
    note: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether the theorem has the status that it should have."""
        return self.status == self.theorem.expected and not (self.status == "refuted" and self.note)

    @property
    def all_sizes(self) -> bool:
        """Whether the statement is about all sizes; for the library's own theorems another theorem is about the others."""
        return self.theorem.method == "all sizes" or self.theorem.numbers is None

    @property
    def scope(self) -> str:
        """What the proof is restricted to: sizes and hyper-parameters that were numbers; empty if it is not."""
        sizes = f" at {self.theorem.sizes} only" if "=" in self.theorem.sizes and self.theorem.method == "entries" else ""
        return sizes + "".join(f", {condition} only" if sizes else f" {condition} only" for condition in self.concrete)

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
        return f"not proved (no counterexample found){': ' + self.note if self.note else ''}"


@dataclass
class Attempt:
    """A claim in the spaces of one method. Setting up a space is shared by the claim's quantities."""

    claim: Claim
    method: Method
    entry_sizes: tuple[dict[str, int], ...] = SIZES
    own: bool = False
    """Whether the code is a user's."""
    _spaces: list[tuple[Any, Any]] = field(default_factory=list)

    @cached_property
    def checks(self) -> certificates.Checks:
        """The points at which what is proved is looked at again."""
        return certificates.Checks(self.claim)

    def proves(self, quantity: str) -> tuple[bool, tuple[str, ...]]:
        """Whether the quantity is proved in every space, and the conditions under which it is."""
        conditions: tuple[str, ...] = ()
        for space, problem in self._problems():
            proved, needed = space.proves(problem.expected[quantity](), problem.tested(space.ops)[quantity], self.claim.strict)
            if not proved:
                return False, ()
            conditions = (*conditions, *(c for c in needed if c not in conditions))
        return True, conditions

    def _problems(self) -> Iterator[tuple[Any, Any]]:
        for number, make in enumerate(self._makers()):
            if number == len(self._spaces):
                space = make()
                self._spaces.append((space, self.claim.problem(space)))
            yield self._spaces[number]

    def _makers(self) -> list[Any]:
        if self.method == "entries":
            from sympy_validation.spaces.entries import EntriesSpace

            return [lambda sizes=sizes: EntriesSpace(sizes) for sizes in self.entry_sizes]
        from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace

        return [lambda: SymbolicSizesSpace(self.own)]


def prove(theorems: Iterable[Theorem]) -> Iterator[Verdict]:
    """The verdicts, in the order of the theorems. Theorems that share a claim and a method follow each other."""
    for (claim, method), group in groupby(theorems, key=lambda theorem: (theorem.claim, theorem.method)):
        members = list(group)
        attempt = Attempt(claim, method, members[0].entry_sizes, members[0].numbers is not None)
        for theorem in members:
            yield decide(theorem, attempt)


def prove_or_try_entries(theorems: Iterable[Theorem]) -> Iterator[Verdict]:
    """Theorems for all sizes; one that is neither proved nor refuted is tried at concrete sizes."""
    for verdict in prove(theorems):
        if verdict.status == "open":
            theorem = replace(verdict.theorem, method="entries")
            verdict = decide(theorem, Attempt(theorem.claim, "entries", theorem.entry_sizes))
        yield verdict


def decide(theorem: Theorem, attempt: Attempt) -> Verdict:
    """Try to prove the theorem; if that fails, search for a counterexample."""
    start = time.perf_counter()
    note = ""
    try:
        proved, conditions = attempt.proves(theorem.quantity)
    except Exception as error:
        # Whatever stops a proof, code of a user's layer included, the theorem is not proved; a counterexample may say more.
        proved, conditions, note = False, (), fault(error)
    refuted = attempt.checks.contradiction(theorem.quantity) if proved else None
    if refuted:
        # For all sizes this is a defect of the prover, unless code of a user went another way there than on symbols.
        defect = attempt.method == "all sizes" and not attempt.own
        note = "proved, although a point refutes it: this is a defect of the prover" if defect else ""
        return Verdict(theorem, "refuted", time.perf_counter() - start, refuted, theorem.conditions, note)
    if proved and attempt.checks.vacuous():
        note = "proved under conditions that hold at no point that was tried"
        return Verdict(theorem, "open", time.perf_counter() - start, None, (*theorem.conditions, *conditions), note)
    contradiction = theorem.numbers.contradiction(theorem.quantity) if theorem.numbers else ""
    objection = theorem.numbers.objection(theorem.method == "all sizes") if theorem.numbers and proved and not contradiction else ""
    if objection:
        return Verdict(theorem, "open", time.perf_counter() - start, None, theorem.conditions, objection)
    if proved and not contradiction:
        return Verdict(theorem, "proved", time.perf_counter() - start, conditions=(*theorem.conditions, *conditions))
    counterexample = None if proved else certificates.search(theorem.claim, theorem.quantity)
    if contradiction and not counterexample:
        counterexample = Counterexample(theorem.quantity, {}, contradiction)
    status: Status = "refuted" if counterexample else "open"
    return Verdict(theorem, status, time.perf_counter() - start, counterexample, theorem.conditions, "" if counterexample else note)
