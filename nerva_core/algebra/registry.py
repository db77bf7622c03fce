"""Tables of named entries (activations, layers, losses, ...) and the small language in which users name them.

An entry is a frozen dataclass; its fields are its parameters. Registering the class is all it takes to make it known to
the parser, the configuration, the documentation and the tests, which iterate over the tables:

    @ACTIVATIONS.add
    @dataclass(frozen=True)
    class LeakyReLU(Activation):
        alpha: float = 0.01

Text such as ``LeakyReLU(alpha=0.1)``, ``leaky_relu(0.1)`` or the TOML table ``{name = "LeakyReLU", alpha = 0.1}`` then
builds the entry, and ``repr`` of an entry is text that builds it again. The text is parsed by the grammar below, never
evaluated.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import itertools
import re
import types
import typing
from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from annotated_types import Ge, Gt, Le, Lt

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.other_names import named_here

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Lt(1)]
Share = Annotated[float, Gt(0), Le(1)]
Count = Annotated[int, Ge(1)]
Natural = Annotated[int, Ge(0)]

LONGEST, DEEPEST = 10_000, 50
"""Bounds on the length and the nesting of the text that names an entry."""
LARGEST = 2**63
"""Integers must be smaller in magnitude, as NumPy's are."""

_COMPARISONS: dict[type, tuple[str, str, Any]] = {
    Gt: ("gt", ">", lambda x, bound: x > bound),
    Ge: ("ge", ">=", lambda x, bound: x >= bound),
    Lt: ("lt", "<", lambda x, bound: x < bound),
    Le: ("le", "<=", lambda x, bound: x <= bound),
}


class Entry(ABC):
    """Base of everything that stands in a table: a frozen dataclass whose numeric fields are checked against their bounds.

    Only numbers are checked, so a field may also hold a symbol when the equations are proved.
    """

    if TYPE_CHECKING:  # every entry is a dataclass
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    aliases: ClassVar[tuple[str, ...]] = ()
    hint: ClassVar[str] = ""
    """Ends a message about parameters that the entry does not take."""
    shown_by: ClassVar[str] = "nerva_core.inspection.showing"
    """The module that shows it in a notebook; it reads equations, so it stands far above this one, and is named, not imported."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_bounds(type(self), field.name, getattr(self, field.name))

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the equations; None if there are none."""
        html: str | None = importlib.import_module(self.shown_by).shown(self).html
        return html

    def _repr_latex_(self) -> str | None:
        latex: str | None = importlib.import_module(self.shown_by).shown(self).latex
        return latex


E = TypeVar("E", bound=Entry)


