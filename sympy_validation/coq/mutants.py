"""Wrong backward passes, by the thousand: does the checker accept one?

    python -m sympy_validation.coq.mutants theorems --most 6000

takes every one-operation mutant of the layers, activations and losses that a number refutes, writes the question that the proof of its
theorem would ask, ``check_gradients ... = true``, many to a file, and has Coq compute the answers. The proof of a
theorem is that answer (``gradients_ok``), so a mutant is accepted where it is "true". Every claim is asked about without a mutation, too,
which must be answered "true": so an acceptance would be seen.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.interpreters.mutants import MutantOps, Mutation
from sympy_validation.audit import AbsentError, audited, mutations_of, refute
from sympy_validation.certificates import SamplePoints
from sympy_validation.claims import Claim
from sympy_validation.coq.export import statement_of
from sympy_validation.coq.kernel import INSTALL, Coqc, prepare
from sympy_validation.coq.matrices import NotExported
from sympy_validation.coq.space import CoqSpace
from sympy_validation.table import select, table

SUBJECTS = ("layers.", "activations.", "losses.")
A_FILE, SECONDS, LONGEST = 200, 20, 2500
"""The questions in a file, the seconds that each may take, and the characters that it may have, so that thousands can be asked."""


@dataclass(frozen=True)
class Question:
    """Whether the checker accepts a quantity of a claim, of which the code has been changed by ``mutation``."""

    subject: str
    quantity: str
    mutation: Mutation | None
    text: str

    def __str__(self) -> str:
        return f"{self.subject}.{self.quantity}: {self.mutation or 'not changed'}"


def questions(subject: str, claim: Claim, tally: Counter[str]) -> Iterator[Question]:
    """Of each mutant the quantity that a number refutes, and every quantity as it is; what is not asked about is counted in ``tally``."""
    points = SamplePoints(claim)
    unchanged = {quantity: question(claim, quantity, None, Counter()) for quantity in claim.quantities()}
    for mutation in mutations_of(points):
        try:
            wrong = refute(points, claim.quantities(), mutation)
        except AbsentError:
            continue
        if wrong is None or "should be" not in wrong.explanation:
            tally["not refuted by a number"] += 1
            continue
        text = question(claim, wrong.quantity, mutation, tally)
        if text and text == unchanged[wrong.quantity]:
            tally["the same statement in Coq, where other operations are done"] += 1
        elif text:
            yield Question(subject, wrong.quantity, mutation, text)
    for quantity, text in unchanged.items():
        if text:
            yield Question(subject, quantity, None, text)


def question(claim: Claim, quantity: str, mutation: Mutation | None, tally: Counter[str]) -> str:
    """What the checker is to compute; empty if the mutant cannot be said in Coq, as where shapes do not fit."""
    space = CoqSpace()
    try:
        problem = claim.problem(space)
        ops: Any = MutantOps(space.ops, mutation) if mutation else space.ops
        found = problem.tested(ops)[quantity]
        if mutation and not ops.happened:
            tally["not done for all sizes"] += 1
            return ""
        text = statement_of("mutant", quantity, claim, space, problem, found).question()
        if len(text) > LONGEST:
            tally["left out, as the question is long"] += 1
            return ""
        return text
    except (NotExported, NervaError, RecursionError):
        tally["refused before Coq sees it"] += 1
        return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, and print how many are accepted."""
    parser = ArgumentParser(description="Mutants of backward passes, asked of the checker.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--most", type=int, default=None)
    chosen = parser.parse_args(arguments)
    theorems = audited(select(chosen.names) if chosen.names else [t for t in table() if t.subject.startswith(SUBJECTS)])
    prepare(chosen.directory)
    coqc = Coqc.installed(chosen.directory)
    if coqc is None:
        raise SystemExit(INSTALL)
    coqc.library()
    tally: Counter[str] = Counter()
    every = chain.from_iterable(questions(t.subject, t.claim, tally) for t in theorems)
    asked = 0
    while (chosen.most is None or asked < chosen.most) and (batch := list(islice(every, A_FILE))):
        told = coqc.answers(chosen.directory / "theorems" / "mutants.v", [q.text for q in batch], SECONDS)
        for q, answer in zip(batch, told, strict=True):
            tally[f"{'mutants' if q.mutation else 'not changed'}: {answer}"] += 1
            if (answer == "true") == (q.mutation is not None):
                print(f"{answer}: {q}", flush=True)
        asked += sum(q.mutation is not None for q in batch)
        print(f"{asked} mutants: {dict(tally)}", flush=True)


if __name__ == "__main__":
    main()
