"""The test whether a polynomial differs from 0 almost everywhere, for all sizes and all values of what is fixed.

Where this is shown, the points at which an indicator of it jumps have measure zero. It is shown by one variable: for fixed values of
everything else, a polynomial in the entries of a variable whose leading coefficient is not 0 vanishes on a set of measure zero only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy_validation.all_sizes import powers, products, signs, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.signs import is_positive, is_positive_atom
from sympy_validation.all_sizes.symbols import Number, Output, Place, Variable, number
from sympy_validation.all_sizes.terms import ONE, Base, Entry, Indicator, Logarithm, Polynomial, Root, Sum, combination, monomial, only
from sympy_validation.all_sizes.text import inner_atoms


def is_generic(P: Polynomial) -> bool:
    """Whether P != 0 is shown almost everywhere. False means that it is not shown."""
    if is_positive(P) or is_positive(-P):
        return True
    if P.single and len(P.single[0]) > 1:
        return all(is_generic(monomial(factor)) for factor in P.single[0])
    if P.single:
        ((atom, exponent),) = P.single[0] or ((None, 1),)
        if exponent < 0:
            return True  # wherever it has a value
        if isinstance(atom, Base | Root) or (atom and is_positive_atom(atom)):
            return True
        if isinstance(atom, Logarithm):
            return is_generic(atom.argument - ONE)
    return any(leads(variable, P) or _differs_at_zero(variable, P) for variable in variables(P))


def variables(P: Polynomial) -> list[Variable]:
    """The variables of which P has entries, and whose entries are free to vary, each by itself."""
    found = {atom.variable for atom in inner_atoms(P) if isinstance(atom, Entry)}
    return sorted((v for v in found if not (isinstance(v, Output) or v.fixed or v.row_stochastic)), key=str)


def leads(variable: Variable, P: Polynomial) -> bool:
    """Whether P is a polynomial in the entries of the variable whose terms of the greatest degree are shown to be different from 0.

    One term is if its coefficient is generic; several are if their derivative with respect to an entry in one of them is: x - mean(x)
    has 1 - 1/D, which is not 0 for D > 1, and Σ_k W[1,k] x_k - Σ_k W[2,k] x_k has x_k.
    """
    terms: list[tuple[Number, Monomial]] = []
    for m in P.terms:
        if _has(monomial(*m), variable):
            degree = _degree(m, variable)
            if degree is None:
                return False
            terms.append((degree, m))
    top = max((degree for degree, _ in terms), default=0)
    leading = [m for degree, m in terms if degree == top]
    if len(leading) == 1:
        return all(is_generic(c) for c in _coefficients(leading[0], variable))
    whole = Polynomial({m: P.terms[m] for m in leading})
    return any(is_generic(_slope(whole, variable, *place)) for place in _places(leading, variable))


def _differs_at_zero(variable: Variable, P: Polynomial) -> bool:
    """Whether P is a polynomial in the entries of the variable that is shown to be different from 0 where all of these are 0.

    So is a variance plus ε, however many elements there are.
    """
    free = {m: c for m, c in P.terms.items() if not _has(monomial(*m), variable)}
    return bool(free) and is_generic(Polynomial(free)) and all(_is_polynomial(m, variable) for m in P.terms)


def _is_polynomial(m: Monomial, variable: Variable) -> bool:
    """Whether the entries of the variable in m, or in sums in it, have powers that are positive whole numbers."""
    for atom, exponent in m:
        if not _has(only(atom), variable):
            continue
        if not (isinstance(exponent, int) and exponent > 0):
            return False
        if not (isinstance(atom, Entry) or (isinstance(atom, Sum) and _is_polynomial(sums.opened(atom)[1], variable))):
            return False
    return True


def _places(terms: list[Monomial], variable: Variable) -> Iterator[tuple[Place, Place]]:
    """The rows and columns of the entries of the variable; of one in a sum, one of those that are summed."""
    for m in terms:
        for atom, _ in m:
            body = sums.opened(atom)[1] if isinstance(atom, Sum) else ((atom, 1),)
            yield from ((entry.row, entry.column) for entry, _ in body if isinstance(entry, Entry) and entry.variable == variable)


def _slope(P: Polynomial, variable: Variable, p: Place, q: Place) -> Polynomial:
    """∂P / ∂variable[p, q], of terms with one entry of the variable each, which may be in a sum; 0 if it is deeper in one."""
    slopes: list[tuple[Polynomial, Number]] = []
    for m, c in P.terms.items():
        ((holder, exponent),) = ((atom, e) for atom, e in m if _has(only(atom), variable))
        rest = monomial(*(factor for factor in m if factor[0] is not holder))
        indices, body = sums.opened(holder) if isinstance(holder, Sum) else ([], ((holder, exponent),))
        entry, e = next((atom, e) for atom, e in body if _has(only(atom), variable))
        if not isinstance(entry, Entry):
            return Polynomial({})
        at = products.multiply(sums.delta(entry.row, p), sums.delta(entry.column, q))
        power = products.product({**dict(body), entry: number(e - 1)})
        slopes.append((products.multiply(rest, sums.sum_over(products.multiply(power, at), indices)), number(c * e)))
    return combination(slopes)


def _has(P: Polynomial, variable: Variable) -> bool:
    return any(isinstance(atom, Entry) and atom.variable == variable for atom in inner_atoms(P))


def _degree(m: Monomial, variable: Variable) -> Number | None:
    """The exponent of the one entry of the variable in m, which may be in a sum; None if m is not of this form."""
    holders = [(atom, e) for atom, e in m if _has(only(atom), variable)]
    if len(holders) != 1:
        return None
    ((atom, exponent),) = holders
    if isinstance(atom, Entry):
        return exponent if isinstance(exponent, int) and exponent > 0 else None
    return _degree(sums.opened(atom)[1], variable) if isinstance(atom, Sum) and exponent == 1 else None


def _coefficients(m: Monomial, variable: Variable) -> Iterator[Polynomial]:
    """Factors of the coefficient of an entry of the variable in m. Of a sum over its row and column one term has this entry."""
    holder: Atom = next(atom for atom, _ in m if _has(only(atom), variable))
    yield monomial(*(factor for factor in m if factor[0] is not holder))
    if isinstance(holder, Sum):
        indices, body = sums.opened(holder)
        entry = next(atom for atom, _ in body if _has(only(atom), variable))
        if not isinstance(entry, Entry):
            yield Polynomial({})
            return
        rest = monomial(*(factor for factor in body if factor[0] is not entry))
        yield sums.sum_over(rest, [index for index in indices if index not in (entry.row, entry.column)])


# Kinks ----------------------------------------------------------------------------------------------------------------


def orient(P: Polynomial, kinks: list[Polynomial], generic: Callable[[Polynomial], bool]) -> Polynomial:
    """P with [-Q < 0] replaced by 1 - [Q < 0] throughout, so that of Q and -Q only one occurs, where Q is shown to be ``generic``.

    Appends each Q, which must not be 0. A Q that is 0 in a whole region, such as x - max(x), is left alone.
    """
    return combination((products.multiply(*(_oriented_power(atom, e, kinks, generic) for atom, e in m)), c) for m, c in P.terms.items())


def _oriented_power(atom: Atom, exponent: Number, kinks: list[Polynomial], generic: Callable[[Polynomial], bool]) -> Polynomial:
    oriented = sums.rebuild(atom, lambda P: orient(P, kinks, generic))
    for indicator in oriented.atoms:
        if not isinstance(indicator, Indicator) or oriented != only(indicator):
            continue
        if signs.sign(indicator.argument) < 0 and generic(indicator.argument):
            kinks.append(-indicator.argument)
            oriented = ONE - powers.indicator(-indicator.argument)
    return powers.power(oriented, exponent)
