"""The change of a backward pass that makes it right, or the two: it must be right at points, and is then proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from operator import mul, truediv
from typing import Any

import numpy as np

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.all_sizes.text import text
from sympy_validation.foreign import gradients
from sympy_validation.foreign.code import Code
from sympy_validation.foreign.gradients import Captured
from sympy_validation.foreign.reasons import readable, source_line
from sympy_validation.foreign.recorded import Recorded
from sympy_validation.foreign.sizes import Dim
from sympy_validation.foreign.tensor import Storage
from sympy_validation.foreign.values import FloatPoint
from sympy_validation.search import Candidate, Group, exchanged, simplest

SECONDS = 3.0
"""How long a repair is searched for."""
SHORT = 160
"""A formula of so many characters is shown."""
Change = Callable[[Any, Any, Any, Any], Any]
Key = tuple[str, ...]


@dataclass
class SeenValue:
    """A tensor of the backward pass, from which operation on it is there, and the keys of what it is made of."""

    words: str
    tensor: Storage
    since: int
    made_of: set[Key] = field(default_factory=set)


def advice(code: Code, theorem: Captured, wrong: Sequence[str]) -> str:
    """The change in words, or what is missing; empty if neither is found."""
    try:
        search = Repairs(code, theorem, wrong)
        return search.exchanged() or search.summed() or search.scaled() or search.operation() or search.missing()
    except Exception:
        return ""  # a repair is a courtesy: the verdict stands without it


class Repairs:
    """The search, at two points."""

    def __init__(self, code: Code, theorem: Captured, wrong: Sequence[str]) -> None:
        self.code, self.theorem, self.wrong = code, theorem, tuple(wrong)
        L = gradients.loss(theorem)
        self.wanted = {n: gradients.want(theorem, n, L) for n, g in theorem.found.items() if g is not None}
        names = sorted({str(s) for x in (*theorem.values.values(), *theorem.outputs) for s in _sizes(x)})
        self.sizes = [Size(name) for name in names]
        self.points = [self._point({name: 2 + (k + n) % 3 for k, name in enumerate(names)}, n) for n in range(2)]
        self.right = {n: [point.tensor(x) for point in self.points] for n, x in self.wanted.items()}

    def _point(self, sizes: Mapping[str, int], seed: int) -> FloatPoint:
        point = FloatPoint(self.theorem.run, sizes, seed)
        for name, x in self.theorem.values.items():
            for atom_name, shape, kind in _inputs(name, x, point):
                if kind:
                    point.table(atom_name, shape, kind)
                else:
                    point.choose(atom_name, shape, True)
        for k, y in enumerate(self.theorem.upstream):
            name = "dY" if len(self.theorem.upstream) == 1 else f"dY{k + 1}"
            point.choose(name, point.shape([f for d in y.dims for f in d]), False)
        return point

    def holds(self, name: str, found: Any) -> bool:
        """Whether the gradient is right at the points, and then for all sizes."""
        return self.near(name, found) and gradients.equal(self.wanted[name], self._fitted(name, found), self.theorem.run)

    def near(self, name: str, found: Any) -> bool:
        """Whether the gradient is right at the points."""
        fitted = self._fitted(name, found)
        if fitted.dims != self.wanted[name].dims:
            return False
        with np.errstate(all="ignore"):
            pairs = zip(self.points, self.right[name], strict=True)
            return all(np.allclose(point.tensor(fitted), right, rtol=1e-9, atol=1e-12) for point, right in pairs)

    def _fitted(self, name: str, found: Any) -> Any:
        return gradients.fitted(Storage.of(found), self.wanted[name].dims, self.code.style)

    def exchanged(self) -> str:
        """Gradients that are returned in another order."""
        order = exchanged(self.wrong, lambda a, b: self.holds(a, self.theorem.found[b]))
        said = ", ".join(f"what stands for d{b} is d{a}" for a, b in order.items())
        return f"they are returned in another order: {said}" if order else ""

    def summed(self) -> str:
        """A gradient that is not summed over the axes along which the input was repeated."""
        for name in self.wrong:
            found, wanted = self.theorem.found[name], self.wanted[name]
            for axes in combinations(range(found.ndim), max(found.ndim - wanted.ndim, 0)):
                if axes and self.holds(name, found.sum(axes)):
                    return f"sum d{name} over the axes {', '.join(map(str, axes))}, along which {name} was repeated"
        return ""

    def scaled(self) -> str:
        """A whole gradient that a factor makes right: a number, a size, or the gradient of the output."""
        if len(self.wrong) > 1:
            return ""
        (name,) = self.wrong
        found = self.theorem.found[name]
        factors: list[tuple[str, Any]] = [("-1", -1), ("2", 2), ("3", 3)] + [(str(s), Dim((s,))) for s in self.sizes]
        factors += [(f"√{s}", Dim((s,)).sqrt()) for s in self.sizes]
        factors += [("the gradient of the output", y) for y in self.theorem.upstream if y.ndim == 0]
        factors += [(n, x) for n, x in self.theorem.values.items() if isinstance(x, Storage) and x.ndim <= found.ndim]
        for words, c in factors:
            for verb, operator in (("multiply", mul), ("divide", truediv)):
                try:
                    if self.holds(name, operator(found, c)):
                        return "its sign is wrong" if words == "-1" else f"{verb} d{name} by {words}"
                except Exception:
                    continue  # shapes that do not fit
        return ""

    def operation(self) -> str:
        """One operation of the backward pass, done otherwise; or two."""
        again = self.theorem.again
        assert again
        again({})
        recorded = list(self.theorem.run.operations)
        values = self._values(recorded)
        candidates = [
            Candidate((cost, n), n, change, words)
            for n, entry in enumerate(recorded)
            for cost, words, change in (
                *changes(entry.name, entry.operands, entry.result, self.sizes),
                *self._replaced(recorded, values, n),
            )
        ]

        def found(group: Group) -> dict[str, Any]:
            return {name: x for name, x in again({c.at: c.change for c in group}).items() if name in self.wanted and x is not None}

        def right(group: Group) -> set[str]:
            return {name for name, x in found(group).items() if self.near(name, x)}

        group = simplest(candidates, right, set(self.wanted), SECONDS)
        if not all(self.holds(name, x) for name, x in found(group).items()):
            return ""
        return "; and ".join(f"in {_called(c.at, recorded[c.at], self.code)} {c.words}" for c in group)

    def _replaced(self, recorded: Sequence[Recorded], values: Mapping[Key, SeenValue], n: int) -> Iterator[tuple[int, str, Change]]:
        """Another value in the place of an operand: one of the same shape that is made of it, or of which it is made."""
        entry = recorded[n]
        if entry.name not in ("mul", "div", "add", "sub", "matmul"):
            return
        for k, x in enumerate(entry.operands):
            if not isinstance(x, Storage) or x.ndim == 0 or (known := values.get(_key(x))) is None:
                continue
            for key, value in values.items():
                if value.since <= n and value.tensor.dims == x.dims and (key in known.made_of or _key(x) in value.made_of):
                    yield 2, f"put {value.words} in the place of operand {k + 1}", _with_operand(k, value.tensor)

    def _values(self, recorded: Sequence[Recorded]) -> dict[Key, SeenValue]:
        """The different values of the backward pass, as they come up: inputs, operands and results."""
        inputs = [*((n, x) for n, x in self.theorem.values.items()), *(("the gradient of the output", y) for y in self.theorem.upstream)]
        found: dict[Key, SeenValue] = {}
        for words, x in inputs:
            if isinstance(x, Storage):
                found.setdefault(_key(x), SeenValue(words, x, 0))
        for k, entry in enumerate(recorded):
            called = _called(k, entry, self.code)
            operands = {_key(x): (number, x) for number, x in enumerate(entry.operands, 1) if isinstance(x, Storage)}
            for key, (number, x) in operands.items():
                found.setdefault(key, SeenValue(f"the operand {number} of {called}", x, k))
            result = found.setdefault(_key(entry.result), SeenValue(f"the result of {called}", entry.result, k + 1))
            result.made_of.update(operands.keys() - {_key(entry.result)})
        return found

    def missing(self) -> str:
        """What the gradient should have in addition, if it is short."""
        for name in self.wrong:
            found = gradients.fitted(self.theorem.found[name], self.wanted[name].dims, self.code.style)
            if found.dims != self.wanted[name].dims:
                continue
            rest = [gradients.normal(P) - gradients.normal(found.array[at]) for at, P in self.wanted[name].elements_in_order()]
            shown = readable(text(rest[0])) if len(rest) == 1 else ""
            if shown and len(shown) <= SHORT:
                return f"d{name} lacks {shown}"
        return ""


def _called(number: int, entry: Recorded, code: Code) -> str:
    """An operation in words: by its line or, where it has none, by its number."""
    source = source_line(*entry.place, code) if code.style != "jax" else ""  # what JAX has traced is run by the one who asks
    source = source or f"operation {number + 1} of the backward pass"
    return f"{source} ({entry.name}, of shape ({', '.join(map(str, entry.result.shape))}))"


def _key(x: Storage) -> Key:
    """What is the same for tensors with the same elements."""
    return (str(x.dims), *(P.key for P in x.array.flat))


def _with_operand(k: int, y: Storage) -> Change:
    return lambda f, operands, given, result: f(*operands[:k], y, *operands[k + 1 :], **given)


def _sizes(x: Any) -> list[Size]:
    from sympy_validation.foreign.jax_code import _sizes_of

    return _sizes_of(x)


def _inputs(name: str, x: Any, point: FloatPoint) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """The inputs that have elements: their shapes and, of labels, the size below which they are."""
    from sympy_validation.foreign.labels import Labels

    if isinstance(x, (Storage, Labels)):
        yield name, point.shape([f for d in x.dims for f in d]), point.size(x.size) if isinstance(x, Labels) else 0


def _binary(name: str) -> Change:
    return lambda f, operands, given, result: getattr(Storage.of(operands[0]), name)(*operands[1:])


def _by(operator: Callable[[Any, Any], Any], c: Any) -> Change:
    return lambda f, operands, given, result: operator(result, c)


def _to_power(e: Any) -> Change:
    return lambda f, operands, given, result: Storage.of(operands[0]).pow(e)


def _over_axes(axes: Sequence[int]) -> Change:
    return lambda f, operands, given, result: f(operands[0], axes, *operands[2:], **given)


def changes(name: str, operands: Any, result: Any, sizes: Sequence[Size]) -> Iterator[tuple[int, str, Change]]:
    """Changes of one operation: how common the mistake is, what should be done, and how."""
    if name in ("add", "sub"):
        yield (
            0,
            "add in the place of subtracting" if name == "sub" else "subtract in the place of adding",
            _binary("add" if name == "sub" else "sub"),
        )
    if name in ("sum", "mean"):
        yield 0, f"take the {'mean' if name == 'sum' else 'sum'}", _other_reduction("mean" if name == "sum" else "sum")
    yield 1, "change the sign", lambda f, a, k, r: -r
    if name in ("mul", "div"):
        yield (
            1,
            "divide in the place of multiplying" if name == "mul" else "multiply in the place of dividing",
            _binary("div" if name == "mul" else "mul"),
        )
        yield 2, "leave the second factor out", lambda f, a, k, r: Storage.of(a[0]) + r * 0
        yield 2, "square the second factor", lambda f, a, k, r: Storage.of(getattr(r, "mul" if f.__name__ == "mul" else "div")(a[1]))
    if name in ("matmul", "einsum", "mul"):
        yield from _transposed(operands)
    if name == "mul" and len(operands) == 2:
        yield 3, "square the first factor", lambda f, a, k, r: r * a[0]
    if name == "pow":
        for e in (1, 2, 3, Fraction(1, 2), Fraction(-1, 2), -1, -2, Fraction(-3, 2), -3):
            yield 2, f"take the power {e}", _to_power(e)
    if name == "less":
        yield 2, "compare the other way", lambda f, a, k, r: 1 - r
    for c in (2, 3):
        yield 3, f"multiply by {c}", _by(mul, c)
        yield 3, f"divide by {c}", _by(truediv, c)
    for s in sizes:
        yield 3, f"divide by {s}", _by(truediv, Dim((s,)))
        yield 3, f"multiply by {s}", _by(mul, Dim((s,)))
        yield 4, f"divide by √{s}", _by(truediv, Dim((s,)).sqrt())
    if name == "sum" and result.ndim:
        for n in range(1, Storage.of(operands[0]).ndim + 1):
            for axes in combinations(range(Storage.of(operands[0]).ndim), n):
                yield 2, f"sum over the axes {', '.join(map(str, axes))}", _over_axes(axes)
    yield 5, "take 0", lambda f, a, k, r: r * 0


def _other_reduction(name: str) -> Change:
    return lambda f, operands, given, result: getattr(Storage.of(operands[0]), name)(*operands[1:], **given)


def _transposed(operands: Any) -> Iterator[tuple[int, str, Change]]:
    for n, x in enumerate(operands):
        if isinstance(x, Storage) and x.ndim >= 2 and x.dims[-1] == x.dims[-2] and x.dims[-1]:

            def change(f: Any, a: Any, k: Any, r: Any, n: int = n) -> Any:
                return f(*(y.swapaxes(-1, -2) if j == n else y for j, y in enumerate(a)), **k)

            yield 1, f"transpose the operand {n + 1}", change
