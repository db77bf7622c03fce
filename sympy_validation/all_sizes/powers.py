"""Powers, exponentials, logarithms, indicators and unknown functions of polynomials.

Every function here first looks at factors b of its argument that are 0 or 1: f(b x + (1 - b) y) = b f(x) + (1 - b) f(y). So a piecewise
function is a polynomial in indicators, and all its cases are treated at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from sympy_validation.all_sizes import products, signs, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.signs import is_positive, is_positive_atom
from sympy_validation.all_sizes.symbols import Function, Index, Number, number
from sympy_validation.all_sizes.terms import (
    ONE,
    ZERO,
    ZERO_ONE,
    Application,
    Base,
    Exponential,
    Indicator,
    Logarithm,
    Maximum,
    Polynomial,
    Root,
    Undefined,
    combination,
    constant,
    monomial,
    only,
)


def piecewise(f: Callable[[Polynomial], Polynomial], P: Polynomial, defined: Callable[[Polynomial], bool]) -> Polynomial | None:
    """f(b x + (1 - b) y) = b f(x) + (1 - b) f(y) where b is 0 or 1, if P is of that form and f is defined at x and at y."""
    parts = products.branches(P)
    if parts is None or not (defined(parts.one) and defined(parts.zero)):
        return None
    return parts.join(f(parts.one), f(parts.zero))


def everywhere(_: Polynomial) -> bool:
    """The domain of a function that is defined for all real numbers."""
    return True


MOST_CASES = 3
"""The factors that are 0 or 1 of which all values are tried, to see whether something is positive."""


def positive_in_cases(P: Polynomial) -> bool:
    """Whether P > 0 is known, or is for both values of the factors that are 0 or 1."""
    if is_positive(P):
        return True
    parts = products.branches(P) if sum(isinstance(atom, ZERO_ONE) for atom in P.atoms) <= MOST_CASES else None
    return parts is not None and positive_in_cases(parts.one) and positive_in_cases(parts.zero)


# Functions that are defined everywhere --------------------------------------------------------------------------------


def apply(function: Function, P: Polynomial, order: int = 0) -> Polynomial:
    """f(P), or the derivative of f of this order at P."""
    if order and function.step:
        return ZERO
    cases = piecewise(lambda Q: apply(function, Q, order), P, everywhere)
    return only(Application(function, order, P)) if cases is None else cases


def indicator(P: Polynomial) -> Polynomial:
    """[P < 0], with positive factors removed from P; [e^a - e^b < 0] = [a - b < 0].

    [P > 0] is kept as [-P < 0], since 1 - [P < 0] is something else where P = 0.
    """
    if not P.terms or signs.is_nonnegative(P):
        return ZERO
    if is_positive(-P):
        return ONE
    if below_maximum(P):
        return ZERO
    cases = piecewise(indicator, P, everywhere)
    if cases is not None:
        return cases
    _, _, rest = split_positive(P)
    rest = _logarithms(rest) or rest
    return only(Indicator(rest)) if rest == P else indicator(rest)


def _logarithms(P: Polynomial) -> Polynomial | None:
    """a - b, which has the sign of e^a - e^b, if P is this."""
    if sorted(P.terms.values()) != [-1, 1] or not all(isinstance(atom, Exponential) for atom in P.atoms):
        return None
    return combination((monomial(*atom.exponent), c * e) for m, c in P.terms.items() for atom, e in m if isinstance(atom, Exponential))


def below_maximum(P: Polynomial) -> tuple[Maximum, Index] | None:
    """max_k F(k) and j, if P is c (max_k F(k) - F(j)) for a c > 0: then P is not negative."""
    largest = [atom for atom in P.atoms if isinstance(atom, Maximum) and P.terms.get(((atom, 1),), 0) > 0]
    for atom in largest:
        c = P.terms[((atom, 1),)]
        rest = only(atom) - P.times(number(Fraction(1) / c))
        for j in sorted(rest.free):
            if j.size == atom.index.size and rest == sums.substitute(atom.body, {atom.index: j}):
                return atom, j
    return None


def exponential(P: Polynomial) -> Polynomial:
    """e^(a + b) = e^a e^b, e^(c m) = (e^m)^c, e^(c log x) = x^c."""
    cases = piecewise(exponential, P, everywhere)
    if cases is not None:
        return cases
    return products.multiply(*(_exponential_of_term(m, c) for m, c in P.terms.items()))


def _exponential_of_term(m: Monomial, c: Number) -> Polynomial:
    if len(m) == 1 and isinstance(m[0][0], Logarithm) and m[0][1] == 1:
        return power(m[0][0].argument, c)
    return products.product({Exponential(m): c})


# Positive factors -----------------------------------------------------------------------------------------------------


def split_positive(P: Polynomial) -> tuple[Number, dict[Atom, Number], Polynomial]:
    """(c, U, Q) with P = c · U · Q, c > 0 a number, U a product of positive atoms, and no such factors left in Q."""
    c = signs.content(P)
    U = signs.common_factor(P, [atom for atom in P.atoms if is_positive_atom(atom)])
    Q = P.times(number(Fraction(1) / c))
    return c, U, products.divide(Q, U) if U else Q


def prime_powers(c: Number) -> Iterator[tuple[int, int]]:
    """(p, e) with c the product of p^e, for a rational c > 0. Factors above 10⁴ are not split."""
    numerator, denominator = Fraction(c).as_integer_ratio()
    for n, direction in ((numerator, 1), (denominator, -1)):
        p = 2
        while n > 1:
            if p > 10_000:
                p = n
            e = 0
            while n % p == 0:
                n, e = n // p, e + 1
            if e:
                yield p, direction * e
            p += 1


# Powers ---------------------------------------------------------------------------------------------------------------


def power(P: Polynomial, e: Number) -> Polynomial:
    """P^e. The caller has checked or assumed that P is not 0 if e < 0, and that P > 0 if e is not an integer."""
    e = number(e)
    if isinstance(e, int) and e >= 0:
        return _natural_power(P, e)
    if not P.terms:
        raise Undefined("0 to a negative or fractional power")
    cases = piecewise(lambda Q: power(Q, e), P, positive_in_cases)
    if cases is not None:
        return cases
    return _integer_power(P, e) if isinstance(e, int) else _fractional_power(P, e)


def _natural_power(P: Polynomial, e: int) -> Polynomial:
    if e == 0:
        return ONE
    half = _natural_power(P, e // 2)
    return products.multiply(half, half, P) if e % 2 else products.multiply(half, half)


def _integer_power(P: Polynomial, e: int) -> Polynomial:
    """(c U Q)^e = c^e U^e Q^e, where U is the product of all common factors: none of them is 0, because P is not."""
    single = P.single
    if single:
        m, c = single
        return products.multiply(constant(Fraction(c) ** e), products.product({atom: number(exponent * e) for atom, exponent in m}))
    U = signs.common_factor(P, P.atoms)
    if U:
        Q = products.divide(P, U)
        return products.multiply(products.product({atom: number(exponent * e) for atom, exponent in U.items()}), power(Q, e))
    c = signs.content(P) * signs.sign(P)
    return products.product({Base(P.times(number(Fraction(1) / c))): e}).times(number(Fraction(c) ** e))


def _fractional_power(P: Polynomial, e: Fraction) -> Polynomial:
    """(c U Q)^e = c^e U^e Q^e, where c and the factors of U are positive, and so is Q."""
    c, U, Q = split_positive(P)
    positive = products.product({atom: number(exponent * e) for atom, exponent in U.items()})
    numbers = products.multiply(*(products.product({Root(constant(p)): number(k * e)}) for p, k in prime_powers(c)))
    if Q == ONE:
        return products.multiply(numbers, positive)
    if Q.single and Q.single[0] == ():
        raise Undefined("a negative number to a fractional power")
    return products.multiply(numbers, positive, products.product({Root(Q): e}) if not U else power(Q, e))


def quotient(P: Polynomial, Q: Polynomial, nonzero: Callable[[Polynomial], bool] = is_positive) -> Polynomial | None:
    """P Q⁻¹ piece by piece, and 0 where P is 0 on a piece; None if Q is neither known to be ``nonzero`` nor P to be 0 on one of them."""
    parts = products.branches(Q)
    if parts is None:
        return None
    over = products.branches_by(parts.b, P)
    pieces = []
    for p, q in ((over.one, parts.one), (over.zero, parts.zero)):
        piece = ZERO if not p.terms else products.multiply(p, power(q, -1)) if nonzero(q) else quotient(p, q, nonzero)
        if piece is None:
            return None
        pieces.append(piece)
    return parts.join(*pieces)


# Logarithms -----------------------------------------------------------------------------------------------------------


def logarithm(P: Polynomial) -> Polynomial:
    """log(c U Q) = log c + log U + log Q, where c and the factors of U are positive; log e^m = m. The caller has assumed P > 0."""
    if not P.terms:
        raise Undefined("the logarithm of 0")
    cases = piecewise(logarithm, P, positive_in_cases)
    if cases is not None:
        return cases
    c, U, Q = split_positive(P)
    logs: list[tuple[Polynomial, Number]] = [(only(Logarithm(constant(p))), e) for p, e in prime_powers(c)]
    logs += [(_logarithm_of_atom(atom), exponent) for atom, exponent in U.items()]
    if Q.single and Q.single[0] == ():
        if Q != ONE:
            raise Undefined("the logarithm of a negative number")
    elif Q != ONE:
        logs.append((only(Logarithm(Q)) if not U else logarithm(Q), 1))
    return combination((term, number(coefficient)) for term, coefficient in logs)


def _logarithm_of_atom(atom: Atom) -> Polynomial:
    match atom:
        case Exponential():
            return monomial(*atom.exponent)
        case Base() | Root():
            return logarithm(atom.argument)
    return only(Logarithm(only(atom)))
