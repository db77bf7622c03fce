"""Errors that are the user's to mend: the command line prints their message and exits with status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

LONGEST = 3000
"""Characters of a message."""

MOST_NAMES = 40
"""Of more names a message lists the nearest."""


class NervaError(ValueError):
    """A mistake in what the user gave: what was expected, what was received, what was probably meant.

    Of a very long message, as when what was received is a whole file, the middle is left out.
    """

    def __str__(self) -> str:
        message = super().__str__()
        return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} [...] {message[-LONGEST // 2 :]}"


class NotInstalledError(NervaError):
    """A backend was asked for whose framework is not installed."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 epoch``, ``2 epochs``, ``3 classes``."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"


def not_there(path: Path) -> str:
    """That there is nothing at a path: its folder is missing, or what beside it has nearly its name, or where it was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"{path} is not there, nor is the folder {folder}"
    try:
        near = difflib.get_close_matches(path.name, [other.name for other in folder.iterdir()], n=1, cutoff=0.6)
    except OSError:
        near = []
    return f"{path} is not there; " + (f"did you mean {str(folder / near[0])!r}?" if near else f"it was looked for in {folder.resolve()}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that ends a message about an unknown name: the nearest known name, then all of them, or of many the nearest five."""
    names = sorted(set(known))
    folded = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    if len(names) > MOST_NAMES:
        nearest = difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0)
        return f"{hint}nearest of {len(names)}: {', '.join(folded[key] for key in nearest)}"
    return f"{hint}known: {', '.join(names)}"
