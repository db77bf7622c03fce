"""The commands ``nerva runs`` and ``nerva compare-runs``. What they need is imported when they run."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from nerva_core.training.records import Record


def runs(
    directory: Annotated[Path, typer.Argument(help="Where the runs are.")] = Path("runs"),
) -> None:
    """List the runs in a directory: what was trained, how far, and what it has come to."""
    from nerva_core.figures.terminal import aligned
    from nerva_core.training.records import records

    rows = [["run", "data", "layers", "optimizer", "seed", "state", "result"]]
    for one in records([directory], warn):
        config = one.config
        layers = config.model.layers if isinstance(config.model.layers, str) else f"{len(config.model.layers)} layers"
        shown = layers if len(layers) <= 40 else f"{layers[:37]}..."
        data, optimizer = type(config.data).__name__, repr(config.optimizer)
        rows.append([one.directory.name, data, shown, optimizer, str(config.seed), one.state, score_text(one)])
    print(aligned(rows))


def compare_runs(
    paths: Annotated[list[Path], typer.Argument(help="Two or more runs, or directories of runs.", metavar="RUN...")],
) -> None:
    """Compare runs: the settings in which they differ, and what they have come to; runs that differ by the seed alone as one."""
    from nerva_core.figures.terminal import aligned
    from nerva_core.training.records import differences, groups, records

    found = records(paths, warn)
    if len(found) < 2:
        raise NervaError(f"a comparison needs two runs, got {len(found)}")
    names = [one.directory.name for one in found]
    titles = names if len(set(names)) == len(names) else [str(one.directory) for one in found]
    rows = [["setting", *titles]]
    for name, values in differences(found).items():
        rows.append([name, *("-" if value is None else str(value) for value in values)])
    print(aligned([*rows, ["state", *(one.state for one in found)], ["result", *map(score_text, found)]]))
    if len(groups(found)) < len(found):
        print_groups(found)


def warn(message: str) -> None:
    """Tell of what does not keep the command from going on."""
    print(f"warning: {message}", file=sys.stderr)


def score_text(one: Record) -> str:
    """What a run has come to."""
    name, value = one.score
    if value is None:
        return "-"
    return f"{name} {100 * value:.2f} %" if name.endswith("accuracy") else f"{name} {value:.4g}"


def print_groups(found: Sequence[Record]) -> None:
    """The mean and the standard deviation of the runs that differ by their seed alone."""
    from nerva_core.figures.terminal import aligned
    from nerva_core.training.records import groups

    grouped = groups(found)
    rows = [["runs", "number", "mean", "standard deviation"]]
    for label, members in grouped.items():
        values = [value for _, value in (one.score for one in members) if value is not None]
        name = members[0].score[0]
        factor, unit = (100, " %") if name.endswith("accuracy") else (1, "")
        mean = f"{name} {factor * statistics.fmean(values):.4g}{unit}" if values else "-"
        rows.append([label, str(len(members)), mean, f"{factor * statistics.stdev(values):.2g}{unit}" if len(values) > 1 else "-"])
    print(f"\n{aligned(rows)}")
