"""The hypotheses of a theorem: what is assumed of variables, and where functions have a value and a derivative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sympy_validation.all_sizes.symbols import Index
from sympy_validation.coq.numbering import Numbering
from sympy_validation.coq.ops import CoqOps
from sympy_validation.coq.terms import (
    Add,
    Apply,
    Element,
    Kronecker,
    Largest,
    Mul,
    RationalNumber,
    SizeNumber,
    SumOver,
    Term,
    children,
    free,
    marked,
)
from sympy_validation.spaces.spaces import Kind


@dataclass(frozen=True)
class Fact:
    """Something about a term, for all values of its indices within their sizes."""

    kind: str
    indices: tuple[Index, ...]
    term: Term
    function: tuple[str, int] = ("", 0)
    """Of an unknown function that has a derivative at the term: which, and of which order."""


def facts(ops: CoqOps, terms: Sequence[Term], moving: tuple[str, ...], strict: bool) -> list[Fact]:
    """What is assumed of terms that are differentiated with respect to the ``moving`` variables.

    Left out is what says the same, and what the checker sees by itself.
    """
    known = [*_declared(ops)]
    positive: set[object] = {f.term.variable for f in known if f.kind == "Positive" and isinstance(f.term, Element)}
    used = {part.variable for term in terms for part in _all(term) if isinstance(part, Element)}
    found = [f for f in known if any(isinstance(part, Element) and part.variable in used for part in _all(f.term))]
    for term in terms:
        for kind, x, function in _needed(marked(term, False), positive, strict):
            if kind.startswith("Smooth") and not moving:
                continue
            found.append(Fact(kind, tuple(free(x)), x, function))
    numbers = Numbering(moving)
    unique: dict[tuple[str, str], Fact] = {}
    for f in found:
        if f.kind.startswith("Smooth"):
            numbers.function(*f.function)
            f = Fact(f"Smooth {list(numbers.functions).index(f.function[0])} {f.function[1]}", f.indices, f.term, f.function)
        unique.setdefault((f.kind, numbers.term(f.term, f.indices, True)), f)
    return list(unique.values())


def _declared(ops: CoqOps) -> Iterator[Fact]:
    for name, positive in ops.scalars.items():
        if positive:
            yield Fact("Positive", (), Element(name, ()))
    for name, declared in ops.variables.items():
        element = Element(name, declared.indices)
        if declared.kind is Kind.POSITIVE:
            yield Fact("Positive", declared.indices, element)
        if declared.kind is Kind.ROW_STOCHASTIC:
            *rows, last = declared.indices
            yield Fact("One", tuple(rows), SumOver(last, element))


def _all(term: Term) -> Iterator[Term]:
    yield term
    if isinstance(term, Element) and not isinstance(term.variable, str):
        for argument in term.variable.arguments:
            yield from _all(argument.entry)
    for part in children(term):
        yield from _all(part)


def _needed(term: Term, positive: set[object], strict: bool) -> Iterator[tuple[str, Term, tuple[str, int]]]:
    """What the functions in the term ask of their arguments, unless it can be seen; indicators nothing where values are compared."""
    if isinstance(term, Element) and not isinstance(term.variable, str):
        for argument in term.variable.arguments:
            yield from _needed(argument.entry, positive, strict)
    for part in children(term):
        yield from _needed(part, positive, strict)
    match term:
        case Apply("reciprocal", Apply("sqrt", _)):
            return
        case Apply("reciprocal", a) if sign(a, positive) < 2:
            yield "NonZero", a, ("", 0)
        case Apply("log" | "sqrt", a) if sign(a, positive) < 2:
            yield "Positive", a, ("", 0)
        case Apply("ind", a) if not strict:
            yield "NonZero", a, ("", 0)
        case Apply(f, a, order) if order >= 0:
            yield "Smooth", a, (f, order)


def sign(term: Term, positive: set[object]) -> int:
    """2 if the checker sees that the term is positive, 1 if it is not negative, else 0."""
    match term:
        case RationalNumber(c):
            return 2 if c > 0 else 1 if c == 0 else 0
        case SizeNumber():
            return 2
        case Kronecker():
            return 1
        case Element(variable):
            return 2 if variable in positive else 0
        case Add(a, b):
            x, y = sign(a, positive), sign(b, positive)
            return 0 if 0 in (x, y) else max(x, y)
        case Mul(a, b):
            return min(sign(a, positive), sign(b, positive)) or (1 if a == b else 0)
        case Apply("exp" | "phi"):
            return 2
        case Apply("reciprocal", a):
            return sign(a, positive)
        case Apply("sqrt", a):
            return max(1, sign(a, positive))
        case Apply("ind"):
            return 1
        case SumOver(_, a):
            return sign(a, positive)
        case Largest():
            return 0
    return 0
