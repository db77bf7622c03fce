"""Values that are held fixed while something is differentiated (``MatrixOps.stop_gradient``).

``stop`` hides a normal form in an atom whose derivative is 0. When all derivatives are taken, ``release`` puts the value back
everywhere, also in the arguments of abstract layers, so that f(x, stop(x)) has the derivative of f by its first argument, at (x, x).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sympy_validation.all_sizes import powers, products, sums
from sympy_validation.all_sizes.atoms import Atom
from sympy_validation.all_sizes.symbols import STOPPED, Argument, Output
from sympy_validation.all_sizes.terms import CACHE_SIZE, Application, Entry, Polynomial, Sensitivity, combination, only


def stop(P: Polynomial) -> Polynomial:
    """P, as a constant. Its derivatives are 0; powers of ``STOPPED`` are not, so what it hides is released only afterwards."""
    return only(Application(STOPPED, 0, P)) if P.atoms else P


@lru_cache(CACHE_SIZE)
def release(P: Polynomial) -> Polynomial:
    """P with the values of what was stopped, at any depth."""
    if STOPPED.name not in P.key:
        return P
    return combination((products.multiply(*(powers.power(_release(atom), e) for atom, e in m)), c) for m, c in P.terms.items())


def _release(atom: Atom) -> Polynomial:
    match atom:
        case Application(function=function) if function == STOPPED:
            return release(atom.argument)
        case Entry(variable=Output() as output):
            return only(Entry(_of_released(output), atom.row, atom.column))
        case Sensitivity():
            return only(Sensitivity(_of_released(atom.output), atom.argument, atom.row, atom.column, atom.p, atom.q))
    return sums.rebuild(atom, release)


def _of_released(output: Output) -> Output:
    return replace(output, arguments=tuple(Argument(a.rows, a.columns, release(a.entry)) for a in output.arguments))
