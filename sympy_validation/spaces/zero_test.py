"""The zero test of SymPy expressions: decided by writing it as a quotient of polynomials in its transcendental parts.

Every exponential, logarithm, root, unknown function and indicator becomes a generator, after the rules that relate it to others:
e^(a+b) = eᵃ eᵇ for exponentials, 1/u = (√u)⁻² where √u occurs, and b² = b for indicators. Denominators are kept as products of
powers, so no greatest common divisor is needed. If the numerator is the zero polynomial the expression is zero; the converse need
not hold.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy.polys.rings import PolyElement, ring


class Indicator(sp.Function):
    """[u < 0]: 1 where u < 0 and 0 where u > 0. What is proved with it holds where u is not 0."""

    @classmethod
    def eval(cls, u: Any) -> Any:
        """Numbers are decided, an indicator inside u is split by cases, and of u and -u one is chosen, by
        [u < 0] = 1 - [-u < 0], if u != 0 is shown almost everywhere.
        """
        if u.is_number and u.is_comparable:
            return sp.Integer(1) if u < 0 else sp.Integer(0)
        if inner := next(iter(u.atoms(cls)), None):
            return inner * cls(sp.expand(u.subs(inner, 1))) + (1 - inner) * cls(sp.expand(u.subs(inner, 0)))
        content, primitive = u.as_content_primitive()
        if content != 1 and content.is_positive:
            return cls(primitive)
        return 1 - cls(-u) if u.could_extract_minus_sign() and is_generic(u) else None

    def fdiff(self, argindex: int = 1) -> Any:
        """0, where u is not 0."""
        return sp.S.Zero


class Fixed(sp.Symbol):
    """A number for each value of which, and not for almost all, something is to hold: an element of a mask, or a constant."""


def is_generic(u: Any) -> bool:
    """Whether u != 0 is shown for almost all values of the symbols, and all of those that are ``Fixed``.

    It is where u is a polynomial in one symbol, with a generic leading coefficient, or an entire function that is not 0 at a point.
    """
    u = Stopped.release(sp.expand(u))
    if u.is_positive or u.is_negative:
        return True
    if u.has(Indicator, Unknown):
        return any(_leads(s, u) for s in _varying(u))
    return any(_leads(s, u) for s in _varying(u)) or (_is_entire(u) and _is_somewhere_nonzero(u))


def _varying(u: Any) -> list[Any]:
    return sorted((s for s in u.free_symbols if not isinstance(s, Fixed)), key=str)


def _leads(s: Any, u: Any) -> bool:
    P = u.as_poly(s)
    return P is not None and P.degree() > 0 and not any(c.has(s) for c in P.all_coeffs()) and is_generic(P.LC())


def _is_entire(u: Any) -> bool:
    if u.is_Rational or u.is_Symbol:
        return not isinstance(u, Fixed)
    if isinstance(u, sp.Pow) and not isinstance(u, sp.exp):
        return bool(u.exp.is_Integer and u.exp > 0 and _is_entire(u.base))
    return isinstance(u, (sp.Add, sp.Mul, sp.exp, sp.erf)) and all(map(_is_entire, u.args))


def _is_somewhere_nonzero(u: Any) -> bool:
    values = {s: sp.Rational(2 * k + 3, 7 + k) for k, s in enumerate(_varying(u))}
    return bool(abs(u.subs(values).evalf(50)) > sp.Rational(1, 10**20))


class Unknown(sp.Function):
    """Unknown(f, k_1, ..., k_n, x_1, ..., x_n): the unknown function f, differentiated k_i times by its i-th argument, at x."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """One derivative more with respect to the argument."""
        arguments = list(self.args)
        arguments[argindex - 1 - len(arguments) // 2] += 1
        return Unknown(*arguments)


class Stopped(sp.Function):
    """x, with the derivative 0. ``release`` gives the value back when all derivatives are taken."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """0."""
        return sp.S.Zero

    @classmethod
    def eval(cls, x: Any) -> Any:
        """A number, and what is stopped already, is a constant."""
        return x if x.is_number or isinstance(x, cls) else None

    @staticmethod
    def release(expression: Any) -> Any:
        """The expression with the values of what was stopped in it."""
        return expression.replace(Stopped, lambda x: Stopped.release(x)) if expression.has(Stopped) else expression


def is_zero(expression: Any) -> bool:
    """Whether the expression is shown to be 0; SymPy's assumptions, which take long, are asked last."""
    return expression == 0 or _is_zero_quotient(expression) or bool(expression.is_zero)


def _is_zero_quotient(expression: Any) -> bool:
    generators = Generators(expression)
    rational = generators.rational(expression)
    if not generators.symbols:
        return bool(rational == 0)
    polynomials = ring(list(generators.symbols.values()), sp.QQ)
    variables = dict(zip(generators.symbols.values(), polynomials[1:], strict=True))
    indicators = [i for i, atom in enumerate(generators.symbols) if isinstance(atom, Indicator)]
    known: dict[Any, Any] = {}
    numerator, _ = _quotient(rational, polynomials[0], variables, known)
    divisors = {factor for _, denominator in known.values() for factor in denominator}
    return not _idempotent(numerator, indicators) and not any(_may_be_zero(divisor, indicators) for divisor in divisors)


