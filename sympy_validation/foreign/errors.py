"""Errors of foreign code that runs on symbols."""

from __future__ import annotations

from collections.abc import Iterable


class NotCaptured(Exception):  # noqa: N818 - it is not a mistake of anyone
    """The code does something of which there is no model here."""


class SizeNeeded(NotCaptured):
    """The code needs a size as a number: a loop, a comparison, an element by its number."""

    def __init__(self, names: Iterable[str], why: str) -> None:
        self.names = tuple(sorted(names))
        super().__init__(why)


class NoModel(NotCaptured, AttributeError):  # noqa: N818
    """A function or a method of a library of which there is no model here."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}, of which there is no model: write it with sums, products and functions of elements, or make what it gives an argument"
        )


class ShapesDiffer(Exception):  # noqa: N818
    """Shapes that do not fit, for almost all sizes."""
