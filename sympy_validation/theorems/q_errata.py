"""Misprints in the (p,q)-calculus of the q-neurons paper: each printed formula is refuted, each corrected one proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.activations import Activation
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.errata import Erratum, erratum
from sympy_validation.theorems.q_calculus import D, exchanged, product, product_rule, theorem


def errata() -> Iterator[Erratum]:
    """All errata of the appendix that are identities for any f and g, in the order of their numbers."""
    yield from corollary_4()
    yield from product_rules()


def theorems() -> Iterator[Theorem]:
    """The table for these errata."""
    for item in errata():
        yield from item.theorems


def bregman_form(ops: Any, X: Any, p: Any, q: Any, f: Activation, sign: int) -> Any:
    """f'(px) + B_f(qx : px) / (± x (q - p)), with the Bregman divergence B_f(a : b) = f(a) - f(b) - (a - b) f'(b)."""
    slope = f.gradient(ops, p * X)
    divergence = f(ops, q * X) - f(ops, p * X) - ops.hadamard((q - p) * X, slope)
    return slope + ops.hadamard(divergence, ops.reciprocal((sign * (q - p)) * X))


def corollary_4() -> Iterator[Erratum]:
    """The signs of the denominators."""

    def form(sign: int) -> Callable[..., Any]:
        return lambda ops, X, p, q, f, g: bregman_form(ops, X, p, q, f, sign)

    def derivative(ops: Any, X: Any, p: Any, q: Any, f: Activation, g: Activation) -> Any:
        return D(ops, f, X, p, q)

    for number, line, a, b in (("000-32", 1, "p", "q"), ("000-33", 2, "q", "p")):
        wrong, right = (form(sign) if line == 1 else exchanged(form(sign)) for sign in (-1, 1))
        yield erratum(
            number,
            f"q-neurons, Corollary 4, line {line}",
            f"D_{{p,q}} f(x) = f'({a}x) + B_f({b}x : {a}x) / (x ({a} - {b}))",
            f"D_{{p,q}} f(x) = f'({a}x) + B_f({b}x : {a}x) / (x ({b} - {a}))",
            theorem("D f", "", wrong, derivative),
            theorem("D f", "", right, derivative),
        )


def product_rules() -> Iterator[Erratum]:
    """A sum where a product is meant."""

    def printed(ops: Any, X: Any, p: Any, q: Any, f: Activation, g: Activation) -> Any:
        return f(ops, p * X) + D(ops, g, X, p, q) + ops.hadamard(g(ops, q * X), D(ops, f, X, p, q))

    for number, line, a, b in (("000-36", 1, "p", "q"), ("000-37", 2, "q", "p")):
        wrong, right = (rule if line == 1 else exchanged(rule) for rule in (printed, product_rule))
        yield erratum(
            number,
            f"q-neurons, A.1, product rule, line {line}",
            f"D(fg) = f({a}x) + D g + g({b}x) D f",
            f"D(fg) = f({a}x) D g + g({b}x) D f",
            theorem("D(fg)", "", wrong, product),
            theorem("D(fg)", "", right, product),
        )
