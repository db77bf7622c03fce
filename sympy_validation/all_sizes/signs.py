"""Signs, scales and common factors of polynomials: what the rules need to know of their operands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from math import comb, gcd, lcm

from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.symbols import UNIT, Number, Variable, number
from sympy_validation.all_sizes.terms import (
    CACHE_SIZE,
    ZERO_ONE,
    Base,
    Count,
    Entry,
    Exponential,
    Maximum,
    Polynomial,
    Root,
    Sum,
    combination,
    monomial,
)

ROUNDING = Fraction(1, 2**52)
"""The difference of two coefficients, relative to their sum, that is taken for a rounding."""

# Scale and common factors ---------------------------------------------------------------------------------------------


def content(P: Polynomial) -> Number:
    """The positive number that leaves coprime integers as coefficients when P is divided by it; 1 for P = 0."""
    if not P.terms:
        return 1
    coefficients = [Fraction(c) for c in P.terms.values()]
    return number(Fraction(gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients))))


def sign(P: Polynomial) -> int:
    """1 or -1, chosen such that sign(-P) = -sign(P) and no renaming of indices changes it; 1 where there is no such choice."""
    groups: defaultdict[tuple[str, ...], Number] = defaultdict(int)
    for m, c in P.terms.items():
        groups[tuple(sorted(f"{atom.shape}^{exponent}" for atom, exponent in m))] += c
    coefficients = [groups[shape] for shape in sorted(groups) if groups[shape]]
    return -1 if coefficients and coefficients[0] < 0 else 1


def common_factor(P: Polynomial, atoms: Iterable[Atom]) -> dict[Atom, Number]:
    """Of these atoms, the powers that divide P and leave no negative exponent."""
    terms = [dict(m) for m in P.terms]
    least = {atom: min(term.get(atom, 0) for term in terms) for atom in atoms}
    return {atom: exponent for atom, exponent in least.items() if exponent}


def almost_equal(P: Polynomial, Q: Polynomial) -> bool:
    """Whether the coefficients are those of floats that differ by a rounding, as of 0.3333333333333333 and 1/3."""
    return all(_size(P - Q, m) <= ROUNDING * (_size(P, m) + _size(Q, m)) for m in (P - Q).terms)


def _size(P: Polynomial, m: Monomial) -> Number:
    c = P.terms.get(m, 0)
    return c if c >= 0 else -c


# What is known about signs --------------------------------------------------------------------------------------------


def is_positive(P: Polynomial) -> bool:
    """Whether P > 0 is known: no term is negative, and at least one is positive; with a size as its least value and a rest."""
    if _no_negative_term(P):
        return any(all(is_positive_atom(atom) for atom, _ in m) for m in P.terms)
    return _has_least(P) and is_positive(_beyond_the_least(P))


def is_nonnegative(P: Polynomial) -> bool:
    """Whether P >= 0 is known: no term is negative; with sizes as above."""
    return _no_negative_term(P) or (_has_least(P) and is_nonnegative(_beyond_the_least(P)))


def is_positive_atom(atom: Atom) -> bool:
    """Whether the value is known to be positive. Sizes are positive, so sums are not empty."""
    match atom:
        case Count() | Exponential() | Root():
            return True
        case Entry():
            return atom.variable.positive
        case Base():
            return is_positive(atom.argument)
        case Maximum():
            return is_positive(atom.body)
        case Sum():
            return all(is_positive_atom(factor) for factor, _ in atom.body)
    return False


@lru_cache(CACHE_SIZE)
def _beyond_the_least(P: Polynomial) -> Polynomial:
    """P times powers of sizes, with D = c + x² for a size D that is at least c > 1; 0 for a root of such a size."""
    for atom in sorted(P.atoms, key=lambda atom: atom.key):
        if isinstance(atom, Count) and atom.size.least > 1:
            lowest = min(0, *(dict(m).get(atom, 0) for m in P.terms))
            x = Entry(Variable(f"√({atom.size.name} - {atom.size.least})", 1, 1), UNIT, UNIT)
            terms: list[tuple[Polynomial, Number]] = []
            for m, c in P.terms.items():
                factors = dict(m)
                e = factors.pop(atom, 0) - lowest
                if not isinstance(e, int):
                    return Polynomial({})
                for k in range(e + 1):
                    power = {**factors, x: 2 * k} if k else factors
                    binomial = comb(e, k) * atom.size.least ** (e - k)
                    terms.append((monomial(*sorted(power.items(), key=lambda factor: factor[0].key)), c * binomial))
            P = combination(terms)
    return P


def _has_least(P: Polynomial) -> bool:
    return any(isinstance(atom, Count) and atom.size.least > 1 for atom in P.atoms)


def _no_negative_term(P: Polynomial) -> bool:
    return all(c > 0 and all(_is_nonnegative_power(atom, exponent) for atom, exponent in m) for m, c in P.terms.items())


def _is_nonnegative_power(atom: Atom, exponent: Number) -> bool:
    if is_positive_atom(atom) or isinstance(atom, ZERO_ONE) or exponent % 2 == 0:
        return True
    return isinstance(atom, Sum) and all(_is_nonnegative_power(factor, e) for factor, e in atom.body)
