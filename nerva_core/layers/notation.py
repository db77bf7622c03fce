"""Networks from text: the specification's combined layers with sizes, or a plain list of layers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.algebra.errors import NervaError, counted, did_you_mean
from nerva_core.algebra.registry import EntryCall, parse_call, user_fields
from nerva_core.equations.activations import ACTIVATIONS, AllReLU
from nerva_core.equations.initializers import INITIALIZERS, Initializer
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.base import LAYERS, Layer
from nerva_core.layers.linear import Linear
from nerva_core.layers.q_activation import is_q_activation, q_activation
from nerva_core.layers.sequential import Sequential
from nerva_core.layers.sparse import SparseLinear

_TIMES = re.compile(r"(.*\S)\s*\*\s*(\d{1,9})\s*", re.DOTALL)
MOST_TIMES = 1000
"""How often a layer may be repeated in text."""


@Sequential.parser
def parse_layers(descriptions: Sequence[str | Mapping[str, Any] | Layer]) -> Sequential:
    """A network from a list with one layer an item: ``["Linear(64)", "ReLU", {name = "Linear", outputs = 10}]``.

    The name of an activation is the layer that applies it; SReLU is the layer that trains its parameters. With "q-" before it, as in
    ``q-elu(alpha=0.5, lambda=0.02)``, it is the layer of its q-activation.
    """
    if not descriptions:
        raise NervaError("a network needs at least one layer, got an empty list")
    return Sequential(tuple(_layer(description) for description in descriptions))


def plain_items(text: str) -> list[str] | None:
    """The items of a network that is written as text with its sizes in brackets, as in ``Conv(8);ReLU;Flatten;Linear(10)``.

    There the name of an activation is the activation alone, as in a list of layers. None for Nerva's notation, whose sizes stand apart.
    """
    items = items_of(text)
    return items if any(_has_size(item) for item in items) else None


def items_of(text: str) -> list[str]:
    """The layers of a network in text, one by one: they stand between ``;``, and ``Block(4) * 3`` stands for three, each with its own
    parameters."""
    if not text.strip(" ;"):
        raise NervaError("a network needs at least one layer, got none")
    items = text.strip(" ;").split(";")
    if not all(item.strip() for item in items):
        raise NervaError(f"a layer is missing between two ';' in {text.strip()[:200]!r}")
    return [layer for item in items for layer in repeated(item)]


def repeated(item: str) -> list[str]:
    """A layer once, or as often as a number after ``*`` says."""
    layer, times = (found[1], int(found[2])) if (found := _TIMES.fullmatch(item)) else (item, 1)
    if not 1 <= times <= MOST_TIMES:
        raise NervaError(f"cannot read the layer {item.strip()!r}: a layer stands from 1 to {MOST_TIMES} times, got {times}")
    return [layer.strip()] * times


def with_outputs(item: str | Mapping[str, Any], outputs: int) -> str | Mapping[str, Any]:
    """The description of a layer with that number of outputs, if it takes one and none is given."""
    call = _call(item)
    if not _is_layer_with_outputs(call) or _has_size(item):
        return item
    field = LAYERS.lookup(call.name).sized_by
    if isinstance(item, Mapping):
        return {**item, field: outputs}
    return repr(EntryCall(call.name, (outputs, *call.arguments), call.parameters))


def with_parameters(item: str | Mapping[str, Any], given: Mapping[str, int]) -> str | Mapping[str, Any]:
    """The description of a layer with these values of the parameters that it has and that it does not give."""
    call = _call(item)
    fields = list(user_fields(LAYERS.lookup(call.name))) if call.name in LAYERS else []
    new = {name: value for name, value in given.items() if name in fields[len(call.arguments) :] and name not in call.parameters}
    if not new:
        return item
    return {**item, **new} if isinstance(item, Mapping) else repr(EntryCall(call.name, call.arguments, {**call.parameters, **new}))


def sized_count(text: str) -> int:
    """How many layers of a network in Nerva's notation take one of the sizes."""
    return sum(_takes_size(_parse(item)) for item in items_of(text))


def _has_size(item: str | Mapping[str, Any]) -> bool:
    call = _call(item)
    if not _is_layer_with_outputs(call):
        return False
    return isinstance(next(iter(call.arguments), None), (int, float)) or LAYERS.lookup(call.name).sized_by in call.parameters


def _call(item: str | Mapping[str, Any]) -> EntryCall:
    if isinstance(item, Mapping):
        parameters = dict(item)
        return EntryCall(str(parameters.pop("name", "")), (), parameters)
    return _parse(item)


