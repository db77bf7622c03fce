"""The hyper-parameters with which a user's layer is run on numbers: the ordinary ones, and every one that code may treat differently."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from nerva_core.algebra.registry import Entry, user_fields
from nerva_core.equations.activations import Activation, Tanh
from nerva_core.equations.initializers import Initializer
from nerva_core.layers import Layer, Linear, Sequential, Softmax
from nerva_core.layers.base import is_size_of
from sympy_validation.mentioned import mentioned, values_beside
from sympy_validation.symbols import bounds, is_arbitrary

FLOATS = (0.5, 1.0, 2.0, 0.0, -0.75, 1.5, -1.0)
COMBINATIONS = 32
"""The most combinations of literals and booleans that are tried."""
OUTPUTS, SEQUENCE = object(), object()


@dataclass(frozen=True)
class Choice:
    """One value for each hyper-parameter."""

    entry: type[Entry]
    values: Mapping[str, Any]
    changed: tuple[str, ...]
    as_layer: Callable[[Any], Any]
    """What runs on numbers: a layer, or an update rule as it is."""

    @property
    def ordinary(self) -> bool:
        """Whether these are the values given, the defaults, or what an annotation names: the layer has to run with them."""
        return not self.changed

    @property
    def has_outputs(self) -> bool:
        """Whether the number of outputs is K."""
        return any(value is OUTPUTS for value in self.values.values())

    @property
    def words(self) -> list[str]:
        """The values that are not the ordinary ones."""
        return [f"{name}={self.values[name]}" for name in self.changed]

    def make(self, D: int, K: int) -> Any:
        """The layer for an input of D columns, or the update rule."""
        meanings: dict[object, Callable[[], Any]] = {OUTPUTS: lambda: K, SEQUENCE: lambda: Sequential((Linear(D), Softmax()))}
        values = {name: meanings[value]() if value is OUTPUTS or value is SEQUENCE else value for name, value in self.values.items()}
        return self.as_layer(self.entry(**values))


def choices(entry: type[Entry], given: Mapping[str, Any], as_layer: Callable[[Any], Any]) -> list[Choice]:
    """The ordinary values first; then every literal and boolean, and other numbers for one hyper-parameter at a time.

    Empty if a value is needed that is neither given nor known here.
    """
    ranges = {}
    for field in dataclasses.fields(entry):
        if field.init:
            ranges[field.name] = [given[field.name]] if field.name in given else _values(entry, field)
    if not all(ranges.values()):
        return []
    base = {name: values[0] for name, values in ranges.items()}
    found = [Choice(entry, base, (), as_layer)]
    finite = finite_values(entry, given)
    for combination in itertools.islice(itertools.product(*finite.values()), COMBINATIONS):
        values = dict(zip(finite, combination, strict=True))
        changed = tuple(name for name, value in values.items() if value != base[name])
        if changed:
            found.append(Choice(entry, base | values, changed, as_layer))
    for name in ranges.keys() - finite.keys():
        found += [Choice(entry, base | {name: value}, (name,), as_layer) for value in ranges[name][1:]]
    return found


def finite_values(entry: type[Entry], given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The hyper-parameters that are literals or booleans, and are not given, with all their values, the default first."""
    hints = typing.get_type_hints(entry, include_extras=True)
    found = {}
    for field in dataclasses.fields(entry):
        values = _all_values(hints[field.name])
        if values and field.init and field.name not in given:
            found[field.name] = tuple(sorted(values, key=lambda value: value != field.default))
    return found


