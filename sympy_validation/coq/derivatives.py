"""The derivative of a term, for claims that compute with derivatives. It is not trusted: that it is one becomes a theorem of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy_validation.all_sizes.symbols import Index
from sympy_validation.coq.matrices import NotExported
from sympy_validation.coq.terms import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Kronecker,
    LayerOutput,
    Mul,
    RationalNumber,
    SumOver,
    Term,
    product,
    subterms,
)


@dataclass(frozen=True)
class Gradient:
    """The derivative of a term, in which some indices are free, with respect to the elements of a variable."""

    term: Term
    free: tuple[Index, ...]
    variable: str
    place: tuple[Index, ...]
    """The indices of the element of the variable."""
    entry: Term
    """What it is, by the rules of this file."""


def derivative(term: Term, variable: str, place: Sequence[Index]) -> Term:
    """∂term/∂variable[place]."""
    if not any(
        (isinstance(t, Element) and t.variable == variable) or (isinstance(t, Element) and isinstance(t.variable, LayerOutput))
        for t in subterms(term)
    ):
        return ZERO
    match term:
        case Element(name, indices, held):
            if isinstance(name, LayerOutput):
                raise NotExported("a derivative of an abstract layer as a matrix")
            return (
                ZERO
                if held or name != variable
                else product(*(Kronecker(i, k) for i, k in zip(indices, place, strict=True)))
                if place
                else ONE
            )
        case Add(a, b):
            return _add(derivative(a, variable, place), derivative(b, variable, place))
        case Mul(a, b):
            return _add(_mul(derivative(a, variable, place), b), _mul(a, derivative(b, variable, place)))
        case Apply(f, a, order):
            return _mul(_slope(f, a, order), derivative(a, variable, place))
        case SumOver(k, a):
            inner = derivative(a, variable, place)
            return inner if inner == ZERO else SumOver(k, inner)
    raise NotExported("the derivative of a maximum")


def _add(a: Term, b: Term) -> Term:
    return b if a == ZERO else a if b == ZERO else Add(a, b)


def _mul(a: Term, b: Term) -> Term:
    return ZERO if ZERO in (a, b) else Mul(a, b)


def _slope(f: str, a: Term, order: int) -> Term:
    half: Any = RationalNumber(ONE.value / 2)
    match f:
        case _ if order >= 0:
            return Apply(f, a, order + 1)
        case "reciprocal":
            return Mul(MINUS_ONE, Mul(Apply(f, a), Apply(f, a)))
        case "exp":
            return Apply(f, a)
        case "log":
            return Apply("reciprocal", a)
        case "sqrt":
            return Mul(half, Apply("reciprocal", Apply(f, a)))
        case "arctan":
            return Apply("reciprocal", Add(ONE, Mul(a, a)))
        case "Phi":
            return Apply("phi", a)
        case "phi":
            return Mul(MINUS_ONE, Mul(a, Apply(f, a)))
    return ZERO
