"""Families for interpretations that know single matrices only: a tuple of matrices, on each of which every operation runs.

A class of matrices that is derived from ``Single`` leaves its operators to a ``Family`` on the other side, and matrix operations derived
from ``MemberwiseOps`` run each of their operations on the members of the families among their operands.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar, Size
from nerva_core.interpreters.traced import OPERATIONS, is_primitive

WHOLE = ("family", "member", "split", "join", "members_sum")
"""The operations that take a family as a whole, or make one."""


class Family:
    """The members, which are matrices. A matrix beside a family stands for every member."""

    __slots__ = ("matrices",)
    __array_ufunc__ = None  # an array of NumPy beside it leaves the operator to it

    def __init__(self, matrices: Iterable[Any]) -> None:
        self.matrices = tuple(matrices)

    def __len__(self) -> int:
        return len(self.matrices)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.matrices)

    def __getitem__(self, k: int) -> Any:
        return self.matrices[k]

    def __add__(self, other: Any) -> Family:
        return _each(operator.add, self, other)

    def __radd__(self, other: Any) -> Family:
        return _each(operator.add, other, self)

    def __sub__(self, other: Any) -> Family:
        return _each(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Family:
        return _each(operator.sub, other, self)

    def __neg__(self) -> Family:
        return Family(map(operator.neg, self))

    def __matmul__(self, other: Any) -> Family:
        return _each(operator.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Family:
        return _each(operator.matmul, other, self)

    def __rmul__(self, c: Scalar) -> Family:
        return Family(c * X for X in self)

    def __truediv__(self, c: Scalar) -> Family:
        return Family(X / c for X in self)


def on_matrices(kind: type[Any], change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The change of matrices of that kind, also as members of a family; anything else stays as it is."""

    def changed(value: Any) -> Any:
        if isinstance(value, Family):
            return Family(map(changed, value))
        return change(value) if isinstance(value, kind) else value

    return changed


def beside_families(cls: type[Any]) -> type[Any]:
    """Decorate a class of matrices: its operators with a ``Family`` on the right are those of the family."""
    for name in ("__add__", "__sub__", "__matmul__"):
        setattr(cls, name, _left_to_families(getattr(cls, name)))
    return cls


def _left_to_families(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def left(self: Any, other: Any) -> Any:
        return NotImplemented if isinstance(other, Family) else method(self, other)

    return left


def _each(f: Callable[..., Any], *arguments: Any) -> Family:
    """f for every member of the families among the arguments; ValueError if they have different numbers of members."""
    counts = {len(argument) for argument in arguments if isinstance(argument, Family)}
    if len(counts) != 1:
        raise ValueError(f"families of different numbers of members: {', '.join(map(str, sorted(counts)))}")
    (count,) = counts
    return Family(f(*(a[k] if isinstance(a, Family) else a for a in arguments)) for k in range(count))


def memberwise(method: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that runs on every member of the families among its operands."""

    @functools.wraps(method)
    def each(self: Any, *arguments: Any, **named: Any) -> Any:
        if not any(isinstance(a, Family) for a in arguments):
            return method(self, *arguments, **named)
        return _each(lambda *members: method(self, *members, **named), *arguments)

    return each


class MemberwiseOps(MatrixOps[M]):
    """Matrix operations that are written for single matrices, and run on every member of a family."""

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        for name in set(vars(cls)) & OPERATIONS.keys() - set(WHOLE):
            setattr(cls, name, memberwise(vars(cls)[name]))

    def members(self, F: M) -> Size:
        return len(F) if isinstance(F, Family) else 1

    def family(self, *matrices: M) -> M:
        return cast("M", Family(matrices))

    def member(self, F: M, k: int) -> M:
        return F[k] if isinstance(F, Family) else F

    def of_first(self, X: M) -> M:
        """X, or the first member of a family: what has its shape."""
        return X[0] if isinstance(X, Family) else X


for _name in OPERATIONS.keys() - set(WHOLE):
    if not is_primitive(_name):
        setattr(MemberwiseOps, _name, memberwise(getattr(MatrixOps, _name)))
