"""Atoms and monomials: the factors of a normal form, interned, with what is known of each without looking into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, TypeAlias
from weakref import WeakValueDictionary

from sympy_validation.all_sizes.symbols import (
    Function,
    Index,
    Indices,
    Lookup,
    Number,
    Size,
    Variable,
    inside,
    is_number,
)


class NormalForm:
    """An atom or a polynomial, which may be a part of an atom; states what is known of it without looking into it."""

    @property
    def key(self) -> str:
        """Text that is the same if and only if the normal form is."""
        raise NotImplementedError

    @property
    def free(self) -> frozenset[Index]:
        """The indices on which the value depends."""
        raise NotImplementedError

    @property
    def level(self) -> int:
        """The depth of the sums inside: the greatest level of a bound index."""
        raise NotImplementedError

    def marked(self, marks: Mapping[Index, str]) -> str:
        """Text that no renaming of indices changes, in which some indices are shown by a mark of their own."""
        raise NotImplementedError


class Interned(type):
    """Makes calling a class return the one atom with these parts."""

    table: ClassVar[WeakValueDictionary[str, Any]] = WeakValueDictionary()

    def __call__(cls, *parts: Any) -> Any:
        atom = super().__call__(*parts)
        return Interned.table.setdefault(atom.key, atom)


@dataclass(frozen=True, eq=False)
class Atom(NormalForm, metaclass=Interned):
    """A factor of a monomial. Subclasses state their parts as fields; everything below follows from the parts."""

    @property
    def parts(self) -> tuple[Any, ...]:
        """The fields that distinguish this atom from others of its class."""
        return tuple(vars(self)[name] for name in self.__dataclass_fields__)

    @cached_property
    def key(self) -> str:
        return f"{type(self).__name__}({','.join(_key(part) for part in self.parts)})"

    @cached_property
    def free(self) -> frozenset[Index]:
        return frozenset().union(*(_free(part) for part in self.parts))

    @cached_property
    def level(self) -> int:
        return max((_level(part) for part in self.parts), default=0)

    @cached_property
    def shape(self) -> str:
        """Text that no renaming of indices changes."""
        return self.marked({})

    def marked(self, marks: Mapping[Index, str]) -> str:
        return f"{type(self).__name__}({','.join(_marked(part, marks) for part in self.parts)})"


@dataclass(frozen=True, eq=False)
class Binder(Atom):
    """A factor that binds indices: a sum, or a maximum."""

    @property
    def bound(self) -> frozenset[Index]:
        """The indices that this atom binds; their names are ``^level.number``, and the level exceeds all levels inside."""
        raise NotImplementedError

    @cached_property
    def free(self) -> frozenset[Index]:
        return super().free - self.bound

    @cached_property
    def level(self) -> int:
        return 1 + super().level


Monomial: TypeAlias = tuple[tuple[Atom, Number], ...]
"""Atoms with exponents, sorted by key."""


def key_of(m: Monomial) -> str:
    """Text that is the same if and only if the monomial is."""
    return "·".join(f"{atom.key}^{exponent}" for atom, exponent in m)


def free_indices(m: Monomial) -> frozenset[Index]:
    """The indices on which a monomial depends."""
    return frozenset().union(*(atom.free for atom, _ in m))


def level_of(m: Monomial) -> int:
    """The depth of the sums inside."""
    return max((atom.level for atom, _ in m), default=0)


def marked(m: Monomial, marks: Mapping[Index, str]) -> str:
    """Text of a monomial in which indices are shown by their marks, and those without one by ``?``."""
    return "·".join(sorted(f"{atom.shape if atom.free.isdisjoint(marks) else atom.marked(marks)}^{exponent}" for atom, exponent in m))


def _key(part: Any) -> str:
    match part:
        case Index() | Variable() | Function() | Size() | int() | Fraction():
            return str(part)
        case NormalForm():
            return part.key
    return "·".join(_key(item) if isinstance(item, Index) else f"{item[0].key}^{item[1]}" for item in part)


def _free(part: Any) -> frozenset[Index]:
    match part:
        case Index():
            return inside(part)
        case Indices():
            return frozenset().union(*map(_free, part))
        case NormalForm():
            return part.free
        case tuple() if part and not isinstance(part[0], Index):
            return free_indices(part)
    return frozenset()


def _level(part: Any) -> int:
    match part:
        case NormalForm():
            return part.level
        case tuple() if part and not isinstance(part, Index) and not isinstance(part[0], Index):
            return level_of(part)
    return 0


def _marked(part: Any, marks: Mapping[Index, str]) -> str:
    match part:
        case Lookup():
            return f"@{part.table}({','.join(_marked(index, marks) for index in part.arguments)}):{part.size}"
        case Index():
            return f"{part.name if is_number(part) else marks.get(part, '?')}:{part.size}"
        case NormalForm():
            return part.marked(marks)
        case tuple() if part and isinstance(part[0], Index):
            return "·".join(_marked(index, marks) for index in part)
        case tuple():
            return marked(part, marks)
    return str(part)
