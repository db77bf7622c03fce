"""Rules of the (p,q)-calculus that are nearly right are refuted."""

from __future__ import annotations

from typing import Any

from nerva_core.equations.activations import Activation
from sympy_validation.theorem import prove
from sympy_validation.theorems.q_calculus import D, product, product_rule, theorem


def ordinary_product_rule(ops: Any, X: Any, p: Any, q: Any, f: Activation, g: Activation) -> Any:
    """f(px) Dg + g(px) Df: both at px."""
    return ops.hadamard(f(ops, p * X), D(ops, g, X, p, q)) + ops.hadamard(g(ops, p * X), D(ops, f, X, p, q))


def test_a_product_rule_with_both_functions_at_px_is_refuted() -> None:
    for rule, status in ((product_rule, "proved"), (ordinary_product_rule, "refuted")):
        verdicts = list(prove(list(theorem("product", "D(fg)", product, rule))))
        assert {v.status for v in verdicts} == {status}
