"""The normal form of a product of atoms.

The rules here and those of powers and sums need each other (collapsing a delta renames indices, renaming makes powers anew), so the
three modules import each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import floor, prod
from typing import NamedTuple, TypeAlias

from sympy_validation.all_sizes import powers, signs, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.symbols import Number, number
from sympy_validation.all_sizes.terms import (
    CACHE_SIZE,
    ONE,
    ZERO,
    ZERO_ONE,
    Base,
    Count,
    Delta,
    Exponential,
    Indicator,
    Polynomial,
    Root,
    Undefined,
    combination,
    monomial,
    only,
)

LONGEST = 5_000
"""The number of terms up to which denominators are cleared."""


def multiply(*factors: Polynomial) -> Polynomial:
    """The product of polynomials."""
    result = ONE
    for Q in factors:
        result = _multiply(result, Q)
    return result


def _multiply(P: Polynomial, Q: Polynomial) -> Polynomial:
    if P is ONE:
        return Q
    return combination((multiply_monomials(m, n), c * d) for m, c in P.terms.items() for n, d in Q.terms.items())


@lru_cache(CACHE_SIZE)
def multiply_monomials(m: Monomial, n: Monomial) -> Polynomial:
    """The product of two monomials."""
    if not m or not n:
        return monomial(*(m or n))
    return product(_times(dict(m), n))


def divide(P: Polynomial, exponents: Mapping[Atom, Number]) -> Polynomial:
    """P divided by atoms with exponents, none of which is 0."""
    divisor = tuple(exponents.items())
    return combination((product(_times(dict(m), divisor, -1)), c) for m, c in P.terms.items())


def product(exponents: Mapping[Atom, Number]) -> Polynomial:
    """The product of atoms with exponents. The first rule that applies is taken, and what it gives is made normal in turn."""
    factors = _idempotent(exponents)
    for rule in (_joint_indicators, _collapse_delta, _expand_power, _reduce):
        result = rule(factors)
        if result is not None:
            return result
    return monomial(*sorted(factors.items(), key=lambda factor: factor[0].key))


def _without(factors: Mapping[Atom, Number], *atoms: Atom) -> dict[Atom, Number]:
    return {atom: exponent for atom, exponent in factors.items() if atom not in atoms}


def _idempotent(exponents: Mapping[Atom, Number]) -> dict[Atom, Number]:
    """b² = b for the values 0 and 1, and a⁰ = 1."""
    if any(exponent < 0 and isinstance(atom, ZERO_ONE) for atom, exponent in exponents.items()):
        raise Undefined("division by something that may be 0")
    return {atom: 1 if isinstance(atom, ZERO_ONE) else exponent for atom, exponent in exponents.items() if exponent}


def _joint_indicators(factors: dict[Atom, Number]) -> Polynomial | None:
    """[P < 0] [Q < 0], where one of the two decides the other."""
    indicators = [atom for atom in factors if isinstance(atom, Indicator)]
    for first, second in combinations(indicators, 2):
        both = _both_negative(first.argument, second.argument)
        if both is not None:
            return multiply(product(_without(factors, first, second)), both)
    return None


@lru_cache(CACHE_SIZE)
def _both_negative(P: Polynomial, Q: Polynomial) -> Polynomial | None:
    """[P < 0] [Q < 0] = 0 if P + cQ >= 0, [P < 0] + [Q < 0] - 1 if P + cQ < 0, [P < 0] if P >= cQ, [Q < 0] if cQ >= P, for a c > 0.

    For c the ratios of the coefficients are tried, such as those of x in x - 1 and 2x + 1.
    """
    p, q = only(Indicator(P)), only(Indicator(Q))
    for m in P.terms.keys() & Q.terms.keys() - {()}:
        ratio = Fraction(P.terms[m]) / Q.terms[m]
        total = P - Q.times(number(ratio))
        if ratio < 0 and signs.is_nonnegative(total):
            return ZERO
        if ratio < 0 and signs.is_positive(-total):
            return p + q - ONE
        if ratio > 0 and signs.is_nonnegative(total):
            return p
        if ratio > 0 and signs.is_nonnegative(-total):
            return q
    return None


def _collapse_delta(factors: dict[Atom, Number]) -> Polynomial | None:
    """δ(i,j) F(j) = δ(i,j) F(i)."""
    for delta in factors:
        if not isinstance(delta, Delta) or sums.looks_up(delta.i, delta.j):
            continue
        if any(delta.j in atom.free for atom in factors if atom is not delta):
            rest = product(_without(factors, delta))
            return multiply(only(delta), sums.substitute(rest, {delta.j: delta.i}))
    return None


def _expand_power(factors: dict[Atom, Number]) -> Polynomial | None:
    """Base occurs to negative integer powers, Root to powers between 0 and 1: P^e = P^⌊e⌋ P^(e - ⌊e⌋)."""
    for atom, exponent in factors.items():
        whole = floor(exponent)
        if whole and (isinstance(atom, Root) or (isinstance(atom, Base) and exponent > 0)):
            rest = _without(factors, atom)
            if exponent != whole:
                rest[atom] = number(exponent - whole)
            return multiply(product(rest), powers.power(atom.argument, whole))
    return None


# Division by a sum of several terms -----------------------------------------------------------------------------------


class Lead(NamedTuple):
    """A term c · unit · power of a polynomial, and all other terms; ``unit`` is made of sizes."""

    coefficient: Number
    unit: Monomial
    power: Monomial
    others: Polynomial


def _reduce(factors: dict[Atom, Number]) -> Polynomial | None:
    """Let P = L + Q, where L is one term. Then L P⁻¹ = 1 - Q P⁻¹, which makes the fraction's numerator smaller.

    L is the leading term where a product contains it. It is the constant term where a product contains the inverse of an exponential
    that divides Q.
    """
    for base in factors:
        if isinstance(base, Base):
            lead = _leading_term(base.argument)
            if lead and all(factors.get(atom, 0) >= power for atom, power in lead.power):
                return _replace_lead(factors, base, lead)
            tail = _constant_term(base.argument)
            if tail and any(_divides_others(atom, tail) for atom, power in factors.items() if power < 0 and isinstance(atom, Exponential)):
                return _replace_lead(factors, base, tail)
    return None


def clear_denominators(P: Polynomial) -> Polynomial:
    """P times the sums by which its terms are divided, none of which is 0; P itself where the result would be very long."""
    least: dict[Atom, Number] = {}
    for m in P.terms:
        least.update({atom: min(exponent, least.get(atom, 0)) for atom, exponent in m if isinstance(atom, Base)})
    length = len(P.terms) * prod(len(atom.argument.terms) ** -int(e) for atom, e in least.items() if isinstance(atom, Base))
    return clear_denominators(divide(P, least)) if least and length <= LONGEST else P


def _replace_lead(factors: dict[Atom, Number], base: Base, lead: Lead) -> Polynomial:
    """F P⁻ⁿ = (F P⁻ⁿ⁺¹ - F Q P⁻ⁿ) L⁻¹, where L⁻¹ is combined with F before anything is made normal."""
    quotient = _times(factors, (*lead.power, *lead.unit), -1)
    summands: list[tuple[Polynomial, Number]] = [(product(_times(quotient, ((base, 1),))), 1)]
    summands += [(product(_times(quotient, m)), -c) for m, c in lead.others.terms.items()]
    return combination(summands).times(number(Fraction(1) / lead.coefficient))


def _times(factors: Mapping[Atom, Number], m: Monomial, sign: int = 1) -> dict[Atom, Number]:
    """Factors times a monomial or, with sign -1, divided by it."""
    result = dict(factors)
    for atom, exponent in m:
        result[atom] = number(result.get(atom, 0) + sign * exponent)
    return result


def _term(P: Polynomial, m: Monomial, split: Callable[[Monomial], tuple[Monomial, Monomial]]) -> Lead:
    unit, power = split(m)
    return Lead(P.terms[m], unit, power, Polynomial({n: c for n, c in P.terms.items() if n != m}))


def _split_sizes(m: Monomial) -> tuple[Monomial, Monomial]:
    return tuple(f for f in m if isinstance(f[0], Count)), tuple(f for f in m if not isinstance(f[0], Count))


def _no_sizes(m: Monomial) -> tuple[Monomial, Monomial]:
    return (), m


@lru_cache(CACHE_SIZE)
def _leading_term(P: Polynomial) -> Lead | None:
    """The greatest term by ``_rank``; none if that is not one term, so that renaming indices cannot make another one greatest."""
    split = _split_sizes if any(_split_sizes(m)[1] for m in P.terms) else _no_sizes
    ranked = [(_rank(split(m)[1]), m) for m in P.terms]
    ranks = [rank for rank, _ in ranked]
    if None in ranks:
        return None
    top = max(rank for rank in ranks if rank is not None)
    if ranks.count(top) > 1:
        return None
    return _term(P, next(m for rank, m in ranked if rank == top), split)


Rank: TypeAlias = tuple[Number, list[tuple[str, Number]]]


def _rank(m: Monomial) -> Rank | None:
    """The degree, then the exponents, as an order of monomials that multiplication respects; none if an exponent is negative."""
    exponents: dict[str, Number] = {}
    for atom, exponent in m:
        if exponent < 0:
            return None
        exponents[atom.shape] = exponents.get(atom.shape, 0) + exponent
    return sum(exponents.values()), sorted((shape, -exponent) for shape, exponent in exponents.items())


@lru_cache(CACHE_SIZE)
def _constant_term(P: Polynomial) -> Lead | None:
    constants = [m for m in P.terms if not _split_sizes(m)[1]]
    return _term(P, constants[0], _split_sizes) if len(constants) == 1 else None


def _divides_others(atom: Atom, tail: Lead) -> bool:
    return all(dict(m).get(atom, 0) > 0 for m in tail.others.terms)


# Values 0 and 1 -------------------------------------------------------------------------------------------------------


class Branches(NamedTuple):
    """P = b · one + (1 - b) · zero, where b is 0 or 1."""

    b: Polynomial
    one: Polynomial
    zero: Polynomial

    def join(self, one: Polynomial, zero: Polynomial) -> Polynomial:
        """b · one + (1 - b) · zero."""
        return zero + multiply(self.b, one - zero)


def branches(P: Polynomial) -> Branches | None:
    """P at the two values of a factor that is 0 or 1, or None if there is no such factor."""
    b = min((atom for atom in P.atoms if isinstance(atom, ZERO_ONE)), key=lambda atom: atom.key, default=None)
    return None if b is None else branches_by(only(b), P)


def branches_by(b: Polynomial, P: Polynomial) -> Branches:
    """P at the two values of b, an atom that is 0 or 1."""
    (atom,) = b.atoms
    one = combination((product(_without(dict(m), atom)), c) for m, c in P.terms.items())
    zero = Polynomial({m: c for m, c in P.terms.items() if all(factor is not atom for factor, _ in m)})
    return Branches(b, _decided(one, atom, 1), _decided(zero, atom, 0))


def _decided(P: Polynomial, atom: Atom, value: int) -> Polynomial:
    """P where the atom has the value 0 or 1, with the indicators that are decided by it: where x >= 32, [-32 - x < 0] is 1."""
    others = [other for other in P.atoms if isinstance(other, Indicator)] if isinstance(atom, Indicator) else []
    known: dict[Atom, int] = {other: c for other in others if (c := _value_of(other, atom, value)) is not None}
    if not known:
        return P
    kept = ((m, c) for m, c in P.terms.items() if all(known.get(factor, 1) for factor, _ in m))
    return combination((product(_without(dict(m), *known)), c) for m, c in kept)


def _value_of(other: Indicator, atom: Atom, value: int) -> int | None:
    """The value of an indicator where another one has a value, by their product; None if it may be 0 or 1 there."""
    both = _both_negative(atom.argument, other.argument) if isinstance(atom, Indicator) else None
    if both is None:
        return None
    p, q = only(atom), only(other)
    values = ((ZERO, 0), (p, 1)) if value else ((q, 0), (p + q - ONE, 1))
    return next((decided for product_of_both, decided in values if both == product_of_both), None)
