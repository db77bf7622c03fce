"""Do the proofs mean something? Every mutant of the tested code must be refused, or shown to be the same function.

A mutant is the code with one faulty operation (``nerva_core.interpreters.mutants``). A counterexample at a point refuses it; if
none is found, it must be proved that the mutant still computes the right matrices, so that it is no mistake. A mutant with
neither survives: a proof accepts what may be wrong, or the prover is too weak to tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nerva_core.interpreters.mutants import MutantOps, Mutation, list_mutations
from nerva_core.interpreters.traced import Recorder
from sympy_validation.certificates import Counterexample, SamplePoints
from sympy_validation.claims import Claim
from sympy_validation.spaces.numbers import Undecided
from sympy_validation.spaces.points import SIZES
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Theorem


class AbsentError(Exception):
    """The number of a mutation does not occur in a run of the code, so that nothing was changed: it shows nothing."""


@dataclass(frozen=True)
class Mutant:
    """A mutation, and why it is refused or the same function. Neither: it survived, or (``absent``) was none."""

    mutation: Mutation
    counterexample: Counterexample | None = None
    reason: str = ""
    absent: bool = False

    @property
    def survived(self) -> bool:
        """Whether it is neither refused nor explained."""
        return self.counterexample is None and not self.reason and not self.absent


@dataclass
class Audit:
    """The mutants of one claim."""

    subject: str
    quantities: tuple[str, ...]
    mutants: list[Mutant] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def killed(self) -> list[Mutant]:
        """Those refused by a counterexample."""
        return [m for m in self.mutants if m.counterexample]

    @property
    def equivalent(self) -> list[Mutant]:
        """Those that are the same function."""
        return [m for m in self.mutants if m.reason]

    @property
    def absent(self) -> list[Mutant]:
        """Those that changed nothing, because the code does other operations in another space: the audit cannot judge them."""
        return [m for m in self.mutants if m.absent]

    @property
    def survivors(self) -> list[Mutant]:
        """Those that fail the audit."""
        return [m for m in self.mutants if m.survived]


def audit(theorems: Iterable[Theorem], limit: int | None = None) -> Iterator[Audit]:
    """The audit of each claim that is proved for all sizes, with at most ``limit`` mutants of each, evenly spread."""
    for theorem in audited(theorems):
        yield audit_claim(theorem.subject, theorem.claim, limit)


def audited(theorems: Iterable[Theorem]) -> list[Theorem]:
    """The first theorem of each claim that is proved for all sizes."""
    seen: dict[int, Theorem] = {}
    for theorem in theorems:
        if theorem.expected == "proved" and theorem.method == "all sizes" and not theorem.subject.startswith("errata"):
            seen.setdefault(id(theorem.claim), theorem)
    return list(seen.values())


def audit_claim(subject: str, claim: Claim, limit: int | None = None) -> Audit:
    """Refuse or explain every mutant of the claim's tested code."""
    start = time.perf_counter()
    result = Audit(subject, claim.quantities())
    points = SamplePoints(claim)
    mutations = mutations_of(points)
    if limit and len(mutations) > limit:
        mutations = [mutations[k * len(mutations) // limit] for k in range(limit)]
    equality, unused = Equivalence(claim), _unused(points)
    for mutation in mutations:
        try:
            found = refute(points, result.quantities, mutation)
            same = "" if found else "its result is not used" if mutation.index in unused else equality.reason(mutation)
            result.mutants.append(Mutant(mutation, found, same))
        except AbsentError:
            result.mutants.append(Mutant(mutation, absent=True))
    result.seconds = time.perf_counter() - start
    return result


def mutations_of(points: SamplePoints) -> list[Mutation]:
    """Every one-operation mutation of the tested code."""
    for point in points:
        try:
            return list_mutations(point.space.ops, point.problem.tested)
        except Undecided:
            continue
    return []


def _unused(points: SamplePoints) -> set[int]:
    """The numbers of the operations from which no tested matrix is computed."""
    for point in points:
        recorder = Recorder(point.space.ops)
        try:
            needed = {id(matrix) for matrix in point.problem.tested(recorder).values()}
        except Undecided:
            continue
        unused = set()
        for index, (operation, result) in reversed(list(enumerate(recorder.steps, start=1))):
            if id(result) in needed:
                needed |= {id(operand) for operand in operation.operands}
            else:
                unused.add(index)
        return unused
    return set()


def refute(points: SamplePoints, quantities: tuple[str, ...], mutation: Mutation) -> Counterexample | None:
    """A counterexample at a point where something was changed: where the code itself has no value before that, it shows nothing."""
    mutants: list[MutantOps[Any]] = []

    def mutated(ops: Any) -> Any:
        mutants.append(MutantOps(ops, mutation))
        return mutants[-1]

    for point in points:
        try:
            found = point.refute(quantities, mutated)
        except Undecided:
            continue
        if found and mutants[-1].happened:
            return found
    if mutants and not any(mutant.happened for mutant in mutants):
        raise AbsentError
    return None


@dataclass
class Equivalence:
    """Proofs that a mutant is the same function, for all sizes or at least at the sizes of the entries."""

    claim: Claim
    _problems: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    def reason(self, mutation: Mutation) -> str:
        """Why the mutant is the same function; empty if that is not proved."""
        if not self._problems:
            self._problems = self._setup()
        for reason, problems in self._problems.items():
            if all(self._equal(space, problem, mutation) for space, problem in problems):
                return reason
        return ""

    def _setup(self) -> dict[str, list[tuple[Any, Any]]]:
        from sympy_validation.spaces.entries import EntriesSpace
        from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace

        spaces: dict[str, Sequence[Space[Any]]] = {
            "equal for all sizes": [SymbolicSizesSpace()],
            "equal, element by element": [EntriesSpace(size) for size in SIZES],
        }
        return {reason: [(space, self.claim.problem(space)) for space in members] for reason, members in spaces.items()}

    def _equal(self, space: Any, problem: Any, mutation: Mutation) -> bool:
        mutant = MutantOps(space.ops, mutation)
        try:
            found = problem.tested(mutant)
            if not mutant.happened:
                raise AbsentError
            return all(space.proves(problem.expected[q](), found[q], self.claim.strict)[0] for q in self.claim.quantities())
        except AbsentError:
            raise
        except Exception:
            return False  # not proved to be equal, whatever the reason
