"""Scalars and matrices of terms."""

from __future__ import annotations

from fractions import Fraction

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import Size, product_of
from sympy_validation.coq.matrices import CoqScalar, count_of, exact
from sympy_validation.coq.ops import CoqOps
from sympy_validation.coq.terms import Apply, Element, Mul, RationalNumber, SizeNumber

N, K = Size("N"), Size("K")
A = CoqScalar(Element("a", ()))


def test_a_float_is_the_decimal_that_it_prints_as() -> None:
    assert exact(0.1) == RationalNumber(Fraction(1, 10))
    assert exact("a") is None


def test_powers_are_products_reciprocals_roots_and_exponentials() -> None:
    assert (A**2).term == Mul(A.term, A.term)
    assert (A**-1).term == Apply("reciprocal", A.term)
    assert (A**0.5).term == Apply("sqrt", A.term)
    assert (A**A).term == Apply("exp", Mul(A.term, Apply("log", A.term)))


def test_a_product_of_sizes_is_a_product_of_numbers() -> None:
    assert count_of(product_of(N, K)) == Mul(SizeNumber(N), SizeNumber(K))
    assert count_of(1) == RationalNumber(Fraction(1))


def test_matrices_that_do_not_fit_are_refused() -> None:
    ops = CoqOps()
    X = ops.variable("X", N, K)
    with pytest.raises(NervaError, match="inner sizes"):
        X @ X
    with pytest.raises(NervaError, match="one shape"):
        X + ops.transpose(X)
    with pytest.raises(NervaError, match="hadamard"):
        X * X
