"""The value of a normal form at a point, for all its elements at once, in floats."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.symbols import ARCTAN, NORMAL_CDF, UNIT, Index, Lookup, factors_of, flat, is_number
from sympy_validation.all_sizes.terms import (
    Application,
    Base,
    Count,
    Delta,
    Entry,
    Exponential,
    Indicator,
    Logarithm,
    Maximum,
    Polynomial,
    Root,
    Selected,
    Sum,
)
from sympy_validation.foreign.elementwise import FLOOR, ROUND, SINE
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.sizes import FloorSize, SumSize, dim
from sympy_validation.foreign.tensor import axis_indices

NEAR = 1e-9
"""A number of this size is taken for 0, so that the point may lie at a kink."""
LETTERS = 50
"""The number of indices that NumPy's einsum takes."""
NUMBERS = {"π": math.pi, "∞": 1e30, "NaN": math.nan}


class FloatPoint:
    """Numbers for the sizes, and random ones for the elements of the inputs."""

    def __init__(
        self, run: SymbolicRun, sizes: Mapping[str, int], seed: int, positive: bool = False, rough: bool = False, small: bool = False
    ) -> None:
        self.run, self.sizes, self.positive, self.rough, self.small = run, dict(sizes), positive, rough, small
        self.at_kink = False
        """Whether a formula that was evaluated jumps or has a kink here."""
        self.cancels = False
        """Whether large terms cancel here, so that floats say nothing, and only exact numbers do."""
        self.random = random.Random(seed)
        self.inputs: dict[str, Any] = {}
        self.tables: dict[str, Any] = {}
        self._known: dict[Atom, tuple[list[Index], Any]] = {}

    def size(self, size: Any) -> int:
        """A size as a number."""
        if isinstance(size, int):
            return size
        if str(size) in self.sizes:
            return self.sizes[str(size)]
        form = size.terms if isinstance(size, (SumSize, FloorSize)) else dim(size).form.items()
        total = sum(c * math.prod(self.size(s) for s in m) for m, c in form)
        return int(total) // size.divisor if isinstance(size, FloorSize) else int(total)

    def shape(self, factors: Sequence[Any]) -> tuple[int, ...]:
        """The numbers of factors."""
        return tuple(self.size(f) for f in factors)

    def choose(self, name: str, shape: tuple[int, ...], positive: bool) -> Any:
        """The elements of an input: short fractions, so that what is wrong is shown by short numbers."""
        if name not in self.inputs:
            count = math.prod(shape)
            numbers = [self.random.choice([-1, 1]) * self.random.randint(1, 15) / 8 for _ in range(count)]
            numbers = self._different(count) if self.rough else numbers
            self.inputs[name] = np.asarray(np.array(numbers).reshape(shape) / (8 if self.small else 1))
            if positive or self.positive:
                self.inputs[name] = np.asarray(np.abs(self.inputs[name]) / (2 if self.positive else 1))
        return self.inputs[name]

    def _different(self, count: int) -> list[float]:
        """Numbers between -2 and 2, no two of which have the same magnitude."""
        steps = 2 ** max(6, (4 * count).bit_length())
        return [self.random.choice([-2, 2]) * k / steps for k in self.random.sample(range(1, steps), count)]

    def table(self, name: str, shape: tuple[int, ...], below: int) -> Any:
        """The elements of labels."""
        if name not in self.tables:
            self.tables[name] = np.array([self.random.randrange(below) for _ in range(math.prod(shape))], dtype=int).reshape(shape)
        return self.tables[name]

    # Normal forms.

    def tensor(self, x: Any) -> Any:
        """All elements of a tensor, in its shape."""
        with np.errstate(all="ignore"):
            return self._tensor(x)

    def _tensor(self, x: Any) -> Any:
        order = [axis_indices(k, factors) for k, factors in enumerate(x.dims)]
        symbolic = [i for axis in order for i in axis]
        full = self.shape([f for factors in x.dims for f in factors])
        result = np.empty(full)
        places = [isinstance(f, int) for factors in x.dims for f in factors]
        for at, P in x.elements_in_order():
            numbers = iter(at)
            key = tuple(next(numbers) if known else slice(None) for known in places)
            result[key] = self.polynomial(P, symbolic)
        return result.reshape([math.prod(self.shape(factors)) for factors in x.dims])

    def polynomial(self, P: Polynomial, indices: Sequence[Index]) -> Any:
        """The values for all numbers of these indices, one axis for each."""
        shape = self.shape([i.size for i in indices])
        total = np.zeros(shape)
        for m, c in P.terms.items():
            total = total + float(c) * self._product(m, indices)
        return total

    def _product(self, m: Monomial, indices: Sequence[Index]) -> Any:
        """A product of atoms, summed over the indices that are not among these."""
        operands: list[Any] = []
        numbers: dict[Index, int] = {}
        for atom, e in m:
            own, value = self._atom(atom)
            value = value if e == 1 else value ** float(e) if e != int(e) else value ** int(e) if e > 0 else 1 / value ** int(-e)
            operands += [value, [numbers.setdefault(i, len(numbers)) for i in own]]
        out = [i for i in indices if i in numbers]
        if len(numbers) > LETTERS:
            raise NotCaptured("a formula with too many indices to be looked at in numbers")
        value = np.einsum(*operands, [numbers[i] for i in out], optimize="greedy") if operands else np.array(1.0)
        return value.reshape([self.size(i.size) if i in numbers else 1 for i in indices])

    def _index(self, index: Index, own: Sequence[Index]) -> Any:
        """The numbers of an index, along the axes of the indices on which it depends."""
        if index == UNIT:
            return np.array(0)
        if isinstance(index, Lookup):
            return self.tables[index.table][tuple(self._index(i, own) for i in index.arguments)]
        if is_number(index):
            return np.array(int(index.name[1:]))
        return np.arange(self.size(index.size)).reshape((-1,) + (1,) * (len(own) - 1 - own.index(index)))

    def _atom(self, atom: Atom) -> tuple[list[Index], Any]:
        """The indices on which an atom depends, and its values."""
        if atom not in self._known:
            own = sorted(atom.free, key=str)
            self._known[atom] = own, np.broadcast_to(self._value(atom, own), self.shape([i.size for i in own]))
        return self._known[atom]

    def _value(self, atom: Atom, own: list[Index]) -> Any:
        match atom:
            case Entry():
                return self._entry(atom, own)
            case Count():
                return np.array(float(self.size(atom.size)))
            case Delta():
                return (self._index(atom.i, own) == self._index(atom.j, own)).astype(float)
            case Indicator():
                return self._indicator(atom.argument, own)
            case Exponential():
                return np.exp(self._product(atom.exponent, own))
            case Logarithm():
                return np.log(self.polynomial(atom.argument, own))
            case Base() | Root():
                return self.polynomial(atom.argument, own)
            case Application():
                return self._application(atom, self.polynomial(atom.argument, own))
            case Sum():
                return self._product(atom.body, own)
            case Maximum():
                return self.polynomial(atom.body, [atom.index, *own]).max(axis=0)
            case Selected():
                first = self.polynomial(atom.maximum.body, [atom.maximum.index, *own]).argmax(axis=0)
                return (first == self._index(atom.index, own)).astype(float)
        raise NotCaptured(f"the value of a {type(atom).__name__}")

    def _indicator(self, P: Polynomial, own: list[Index]) -> Any:
        values = self.polynomial(P, own)
        if not any(isinstance(atom, Maximum) for atom in P.atoms):  # x - max(x) is 0 where x is the largest
            self.at_kink |= bool((np.abs(values) < NEAR).any())
        return (values < 0).astype(float)

    def _entry(self, atom: Entry, own: list[Index]) -> Any:
        name = atom.variable.name
        if name in NUMBERS:
            return np.array(NUMBERS[name])
        place = tuple(self._index(i, own) for i in flat(atom.row, atom.column))
        if name in self.run.fixed:
            rows, columns = self.size_of(atom.variable.rows), self.size_of(atom.variable.columns)
            values: Any = np.asarray(self.run.fixed[name](self.size, rows, columns), dtype=float).reshape(rows, columns)
            row, column = (self._index(cast(Index, i), own) for i in (atom.row, atom.column))
            return values[row, column]
        return self.inputs[name].reshape(self.shape(factors_of(atom.variable.rows)))[place]

    def size_of(self, size: Any) -> int:
        """A size that may be a product."""
        return math.prod(self.shape(factors_of(size)))

    def _application(self, atom: Application, x: Any) -> Any:
        from scipy.special import ndtr

        if atom.function == SINE:
            return np.sin(x + atom.order * math.pi / 2)
        if atom.function == NORMAL_CDF:
            return ndtr(x)
        if atom.function == ARCTAN:
            return np.arctan(x)
        if atom.function in (ROUND, FLOOR):
            return np.round(x) if atom.function == ROUND else np.floor(x)
        raise NotCaptured(f"the value of {atom.function.name}")
