"""Text from a network that was trained on text: one character or byte after the other, drawn from what the network says of the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.data.text import Text, as_bytes, encode
from nerva_core.training.models import Model


def generate(
    model: Model,
    prompt: str,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    ops: Backend[Any] | None = None,
) -> str:
    """The prompt, and so many characters (or bytes) that follow it.

    Each is drawn with the probabilities softmax(y / temperature) of the ``top_k`` most probable ones, of all if it is None; the most
    probable one is taken if the temperature is 0. All numbers that are drawn come from the seed, so backends write the same text, unless
    rounding moves a probability across a number that is drawn. NervaError unless the network was trained on ``Text``.
    """
    source = _source(model)
    _check(length, temperature, top_k)
    given = as_bytes(prompt.encode()) if source.unit == "bytes" else prompt
    numbers = list(encode(given, model.encoding.classes))
    if not numbers:
        raise NervaError("the prompt must have one character at least, which the text goes on from")
    _require_order(model, numbers, ops)
    random = np.random.default_rng(seed)
    for y in _outputs(model, numbers, length, ops):
        numbers.append(choose(y, temperature, top_k, random.random()))
    text = "".join(model.encoding.classes[k] for k in numbers)
    return text.encode("latin-1").decode(errors="replace") if source.unit == "bytes" else text


def choose(y: Array, temperature: float, top_k: int | None, u: float) -> int:
    """The class that u, uniform in [0, 1), draws with the probabilities softmax(y / temperature) of the most probable ones."""
    order = np.argsort(-y, kind="stable")[:top_k]
    if temperature == 0:
        return int(order[0])
    weights = np.cumsum(np.exp((y[order] - y[order[0]]) / temperature))
    return int(order[min(np.searchsorted(weights, u * weights[-1], side="right"), len(order) - 1)])


def _outputs(model: Model, numbers: list[int], length: int, ops: Backend[Any] | None) -> Iterator[Array]:
    """The outputs for what follows the numbers, to which the caller adds one each time."""
    for _ in range(length):
        seen = numbers[-model.inputs :]
        yield _rows(model, seen, ops)[len(seen) - 1]


def _rows(model: Model, numbers: list[int], ops: Backend[Any] | None, rest: int = 0) -> Array:
    """The outputs at every position of one sequence, whose positions after the numbers hold ``rest``."""
    X = np.full((1, model.inputs), float(rest))
    X[0, : len(numbers)] = numbers
    return model.predict(X, ops).astype(float)


def _source(model: Model) -> Text:
    source = model.config.data
    if not isinstance(source, Text):
        raise NervaError(f"text is written by a network that was trained on Text, but this one was trained on {type(source).__name__}")
    return source


def _check(length: int, temperature: float, top_k: int | None) -> None:
    if length < 0:
        raise NervaError(f"length must not be negative, got {length}")
    if not 0 <= temperature < np.inf:
        raise NervaError(f"temperature must be a number from 0 on, got {temperature}")
    if top_k is not None and top_k < 1:
        raise NervaError(f"top-k must be at least 1, got {top_k}")


def _require_order(model: Model, numbers: list[int], ops: Backend[Any] | None) -> None:
    """NervaError if what is said of the next character depends on those after it: there are none when it is drawn."""
    seen = numbers[: model.inputs - 1]
    one, other = (_rows(model, seen, ops, rest)[: len(seen)] for rest in (0, len(model.encoding.classes) - 1))
    if seen and not np.allclose(one, other, rtol=1e-4, atol=1e-6):
        raise NervaError("in this network a position sees those after it, so it cannot write text; make its attention causal")
