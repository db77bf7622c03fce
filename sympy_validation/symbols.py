"""Shipped code on symbols: entries of tables whose parameters are symbols, and functions that compute with Python's math module."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Gt, Le, Lt

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry
from nerva_core.equations.activations import Activation
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.step_functions import Grid
from nerva_core.layers import Sequential
from nerva_core.layers.base import is_size_of
from sympy_validation.spaces.spaces import Space

E = TypeVar("E", bound=Entry)


def with_symbols(function: Callable[..., Any], space: Space[Any]) -> Callable[..., Any]:
    """A shipped function of numbers as a function of symbols: the same code, in which ``math`` is the functions of the space.

    Code that trains calls Python's ``math`` by its name in the module, and nothing else tells it where numbers come from.
    """
    code = function.__func__ if isinstance(function, MethodType) else function
    names = {**code.__globals__, "math": space.math}
    on_symbols = FunctionType(code.__code__, names, code.__name__, code.__defaults__, code.__closure__)
    return MethodType(on_symbols, function.__self__) if isinstance(function, MethodType) else on_symbols


def symbolic(entry: type[E], space: Space[Any], prefix: str = "", **given: Any) -> E:
    """An entry whose continuous parameters are symbols, whose number of outputs is the size K and whose functions are unknown ones.

    Parameters that are ``given`` are taken as they are; those that mean none of this keep their default. NervaError if there is
    none.
    """
    hints = typing.get_type_hints(entry, include_extras=True)
    values = dict(given)
    for field in dataclasses.fields(entry):
        if field.name in values or not field.init:
            continue
        symbol = space.size("K") if is_size_of(entry, field.name) else _symbol(prefix + field.name, hints[field.name], space)
        if symbol is not None:
            values[field.name] = symbol
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise NervaError(f"{entry.__name__} needs a value for {field.name}, for example {entry.__name__}({field.name}=...)")
    return entry(**values)


def _symbol(name: str, hint: Any, space: Space[Any]) -> Any:
    if hint is Activation:
        return space.unknown_function(name)
    if hint is HardFunction:
        return space.any_hard_function(name, space.size("D"), space.size("D"))
    if hint is Sequential:
        return Sequential((space.any_layer(name, space.size("D"), space.size("D")),))
    if hint is Grid:
        return space.any_grid(name)
    if hint == tuple[Grid, ...]:
        return (space.any_grid(name),)
    if isinstance(hint, type) and issubclass(hint, Initializer):
        return None
    if hint is float:
        return space.scalar(name)
    if typing.get_origin(hint) is Annotated and hint.__origin__ is float:
        return space.scalar(name, *bounds(hint))
    return None


def is_arbitrary(hint: Any) -> bool:
    """Whether a hyper-parameter of this type is a symbol or an unknown function."""
    return hint in (Activation, HardFunction, Sequential, Grid, float, tuple[Grid, ...]) or (
        typing.get_origin(hint) is Annotated and hint.__origin__ is float
    )


def bounds(hint: Any) -> tuple[float | None, float | None, bool]:
    """The largest lower and the smallest upper bound, and whether the number may be equal to the lower one."""
    low: list[tuple[float, bool]] = []
    high: list[float] = []
    for bound in hint.__metadata__:
        match bound:
            case Gt(gt=value):
                low.append((float(str(value)), False))
            case Ge(ge=value):
                low.append((float(str(value)), True))
            case Lt(lt=value):
                high.append(float(str(value)))
            case Le(le=value):
                high.append(float(str(value)))
    lowest, closed = max(low) if low else (None, False)
    return lowest, min(high) if high else None, closed
