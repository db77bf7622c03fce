"""From the table of theorems to Coq files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import flat
from sympy_validation.claims import Claim, Problem
from sympy_validation.coq.derivatives import Gradient
from sympy_validation.coq.matrices import CoqMatrix, NotExported
from sympy_validation.coq.recurrences import CELLS, CellRecurrence, recurrence
from sympy_validation.coq.space import CoqSpace, Differentiated
from sympy_validation.coq.statement import Claimed, ClaimedGradients, Statement
from sympy_validation.theorem import Theorem

PREAMBLE = """From Coq Require Import Reals QArith ZArith List.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms Facts Check.
Import ListNotations.
Open Scope R_scope.
"""


@dataclass(frozen=True)
class Exported:
    """A theorem in Coq, or the reason why there is none."""

    theorem: Theorem
    name: str
    text: str = ""
    reason: str = ""
    questions: tuple[str, ...] = ()
    """What the checker computes in the proofs, where it is all that may fail."""


def identifier(theorem: Theorem) -> str:
    """The name of a theorem in Coq: layers_Linear_DX."""
    words = f"{theorem.subject}.{theorem.quantity}" + (f"_{theorem.name}" if theorem.name else "")
    name = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"[^\x00-\x7f]", lambda m: f"u{ord(m[0]):x}", words)).strip("_")
    return name if name[0].isalpha() else f"t_{name}"


def export(theorems: Iterable[Theorem]) -> Iterator[Exported]:
    """The theorems in Coq, in their order, under different names."""
    taken: dict[str, int] = {}
    setting: tuple[Any, CoqSpace, Problem | Exception] | None = None
    subjects: dict[str, None] = {}
    for theorem in theorems:
        subjects[theorem.subject] = None
        name = identifier(theorem)
        taken[name] = taken.get(name, 0) + 1
        name = f"{name}_{taken[name]}" if taken[name] > 1 else name
        try:
            if theorem.method != "all sizes":
                raise NotExported("a statement at concrete sizes")
            if setting is None or setting[0] is not theorem.claim:
                space = CoqSpace()
                setting = theorem.claim, space, _problem(theorem, space)
            _, space, problem = setting
            if isinstance(problem, Exception):
                raise problem
            told = statements(name, theorem, space, problem)
            yield Exported(theorem, name, "\n".join(map(str, told)), questions=tuple(s.question() for s in told))
        except NotExported as error:
            yield Exported(theorem, name, reason=str(error))
        except NervaError as error:
            yield Exported(theorem, name, reason=str(error))
        except RecursionError:
            yield Exported(theorem, name, reason="the equations are nested too deep")
    for theorem in (recurrence(subject) for subject in subjects if subject in CELLS):
        yield Exported(theorem, identifier(theorem), str(CellRecurrence(theorem, identifier(theorem))))


def _problem(theorem: Theorem, space: CoqSpace) -> Problem | Exception:
    try:
        return theorem.claim.problem(space)
    except (NotExported, NervaError) as error:
        return error


def statements(name: str, theorem: Theorem, space: CoqSpace, problem: Problem) -> list[Statement]:
    """The theorem; before it, that what is computed with as a derivative is one."""
    found = problem.tested(space.ops)[theorem.quantity]
    statement = statement_of(name, theorem.quantity, theorem.claim, space, problem, found)
    before = [Statement(f"{name}_derivative_{k}", space.ops, ClaimedGradients((g,))) for k, g in enumerate(space.used.values(), start=1)]
    return [*before, statement]


def statement_of(name: str, quantity: str, claim: Claim, space: CoqSpace, problem: Problem, found: Any) -> Statement:
    """That ``found`` is what the quantity should be."""
    expected = problem.expected[quantity]()
    if not isinstance(expected, CoqMatrix) or not isinstance(found, CoqMatrix):
        raise NotExported("what is compared is no matrix")
    expected.check_shape(found)
    if isinstance(expected, Differentiated):
        term, free, variable, place = expected.of
        return Statement(name, space.ops, ClaimedGradients((Gradient(term, tuple(free), variable, tuple(place), found.entry),)))
    return Statement(name, space.ops, Claimed(expected.entry, found.entry, tuple(flat(found.i, found.j)), claim.strict))