class Table(Generic[E]):
    """The entries of one kind, by name. Names are compared without regard to case, ``_``, ``-`` and spaces."""

    of: ClassVar[dict[type, Table[Any]]] = {}

    def __init__(self, kind: str, base: type[E], elsewhere: Mapping[str, str] = types.MappingProxyType({})) -> None:
        """``elsewhere``: what comes nearest to entries of other frameworks that are none here, by their names."""
        self.kind = kind
        self._elsewhere = {folded(name): nearest for name, nearest in elsewhere.items()}
        self.entries: dict[str, type[E]] = {}
        self._by_key: dict[str, type[E]] = {}
        Table.of[base] = self

    def add(self, entry: type[E]) -> type[E]:
        """Register a dataclass under its class name and its own aliases, not those of a base; a name that is taken is an error."""
        for name in (entry.__name__, *vars(entry).get("aliases", ())):
            if self._by_key.setdefault(folded(name), entry) is not entry:
                raise NervaError(f"{self.kind} {name!r} is defined twice; give yours another name")
        self.entries[entry.__name__] = entry
        return entry

    def __iter__(self) -> Iterator[type[E]]:
        return iter(self.entries.values())

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._by_key

    def lookup(self, name: str) -> type[E]:
        """The class called ``name``; an unknown name is an error that suggests the nearest one."""
        if name not in self:
            raise NervaError(f"unknown {self.kind} {name!r}; {self.nearest(name) or did_you_mean(name, self.entries)}")
        return self._by_key[folded(name)]

    def nearest(self, name: str) -> str:
        """What comes nearest to an entry of another framework, as a hint; nothing for other names."""
        found = self._elsewhere.get(folded(name))
        return f"{found} (all names: nerva list)" if found else ""

    def build(self, name: str, /, *arguments: Any, **parameters: Any) -> E:
        """Make the entry called ``name``, its parameters checked and converted to the types of its fields.

        A field that is ``kw_only`` must be named in text too; one with ``named_below``, if it is less; one without ``repr`` is hidden.
        """
        entry = self.lookup(name)
        fields = user_fields(entry)
        # A trailing underscore frees a Python keyword: users write lambda.
        given = {key + "_" if key + "_" in fields else key: value for key, value in parameters.items()}
        hint = f"; {entry.hint}" if entry.hint else ""
        if len(arguments) > len(fields):
            raise NervaError(f"{entry.__name__} takes at most {len(fields)} parameters, got {len(arguments)}{hint}")
        for key, value in zip(fields, arguments, strict=False):
            if fields[key].kw_only or (isinstance(value, float) and 0 < value < fields[key].metadata.get("named_below", 0)):
                raise NervaError(f"{entry.__name__}: {key} must be named: {entry.__name__}({key}={value!r}){hint}")
            if key in given:
                raise NervaError(f"{entry.__name__}: parameter {key!r} is given twice")
            given[key] = value
        for key in given.keys() - fields.keys():
            known = named_here(key, fields) or (did_you_mean(key, fields) if fields else "it has none")
            raise NervaError(f"{entry.__name__} has no parameter {key!r}; {known}{hint}")
        missing = [key for key, field in fields.items() if key not in given and not _has_default(field)]
        if missing:
            raise NervaError(f"{entry.__name__} needs the parameter {missing[0]!r}, for example {entry.__name__}({missing[0]}=...)")
        hints = _hints(entry)
        return entry(**{key: _convert(f"{entry.__name__}: {key.removesuffix('_')}", value, hints[key]) for key, value in given.items()})

    def parse(self, description: str | EntryCall | Mapping[str, Any] | E) -> E:
        """Make an entry from text, parsed or not, from a TOML table with a ``name``, or take one that is made already."""
        if isinstance(description, Entry):
            if isinstance(description, tuple(self.entries.values())):
                return description
            raise NervaError(f"expected one of the table of {self.kind}s, got {description!r}")
        if isinstance(description, Mapping):
            parameters = dict(description)
            name = parameters.pop("name", None)
            if not isinstance(name, str):
                raise NervaError(f"the table of the {self.kind} needs a name, got {dict(description)!r}; {did_you_mean('', self.entries)}")
            return self.build(name, **parameters)
        if isinstance(description, EntryCall):
            return self.build(description.name, *description.arguments, **description.parameters)
        if not isinstance(description, str):
            raise NervaError(f"the {self.kind} must be text such as {next(iter(self.entries))!r}, got {description!r}")
        try:
            call = parse_call(description)
        except NervaError as error:
            raise NervaError(f"cannot read the {self.kind} {description!r}: {error}") from None
        return self.parse(call)


def user_fields(entry: Any) -> dict[str, dataclasses.Field[Any]]:
    """The fields of an entry, or of its class, that are the user's, in the order in which Python takes them.

    One without ``repr`` is what a network finds out.
    """
    fields = sorted(dataclasses.fields(entry), key=lambda field: field.kw_only is True)
    return {field.name: field for field in fields if field.init and field.repr}


@dataclasses.dataclass(frozen=True, repr=False)
class EntryCall:
    """A parsed ``Name(1, key=value)``."""

    name: str
    arguments: tuple[Any, ...] = ()
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        inside = [repr(a) for a in self.arguments] + [f"{k}={v!r}" for k, v in self.parameters.items()]
        return f"{self.name}({', '.join(inside)})" if inside else self.name


_NAME = re.compile(r"\s*([A-Za-z][\w+ -]*?)\s*(?=[(),=\]]|$)")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|nan))\s*(?=[,)\]]|$)")
_STRING = re.compile(r"""\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*""")
_KEY = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_MODULE = re.compile(r"(?:[A-Za-z_]\w*\.)+(?=[A-Za-z])")
"""What stands before a name of a framework, as in ``torch.nn.ReLU``."""
_WORDS = {"true": True, "false": False, "none": None}


def parse_call(text: str) -> EntryCall:
    """Read ``Name``, ``Name()`` or ``Name(1, 'text', key=[2, 3], other=Name(4))``; anything left over is an error."""
    if len(text) > LONGEST:
        raise NervaError(f"it is too long: {len(text)} characters, at most {LONGEST} are read")
    if max(itertools.accumulate((c in "([") - (c in ")]") for c in text), default=0) > DEEPEST:
        raise NervaError("it is nested too deeply")
    value, rest = _value(text)
    if isinstance(value, str) and value:
        value = EntryCall(value)
    if not isinstance(value, EntryCall):
        raise NervaError(f"expected a name, got {text.strip()!r}")
    if rest.strip():
        raise NervaError(f"unexpected {rest.strip()!r} after {value.name!r}")
    return value


