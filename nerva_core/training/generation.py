"""Text from a network that was trained on text: one character or byte after the other, drawn from what the network says of the next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.data.text import Text, as_bytes, encode
from nerva_core.layers.continuation import Place
from nerva_core.training.models import Model


def generate(
    model: Model,
    prompt: str,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    ops: Backend | None = None,
    cache: bool = True,
) -> str:
    """The prompt, and so many characters (or bytes) that follow it.

    Each is drawn with the probabilities softmax(y / temperature) of the ``top_k`` most probable ones, of all if it is None; the most
    probable one is taken if the temperature is 0. All numbers that are drawn come from the seed, so backends write the same text, unless
    rounding moves a probability across a number that is drawn. NervaError unless the network was trained on ``Text``.

    With ``cache``, each position is looked at once while all of them fit into the length of the training: attention keeps the keys and
    values of those before, a recurrence its state. The text is the same up to the rounding of the sums, which is in another order.
    """
    source = _source(model)
    _check(length, temperature, top_k)
    given = as_bytes(prompt.encode()) if source.unit == "bytes" else prompt
    numbers = list(encode(given, model.encoding.classes))
    if not numbers:
        raise NervaError("the prompt must have one character at least, which the text goes on from")
    writer = TextWriter(model, backend("numpy", dtype="float64") if ops is None else ops)
    writer.require_order(numbers)
    random = np.random.default_rng(seed)
    for y in writer.outputs(numbers, length, cache):
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


class TextWriter:
    """A network on matrix operations, asked for what follows a text."""

    def __init__(self, model: Model, ops: Backend) -> None:
        self.network, self.ops, self.longest = model.network, ops, model.inputs
        self.params, self.state = ops.matrices(model.params), ops.matrices(model.state)
        self.last = len(model.encoding.classes) - 1

    def outputs(self, numbers: list[int], length: int, cache: bool) -> Iterator[Array]:
        """The outputs for what follows the numbers, to which the caller adds one each time."""
        end = len(numbers) + length
        if cache and self.network.can_go_on() and len(numbers) <= self.longest:
            yield from self._one_by_one(numbers, min(end, self.longest + 1))
        while len(numbers) < end:
            seen = numbers[-self.longest :]
            yield self._rows(seen)[len(seen) - 1]

    def _one_by_one(self, numbers: list[int], end: int) -> Iterator[Array]:
        """The outputs for the numbers before ``end``, each position once; none if the first differs from what all at once give.

        So it would be where a user's layer looks at other rows than its own.
        """
        ops, L, first = self.ops, self.longest, len(numbers) - 1
        past = self.network.past(ops, L)
        for l in range(end - 1):  # noqa: E741, the symbol of the equations
            at = np.eye(1, L, l)
            place = Place(ops.matrix(at.T), ops.matrix(np.cumsum(at[:, ::-1], axis=1)[:, ::-1]))
            y, past = self.network.go_on(ops, self.params, self.state, past, ops.matrix([[float(numbers[l])]]), place)
            if l == len(numbers) - 1:
                found = ops.to_numpy(y)[0].astype(float)
                if l == first and not np.allclose(found, self._rows(numbers)[l], rtol=1e-3, atol=1e-5):
                    return
                yield found

    def _rows(self, numbers: list[int], rest: int = 0) -> Array:
        """The outputs at every position of one sequence, whose positions after the numbers hold ``rest``."""
        X = np.full((1, self.longest), float(rest))
        X[0, : len(numbers)] = numbers
        return self.ops.to_numpy(self.network.evaluate(self.ops, self.params, self.state, self.ops.matrix(X))).astype(float)

    def require_order(self, numbers: list[int]) -> None:
        """NervaError if what is said of the next character depends on those after it: there are none when it is drawn."""
        seen = numbers[: self.longest - 1]
        one, other = (self._rows(seen, rest)[: len(seen)] for rest in (0, self.last))
        if seen and not np.allclose(one, other, rtol=1e-4, atol=1e-6):
            raise NervaError("in this network a position sees those after it, so it cannot write text; make its attention causal")


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
