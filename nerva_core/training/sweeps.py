"""Sweeps: one configuration with several values of some settings, each with several seeds, a run each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nerva_core.algebra.errors import NervaError
from nerva_core.training.config import parse_settings

MOST_RUNS = 10_000
SEPARATOR = "|"


@dataclass(frozen=True)
class SweepPoint:
    """One run of a sweep."""

    name: str
    """Of its directory: the settings that vary, and the seed."""
    settings: tuple[str, ...]
    """As name=value."""
    seed: int


def sweep_points(given: Sequence[str], seeds: Sequence[int]) -> list[SweepPoint]:
    """A run for each choice of values and each seed; several values of a setting stand between ``|``: "optimizer=Adam | Momentum"."""
    choices: dict[str, list[str]] = {}
    for text in given:
        parse_settings([text])  # an error for what is no setting
        name, _, values = (part.strip() for part in text.partition("="))
        if name == "seed" or name in choices:
            raise NervaError("seeds are given by --seeds" if name == "seed" else f"{name} is given twice; write '{name}=a | b'")
        choices[name] = [value.strip() for value in values.split(SEPARATOR)]
        if not all(choices[name]):
            raise NervaError(f"there must be a value on both sides of {SEPARATOR}, got {text!r}")
    points = [_point(choices, chosen, seed) for chosen in itertools.product(*choices.values()) for seed in seeds]
    if len(points) > MOST_RUNS:
        raise NervaError(f"a sweep has {MOST_RUNS:,} runs at most, got {len(points):,}")
    names = [point.name for point in points]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NervaError(f"two runs of the sweep would be called {twice!r}: give different values")
    return points


def _point(choices: Mapping[str, Sequence[str]], chosen: Sequence[str], seed: int) -> SweepPoint:
    pairs = list(zip(choices, chosen, strict=True))
    varied = [f"{name.rpartition('.')[2]}-{value}" for name, value in pairs if len(choices[name]) > 1]
    words = [re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in [*varied, f"seed-{seed}"]]
    return SweepPoint("_".join(words), tuple(f"{name}={value}" for name, value in pairs), seed)


def parse_seeds(text: str) -> list[int]:
    """The seeds of a text: "5" for the seeds 0 to 4, "3,7" for these."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts) or len(set(parts)) < len(parts) or parts == ["0"]:
        raise NervaError(f"--seeds is a number of seeds, or different seeds such as 3,7, got {text!r}")
    return list(map(int, parts)) if len(parts) > 1 else list(range(int(parts[0])))
