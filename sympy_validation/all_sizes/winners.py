"""The largest element of a row is taken once, almost everywhere: where different elements are shown to be different numbers.

With M = max_k F(k) and the indicator w(k) = 1 - [F(k) - M < 0] of the winner, Σ_k w(k) = 1 and w(k) w(l) = δ(k,l) w(k) then.
"""

from __future__ import annotations

from sympy_validation.all_sizes import powers, products, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.generic import leads, variables
from sympy_validation.all_sizes.symbols import Index, Variable
from sympy_validation.all_sizes.terms import ONE, Entry, Indicator, Maximum, Polynomial, Sum, combination, count_of, monomial, only
from sympy_validation.all_sizes.text import inner_atoms

MOST_PIECES = 16
"""The number of pieces of a piecewise polynomial that are looked at; beyond it nothing is shown."""


def winner(P: Polynomial, k: Index) -> Polynomial:
    """1 at the k where P(k) is largest, else 0; where it is largest several times, at the first of them.

    Where ties are rare this is w(k), which is equal to it almost everywhere.
    """
    return ONE - powers.indicator(P - sums.maximum(P, k)) if ties_are_rare(P, k) else sums.selected(P, k, k)


def ties_are_rare(P: Polynomial, k: Index) -> bool:
    """Whether P(k) != P(l) is shown almost everywhere for k != l.

    It is shown by a variable of which P(k) has entries of row k only, or of column k only. For fixed values of everything else P(l) is a
    number then, and on each piece P(k) is a polynomial that equals it on a set of measure zero.
    """
    own = [variable for variable in variables(P) if _only_at(variable, P, k)]
    pieces = list(_pieces(P))
    return len(pieces) < MOST_PIECES and all(any(leads(variable, piece) for variable in own) for piece in pieces)


def _only_at(variable: Variable, P: Polynomial, k: Index) -> bool:
    entries = [atom for atom in inner_atoms(P) if isinstance(atom, Entry) and atom.variable == variable]
    return all(entry.row == k for entry in entries) or all(entry.column == k for entry in entries)


def _pieces(P: Polynomial) -> list[Polynomial]:
    """The polynomials that P is where its indicators are 0 and 1, at most ``MOST_PIECES``."""
    waiting, found = [P], list[Polynomial]()
    while waiting and len(waiting) + len(found) <= MOST_PIECES:
        piece = waiting.pop()
        parts = products.branches(piece)
        if parts is None:
            found.append(piece)
        else:
            waiting += [parts.one, parts.zero]
    return found + waiting


def take_once(P: Polynomial, rare: list[Polynomial]) -> Polynomial:
    """P with Σ_k w(k) = 1 and w(k) w(l) = δ(k,l) w(k) throughout. Appends the elements F whose ties are left out to ``rare``."""
    summands = []
    for m, c in P.terms.items():
        factors = (powers.power(_once(atom, rare), exponent) for atom, exponent in m)
        summands.append((products.multiply(*factors), c))
    return _pairwise(combination(summands), rare)


def _once(atom: Atom, rare: list[Polynomial]) -> Polynomial:
    """A sum of losers' indicators, all but one of which are 1; any other atom with changed parts."""
    if isinstance(atom, Sum) and len(atom.indices) == 1 and len(atom.body) == 1:
        (loser, _), (k,) = atom.body[0], atom.indices
        place = _place(loser, rare)
        if place and place[1] == k:
            return count_of(k.size) - ONE
    return sums.rebuild(atom, lambda P: take_once(P, rare))


def _place(atom: Atom, rare: list[Polynomial]) -> tuple[Maximum, Index] | None:
    """max_k F(k) and j for [F(j) - max_k F(k) < 0], if ties are rare."""
    found = powers.below_maximum(-atom.argument) if isinstance(atom, Indicator) else None
    if found is None:
        return None
    k, F = sums.opened_maximum(found[0])
    if not ties_are_rare(F, k):
        return None
    rare.append(F)
    return found


def _pairwise(P: Polynomial, rare: list[Polynomial]) -> Polynomial:
    """P without products of two losers' indicators of one row, of which the second may be in a sum."""
    for m, c in P.terms.items():
        losers = [(atom, *place) for atom, _ in m if (place := _place(atom, rare))]
        for first, M, k in losers:
            for second, other, j in losers:
                if M is other and k < j:
                    product = products.multiply(_omit(m, first, second), _both(first, k, second, j))
                    return _pairwise(P - Polynomial({m: c}) + product.times(c), rare)
            for inner in (atom for atom, exponent in m if isinstance(atom, Sum) and exponent == 1):
                total = _both_in_sum(first, M, k, inner, rare)
                if total:
                    product = products.multiply(_omit(m, first, inner), total)
                    return _pairwise(P - Polynomial({m: c}) + product.times(c), rare)
    return P


def _both(first: Atom, k: Index, second: Atom, j: Index) -> Polynomial:
    """b(k) b(j) = b(k) + b(j) - 1 + δ(k,j) (1 - b(k)) for the indicators b = 1 - w of losers: only one element has b = 0."""
    b = only(first)
    return b + only(second) - ONE + products.multiply(sums.delta(k, j), ONE - b)


def _both_in_sum(first: Atom, M: Maximum, k: Index, total: Sum, rare: list[Polynomial]) -> Polynomial | None:
    """b(k) Σ_j G(j) b(j), or None if the sum is not of this form."""
    indices, body = sums.opened(total)
    for second, _ in body:
        place = _place(second, rare)
        if place and place[0] is M and place[1] in indices:
            both = _both(first, k, second, place[1])
            return sums.sum_over(products.multiply(_omit(body, second), both), indices)
    return None


def _omit(m: Monomial, *atoms: Atom) -> Polynomial:
    return monomial(*(factor for factor in m if factor[0] not in atoms))