def _value(text: str) -> tuple[Any, str]:
    if match := _NUMBER.match(text):
        number = match[1]
        if len(number) > 400:
            raise NervaError(f"a number with {len(number)} digits is too long")
        return (int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number)), text[match.end() :]
    if match := _STRING.match(text):
        return match[1] if match[1] is not None else match[2], text[match.end() :]
    if text.lstrip().startswith(("[", "(")):
        opening, rest = text.lstrip()[0], text.lstrip()[1:]
        items, _, rest = _items(rest, {"[": "]", "(": ")"}[opening])
        return tuple(items), rest
    if match := _NAME.match(text):
        name, rest = match[1], text[match.end() :]
        if rest.startswith("("):
            arguments, parameters, rest = _items(rest[1:], ")")
            return EntryCall(name, tuple(arguments), parameters), rest
        return _WORDS.get(name.lower(), name), rest
    if match := _MODULE.match(text.strip()):
        raise NervaError(f"names stand without their module: write {text.strip()[match.end() :][:40]!r} in place of {text.strip()[:60]!r}")
    raise NervaError(f"expected a name, a number or a list at {text.strip() or 'the end'!r}")


def _items(text: str, closing: str) -> tuple[list[Any], dict[str, Any], str]:
    items: list[Any] = []
    named: dict[str, Any] = {}
    while True:
        if text.lstrip().startswith(closing):
            return items, named, text.lstrip()[1:]
        if match := _KEY.match(text):
            if match[1] in named:
                raise NervaError(f"parameter {match[1]!r} is given twice")
            named[match[1]], text = _value(text[match.end() :])
        elif named:
            raise NervaError(f"a parameter without a name follows one with a name, at {text.strip()!r}")
        else:
            value, text = _value(text)
            items.append(value)
        text = text.lstrip()
        if text.startswith(","):
            text = text[1:]
        elif not text.startswith(closing):
            raise NervaError(f"expected ',' or {closing!r} at {text.strip() or 'the end'!r}")


def folded(name: str) -> str:
    """A name as it is compared with others."""
    return re.sub(r"[\s_-]", "", name).casefold()


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


@functools.cache
def _hints(entry: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(entry, include_extras=True)


def _check_bounds(entry: type, name: str, value: Any) -> None:
    hint = _hints(entry)[name]
    bounded = [part for part in (hint, *typing.get_args(hint)) if typing.get_origin(part) is Annotated]  # itself, or in "Count | None"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not bounded:
        return
    bounds = [
        (symbol, getattr(bound, key), holds) for bound in bounded[0].__metadata__ for key, symbol, holds in [_COMPARISONS[type(bound)]]
    ]
    if not all(holds(value, bound) for _, bound, holds in bounds):
        wanted = " and ".join(f"{symbol} {bound}" for symbol, bound, _ in bounds)
        raise NervaError(f"{entry.__name__}: {name.removesuffix('_')} must be {wanted}, got {value}")


def _convert(where: str, value: Any, hint: Any) -> Any:
    """``value`` as the type that ``hint`` asks for: a number, text, a tuple, or an entry of another table."""
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise NervaError(f"{where} is too large: integers must be below 2⁶³ in magnitude")
    if hint in Table.of:
        if isinstance(value, (bool, int, float)):
            table = Table.of[hint]
            raise NervaError(f"{where} must be {_a(table.kind)} such as {next(iter(table.entries))!r}, got {value!r}")
        return Table.of[hint].parse(value)
    if hasattr(hint, "from_description"):
        return hint.from_description(value)
    return _CONVERSIONS.get(typing.get_origin(hint) or hint, _plain)(where, value, hint)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _optional(where: str, value: Any, hint: Any) -> Any:
    kinds = typing.get_args(hint)
    return None if value is None and type(None) in kinds else _convert(where, value, next(k for k in kinds if k is not type(None)))


def _choice(where: str, value: Any, hint: Any) -> Any:
    if value not in typing.get_args(hint):
        raise NervaError(f"{where} must be one of {', '.join(map(repr, typing.get_args(hint)))}, got {value!r}")
    return value


def _each(where: str, value: Any, hint: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(_convert(where, item, typing.get_args(hint)[0]) for item in items)


def _plain(where: str, value: Any, hint: Any) -> Any:
    wanted, taken = _PLAIN.get(hint, (str(hint), ()))
    if not isinstance(value, taken) or (isinstance(value, bool) and hint is not bool):
        raise NervaError(f"{where} must be {wanted}, got {str(value)!r}")
    return hint(value)


_PLAIN: dict[Any, tuple[str, tuple[type, ...]]] = {
    float: ("a number", (float, int)),
    int: ("an integer", (int,)),
    str: ("text", (str,)),
    bool: ("true or false", (bool,)),
}
"""What a type is called in messages, and the types of the values that are taken for it."""

_CONVERSIONS: dict[Any, Callable[[str, Any, Any], Any]] = {
    Annotated: lambda where, value, hint: _convert(where, value, hint.__origin__),
    types.UnionType: _optional,
    typing.Union: _optional,
    typing.Literal: _choice,
    tuple: _each,
    Any: lambda where, value, hint: value,
}
"""How a value is converted to types that are made of others."""
