"""einops as a user's code sees it: rearrange, reduce, repeat and einsum by their patterns, on tensors of symbols."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer
from sympy_validation.foreign.functions import product_of_all
from sympy_validation.foreign.products import LETTERS, Products
from sympy_validation.foreign.tensor import Storage

Groups = list[list[str]]
"""The axes of a pattern, each with the names of its factors; none for an axis of length 1."""
WORDS = r"\([^()]*\)|[^\s()]+"
"""The axes in a pattern."""


def groups_of(side: str, ndim: int, pattern: str) -> Groups:
    """One side of a pattern; the dots stand for as many axes as are left of ndim."""
    words = re.findall(WORDS, side)
    if any("..." in word and word != "..." for word in words):
        raise NotCaptured(f"dots in brackets, in {pattern!r}")
    found: Groups = []
    for word in words:
        if word == "...":
            found += [[f"…{k}"] for k in range(ndim - len(words) + 1)]
        else:
            found.append([name for name in word.strip("()").split() if name != "1"])
    return found


def sides(pattern: str, ndim: int) -> tuple[Groups, Groups]:
    """Both sides of a pattern, for a tensor with so many axes."""
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise ShapesDiffer(f"the pattern {pattern!r} has no ->")
    before = groups_of(left, ndim, pattern)
    dots = sum(name.startswith("…") for group in before for name in group)
    after = groups_of(right, dots + len(re.findall(WORDS, right)) - ("..." in right), pattern)
    if len(before) != ndim:
        raise ShapesDiffer(f"the pattern {pattern!r} has {len(before)} axes, and the tensor {ndim}")
    return before, after


def split(x: Any, groups: Groups, given: Mapping[str, Any], pattern: str) -> tuple[Any, dict[str, Any]]:
    """The tensor with an axis for every name, and the lengths by the names."""
    lengths: dict[str, Any] = {}
    for group, length in zip(groups, x.shape, strict=True):
        unknown = [name for name in group if name not in given]
        known = product_of_all(given[name] for name in group if name in given)
        if len(unknown) > 1:
            raise NotCaptured(f"the lengths of {' and '.join(unknown)} are not given, in {pattern!r}")
        lengths |= {name: given[name] for name in group if name in given}
        if unknown:
            lengths[unknown[0]] = length if isinstance(known, int) and known == 1 else length // known
    return x.reshape(*(lengths[name] for group in groups for name in group)), lengths


def joined(x: Any, names: Sequence[str], groups: Groups, lengths: Mapping[str, Any]) -> Any:
    """The tensor, an axis of which has each name, with the axes of the groups."""
    order = [name for group in groups for name in group]
    y = x.permute(*(names.index(name) for name in order)) if order else x
    return y.reshape(*(product_of_all(lengths[name] for name in group) for group in groups)).copy()


def as_one(x: Any) -> Any:
    """A list of tensors as one with a new first axis."""
    return Products.stack([Storage.of(part) for part in x]) if isinstance(x, (list, tuple)) else x


def rearrange(x: Any, pattern: str, **given: Any) -> Any:
    """The elements at other places."""
    x = as_one(x)
    before, after = sides(pattern, x.ndim)
    y, lengths = split(x, before, given, pattern)
    names = [name for group in before for name in group]
    if sorted(names) != sorted(name for group in after for name in group):
        raise ShapesDiffer(f"the names on both sides of {pattern!r} are not the same")
    return joined(y, names, after, lengths)


def reduce(x: Any, pattern: str, reduction: Any, **given: Any) -> Any:
    """A sum, mean, maximum, minimum or product over the names that are not on the right."""
    x = as_one(x)
    before, after = sides(pattern, x.ndim)
    y, lengths = split(x, before, given, pattern)
    names = [name for group in before for name in group]
    kept = [name for name in names if any(name in group for group in after)]
    axes = tuple(k for k, name in enumerate(names) if name not in kept)
    if not isinstance(reduction, str):
        raise NotCaptured("a reduction by a function: name it, as in 'sum'")
    if axes:
        y = getattr(Products, reduction)(y, axes)
    return joined(y, kept, after, lengths)


def repeat(x: Any, pattern: str, **given: Any) -> Any:
    """The elements repeated along the names that are only on the right."""
    x = as_one(x)
    before, after = sides(pattern, x.ndim)
    y, lengths = split(x, before, given, pattern)
    names = [name for group in before for name in group]
    for name in (name for group in after for name in group if name not in names):
        length = int(name) if name.isdigit() else given.get(name)
        if length is None:
            raise ShapesDiffer(f"the length of {name} is not given, in {pattern!r}")
        y = y.with_axis(y.ndim)
        y = y.expand(*y.shape[:-1], length)
        names, lengths[name] = [*names, name], length
    return joined(y, names, after, lengths)


def einsum(*operands: Any) -> Any:
    """The sum of products, whose axes have words for names."""
    *tensors, pattern = operands
    inputs, _, output = pattern.partition("->")
    names = list(dict.fromkeys(re.findall(r"[A-Za-z_]\w*", pattern)))
    letters = dict(zip(names, LETTERS, strict=False))

    def short(side: str) -> str:
        return "".join(letters.get(word, word) for word in side.split())

    return Products.einsum(f"{','.join(map(short, inputs.split(',')))}->{short(output)}", *tensors)


EINOPS: dict[str, Callable[..., Any]] = {"rearrange": rearrange, "reduce": reduce, "repeat": repeat, "einsum": einsum}
