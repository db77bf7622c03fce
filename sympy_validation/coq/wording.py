"""The terms in words: what a mathematician reads, and what Coq's kernel compares with the data for the checker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sympy_validation.all_sizes.symbols import Index, Size, is_number
from sympy_validation.coq.matrices import NotExported
from sympy_validation.coq.numbering import fraction
from sympy_validation.coq.terms import (
    FUNCTIONS,
    Add,
    Apply,
    Element,
    GivenMatrix,
    Kronecker,
    Largest,
    LayerOutput,
    Mul,
    RationalNumber,
    SizeNumber,
    SumOver,
    Term,
)

RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
exp ln sqrt ind atan phi Phi rmax bsum is_derive INR IZR Q2R Rinv t R Q V S O E I F P ap nat list true false mat
Add Mul Sum Max Fn Cst Siz Delta IC IV SC SV layers sizes functions variables facts curve Prop Set Type
fun forall exists match with end if then else let in as at return fix cofix for where using
""",
    )
)


class Names:
    """Identifiers of Coq, each for one thing."""

    def __init__(self) -> None:
        self._of: dict[Any, str] = {}
        self._taken = set(RESERVED)

    def __call__(self, key: Any, wish: str) -> str:
        """The name of the thing, as near as possible to what is wished."""
        if key not in self._of:
            self._of[key] = self.new(wish)
        return self._of[key]

    def new(self, wish: str) -> str:
        """A name that nothing else has."""
        first = _identifier(wish)
        number, name = 1, first
        while name in self._taken:
            number += 1
            name = f"{first}{'_' if first[-1].isdigit() else ''}{number}"
        self._taken.add(name)
        return name


def _identifier(wish: str) -> str:
    """W_2 for 2.W, the W of the layer with number 2."""
    layer, _, parameter = wish.rpartition(".")
    parameter = f"p{parameter}" if parameter.isdigit() else parameter
    name = re.sub(r"\W", "_", f"{parameter}_{layer}" if layer else parameter)
    return name if re.match(r"[^\W\d_]", name) else f"x{name}"


class Wording:
    """Terms in words, with everything at the time ``t`` or 0."""

    def __init__(self, names: Names, moving: tuple[str, ...]) -> None:
        self.names, self.moving = names, moving
        self._letters: dict[Any, str] = {}

    def size(self, size: Any) -> str:
        """A size that is no product."""
        return self.names(size, size.name) if isinstance(size, Size) else str(size)

    def number(self, size: Any) -> str:
        """A size as an index of another name is counted: n for N."""
        return size.name[0].lower() if isinstance(size, Size) else "m"

    def bind(self, indices: Sequence[Index], scope: Mapping[Index, str]) -> dict[Index, str]:
        """Names for indices, which are not those of the scope."""
        found = dict(scope)
        for index in indices:
            number, wish = 0, self.number(index.size)
            name = wish = self.names(("index", wish), wish)
            while name in found.values():
                number += 1
                name = f"{wish}{number}"
            found[index] = name
        return found

    def index(self, i: Index, scope: Mapping[Index, str]) -> str:
        """An index."""
        return f"{i.name[1:]}%nat" if is_number(i) else scope[i]

    def term(self, term: Term, scope: Mapping[Index, str], time: str = "0") -> str:
        """A term in parentheses, unless it is a name."""
        match term:
            case RationalNumber(c):
                return f"(Q2R {fraction(c)})"
            case SizeNumber(size):
                return f"(INR {self.size(size)})"
            case Element(variable, indices, held):
                at = "0" if held else time
                words = [*self._variable(variable, at, scope), *(self.index(i, scope) for i in indices)]
                return words[0] if len(words) == 1 else f"({' '.join(words)})"
            case Kronecker(i, j):
                return f"(if Nat.eqb {self.index(i, scope)} {self.index(j, scope)} then 1 else 0)"
            case Add(a, b):
                return f"({self.term(a, scope, time)} + {self.term(b, scope, time)})"
            case Mul(a, b):
                return f"({self.term(a, scope, time)} * {self.term(b, scope, time)})"
            case Apply("reciprocal", a):
                return f"(/ {self.term(a, scope, time)})"
            case Apply(f, a, order):
                name = FUNCTIONS[f].words if order < 0 else self.function(f, order)
                return f"({name} {self.term(a, scope, time)})"
            case SumOver(k, a):
                inner = self.bind([k], scope)
                return f"(∑ {inner[k]} < {self.size(k.size)}, {self.term(a, inner, time)})"
            case Largest(k, a):
                inner = self.bind([k], scope)
                return f"(rmax {self.size(k.size)} (fun {inner[k]} => {self.term(a, inner, time)}))"
        raise NotExported(type(term).__name__)

    def function(self, f: str, order: int) -> str:
        """f, f' and f''."""
        return self.names(("function", f, order), f"{f}{chr(39) * order}" if order else f)

    def layer(self, output: LayerOutput) -> str:
        """The function of an abstract layer, or its derivative with respect to an argument."""
        wish = output.layer if output.derivative < 0 else f"D{output.derivative}_{output.layer}"
        return self.names(("layer", output.layer, output.derivative, *_shapes(output)), wish)

    def matrix(self, argument: GivenMatrix, scope: Mapping[Index, str], time: str) -> str:
        """A matrix as a function of its indices."""
        inner = self.bind(argument.indices, scope)
        binders = " ".join(inner[i] for i in argument.indices)
        body = self.term(argument.entry, inner, time)
        return f"(fun {binders} => {body})" if binders else body

    def _variable(self, variable: str | LayerOutput, time: str, scope: Mapping[Index, str]) -> list[str]:
        if isinstance(variable, LayerOutput):
            at = "0" if variable.derivative >= 0 else time
            return [self.layer(variable), *(self.matrix(a, scope, at) for a in variable.arguments)]
        name = self.names(("variable", variable), variable)
        return [name, time] if variable in self.moving else [name]


def _shapes(output: LayerOutput) -> tuple[Any, ...]:
    return (output.sizes, *(tuple(i.size for i in a.indices) for a in output.arguments))
