"""Instances of the entries of a table, made from the types of their parameters, so that a new entry is compared without an edit."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Iterator
from typing import Annotated, Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.registry import Entry, Table
from nerva_core.equations.activations import GELU, Activation, Tanh
from nerva_core.equations.hard_functions import HardFunction, Signum
from nerva_core.equations.optimizers import Momentum, Optimizer
from nerva_core.layers import ActivationLayer, Layer, Sequential, SReLU
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.linear import Linear


class ExampleSizes:
    """Sizes for examples of layers: N rows of D columns, or N examples of positions with C channels."""

    def __init__(self, N: int = 5, D: int = 4, C: int = 2) -> None:
        self.sizes = {"N": N, "D": D, "K": 3, "C": C, "P": 4, "L": 4, "H": 2, "A": 3}

    def size(self, name: str) -> int:
        """The size of that name."""
        return self.sizes[name]

    def geometry(self, name: str) -> Geometry:
        """Windows that overlap, with padding."""
        return Geometry.of((3, 3), 2, padding=1)


LAYERS_IN_A_NETWORK = (Linear(3), BatchNormalization(), SReLU())
BRIDGE = Sequential((Linear(5), ActivationLayer(Tanh()), Linear(4)))
"""For the four columns that layers are compared with."""


def examples(table: Table[Any], variants: bool = False) -> Iterator[Any]:
    """Every entry with its defaults; with both values of its switches; and if ``variants``, with other values of its plain numbers."""
    for entry in table:
        hints = typing.get_type_hints(entry)
        given = {field.name: _value(entry, field.name, hints[field.name]) for field in dataclasses.fields(entry) if _required(field)}
        switches = [name for name in _fields(entry) if hints[name] is bool]
        for values in itertools.product([False, True], repeat=len(switches)):
            yield entry(**given, **dict(zip(switches, values, strict=True)))
        if variants and (numbers := [name for name in _fields(entry) if hints[name] is float and name not in given]):
            yield entry(**given, **{name: _other(entry, name, k) for k, name in enumerate(numbers)})


def describe(entry: Entry) -> str:
    """The name of an entry, with the parameters that are not defaults."""
    fields = [field for field in dataclasses.fields(entry) if getattr(entry, field.name) != field.default]  # type: ignore[arg-type]
    texts = [f"{field.name}={_describe_value(getattr(entry, field.name))}" for field in fields]
    return f"{type(entry).__name__}({', '.join(texts)})" if texts else type(entry).__name__


def _describe_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_describe_value, value))}]"
    return describe(value) if isinstance(value, Entry) else repr(value)


def _fields(entry: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(entry)]


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(entry: type[Any], name: str, hint: Any) -> Any:
    """A value for a required parameter. For an entry of another table, the first one there that needs no parameters.

    A wrapped optimizer is Momentum: it has a state, and its steps show the scale of the gradients, which RMSProp's hide.
    """
    known = {
        int: 3,
        float: 0.25,
        tuple[Layer, ...]: LAYERS_IN_A_NETWORK,
        Activation: GELU(),  # smooth, and neither odd nor even
        HardFunction: Signum(),
        Sequential: BRIDGE,
        Optimizer: Momentum(),
    }
    if hint in Table.of and hint not in known:
        return next(other() for other in Table.of[hint] if not any(map(_required, dataclasses.fields(other))))
    if hint not in known:
        raise NervaError(f"{entry.__name__}: no example is known for the parameter {name!r} of type {hint}; add one in {__name__}")
    return known[hint]


def _other(entry: type[Any], name: str, k: int) -> float:
    """Another value of a number with a default: half of it if there are bounds; else different for every parameter, and a dyadic."""
    default: Any = next(field.default for field in dataclasses.fields(entry) if field.name == name)
    if typing.get_origin(typing.get_type_hints(entry, include_extras=True)[name]) is Annotated:
        return float(default / 2)
    other = float(round(default) + (-1 if k % 2 else 1) * (k + 1) / 4)
    return other if other != default else other + 0.5