class Generators:
    """The transcendental parts of an expression, each with the symbol that stands for it."""

    def __init__(self, expression: Any) -> None:
        self.symbols: dict[Any, Any] = {}
        self.units: dict[Any, int] = {}
        for atom in expression.atoms(sp.Pow):
            if atom.exp.is_Rational and atom.exp.q == 2:
                self.symbol(sp.sqrt(sp.expand(atom.base)))
        for atom in expression.atoms(sp.exp):
            for c, rest in _terms(atom.exp):
                self.units[rest] = math.lcm(self.units.get(rest, 1), c.q)

    def symbol(self, atom: Any) -> Any:
        """The symbol of a transcendental part."""
        return self.symbols.setdefault(atom, sp.Dummy(f"g{len(self.symbols)}"))

    def rational(self, e: Any) -> Any:
        """The expression as a rational one in the symbols."""
        if e.is_Rational:
            return e
        if isinstance(e, (sp.Add, sp.Mul)):
            return e.func(*map(self.rational, e.args))
        if isinstance(e, sp.exp):
            return sp.Mul(*(self._exponential(c, rest) for c, rest in _terms(e.exp)))
        if isinstance(e, sp.log):
            split = sp.expand_log(sp.log(sp.factor(sp.expand_power_exp(e.args[0]))))
            return self.symbol(split) if isinstance(split, sp.log) else self.rational(split)
        if isinstance(e, sp.Pow) and e.exp.is_Rational:
            return self._power(e)
        return self.symbol(e.func(*(sp.expand(x) if isinstance(x, sp.Expr) else x for x in e.args)) if e.args else e)

    def _exponential(self, c: Any, rest: Any) -> Any:
        """e^(c rest) as a power of e^(rest / u), where u is a denominator of all c that occur with this rest."""
        u = self.units.get(rest, 1)
        return sp.Pow(self.symbol(sp.exp(rest / u)), c * u) if (c * u).is_Integer else self.symbol(sp.exp(c * rest))

    def _power(self, e: Any) -> Any:
        if e.exp.is_Integer:
            root = self.symbols.get(sp.sqrt(sp.expand(e.base))) if e.exp < 0 else None
            return sp.Pow(root, 2 * e.exp) if root else sp.Pow(self.rational(e.base), e.exp)
        return sp.Pow(self.symbol(sp.Pow(sp.expand(e.base), sp.Rational(1, e.exp.q))), e.exp.p)


def _terms(e: Any) -> list[tuple[Any, Any]]:
    """The terms of a sum, as (rational coefficient, rest)."""
    return [term.as_coeff_Mul(rational=True) for term in sp.Add.make_args(sp.expand(e))]


Factors = dict[PolyElement, int]


def _quotient(e: Any, one: Any, variables: dict[Any, Any], known: dict[Any, tuple[Any, Factors]]) -> tuple[Any, Factors]:
    """(numerator, denominator): the denominator as powers of polynomials."""
    if e in known:
        return known[e]
    result: tuple[Any, Factors]
    if e.is_Rational:
        result = one.ground_new(sp.QQ(e.p, e.q)), {}
    elif e.is_Symbol:
        result = variables[e], {}
    elif isinstance(e, sp.Add):
        result = _sum([_quotient(x, one, variables, known) for x in e.args], one)
    elif isinstance(e, sp.Mul):
        result = _product((_quotient(x, one, variables, known) for x in e.args), one)
    else:
        numerator, denominator = _quotient(e.base, one, variables, known)
        n = int(e.exp)
        if n > 0:
            result = numerator**n, {factor: n * k for factor, k in denominator.items()}
        else:
            above = one.one
            for factor, k in denominator.items():
                above *= factor ** (-n * k)
            result = above, {numerator: -n}
    known[e] = result
    return result


def _product(quotients: Iterable[tuple[Any, Factors]], one: Any) -> tuple[Any, Factors]:
    numerator, denominator = one.one, dict[Any, int]()
    for above, below in quotients:
        numerator *= above
        for factor, k in below.items():
            denominator[factor] = denominator.get(factor, 0) + k
    return numerator, denominator


def _sum(quotients: list[tuple[Any, Factors]], one: Any) -> tuple[Any, Factors]:
    denominator: Factors = {}
    for _, below in quotients:
        for factor, k in below.items():
            denominator[factor] = max(denominator.get(factor, 0), k)
    numerator = one.zero
    for above, below in quotients:
        for factor, k in denominator.items():
            above = above * factor ** (k - below.get(factor, 0))
        numerator += above
    return numerator, denominator


MOST_INDICATORS = 10
"""The number of indicators in a divisor of which all cases are looked at."""


def _may_be_zero(divisor: Any, indicators: list[int]) -> bool:
    """Whether a divisor is the zero polynomial in one of the cases that its indicators distinguish, or these are too many."""
    inside = [i for i in indicators if any(monomial[i] for monomial in divisor.monoms())]
    if len(inside) > MOST_INDICATORS:
        return True
    for case in itertools.product((0, 1), repeat=len(inside)):
        off = [i for i, value in zip(inside, case, strict=True) if not value]
        terms: dict[Any, Any] = {}
        for monomial, c in divisor.terms():
            if not any(monomial[i] for i in off):
                rest = tuple(0 if i in inside else k for i, k in enumerate(monomial))
                terms[rest] = terms.get(rest, 0) + c
        if not any(terms.values()):
            return True
    return False


def _idempotent(polynomial: Any, indicators: list[int]) -> dict[Any, Any]:
    """The terms that remain when every power of an indicator is the indicator."""
    terms: dict[Any, Any] = {}
    for monomial, c in polynomial.terms():
        reduced = tuple(min(k, 1) if i in indicators else k for i, k in enumerate(monomial))
        terms[reduced] = terms.get(reduced, 0) + c
    return {monomial: c for monomial, c in terms.items() if c}
