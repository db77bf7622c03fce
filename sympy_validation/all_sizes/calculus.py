"""The derivative of a normal form with respect to an entry of a variable."""

from __future__ import annotations

from collections.abc import Callable

from sympy_validation.all_sizes import powers, sums
from sympy_validation.all_sizes.products import multiply, product
from sympy_validation.all_sizes.symbols import (
    ARCTAN,
    NORMAL_CDF,
    NORMAL_PDF,
    Argument,
    Index,
    Output,
    Variable,
    column_index,
    fresh,
    number,
    row_index,
)
from sympy_validation.all_sizes.terms import (
    ONE,
    ZERO,
    ZERO_ONE,
    Application,
    Atom,
    Base,
    Count,
    Entry,
    Exponential,
    Logarithm,
    Maximum,
    Polynomial,
    Root,
    Sensitivity,
    Sum,
    combination,
    monomial,
    only,
)
from sympy_validation.all_sizes.winners import ties_are_rare


class NotDifferentiable(ArithmeticError):  # noqa: N818
    """A maximum over an index depends on the variable and has not cancelled."""


def derivative(P: Polynomial, variable: Variable, p: Index, q: Index) -> Polynomial:
    """∂P / ∂variable[p, q], where p and q are indices that do not occur in P: the product rule, and the power rule for each factor."""
    summands = []
    for m, c in P.terms.items():
        for atom, exponent in m:
            inner = _derivative_of_atom(atom, variable, p, q)
            if inner.terms:
                rest = product({**dict(m), atom: number(exponent - 1)})
                summands.append((multiply(rest, inner), number(c * exponent)))
    return combination(summands)


def _derivative_of_atom(atom: Atom, variable: Variable, p: Index, q: Index) -> Polynomial:
    """The derivative of an atom; of ``Base`` and ``Root`` that of the argument, since these atoms stand for it under a power.

    Indicators and step functions are locally constant off their jumps: the derivative holds where no argument of an indicator is 0.
    """

    def d(P: Polynomial) -> Polynomial:
        return derivative(P, variable, p, q)

    match atom:
        case Entry(variable=Output() as output):
            return _derivative_of_output(output, atom.row, atom.column, d)
        case Sensitivity():
            if any(d(_at_fresh(argument)[0]).terms for argument in atom.output.arguments):
                raise NotDifferentiable("the second derivative of an abstract layer is not known")
            return ZERO
        case Entry():
            return multiply(sums.delta(atom.row, p), sums.delta(atom.column, q)) if atom.variable == variable else ZERO
        case Count():
            return ZERO
        case Application():
            inner = d(atom.argument)
            return multiply(_derivative_of_function(atom), inner) if inner.terms else ZERO
        case Exponential():
            return multiply(only(atom), d(monomial(*atom.exponent)))
        case Logarithm():
            inner = d(atom.argument)
            return multiply(powers.power(atom.argument, -1), inner) if inner.terms else ZERO
        case Base() | Root():
            return d(atom.argument)
        case Sum():
            indices, body = sums.opened(atom)
            return sums.sum_over(d(monomial(*body)), indices)
        case Maximum():
            return _derivative_of_maximum(atom, d)
    assert isinstance(atom, ZERO_ONE)
    return ZERO


def _derivative_of_maximum(atom: Maximum, d: Callable[[Polynomial], Polynomial]) -> Polynomial:
    """Σ_k [P_k = max P] dP_k, where the largest is taken once: almost everywhere, if ties are shown to be rare."""
    k, P = sums.opened_maximum(atom)
    inner = d(P)
    if not inner.terms:
        return ZERO
    if not ties_are_rare(P, k):
        raise NotDifferentiable("the maximum of a row has not cancelled, and its ties are not shown to be rare")
    selected = ONE - powers.indicator(P - only(atom))
    return sums.sum_over(multiply(selected, inner), [k])


def _derivative_of_function(atom: Application) -> Polynomial:
    """Φ' = φ, φ'(x) = -x φ(x), arctan'(x) = 1 / (1 + x²), and the next order of any other function."""
    if atom.function == ARCTAN:
        return powers.power(ONE + multiply(atom.argument, atom.argument), -1)
    if atom.function == NORMAL_CDF:
        return powers.apply(NORMAL_PDF, atom.argument)
    if atom.function == NORMAL_PDF:
        return multiply(-atom.argument, only(atom))
    return powers.apply(atom.function, atom.argument, atom.order + 1)


def _derivative_of_output(output: Output, i: Index, j: Index, d: Callable[[Polynomial], Polynomial]) -> Polynomial:
    """The chain rule: Σ_{p,q} ∂Y[i,j]/∂A[p,q] · dA[p,q], summed over the arguments A of an abstract layer."""
    summands = []
    for k, argument in enumerate(output.arguments):
        entry, p, q = _at_fresh(argument)
        inner = d(entry)
        if inner.terms:
            sensitivity = only(Sensitivity(output, k, i, j, p, q))
            summands.append((sums.sum_over(multiply(sensitivity, inner), [p, q]), 1))
    return combination(summands)


def _at_fresh(argument: Argument) -> tuple[Polynomial, Index, Index]:
    """The entry of an argument at fresh indices, and these."""
    p, q = fresh(argument.rows), fresh(argument.columns)
    return sums.substitute(argument.entry, {row_index(argument.rows): p, column_index(argument.columns): q}), p, q
