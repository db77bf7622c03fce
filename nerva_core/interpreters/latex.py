"""The equations of layer code, read from the code while it runs on expressions.

Each local variable that the code binds to a new expression becomes an equation, and is shown by its name from there on. So the
equations are those of the code that trains, and change with it:

    for equation in equations(Linear(10)).backward:
        print(equation.text())          # DW = DYᵀ · X
        print(equation.latex())         # DW = {DY}^{\\top} \\cdot X

Methods that the code calls are expanded; functions of a module (softmax) are shown by name, and defined below, under ``where``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from nerva_core.algebra.matrix_ops import Shape, Size
from nerva_core.equations.losses import Loss
from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.expressions import Expression, Scalar, expansion, is_condition, is_uniform, markup, symbol
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.latex_ops import STEP, Functions, LatexOps, function_name, rule_name
from nerva_core.interpreters.markup import Format, Markup
from nerva_core.interpreters.polynomial import Polynomial
from nerva_core.interpreters.subjects import Reader, Results, read
from nerva_core.interpreters.traced import OPERATIONS, Traced


@dataclass(frozen=True)
class Equation:
    """left = right, a matrix of a shape."""

    left: Markup
    right: Markup
    shape: Shape

    def write(self, format: Format) -> str:
        """In the given format."""
        return mk.Items(self.left, mk.Operator("="), self.right).write(format)

    def text(self) -> str:
        """In plain Unicode."""
        return self.write("text")

    def latex(self) -> str:
        """In LaTeX, for mathematics mode."""
        return self.write("latex")

    def mathml(self) -> str:
        """As a MathML formula."""
        return f'<math display="block">{self.write("mathml")}</math>'

    def __str__(self) -> str:
        return self.text()


@dataclass
class Equations:
    """What a subject computes forward and backward, the functions it uses, and the shapes of what it is given."""

    forward: list[Equation] = field(default_factory=list)
    backward: list[Equation] = field(default_factory=list)
    where: list[Equation] = field(default_factory=list)
    given: list[tuple[Markup, Shape]] = field(default_factory=list)


ARGUMENTS = (Traced, Scalar, Polynomial, int, float)
"""What a function that is shown by name is given, after ``ops``."""


class EquationReader(Reader):
    """Collects the equations of the parts."""

    def __init__(self, functions: Functions) -> None:
        self.ops = LatexOps(functions)
        self.equations = Equations()
        self.functions = functions
        self._used: set[str] = set()

    def matrix(self, name: str, shape: tuple[Size, ...]) -> Traced[Expression]:
        e = symbol(name, shape)
        e.name = self._fresh(markup(e))
        self.equations.given.append((e.name, e.shape))
        return Traced(self.ops, e)

    def part(self, title: str, function: Callable[..., Any], arguments: tuple[Any, ...], results: Results) -> Any:
        self.ops.bound = []
        with self._watching(function):
            result = function(self.ops, *arguments)
        copies: list[Equation] = []
        concluded: list[Expression] = []
        for name, value in results(result):
            if isinstance(value, Traced):
                copies += self._conclude(_left(name) if name else _call_of(function, arguments), value.value, concluded)
                concluded.append(value.value)
        found = self.equations.forward if title == "forward" else self.equations.backward
        found += [Equation(markup(e), self._right(e), e.shape) for e in self.ops.bound] + copies
        return result

    def _right(self, e: Expression) -> Markup:
        """What the expression is; by the definition of its operation where that is all it says (tanh(X) = tanh(X))."""
        right = e.call or expansion(e).markup
        return right if right.text() != markup(e).text() else markup(self.ops.definition(e))

    def _conclude(self, wanted: Markup, e: Expression, concluded: list[Expression]) -> list[Equation]:
        """Name a result. One that was there before, or is another result too, gets an equation of its own."""
        if e.name is not None and e.name.text().rstrip("′") == wanted.text():
            return []
        if e in self.ops.bound and e.name is not None and e not in concluded:
            self._used.discard(e.name.text())
        left = self._fresh(wanted)
        if e.name is not None and (e not in self.ops.bound or e in concluded):
            return [Equation(left, e.name, e.shape)]
        if e not in self.ops.bound:
            self.ops.bound.append(e)
        e.name = left
        return []

    def _bind(self, name: str, e: Expression) -> None:
        """A local variable of the code has a new value."""
        if e.name is not None or is_uniform(e) or is_condition(e) or _says_its_expression(name):
            return
        left = identifier(name)
        e.name = self._fresh(mk.Sub(left, STEP) if self.ops.bodies else left)
        self.ops.bound.append(e)

    def _fresh(self, left: Markup) -> Markup:
        """The name, with a prime if it has another value already."""
        while left.text() in self._used:
            left = mk.Sup(left, mk.PRIME)
        self._used.add(left.text())
        return left

    @contextmanager
    def _watching(self, function: Callable[..., Any]) -> Iterator[None]:
        """See what the code of ``function`` binds to its local variables, and which functions it calls."""
        code = inspect.unwrap(function).__code__
        owner = type(getattr(function, "__self__", None))

        def looking() -> Callable[..., Any]:
            seen: dict[str, Any] = {}

            def in_code(frame: FrameType, event: str, argument: Any) -> Any:
                for name, value in list(frame.f_locals.items()):
                    if isinstance(value, Traced) and seen.get(name) is not value:
                        seen[name] = value
                        self._bind(name, value.value)
                return in_code

            return in_code

        def on_call(frame: FrameType, event: str, argument: Any) -> Any:
            found = frame.f_code
            if found is code or found in self.ops.bodies:
                return looking()
            if any(found is getattr(owner, name).__code__ for name in getattr(owner, "shown", ())):
                return looking()
            return self._named_call(frame)

        before = sys.gettrace()
        sys.settrace(on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _named_call(self, frame: FrameType) -> Callable[..., Any] | None:
        """If the frame is that of a function of a module on our operations: what waits for its result, to name it by the call."""
        code = frame.f_code
        function = frame.f_globals.get(code.co_name)
        if function is None or getattr(function, "__code__", None) is not code or code.co_name.startswith("_"):
            return None
        arguments = tuple(frame.f_locals[name] for name in code.co_varnames[1 : code.co_argcount])
        if code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            return None
        if frame.f_locals.get("ops") is not self.ops or not all(isinstance(a, ARGUMENTS) for a in arguments):
            return None  # with other arguments it is expanded, as a method is
        call = _call(function_name(function), arguments)
        self.functions.setdefault(function, arguments)

        def waiting(frame: FrameType, event: str, result: Any) -> Any:
            if event == "return" and not isinstance(result, Traced):
                self.functions.pop(function, None)
            elif event == "return" and result.value.operation != "symbol" and result.value.name is None:
                result.value.call = call
            return waiting

        return waiting


def _left(name: Any) -> Markup:
    """The name of a result; of a matrix X, that of its gradient."""
    return mk.Items(mk.Symbol("D"), markup(name.value)) if isinstance(name, Traced) else identifier(name)


def _call(name: Markup, arguments: tuple[Any, ...]) -> Markup:
    return mk.Call(name, *(markup(a.value) if isinstance(a, Traced) else markup(a) for a in arguments))


def _call_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Markup:
    """The left side of the equation of a rule: relu′(X), softmax(X), ℒ(Y, T), ∇_Y ℒ(Y, T)."""
    if isinstance(getattr(function, "__self__", None), Loss):
        value = _call(mk.Symbol("ℒ"), arguments)
        return value if function.__name__ == "value" else mk.Items(mk.Sub(mk.Symbol("∇"), mk.Symbol("Y")), mk.Gap(), value)
    return _call(rule_name(function) or function_name(function), arguments)


def _says_its_expression(name: str) -> bool:
    """Whether the name of a variable is an operation and its operand, as inv_sqrt_Sigma, so that the expression says it better."""
    return name.startswith("_") or any(name.startswith(f"{operation}_") for operation in OPERATIONS)


def equations(subject: Any) -> Equations:
    """The equations of a layer, activation, loss, optimizer or function, read from its running code."""
    reader = EquationReader({})
    read(subject, reader)
    done = [subject]
    while waiting := [(f, arguments) for f, arguments in reader.functions.items() if f not in done]:
        for function, arguments in waiting:
            done.append(function)
            known = {equation.text() for equation in reader.equations.where}
            reader.equations.where += [e for e in _definition(reader, function, arguments) if e.text() not in known]
    return reader.equations


def _definition(reader: EquationReader, function: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Equation]:
    """The equations of a function that was called with these arguments, on variables with the names of its parameters."""
    inner = EquationReader(reader.functions)
    names = list(inspect.signature(function).parameters)[1:]
    symbols = [inner.matrix(name, a.value.shape) if isinstance(a, Traced) else a for name, a in zip(names, arguments, strict=True)]
    for given, e in zip(arguments, symbols, strict=True):
        if isinstance(given, Traced) and is_uniform(given.value):
            e.value.operation = "uniform"
    inner.part("forward", function, tuple(symbols), lambda result: [("", result)])
    *local, result = inner.equations.forward
    return [result, *local]
