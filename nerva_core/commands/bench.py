"""The command ``nerva bench``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from nerva_core.benchmark.measure import Plan, Timing


def bench(
    files: Annotated[list[Path] | None, typer.Argument(help="Configurations to train; without them, those of --configurations.")] = None,
    configurations: Annotated[str, typer.Option(help="Networks of the benchmark, separated by ','.")] = "A,B,C,D,E,F,G,H,tiny",
    backends: Annotated[str | None, typer.Option(help="Backends separated by ','; without it, all that are installed.")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help="How often every contender is timed.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.0, max=3600.0, help="How long at least each time.")] = 0.25,
    threads: Annotated[int, typer.Option(min=1, help="Threads, and on Linux processors, of every contender.")] = 1,
    processor_time: Annotated[bool, typer.Option("--processor-time", help="Count processor time: on a shared machine.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write everything that was measured to this file.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw a bar chart of the ratios in this file.")] = None,
    scaling: Annotated[bool, typer.Option("--scaling", help="Measure instead how the time of every layer grows with the batch.")] = False,
    sparse: Annotated[bool, typer.Option("--sparse", help="Measure instead sparse networks against dense and masked ones.")] = False,
    layers: Annotated[str | None, typer.Option(help="With --scaling: layers separated by ','; without it, all.")] = None,
) -> None:
    """Time our training step against the framework's own differentiation and its matrix products alone, interleaved."""
    from rich.text import Text

    _require_folders(json, png)
    from nerva_core.algebra.numeric_backend import backends_named
    from nerva_core.figures.terminal import console

    if scaling:
        from nerva_core.benchmark.scaling import scaling_command

        scaling_command(backends_named(backends), json, layers)
        return
    if sparse:
        from nerva_core.benchmark.sparse import sparse_command
        from nerva_core.benchmark.worker import limit_threads

        limit_threads(threads)
        sparse_command(backends_named(backends), rounds, json)
        return
    from nerva_core.benchmark.machine import machine
    from nerva_core.benchmark.measure import Plan
    from nerva_core.benchmark.report import bar_chart, print_results, to_json
    from nerva_core.training.models import write_atomically

    plan = Plan(rounds, seconds, threads, processor_time)
    questions = _files(files) if files else _named(configurations)
    with console(stderr=True).status("starting") as status:
        timings = _measured(backends_named(backends), questions, plan, lambda text: status.update(Text(text)))
    about = machine()
    print_results(timings, about, plan, console(width=None if os.isatty(1) else 160))
    if json is not None:
        write_atomically(json, to_json(timings, about, plan).encode())
    if png is not None:
        write_atomically(png, bar_chart(timings, about))
    if any(timing.status in ("refused", "failed") for timing in timings):
        raise typer.Exit(1)


def _require_folders(*files: Path | None) -> None:
    """NervaError, before anything is measured, for a file that cannot be written afterwards."""
    for path in files:
        if path is not None and not (path.parent.is_dir() and not path.is_dir()):
            raise NervaError(f"{path} must be a file in a folder that is there, got {'a folder' if path.is_dir() else path.parent}")


def _measured(backends: Sequence[str], questions: dict[str, str | None], plan: Plan, progress: Any) -> list[Timing]:
    from nerva_core.benchmark.configurations import CONFIGURATIONS
    from nerva_core.benchmark.measure import Kind, measure_backend
    from nerva_core.benchmark.worker import CONTENDERS, kind_of
    from nerva_core.training.config import parse_config

    order: list[Kind] = ["ours", "opponent", "floor"]

    def dtype(name: str) -> str:
        text = questions[name]
        return CONFIGURATIONS[name].config().dtype if text is None else parse_config(text, name).dtype

    timings: list[Timing] = []
    for backend in backends:
        contenders = sorted(((kind_of(cls), cls) for cls in CONTENDERS if cls.backend == backend), key=lambda pair: order.index(pair[0]))
        timings += measure_backend(contenders, list(questions.items()), plan, dtype, progress)
    return timings


def _named(text: str) -> dict[str, str | None]:
    from nerva_core.benchmark.configurations import check_names

    names = [name.strip() for name in text.split(",")]
    check_names(names)
    return dict.fromkeys(names)


def _files(paths: Sequence[Path]) -> dict[str, str | None]:
    """The text of each file, read once, so that all contenders have the same; a mistake in it is found here."""
    from nerva_core.training.config import load_config

    return {str(path): load_config(path).to_toml() for path in paths}
