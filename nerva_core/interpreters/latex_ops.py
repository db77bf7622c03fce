"""Matrix operations on expressions, and the names of the functions that are shown by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeAlias

from nerva_core.algebra.matrix_ops import MatrixOps, Shape, Size
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import Activation
from nerva_core.equations.gradient_activations import GradientActivation
from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.expressions import NOTATION, Expression, Scalar, markup
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.markup import Markup
from nerva_core.interpreters.shapes import ShapeOps
from nerva_core.interpreters.subjects import AnyActivation
from nerva_core.interpreters.traced import Interpreter, Operation, Traced, operand_positions

STEP = mk.Symbol("l")
LAST = mk.Items(STEP, mk.Operator("−"), mk.Number("1"))
"""The step of a loop, and the one before."""


def _family_of(e: Expression, length: Size) -> Expression:
    """The family whose member l is e, for all l."""
    return Expression("family of", (e,), e.shape._replace(members=length), mk.Sub(mk.Fenced(markup(e)), STEP))


Functions: TypeAlias = dict[Callable[..., Any], tuple[Any, ...]]
"""The functions that are shown by name, with the arguments of a call."""


class LatexOps(Interpreter[Expression]):
    """Matrix operations on expressions. An operation without a notation is its definition."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.bound: list[Expression] = []
        """The expressions that have an equation, in the part that runs."""
        self.bodies: list[CodeType] = []
        """The code of the steps of loops that run."""

    def scan(
        self, body: Callable[..., Any], state: Tree, given: Any, length: Size, reverse: bool = False, names: tuple[str, ...] = ()
    ) -> tuple[Any, Any]:
        """The equations of the step l, which stands for all where their number is a symbol."""
        if isinstance(length, int):
            return super().scan(body, state, given, length, reverse, names)
        before, after = (LAST, STEP) if not reverse else (STEP, LAST)
        called = [mk.Items(*map(mk.Symbol, name)) for name in names]  # ΔH is Δ and H
        parameters = list(inspect.signature(body).parameters)[1:]
        members = [self._member(F.value, name) for F, name in zip(given, [*parameters, *[""] * len(given)], strict=False)]
        entering = [Expression("symbol", (), X.value.shape, mk.Sub(name, before)) for name, X in zip(called, state, strict=True)]
        self.bodies.append(body.__code__)
        state, outputs = body(tuple(Traced(self, e) for e in entering), *(Traced(self, e) for e in members))
        self.bodies.pop()
        for name, X in zip(called, state, strict=True):
            left = mk.Sub(name, after)
            if X.value.name is None or X.value.name.text() != left.text():
                X.value.name = left
                self.bound = [*(e for e in self.bound if e is not X.value), X.value]
        return state, tuple(Traced(self, _family_of(X.value, length)) for X in outputs)

    def _member(self, F: Expression, name: str) -> Expression:
        """The member l of a family: what it was made of, or a symbol that is called as in the code of the step."""
        if F.operation == "family of":
            e: Expression = F.arguments[0]
            return e
        return Expression("symbol", (), F.shape._replace(members=1), mk.Sub(identifier(name), STEP))

    def size(self, value: Expression) -> tuple[Size, Size]:
        return value.shape[:2]

    def member_count(self, value: Expression) -> Size:
        return value.shape.members

    def size_power(self, n: Size, e: float) -> Any:
        return Scalar("power", (n, e))

    def operation(self, operation: Operation[Expression]) -> Expression:
        shape = self._shape(operation)
        if operation.name == "apply":
            return self._applied(operation, shape)
        if operation.name in NOTATION:
            return Expression(operation.name, operation.arguments, shape)
        return self.definition(Expression(operation.name, operation.arguments, shape))

    def definition(self, e: Expression) -> Expression:
        """The operation that e is, as MatrixOps defines it."""
        matrices = operand_positions(e.operation, e.arguments)
        arguments = [Traced(self, a) if k in matrices else a for k, a in enumerate(e.arguments)]
        result: Traced[Expression] = getattr(MatrixOps, e.operation)(self, *arguments)
        return result.value

    def _shape(self, operation: Operation[Expression]) -> Shape:
        shapes = tuple(a.shape if k in operation.positions else a for k, a in enumerate(operation.arguments))
        if operation.name == "apply":
            return Shape(*shapes[1])
        return ShapeOps().operation(Operation(operation.name, shapes, operation.positions))

    def _applied(self, operation: Operation[Expression], shape: Shape) -> Expression:
        f, X = operation.arguments
        name = rule_name(f)
        if name is None:
            result: Traced[Expression] = f(self, Traced(self, X))
            return result.value
        if not isinstance(f.__self__, AnyActivation):
            self.functions.setdefault(f, (Traced(self, X),))
        e = Expression("apply", (f, X), shape)
        e.call = mk.Call(name, markup(X))
        return e


def rule_name(f: Callable[..., Any]) -> Markup | None:
    """How the value or a derivative of an activation is called: act and act′; G, G′ and G″ of a gradient activation."""
    activation = getattr(f, "__self__", None)
    if not isinstance(activation, (Activation, GradientActivation)):
        return None
    name = activation_name(activation) if isinstance(activation, Activation) else mk.Symbol("G")
    for _ in range(_DERIVATIVES[f.__name__]):
        name = mk.Sup(name, mk.PRIME)
    return name


_DERIVATIVES = {"value": 0, "gradient": 1, "derivative": 1, "second_derivative": 2}


def activation_name(activation: Activation) -> Markup:
    """relu, leaky-relu, ..., σ for the sigmoid, and act for any activation."""
    name = type(activation).__name__
    return mk.Symbol(
        {"AnyActivation": "act", "AnyFunction": "f", "Sigmoid": "σ"}.get(name, re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "-", name).lower())
    )


def function_name(function: Callable[..., Any]) -> Markup:
    """The name of a function of a module: log-softmax; srelu′ for srelu_gradient."""
    name = function.__name__
    base = mk.Symbol(name.removesuffix("_gradient").replace("_", "-"))
    return mk.Sup(base, mk.PRIME) if name.endswith("_gradient") else base
