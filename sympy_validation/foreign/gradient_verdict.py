"""The verdict on a function of foreign code: its rung on the ladder, the counterexample, and the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Rung(IntEnum):
    """The verdicts, as the exit status of the command has them; 2 is that of a message about the arguments."""

    PROVED = 0
    REFUTED = 1
    NOT_PROVED = 3
    SOME_SIZES = 4
    NOT_CAPTURED = 5
    ERROR = 6


WORDS = {
    Rung.PROVED: "proved for all sizes",
    Rung.REFUTED: "REFUTED",
    Rung.NOT_PROVED: "not proved",
    Rung.SOME_SIZES: "proved for the sizes named",
    Rung.NOT_CAPTURED: "not captured",
    Rung.ERROR: "ERROR",
}


@dataclass(frozen=True)
class Difference:
    """An element of a gradient that is wrong."""

    gradient: str
    sizes: Mapping[str, int]
    position: tuple[int, ...]
    wanted: str
    found: str

    def __str__(self) -> str:
        at = ", ".join(f"{name}={n}" for name, n in self.sizes.items())
        place = f"[{','.join(map(str, self.position))}]" if self.position else ""
        return f"at {at or 'this point'}: d{self.gradient}{place} should be {self.wanted}, is {self.found}"


@dataclass
class GradientVerdict:
    """What is said of one function."""

    name: str
    rung: Rung
    gradients: tuple[str, ...] = ()
    """The inputs whose gradients it is about."""
    wrong: tuple[str, ...] = ()
    sizes: str = ""
    """The sizes for which it is proved, where these are not all."""
    counterexample: Difference | None = None
    reason: str = ""
    advice: str = ""
    conditions: tuple[str, ...] = ()
    seconds: float = 0
    expected: str = ""
    """Why it is to be different, where that is meant."""
    line: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def as_expected(self) -> bool:
        """Whether it is what it should be: proved or, where it is meant to be different, refuted."""
        return self.rung is Rung.REFUTED if self.expected else self.rung in (Rung.PROVED, Rung.SOME_SIZES)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.expected:
            return 0 if self.rung is Rung.REFUTED else int(Rung.REFUTED if self.rung in (Rung.PROVED, Rung.SOME_SIZES) else self.rung)
        return int(self.rung)

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.expected and self.rung is Rung.REFUTED:
            return f"different, as it is meant to be ({self.expected}): {self.counterexample or self.reason}"
        if self.expected and self.rung in (Rung.PROVED, Rung.SOME_SIZES):
            return f"stated to be different ({self.expected}), but it is the gradient"
        if self.rung is Rung.SOME_SIZES:
            return f"proved for {self.sizes}: other sizes are not proved ({self.reason or 'these are those that were asked for'})"
        if self.rung is Rung.REFUTED:
            shown = str(self.counterexample) if self.counterexample else self.reason
            return f"REFUTED: {shown}{'; ' + self.advice if self.advice else ''}"
        return WORDS[self.rung] + (f": {self.reason}" if self.reason else "")
