"""The terms as data for the checker: variables, sizes and functions become numbers, indices the distance from where they are bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sympy_validation.all_sizes.symbols import Index, Size, is_number
from sympy_validation.coq.matrices import NotExported
from sympy_validation.coq.terms import (
    FUNCTIONS,
    Add,
    Apply,
    Element,
    Kronecker,
    Largest,
    LayerOutput,
    Mul,
    RationalNumber,
    SizeNumber,
    SumOver,
    Term,
    children,
    subterms,
)


@dataclass(frozen=True)
class Occurrence:
    """An output of an abstract layer, or a derivative of one, as a variable of the checker."""

    output: LayerOutput
    number: int
    moving: bool
    """Whether it changes with the variable with respect to which is differentiated."""


@dataclass
class Numbering:
    """What is called by which number. The variables with respect to which is differentiated have the first ones."""

    moving: tuple[str, ...] = ()
    variables: dict[Any, int] = field(default_factory=dict)
    """The numbers of variables by their names, and of outputs by what they are made of."""
    sizes: dict[Size, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    """The unknown functions, with the highest order of their derivatives."""
    outputs: list[Occurrence] = field(default_factory=list)
    count: int = 0
    stops: dict[int, int] = field(default_factory=dict)
    """The numbers of values at the time 0, and of what they are the values of."""

    def __post_init__(self) -> None:
        for name in self.moving:
            self._number(name)

    def _number(self, key: Any) -> int:
        """The number of the variable; the next one if it has none."""
        if key not in self.variables:
            self.variables[key] = self.count
            self.count += 1
        return self.variables[key]

    def size(self, size: Any) -> str:
        """A size that is no product."""
        return f"(SV {self.sizes.setdefault(size, len(self.sizes))})" if isinstance(size, Size) else f"(SC {size})"

    def index(self, i: Index, bound: Sequence[Index]) -> str:
        """An index, the innermost of the bound ones first."""
        return f"IC {i.name[1:]}" if is_number(i) else f"IV {bound.index(i)}"

    def indices(self, indices: Iterable[Index], bound: Sequence[Index]) -> str:
        """A list of them."""
        return "[" + "; ".join(self.index(i, bound) for i in indices) + "]"

    def function(self, f: str, order: int) -> str:
        """A function, or a derivative of an unknown one."""
        if order < 0:
            return FUNCTIONS[f].checker
        self.functions[f] = max(order, self.functions.get(f, 0))
        return f"(FU {list(self.functions).index(f)} {order})"

    def term(self, term: Term, bound: Sequence[Index] = (), now: bool = False) -> str:
        """A term; ``now`` where everything has its value of the time 0, so that nothing is held."""
        match term:
            case RationalNumber(c):
                return f"(Cst {fraction(c)})"
            case SizeNumber(size):
                return f"(Siz {self.size(size)})"
            case Element(_, indices):
                return f"(V {self.variable(term, now)} {self.indices(indices, bound)})"
            case Kronecker(i, j):
                return f"(Delta ({self.index(i, bound)}) ({self.index(j, bound)}))"
            case Add(a, b):
                return f"(Add {self.term(a, bound, now)} {self.term(b, bound, now)})"
            case Mul(a, b):
                return f"(Mul {self.term(a, bound, now)} {self.term(b, bound, now)})"
            case Apply(f, a, order):
                return f"(Fn {self.function(f, order)} {self.term(a, bound, now)})"
            case SumOver(k, a):
                return f"(Sum {self.size(k.size)} {self.term(a, (k, *bound), now)})"
            case Largest(k, a):
                return f"(Max {self.size(k.size)} {self.term(a, (k, *bound), now)})"
        raise NotExported(type(term).__name__)

    def variable(self, element: Element, now: bool) -> int:
        """The number of a variable, or of its value at the time 0."""
        held = element.held and not now
        if isinstance(element.variable, LayerOutput):
            number = self._output(element.variable, now or element.held)
        else:
            number = self._number(element.variable)
        if held and self.is_moving(number):
            still = self._number(("still", number))
            self.stops[still] = number
            return still
        return number

    def is_moving(self, number: int) -> bool:
        """Whether the variable changes."""
        return number < len(self.moving) or any(o.number == number and o.moving for o in self.outputs)

    def register(self, term: Term) -> None:
        """Number the outputs that change with the variable, which come before their values at the time 0."""
        for part in subterms(term):
            if isinstance(part, Element) and isinstance(part.variable, LayerOutput) and not part.held:
                for argument in part.variable.arguments:
                    self.register(argument.entry)
                self._output(part.variable, False)

    def _output(self, output: LayerOutput, now: bool) -> int:
        arguments = tuple(self.term(a.entry, a.indices[::-1], now) for a in output.arguments)
        key = (output.layer, output.derivative, arguments)
        if key not in self.variables:
            moving = not now and output.derivative < 0 and any(self._moves(a.entry) for a in output.arguments)
            number = self._number(key)
            self.outputs.append(Occurrence(output, number, moving))
            if moving:
                self._same_now(output, number)
        return self.variables[key]

    def _same_now(self, output: LayerOutput, number: int) -> None:
        """At the time 0 it is what is made of the values at the time 0."""
        at_0 = (output.layer, output.derivative, tuple(self.term(a.entry, a.indices[::-1], True) for a in output.arguments))
        first = self.variables.setdefault(at_0, number)
        if first != number:
            self.stops[number] = first

    def _moves(self, term: Term) -> bool:
        if isinstance(term, Element):
            return not term.held and self.is_moving(self.variable(term, False))
        return any(self._moves(part) for part in children(term))


def fraction(c: Fraction) -> str:
    """A rational number of Coq."""
    return f"({c.numerator} # {c.denominator})" if c >= 0 else f"(({c.numerator}) # {c.denominator})"
