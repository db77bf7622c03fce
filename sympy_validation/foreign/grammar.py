"""The shapes of inputs in words: ``"x: B T C, w: C, y: B in K, mask: T T bool, c: T const, s > 0, eps=1e-5, heads=H -> B T C"``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, permutations, product
from typing import Any

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.sizes import Factors, dim, merged

LARGEST = 64
"""The greatest length that is given as a number."""


@dataclass(frozen=True)
class Input:
    """One input: a real tensor, labels, a mask, a size, or a value."""

    name: str
    axes: tuple[tuple[str, ...], ...] = ()
    """For each axis its factors."""
    below: str = ""
    """Of labels the size below which they are."""
    mask: bool = False
    const: bool = False
    positive: bool = False
    size: str = ""
    """The size that is handed over as a number."""
    value: Any = None
    given: bool = False
    """Whether the value is given."""

    @property
    def differentiable(self) -> bool:
        """Whether there is a gradient with respect to it."""
        return not (self.below or self.mask or self.const or self.size or self.given)

    def dims(self, sizes: Mapping[str, int]) -> list[Factors]:
        """The axes, some sizes of which are numbers."""
        return [merged(f for name in axis for f in factors_of_name(name, sizes)) for axis in self.axes]


def factors_of_name(name: str, sizes: Mapping[str, int]) -> Factors:
    """A size or a number as the factors of an axis; 2T as two."""
    match = re.fullmatch(r"(\d*)(.*)", name)
    assert match is not None  # as any text does
    number, letters = match.groups()
    if letters and not letters.isidentifier():
        raise NervaError(f"a size is a name or a number, got {name!r}")
    found: tuple[Any, ...] = (int(number),) if number else ()
    if letters:
        found = (*found, *dim(sizes[letters] if letters in sizes else Size(letters)).factors)
    return found


@dataclass(frozen=True)
class Signature:
    """The inputs, the shapes of the outputs where they are stated, and the numbers that sizes shall have."""

    inputs: tuple[Input, ...]
    outputs: tuple[tuple[tuple[str, ...], ...], ...] = ()
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def sizes(self) -> list[str]:
        """The names of the sizes."""
        words = [word for x in self.inputs for axis in x.axes for word in axis]
        words += [x.below for x in self.inputs if x.below] + [x.size for x in self.inputs if x.size]
        return sorted({re.sub(r"^\d+", "", word) for word in words} - {""})


MOST_ORDERS = 6


def other_orders(signature: Signature) -> Iterator[Signature]:
    """The same shapes with the factors of products in other orders: the same lengths, numbered in another way."""
    axes = [tuple(_words(axis)) for x in signature.inputs for axis in x.axes]
    products = sorted({tuple(sorted(axis)) for axis in axes if len(axis) > 1})
    for orders in islice(product(*map(permutations, products)), MOST_ORDERS):
        chosen = dict(zip(products, orders, strict=True))

        def reordered(axis: tuple[str, ...], chosen: Mapping[tuple[str, ...], tuple[str, ...]] = chosen) -> tuple[str, ...]:
            return chosen.get(tuple(sorted(_words(axis))), axis)

        inputs = tuple(replace(x, axes=tuple(map(reordered, x.axes))) for x in signature.inputs)
        if products and any(
            tuple(_words(a)) != b for x, y in zip(signature.inputs, inputs, strict=True) for a, b in zip(x.axes, y.axes, strict=True)
        ):
            yield replace(signature, inputs=inputs)


def _words(axis: tuple[str, ...]) -> list[str]:
    """The factors of an axis, of 2T as of (2 T)."""
    return [part for word in axis for part in re.findall(r"\d+|[A-Za-z_]\w*", word)]


def parse(text: str) -> Signature:
    """The signature that the words state; NervaError for others."""
    left, arrow, right = text.partition("->")
    inputs, numbers = list[Input](), dict[str, tuple[int, ...]]()
    for part in _parts(left):
        match = re.fullmatch(r"([A-Z]\w*)\s*=\s*(\d+)\s*\.\.\s*(\d+)", part)
        if match:
            low, high = int(match[2]), int(match[3])
            if not 1 <= low <= high <= low + 7:
                raise NervaError(f"a range of sizes has one to eight numbers from 1, got {part!r}")
            numbers[match[1]] = tuple(range(low, high + 1))
        else:
            inputs.append(_input(part))
    names = [x.name for x in inputs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise NervaError(f"{', '.join(sorted(twice))} is stated twice in {text!r}")
    if not any(x.differentiable for x in inputs):
        raise NervaError(f"there is no real input in {text!r}: write, for instance, 'x: N D'")
    signature = Signature(tuple(inputs), tuple(_axes(p.partition(":")[2] or p) for p in _parts(right)) if arrow else (), numbers)
    lengths = {word for x in inputs for axis in x.axes for word in _words(axis)} | {x.below for x in inputs}
    for x in inputs:
        if (len(x.size) > 1 or x.size.islower()) and x.size != x.name and x.size not in lengths:
            raise NervaError(f"{x.size} in '{x.name}={x.size}' is the size of no axis; a text stands in quotes: {x.name}='{x.size}'")
    unknown = set(numbers) - set(signature.sizes())
    if unknown:
        raise NervaError(f"{', '.join(sorted(unknown))} is the size of nothing in {text!r}")
    return signature


def _parts(text: str) -> list[str]:
    """The parts between commas that are in no brackets."""
    found, depth, current = list[str](), 0, ""
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            found.append(current.strip())
            current = ""
        else:
            current += c
    return [part for part in [*found, current.strip()] if part]


def _input(part: str) -> Input:
    name, equals, value = part.partition("=")
    if equals and ":" not in name:
        if value.strip().isidentifier() and value.strip() not in ("None", "True", "False"):
            return Input(_name(name), size=value.strip())
        try:
            return Input(_name(name), value=ast.literal_eval(value.strip()), given=True)
        except (ValueError, SyntaxError) as error:
            raise NervaError(
                f"the value of {name.strip()} must be a number, a text, a tuple, None, True or False, got {value.strip()!r}"
            ) from error
    name, _, shape = part.partition(":")
    positive = bool(re.search(r">\s*0\s*$", name)) or bool(re.search(r">\s*0\s*$", shape))
    name, shape = (re.sub(r">\s*0\s*$", "", s) for s in (name, shape))
    words = shape.split()
    if words == ["size"]:
        return Input(_name(name), size=_name(name))
    below = re.search(r"\bin\s+(\w+)\s*$", shape)
    if below:
        return Input(_name(name), _axes(shape[: below.start()]), below=below[1])
    kinds = {word for word in words if word in ("bool", "const")}
    return Input(
        _name(name), _axes(re.sub(r"\b(bool|const)\b", "", shape)), mask="bool" in kinds, const="const" in kinds, positive=positive
    )


def _name(text: str) -> str:
    name = text.strip()
    if not name.isidentifier():
        raise NervaError(f"an input has a name, got {text.strip()!r}; write, for instance, 'x: N D, w: D K, y: N in K, eps=1e-5'")
    return name


def _axes(text: str) -> tuple[tuple[str, ...], ...]:
    axes = []
    for word in re.findall(r"\([^()]*\)|[^\s()]+", text):
        factors = tuple(word.strip("()").replace("*", " ").split())
        for factor in factors:
            factors_of_name(factor, {})
            if factor.isdigit() and not 0 < int(factor) <= LARGEST:
                raise NervaError(f"write a letter for {factor}: what is proved then holds for every size")
        axes.append(factors)
    return tuple(axes)
