"""Proofs for all sizes: matrices with symbolic numbers of rows and columns, and a normal form for their entries.

The layers run on ``AllSizesOps`` as they run on numbers. An equation A = B is proved, for all sizes and all real entries, if the
normal form of A - B is empty:

    ops = AllSizesOps()
    N, D = ops.size("N"), ops.size("D")
    X = ops.variable("X", N, D)
    ops.is_zero(ops.gradient(ops.elements_sum(ops.hadamard(X, X)), X) - 2 * X)  # True

Why a proof can be believed is in ``docs/soundness.md``. The modules, from the bottom up:

* ``symbols`` and ``terms``: sizes, indices and variables; atoms, monomials and polynomials.
* ``signs``: what is known of signs, scales and common factors.
* ``products``, ``powers`` and ``sums``: the rules that make and keep them normal.
* ``calculus``: the derivative.
* ``scalars``, ``matrices`` and ``ops``: scalars and matrices of normal forms, and the interpreter.
* ``abstract``: layers of which nothing is known, for compositions.
* ``evaluate`` and ``text``: the value of a normal form at concrete sizes, and the form in words.
"""

from sympy_validation.all_sizes.abstract import AbstractLayer
from sympy_validation.all_sizes.calculus import NotDifferentiable
from sympy_validation.all_sizes.evaluate import Domain, evaluate
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.ops import AllSizesOps
from sympy_validation.all_sizes.scalars import SymbolicScalar
from sympy_validation.all_sizes.symbols import Size
from sympy_validation.all_sizes.terms import Undefined
from sympy_validation.unknown import UnknownActivation

__all__ = [
    "AbstractLayer",
    "AllSizesOps",
    "Domain",
    "NotDifferentiable",
    "Size",
    "SymbolicMatrix",
    "SymbolicScalar",
    "Undefined",
    "UnknownActivation",
    "evaluate",
]
