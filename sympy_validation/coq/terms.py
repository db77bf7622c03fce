"""Entries of matrices as terms. Nothing is simplified, so that what is exported is what the code does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from sympy_validation.all_sizes.symbols import Index, Size, is_number


@dataclass(frozen=True)
class RationalNumber:
    """A rational number."""

    value: Fraction


@dataclass(frozen=True)
class SizeNumber:
    """A size as a number."""

    size: Size


@dataclass(frozen=True)
class Element:
    """The element of a variable at some indices; ``held`` if its value is not to be differentiated."""

    variable: str | LayerOutput
    indices: tuple[Index, ...]
    held: bool = False


@dataclass(frozen=True)
class Kronecker:
    """1 where the indices are equal, else 0."""

    i: Index
    j: Index


@dataclass(frozen=True)
class Add:
    """a + b."""

    a: Term
    b: Term


@dataclass(frozen=True)
class Mul:
    """a b."""

    a: Term
    b: Term


class CoqName(NamedTuple):
    """A known function in Coq."""

    words: str
    """In statements."""
    checker: str
    """In the terms of the checker."""


FUNCTIONS = {
    "reciprocal": CoqName("/", "FInv"),
    "exp": CoqName("exp", "FExp"),
    "log": CoqName("ln", "FLn"),
    "sqrt": CoqName("sqrt", "FSqrt"),
    "ind": CoqName("ind", "FInd"),
    "arctan": CoqName("atan", "FAtan"),
    "Phi": CoqName("Phi", "FPhi"),
    "phi": CoqName("phi", "Fphi"),
}


@dataclass(frozen=True)
class Apply:
    """f(a); of an unknown function the derivative of some order."""

    function: str
    a: Term
    order: int = -1
    """Of a known function -1."""


@dataclass(frozen=True)
class SumOver:
    """The sum over an index."""

    index: Index
    body: Term


@dataclass(frozen=True)
class Largest:
    """The maximum over an index."""

    index: Index
    body: Term


Term: TypeAlias = RationalNumber | SizeNumber | Element | Kronecker | Add | Mul | Apply | SumOver | Largest
Binder: TypeAlias = SumOver | Largest


@dataclass(frozen=True)
class GivenMatrix:
    """A matrix that is handed to an abstract layer: its entry, and the indices in it."""

    indices: tuple[Index, ...]
    entry: Term


@dataclass(frozen=True)
class LayerOutput:
    """What an abstract layer makes of its arguments; of number k >= 0 its derivative with respect to that argument."""

    layer: str
    sizes: tuple[Any, ...]
    arguments: tuple[GivenMatrix, ...]
    derivative: int = -1

    @cached_property
    def code(self) -> int:
        """The hash, which is asked for often."""
        return hash((self.layer, self.arguments, self.derivative))

    def __hash__(self) -> int:
        return self.code


ZERO, ONE, MINUS_ONE = (RationalNumber(Fraction(c)) for c in (0, 1, -1))


def product(*factors: Term) -> Term:
    """The product, from the left."""
    result = factors[0]
    for factor in factors[1:]:
        result = Mul(result, factor)
    return result


def children(term: Term) -> tuple[Term, ...]:
    """The parts of a term."""
    match term:
        case Add(a, b) | Mul(a, b):
            return a, b
        case Apply(_, a):
            return (a,)
        case SumOver(_, a) | Largest(_, a):
            return (a,)
    return ()


def rebuilt(term: Term, parts: tuple[Term, ...]) -> Term:
    """The term with other parts."""
    match term:
        case Add() | Mul():
            return type(term)(*parts)
        case Apply(f, _, order):
            return Apply(f, parts[0], order)
        case SumOver(k, _) | Largest(k, _):
            return type(term)(k, *parts)
    return term


def renamed(term: Term, names: Mapping[Index, Index]) -> Term:
    """Other indices in the place of free ones. Bound indices have names of their own, so none is captured."""
    if not names:
        return term
    match term:
        case Element(variable, indices, held):
            return Element(variable, tuple(names.get(i, i) for i in indices), held)
        case Kronecker(i, j):
            return Kronecker(names.get(i, i), names.get(j, j))
    return rebuilt(term, tuple(renamed(part, names) for part in children(term)))


def marked(term: Term, held: bool) -> Term:
    """The term with all its elements held, or with none."""
    if isinstance(term, Element):
        return Element(term.variable, term.indices, held)
    return rebuilt(term, tuple(marked(part, held) for part in children(term)))


def subterms(term: Term) -> Iterator[Term]:
    """The term and all its parts."""
    yield term
    for part in children(term):
        yield from subterms(part)


def free(term: Term) -> dict[Index, None]:
    """The free indices that are no numbers, in the order of their first occurrence."""
    match term:
        case Element(_, indices):
            found = dict.fromkeys(indices)
        case Kronecker(i, j):
            found = {i: None, j: None}
        case SumOver(k, a) | Largest(k, a):
            found = {i: None for i in free(a) if i != k}
        case _:
            found = {i: None for part in children(term) for i in free(part)}
    return {i: None for i in found if not is_number(i)}
