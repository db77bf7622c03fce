"""The command ``nerva sweep``. What it needs is imported when it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from nerva_core.training.sweeps import SweepPoint

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What tells the libraries of a process how many threads to use; several processes share the processor better with one each."""


def sweep(
    config: Annotated[Path | None, typer.Argument(help="A TOML file; without it, scikit-learn's digits.", show_default=False)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, several values between |: 'optimizer=Adam | Momentum'. May be repeated.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="How many seeds, or which: 3,7.")] = "1",
    jobs: Annotated[int, typer.Option(min=1, help="How many runs at once.")] = 2,
    output: Annotated[Path, typer.Option(help="The directory of all runs; the same command continues where it was interrupted.")] = Path(
        "sweep"
    ),
) -> None:
    """Train for each choice of values and each seed, in parallel processes, and print the mean of every choice.

    Runs that are complete are kept, and those that were interrupted are continued: repeat the command.
    """
    from nerva_core.commands.runs import print_groups
    from nerva_core.training.records import records
    from nerva_core.training.sweeps import parse_seeds, sweep_points

    points = sweep_points(settings or [], parse_seeds(seeds))
    _check(config, points)
    _same_as_before(output, config, settings or [])
    failures = list(_run_all(config, points, output, jobs))
    done = [output / point.name for point in points if (output / point.name / "result.json").exists()]
    if done:
        print_groups(records(done))
    if failures:
        raise NervaError(f"{len(failures)} of {len(points)} runs failed; the first: {failures[0]}")


def _check(config: Path | None, points: Sequence[SweepPoint]) -> None:
    """NervaError for a configuration that is not sound, before anything runs."""
    from nerva_core.training.config import load_config, make_config, override, parse_settings

    for chosen in dict.fromkeys(point.settings for point in points):
        given = parse_settings(chosen)
        made = load_config(config, given) if config else make_config(override({}, given), "command line")
        made.model.build()


def _same_as_before(output: Path, config: Path | None, settings: Sequence[str]) -> None:
    """The base of the sweep stands in its directory; NervaError if another sweep is there."""
    from nerva_core.training.models import write_atomically

    base = output / "sweep.toml"
    fixed = "".join(f"# --set {setting}\n" for setting in settings if "|" not in setting)
    content = fixed + (config.read_text(encoding="utf-8-sig") if config else "")
    if base.exists() and base.read_text(encoding="utf-8") != content:
        raise NervaError(f"{output} holds a sweep of another configuration; choose another --output")
    if output.exists() and not base.exists() and any(output.iterdir()):
        raise NervaError(f"{output} is not empty; choose another --output")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {output}: {error.strerror}") from None
    write_atomically(base, content.encode())


def _run_all(config: Path | None, points: Sequence[SweepPoint], output: Path, jobs: int) -> Iterator[str]:
    """Run what is not complete; the messages of those that failed."""
    from nerva_core.figures.terminal import console

    terminal = console(highlight=False, soft_wrap=True)
    left = [point for point in points if not (output / point.name / "result.json").exists()]
    if len(left) < len(points):
        terminal.print(f"{len(points) - len(left)} of {len(points)} runs are complete")
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda point: _run(config, point, output / point.name, jobs), left)
        for k, (point, error) in enumerate(zip(left, results, strict=True), 1):
            terminal.print(f"{k}/{len(left)} {point.name}{f': {error}' if error else ''}")
            if error:
                yield f"{point.name}: {error}"


def _run(config: Path | None, point: SweepPoint, directory: Path, jobs: int) -> str:
    """Train one run in a process of its own, or continue it; the message if it fails."""
    if (directory / "config.toml").exists():
        arguments = ["--resume"]
    else:
        arguments = [*([str(config)] if config else []), "--seed", str(point.seed)]
        arguments += [word for setting in point.settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "nerva_core", "train", *arguments, "--output", str(directory), "--quiet"]
    environment = dict.fromkeys(THREADS, "1") if jobs > 1 else {}
    done = subprocess.run(command, env={**environment, **os.environ}, capture_output=True, text=True, check=False)
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return "" if done.returncode == 0 else said[-1].removeprefix("error: ")
