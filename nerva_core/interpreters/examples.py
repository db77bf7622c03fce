"""Instances of the entries of a table, made from the types of their parameters, so that a new entry is compared without an edit."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.registry import Entry, Table, user_fields
from nerva_core.equations.activations import GELU, Activation, Tanh
from nerva_core.equations.hard_functions import HardFunction, Signum
from nerva_core.equations.optimizers import Momentum, Optimizer
from nerva_core.layers import ActivationLayer, Layer, Sequential, SReLU
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.linear import Linear


class ExampleSizes:
    """Sizes for examples of layers: N rows of D columns, or N examples of positions with C channels."""

    def __init__(self, N: int = 5, D: int = 4, C: int = 2) -> None:
        self.sizes = {"N": N, "D": D, "K": 3, "C": C, "P": 4, "L": 4, "G": 2, "A": 3, "H": 2}
        self.sizes |= {"E": 4, "m": 2, "S": 2, "V": 3, "W": 2}

    def size(self, name: str) -> int:
        """The size of that name."""
        return self.sizes[name]

    def steps(self) -> int:
        """A few."""
        return 3

    def geometry(self, name: str) -> Geometry:
        """Windows that overlap, with padding."""
        return Geometry.of((3, 3), 2, padding=1)


EXAMPLES: dict[Any, Any] = {
    int: 3,
    float: 0.25,
    Layer: Linear(3),
    tuple[Layer, ...]: (Linear(3), BatchNormalization(), SReLU()),
    Activation: GELU(),  # smooth, and neither odd nor even
    HardFunction: Signum(),
    Sequential: Sequential((Linear(5), ActivationLayer(Tanh()), Linear(4))),  # for the four columns that layers are compared with
    Optimizer: Momentum(),  # has a state, and its steps show the scale of the gradients, which those of RMSProp hide
}
"""A value for a parameter of each type that has no better one."""


def value_of_type(hint: Any, known: Mapping[Any, Any] = EXAMPLES) -> Any:
    """A value that a type hint allows: a known one, two items of a tuple, or the first entry of a table that needs no parameters.

    NervaError if there is none.
    """
    if hint in known:
        return known[hint]
    if typing.get_origin(hint) is Annotated:
        return value_of_type(hint.__origin__, known)
    if typing.get_origin(hint) is tuple:
        return (value_of_type(typing.get_args(hint)[0], known),) * 2
    if hint in Table.of:
        return next(other() for other in Table.of[hint] if not any(map(_required, _fields(other))))
    raise NervaError(f"no example is known for the type {hint}")


def required_values(entry: type[Any], known: Mapping[Any, Any] = EXAMPLES, given: Collection[str] = ()) -> dict[str, Any]:
    """A value for each parameter of an entry that has no default and is not given."""
    hints, values = typing.get_type_hints(entry), {}
    for name in (field.name for field in _fields(entry) if _required(field) and field.name not in given):
        try:
            values[name] = value_of_type(hints[name], known)
        except NervaError as error:
            raise NervaError(f"{entry.__name__} needs a value for {name!r}: {error}") from None
    return values


def examples(table: Table[Any], variants: bool = False) -> Iterator[Any]:
    """Every entry with its defaults; with both values of its switches; and if ``variants``, with other values of its plain numbers."""
    for entry in table:
        hints = typing.get_type_hints(entry)
        given, names = required_values(entry), list(user_fields(entry))
        switches = [name for name in names if hints[name] is bool]
        for values in itertools.product([False, True], repeat=len(switches)):
            yield entry(**given, **dict(zip(switches, values, strict=True)))
        if variants and (numbers := [name for name in names if hints[name] is float and name not in given]):
            yield entry(**given, **{name: _other(entry, name, k) for k, name in enumerate(numbers)})


def describe(entry: Entry) -> str:
    """The name of an entry, with the parameters that are not defaults."""
    fields = [field for field in dataclasses.fields(entry) if getattr(entry, field.name) != field.default]
    texts = [f"{field.name}={_describe_value(getattr(entry, field.name))}" for field in fields]
    return f"{type(entry).__name__}({', '.join(texts)})" if texts else type(entry).__name__


def _describe_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_describe_value, value))}]"
    return describe(value) if isinstance(value, Entry) else repr(value)


def _fields(entry: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(entry)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _other(entry: type[Any], name: str, k: int) -> float:
    """Another value of a number with a default: half of it, or of 1, if there are bounds; else another for each parameter, a dyadic."""
    default: Any = next(field.default for field in dataclasses.fields(entry) if field.name == name)
    if typing.get_origin(typing.get_type_hints(entry, include_extras=True)[name]) is Annotated:
        return float(default or 1) / 2
    other = float(round(default) + (-1 if k % 2 else 1) * (k + 1) / 4)
    return other if other != default else other + 0.5
