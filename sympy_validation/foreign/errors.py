"""What can go wrong while foreign code runs on symbols."""

from __future__ import annotations

from collections.abc import Iterable


class NotCaptured(Exception):  # noqa: N818 - it is not a mistake of anyone
    """The code does something of which there is no model here."""


class SizeNeeded(NotCaptured):
    """The code needs a size as a number: a loop, a comparison, an element by its number."""

    def __init__(self, names: Iterable[str], why: str) -> None:
        self.names = tuple(sorted(names))
        super().__init__(why)


class ShapesDiffer(Exception):  # noqa: N818
    """Shapes that do not fit, for almost all sizes."""