def multilayer_perceptron(
    layers: str,
    sizes: Sequence[int],
    weights: str | Initializer = "NormalizedXavier",
    bias: str | Initializer = "Zero",
    densities: Sequence[float] | None = None,
) -> Sequential:
    """A network in Nerva's notation: ``multilayer_perceptron("ReLU;BatchNormalization;Linear", [64, 128, 10])``.

    ``layers`` are the specification's combined layers, separated by ``;``. ``ReLU`` is a linear layer followed by relu, and so for
    every activation and q-activation, SReLU, Softmax and LogSoftmax; each takes the next of ``sizes``, whose first is the number of
    inputs.
    BatchNormalization and Dropout keep the size. The k-th layer with a size, k = 1, 2, 3, ..., applies AllReLU(α) with α, -α, α, ...
    (section 5). ``weights`` and ``bias`` may list initializers, one a layer with a size, separated by ``;``. ``densities`` has a number
    for each layer with a size, of which those below 1 have so many of their weights (SparseLinear).
    """
    if not isinstance(layers, str):
        raise NervaError(f"layers must be text such as 'ReLU;Linear', got {layers!r}; Sequential takes layers that are made")
    calls = [_parse(text) for text in items_of(layers)]
    if not sizes or any(not isinstance(size, int) or isinstance(size, bool) or size < 1 for size in sizes):
        raise NervaError(f"sizes must be positive integers, got {list(sizes)}")
    sized = [_takes_size(call) for call in calls]
    if sum(sized) != len(sizes) - 1:
        raise NervaError(
            f"{layers!r} has {counted(sum(sized), 'layer')} with a size, so sizes must list {sum(sized) + 1} numbers (the inputs first), "
            f"got {len(sizes)}: {list(sizes)}"
        )
    initial = zip(_initializers("weights", weights, sum(sized)), _initializers("bias", bias, sum(sized)), strict=True)
    if densities is not None and len(densities) != sum(sized):
        raise NervaError(f"{sum(sized)} layers of {layers!r} have a size, so there must be {sum(sized)} densities, got {list(densities)}")
    outputs, dense = iter(sizes[1:]), iter(densities or [1.0] * sum(sized))
    result: list[Layer] = []
    ordinal = 0
    for call, has_size in zip(calls, sized, strict=True):
        if not has_size:
            result.append(_layer(call))
            continue
        ordinal += 1
        W, b = next(initial)
        if _is_layer_with_outputs(call):
            affine = LAYERS.build(*_with_density(call, next(outputs), next(dense)), **{"weights": W, "bias": b, **call.parameters})
            result.append(_alternate(affine, ordinal))
        else:
            result += [_linear(next(outputs), next(dense), W, b), _alternate(_layer(call), ordinal)]
    return Sequential(tuple(result))


def _linear(outputs: int, density: float, W: Initializer, b: Initializer) -> Layer:
    return Linear(outputs, W, b) if density == 1 else SparseLinear(outputs, density, W, b)


def _with_density(call: EntryCall, outputs: int, density: float) -> tuple[Any, ...]:
    """The name and the arguments of a layer with outputs: a linear one is sparse below a density of 1."""
    if call.name == SparseLinear.__name__ and not call.arguments and "density" not in call.parameters:
        return call.name, outputs, density
    if density < 1 and call.name == Linear.__name__ and not call.arguments:
        return SparseLinear.__name__, outputs, density
    if density < 1 and call.name != SparseLinear.__name__:
        raise NervaError(f"{call.name} has all its weights, so its density must be 1, got {density:.6g}; those of Linear may be less")
    return call.name, outputs, *call.arguments


def _parse(text: str) -> EntryCall:
    try:
        return parse_call(text)
    except NervaError as error:
        raise NervaError(f"cannot read the layer {text.strip()!r}: {error}") from None


def _layer(description: str | Mapping[str, Any] | Layer | EntryCall) -> Layer:
    if isinstance(description, Layer):
        return description
    call = (
        description if isinstance(description, EntryCall) else _call(description if isinstance(description, Mapping) else str(description))
    )
    if call.name in LAYERS:
        return LAYERS.build(call.name, *call.arguments, **call.parameters)
    if call.name in ACTIVATIONS:
        return ActivationLayer(ACTIVATIONS.build(call.name, *call.arguments, **call.parameters))
    if is_q_activation(call):
        return q_activation(call)
    nearest = LAYERS.nearest(call.name) or ACTIVATIONS.nearest(call.name)
    hint = nearest or did_you_mean(call.name, [*LAYERS.entries, *ACTIVATIONS.entries])
    raise NervaError(f"unknown layer {call.name!r}; {hint}; for one of your own: nerva --import FILE.py ...")


def _is_layer_with_outputs(call: EntryCall) -> bool:
    return call.name in LAYERS and LAYERS.lookup(call.name).is_sized()


def _takes_size(call: EntryCall) -> bool:
    if call.name in LAYERS:
        return _is_layer_with_outputs(call) or LAYERS.lookup(call.name).trailing
    _layer(call)  # an unknown name is an error here, where it can be named
    return True


def _alternate(layer: Layer, ordinal: int) -> Layer:
    activation = getattr(layer, "activation", None)
    if isinstance(activation, AllReLU) and ordinal % 2 == 0:
        return dataclasses.replace(layer, activation=AllReLU(-activation.alpha))  # type: ignore[call-arg]
    return layer


def _initializers(what: str, given: str | Initializer, count: int) -> list[Initializer]:
    parsed = [INITIALIZERS.parse(text) for text in given.split(";")] if isinstance(given, str) else [given]
    if len(parsed) not in (1, count):
        raise NervaError(f"{what} must name 1 or {count} initializers, got {len(parsed)}: {given!r}")
    return parsed * count if len(parsed) == 1 else parsed