def _all_values(hint: Any) -> tuple[Any, ...]:
    """The values of a literal, a boolean or an enumeration, or of one of these and None; empty if there may be any others."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    if hint is type(None):
        return (None,)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [_all_values(part) for part in typing.get_args(hint)]
        return tuple(value for part in parts for value in part) if all(parts) else ()
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return tuple(hint)
    return (False, True) if hint is bool else ()


def concrete(entry: type[Entry], given: Mapping[str, Any], defaults: Mapping[str, Any], symbols: Mapping[str, Any] = {}) -> tuple[str, ...]:
    """What is a number, a word, a boolean or a pattern in a proof, hyper-parameters and the number of columns, as a condition of it.

    ``given`` and ``defaults`` are values that take the place of symbols; ``symbols`` are counts that are any size.
    """
    texts = [f"{name} = {value}" for name, value in _concrete(entry, given, defaults) if name not in symbols]
    columns = getattr(entry, "columns", None)
    widths = (f"for D = {columns}",) if columns is not None else ()
    return (f"for {', '.join(texts)}", *widths) if texts else widths


def _concrete(entry: type[Entry], given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The hyper-parameters that are no symbols, but of a value; equations do not use an initializer."""
    hints = typing.get_type_hints(entry, include_extras=True)
    for field in _fields(entry):
        symbol = is_size_of(entry, field.name) or is_arbitrary(hints[field.name])
        values = [{**defaults, **given}[field.name]] if field.name in {**defaults, **given} else [] if symbol else list(_default(field))
        for value in values:
            parts = value if isinstance(value, tuple) and value else (value,)
            if not any(isinstance(part, Initializer) for part in parts) and not (symbol and isinstance(value, Entry)):
                yield field.name, value


def _fields(entry: type[Entry]) -> list[dataclasses.Field[Any]]:
    """The fields that are given; what a network finds out is hidden, if the layer takes anything from the network."""
    binds = issubclass(entry, Layer) and (entry.bind is not Layer.bind or entry.for_any_data is not Layer.for_any_data)
    return [*user_fields(entry).values()] if binds else [field for field in dataclasses.fields(entry) if field.init]


def options(entry: type[Entry], given: Mapping[str, Any], defaults: Mapping[str, Any], symbols: Mapping[str, Any] = {}) -> dict[str, Any]:
    """The conditions of a theorem about a user's entry and, of the values in them, those that nobody has asked for."""
    unasked = [f"{name} = {value}" for name, value in _concrete(entry, given, defaults) if name not in {*given, *symbols}]
    columns = getattr(entry, "columns", None)
    unasked += [f"D = {columns}"] * (columns is not None)
    positive = [f"{name} > 0" for name in symbols if not _is_count(typing.get_type_hints(entry, include_extras=True)[name])]
    conditions = (*concrete(entry, given, defaults, symbols), *(f"for {text}" for text in positive))
    return {"conditions": conditions, "unasked": (*unasked, *positive)}


def _is_count(hint: Any) -> bool:
    """Whether a whole number is declared to be at least 1, as a size is."""
    low, _, closed = bounds(hint) if typing.get_origin(hint) is Annotated else (None, None, False)
    return low is not None and low >= 0 and (low > 0 or not closed)


def counts(entry: type[Entry], given: Mapping[str, Any]) -> tuple[str, ...]:
    """The hyper-parameters that are whole numbers, and not given: each may be any size, which is a restriction unless it is a ``Count``."""
    hints = typing.get_type_hints(entry, include_extras=True)
    own = [
        field.name for field in dataclasses.fields(entry) if field.init and field.name not in given and not is_size_of(entry, field.name)
    ]
    return tuple(name for name in own if _plain(hints[name]) is int)


def _plain(hint: Any) -> Any:
    return hint.__origin__ if typing.get_origin(hint) is Annotated else hint


def _values(entry: type[Entry], field: dataclasses.Field[Any]) -> list[Any]:
    hint = typing.get_type_hints(entry, include_extras=True)[field.name]
    default = list(_default(field))
    if is_size_of(entry, field.name):
        return [OUTPUTS]
    plain = _plain(hint)
    if plain is float:
        return list(dict.fromkeys([*default, *FLOATS, *values_beside(mentioned(entry), whole=False)]))
    if plain is int:
        first = default[0] if default else 1
        beside = values_beside(mentioned(entry), whole=True)
        return list(dict.fromkeys([*default, first + 1, first + 2, first + 3, max(1, first - 1), *beside]))
    if _all_values(plain):
        return [*default, *finite_values(entry, {}).get(field.name, ())]
    if hint is Sequential:
        return [SEQUENCE]
    return default or ([Tanh()] if hint is Activation else [])


def _default(field: dataclasses.Field[Any]) -> Iterator[Any]:
    if field.default is not dataclasses.MISSING:
        yield field.default
    elif field.default_factory is not dataclasses.MISSING:
        yield field.default_factory()
