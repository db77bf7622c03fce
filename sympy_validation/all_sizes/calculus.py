"""The derivative of a normal form with respect to an entry of a variable."""

from __future__ import annotations

from collections.abc import Callable

from sympy_validation.all_sizes import powers, sums
from sympy_validation.all_sizes.atoms import Atom
from sympy_validation.all_sizes.products import multiply, product
from sympy_validation.all_sizes.symbols import (
    ARCTAN,
    NORMAL_CDF,
    NORMAL_PDF,
    Argument,
    Output,
    Place,
    Variable,
    column_index,
    flat,
    fresh,
    number,
    renaming,
    row_index,
)
from sympy_validation.all_sizes.terms import (
    ONE,
    ZERO,
    ZERO_ONE,
    Application,
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
from sympy_validation.all_sizes.winners import winner


class NotDifferentiable(ArithmeticError):  # noqa: N818
    """A maximum over an index depends on the variable and has not cancelled."""


def derivative(P: Polynomial, variable: Variable, p: Place, q: Place) -> Polynomial:
    """∂P / ∂variable[p, q], where p and q are indices that do not occur in P: the product rule, and the power rule for each factor."""
    summands = []
    for m, c in P.terms.items():
        for atom, exponent in m:
            inner = _derivative_of_atom(atom, variable, p, q)
            if inner.terms:
                rest = product({**dict(m), atom: number(exponent - 1)})
                summands.append((multiply(rest, inner), number(c * exponent)))
    return combination(summands)


def _derivative_of_atom(atom: Atom, variable: Variable, p: Place, q: Place) -> Polynomial:
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
    """Σ_k w(k) dP_k, where w is the indicator of the first largest.

    Where several are the largest, almost everywhere they have the same derivative: at a point of density of {P_k = P_l} that of P_k - P_l
    is 0, and almost every point of a set is one of density.
    """
    k, P = sums.opened_maximum(atom)
    inner = d(P)
    return sums.sum_over(multiply(winner(P, k), inner), [k]) if inner.terms else ZERO


def _derivative_of_function(atom: Application) -> Polynomial:
    """Φ' = φ, φ'(x) = -x φ(x), arctan'(x) = 1 / (1 + x²), and the next order of any other function."""
    if atom.function == ARCTAN:
        return powers.power(ONE + multiply(atom.argument, atom.argument), -1)
    if atom.function == NORMAL_CDF:
        return powers.apply(NORMAL_PDF, atom.argument)
    if atom.function == NORMAL_PDF:
        return multiply(-atom.argument, only(atom))
    return powers.apply(atom.function, atom.argument, atom.order + 1)


def _derivative_of_output(output: Output, i: Place, j: Place, d: Callable[[Polynomial], Polynomial]) -> Polynomial:
    """The chain rule: Σ_{p,q} ∂Y[i,j]/∂A[p,q] · dA[p,q], summed over the arguments A of an abstract layer."""
    summands = []
    for k, argument in enumerate(output.arguments):
        entry, p, q = _at_fresh(argument)
        inner = d(entry)
        if inner.terms:
            sensitivity = only(Sensitivity(output, k, i, j, p, q))
            summands.append((sums.sum_over(multiply(sensitivity, inner), [p, q]), 1))
    return combination(summands)


def _at_fresh(argument: Argument) -> tuple[Polynomial, Place, Place]:
    """The entry of an argument at fresh indices, and these."""
    p, q = fresh(argument.rows), fresh(argument.columns)
    at = renaming(flat(row_index(argument.rows), column_index(argument.columns)), flat(p, q))
    return sums.substitute(argument.entry, at), p, q
