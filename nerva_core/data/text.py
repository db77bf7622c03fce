"""Text files, as sequences of numbers of characters or bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Fraction
from nerva_core.data.dataset import PADDING, Dataset
from nerva_core.data.encoding import Encoding
from nerva_core.data.files import existing
from nerva_core.data.sources import SOURCES, DataSource

Unit = Literal["characters", "bytes"]


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class Text(DataSource):
    """A text file in UTF-8, cut into sequences of ``length`` characters or bytes; the target of each position is what follows it.

    The characters that occur are the vocabulary, in their order, and the classes; bytes are 256. The end of the text, ``test_fraction``
    of it, is the test set. What a last sequence is short of is filled up: its targets are padding, which counts for nothing.
    """

    path: str
    length: Count = 64
    unit: Unit = "characters"
    test_fraction: Fraction = 0.1

    def read(self) -> Dataset:
        if self.scaling != "none":
            raise NervaError(f"Text: its inputs are numbers of {self.unit}, which are not scaled, got scaling = {self.scaling!r}")
        text = self._text()
        vocabulary = tuple(sorted(set(text))) if self.unit == "characters" else tuple(map(chr, range(256)))
        numbers = encode(text, vocabulary)
        first = len(numbers) - round(len(numbers) * self.test_fraction)
        parts = {"training": numbers[:first], "test": numbers[first:]}
        for name, part in parts.items():
            if len(part) < 2:
                raise NervaError(
                    f"{self.path} is too short: {len(part)} of its {len(numbers)} {self.unit} are in the {name} set, which needs two"
                )
        (Xtrain, Ttrain), (Xtest, Ttest) = (sequences(part, self.length) for part in parts.values())
        classes, encoding = len(vocabulary), Encoding(classes=vocabulary)
        return Dataset(Xtrain, Ttrain, Xtest, Ttest, classes, encoding, positions=self.length, grid=(self.length,), per_position=True)

    def _text(self) -> str:
        content = existing(self.path, "a file").read_bytes()
        if self.unit == "bytes":
            return as_bytes(content)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NervaError(f"{self.path} is not UTF-8 text: {error.reason} at byte {error.start}; read it with unit = 'bytes'") from None


def as_bytes(content: bytes) -> str:
    """A character for each byte, with its number."""
    return content.decode("latin-1")


def encode(text: str, vocabulary: tuple[str, ...]) -> Array:
    """The numbers of the characters; NervaError for one that is not in the vocabulary."""
    number = {character: k for k, character in enumerate(vocabulary)}
    unknown = next((character for character in text if character not in number), None)
    if unknown is not None:
        raise NervaError(f"the character {unknown!r} is not in the text of the training, which has {len(vocabulary)} different characters")
    return np.array([number[character] for character in text], dtype=np.int64)


def sequences(numbers: Array, length: int) -> tuple[Array, Array]:
    """(X, T): all numbers but the last in rows of that length, and for each the one that follows; what remains of a row is padding."""
    N = -(-(len(numbers) - 1) // length)
    X, T = np.zeros(N * length, dtype=np.float32), np.full(N * length, PADDING, dtype=np.int64)
    X[: len(numbers) - 1], T[: len(numbers) - 1] = numbers[:-1], numbers[1:]
    return X.reshape(N, length), T.reshape(N, length)
