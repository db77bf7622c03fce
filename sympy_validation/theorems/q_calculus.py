"""The (p,q)-calculus and the q-activation (q-neurons), for all functions f and g and all p and q.

Equations hold where they are defined: p != q, x != 0 and no divisor 0. The derivative that is tested is the one of
``nerva_core.theory.q_calculus``, on matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import ACTIVATIONS, Activation, ReLU
from nerva_core.layers import QActivation
from nerva_core.theory.q_calculus import elementwise_derivative
from sympy_validation.claims import ActivationGradient, RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import METHODS, about, equation

SUBJECT = "q-calculus"
PQ = {"X": ("N", "D"), "p": RealVariable(2, 3), "q": RealVariable(0, 1)}


@dataclass(frozen=True)
class Combined(Activation):
    """A function made of f and g. Its derivative, which only counts at 0, is left out."""

    rule: Callable[[MatrixOps, Any, Any], Any]
    f: Activation
    g: Activation

    def value(self, ops: MatrixOps[M], X: M) -> M:
        Y: M = self.rule(ops, self.f(ops, X), self.g(ops, X))
        return Y

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))


@dataclass(frozen=True)
class Derivative(Activation):
    """The derivative of an activation, as a function of its own."""

    activation: Activation

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return self.activation.gradient(ops, X)

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        return self.activation.second_derivative(ops, X)


def theorems() -> Iterator[Theorem]:
    """The table for the (p,q)-calculus and the q-activation."""
    yield from rules()
    yield from q_activations()
    for entry in ACTIVATIONS:
        if "second_derivative" in vars(entry):
            yield from second_derivative(entry)


def second_derivative(entry: type[Activation]) -> Iterator[Theorem]:
    """The second derivative of an activation is the derivative of its gradient."""
    claim = ActivationGradient(lambda space: Derivative(symbolic(entry, space)))
    yield from about(f"activations.{entry.__name__}", claim, "second derivative = d/dx gradient", name="second")


def functions(space: Space) -> tuple[Activation, Activation]:
    """Any f and g."""
    return space.unknown_function("f"), space.unknown_function("g")


def theorem(
    quantity: str, statement: str, tested: Callable[..., Any], expected: Callable[..., Any], name: str = "", methods: Any = METHODS
) -> Iterator[Theorem]:
    """Both are functions of (ops, X, p, q, f, g)."""
    yield from equation(
        SUBJECT,
        quantity,
        statement,
        PQ,
        tested,
        lambda space, *variables: expected(space.ops, *variables, *functions(space)),
        given=lambda space, *variables: (*variables, *functions(space)),
        name=name,
        methods=methods,
    )


def D(ops: MatrixOps, h: Activation, X: Matrix, p: Any, q: Any) -> Tree:
    """D_{p,q} h(X)."""
    return elementwise_derivative(ops, h, p, q, X)


def product(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
    """D_{p,q} (fg)."""
    return D(ops, Combined(lambda ops, F, G: ops.hadamard(F, G), f, g), X, p, q)


def ratio(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
    """D_{p,q} (f/g)."""
    return D(ops, Combined(lambda ops, F, G: ops.hadamard(F, ops.reciprocal(G)), f, g), X, p, q)


def product_rule(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
    """f(px) Dg + g(qx) Df."""
    return ops.hadamard(f(ops, p * X), D(ops, g, X, p, q)) + ops.hadamard(g(ops, q * X), D(ops, f, X, p, q))


def ratio_rule(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
    """(g(qx) Df - f(qx) Dg) / (g(px) g(qx))."""
    difference = ops.hadamard(g(ops, q * X), D(ops, f, X, p, q)) - ops.hadamard(f(ops, q * X), D(ops, g, X, p, q))
    return ops.hadamard(difference, ops.reciprocal(ops.hadamard(g(ops, p * X), g(ops, q * X))))


def exchanged(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule with p and q exchanged."""
    return lambda ops, X, p, q, f, g: rule(ops, X, q, p, f, g)


def rules() -> Iterator[Theorem]:
    """Symmetry and A.1, each as it should be."""

    def of_f(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return D(ops, f, X, p, q)

    yield from theorem("symmetry", "D_{p,q} f = D_{q,p} f", of_f, exchanged(of_f))
    yield from theorem("product", "D(fg) = f(px) Dg + g(qx) Df (erratum 000-36)", product, product_rule, "1")
    yield from theorem("product", "D(fg) = f(qx) Dg + g(px) Df (erratum 000-37)", product, exchanged(product_rule), "2")
    yield from theorem("ratio", "D(f/g) = (g(qx) Df - f(qx) Dg) / (g(px) g(qx))", ratio, ratio_rule, "1")
    yield from theorem("ratio", "D(f/g) = (g(px) Df - f(px) Dg) / (g(px) g(qx))", ratio, exchanged(ratio_rule), "2")


def g_q(ops: MatrixOps, X: Matrix, q: Any, f: Activation) -> Tree:
    """The q-activation of f, as the layer computes it."""
    return QActivation(f).feedforward(ops, (), X, ops.full(q, *ops.shape(X)))[0]


def q_activations() -> Iterator[Theorem]:
    """Equation (3), Proposition 2 and q-relu."""

    def x_times_derivative(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return ops.hadamard(X, D(ops, f, X, 1, q))

    def p_derivative(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return ops.hadamard(g_q(ops, X, q, f) - g_q(ops, p * X, q, f), ops.reciprocal((1 - p) * X))

    def proposition_2(ops: MatrixOps, X: Matrix, p: Any, q: Any, f: Activation, g: Activation) -> Tree:
        return 1 / (1 - p) * D(ops, f, X, 1, q) - p / (1 - p) * D(ops, f, X, p, p * q)

    yield from theorem("g_q", "g_q(x) = x D_q f(x) (3)", lambda ops, X, p, q, f, g: g_q(ops, X, q, f), x_times_derivative)
    yield from theorem("D_p g_q", "D_p g_q = D_q f / (1 - p) - p D_{p,pq} f / (1 - p) (Proposition 2)", p_derivative, proposition_2)
    yield from theorem(
        "q-relu",
        "q-relu = relu for q > 0 (erratum 000-18)",
        lambda ops, X, p, q, f, g: g_q(ops, X, q, ReLU()),
        lambda ops, X, p, q, f, g: ReLU()(ops, X),
        methods=("all sizes",),
    )
