"""The Jacobians of the softmax functions are told apart."""

from __future__ import annotations

from nerva_core.equations.softmax import log_softmax_jacobian, softmax, softmax_jacobian
from sympy_validation.theorem import prove
from sympy_validation.theorems.softmax import ROW, jacobian_of
from sympy_validation.theorems.tools import equation


def test_the_jacobian_of_another_function_is_refuted() -> None:
    for jacobian, status in ((softmax_jacobian, "proved"), (log_softmax_jacobian, "refuted")):
        theorems = list(equation("softmax functions", "jacobian", "∂softmax(x)/∂x", ROW, jacobian, jacobian_of(softmax)))
        assert {v.status for v in prove(theorems)} == {status}
