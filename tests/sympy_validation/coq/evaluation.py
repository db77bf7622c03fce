"""The value of an exported term at given numbers, written without the exporter and without Coq."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from sympy_validation.coq import terms as t

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "reciprocal": lambda x: 1 / x,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "ind": lambda x: Fraction(int(x < 0)),
    "arctan": math.atan,
}


def value(term: t.Term, variables: Mapping[str, Any], sizes: Mapping[str, int], at: Mapping[Any, int]) -> Any:
    """``variables`` are nested lists, or numbers; ``at`` are the values of the free indices."""

    def number(index: Any) -> int:
        return int(index.name[1:]) if index.name.startswith("#") else at[index]

    def each(k: Any, body: t.Term) -> list[Any]:
        count = k.size if isinstance(k.size, int) else sizes[k.size.name]
        return [value(body, variables, sizes, {**at, k: m}) for m in range(count)]

    match term:
        case t.RationalNumber(c):
            return c
        case t.SizeNumber(size):
            return Fraction(sizes[size.name])
        case t.Element(str() as name, indices):
            found = variables[name]
            for index in indices:
                found = found[number(index)]
            return found
        case t.Kronecker(i, j):
            return Fraction(int(number(i) == number(j)))
        case t.Add(a, b):
            return value(a, variables, sizes, at) + value(b, variables, sizes, at)
        case t.Mul(a, b):
            return value(a, variables, sizes, at) * value(b, variables, sizes, at)
        case t.Apply(f, a):
            return FUNCTIONS[f](value(a, variables, sizes, at))
        case t.SumOver(k, body):
            return sum(each(k, body), Fraction(0))
        case t.Largest(k, body):
            return max(each(k, body))
    raise AssertionError(term)
