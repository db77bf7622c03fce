"""The command ``nerva reproduce``. What it needs is imported when it runs."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nerva_core.algebra.errors import NervaError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from nerva_core.reproductions.cost import Cost
    from nerva_core.reproductions.experiment import Bench, Experiment
    from nerva_core.reproductions.files import Order
    from nerva_core.reproductions.report import Report

ALL = "all"


def reproduce(
    name: Annotated[str | None, typer.Argument(help="Which experiments, or all; without it they are listed.", show_default=False)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Under two minutes an experiment on one quiet core; the default.")] = False,
    full: Annotated[bool, typer.Option("--full", help="As far as the paper goes: minutes to weeks, which --cost tells before.")] = False,
    output: Annotated[Path | None, typer.Option(help="A new directory for the report; by default one in ./reproductions.")] = None,
    backend: Annotated[str | None, typer.Option(help="By default the fastest that is installed.")] = None,
    data: Annotated[str | None, typer.Option(help="The images, such as MNIST(path='/my/mnist') or CIFAR10(path=...).")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds separated by ',', in place of those of the budget.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this file as well.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that train, each with its part of the cores.")] = 1,
    fraction: Annotated[float | None, typer.Option(help="With --full: the part of its epochs that is trained, such as 0.1.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue the report in this directory, which was interrupted.")] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Measure a step of every network, and say what the whole would take.")] = False,
) -> None:
    """Run the experiments of a paper and say what reproduces: "paper | here | verdict", with figures.

    Runs are kept in the directory of the report: what was interrupted goes on with --resume, and loses half a minute at most.
    """
    from nerva_core.figures.terminal import console as terminal
    from nerva_core.reproductions.files import Order, read_order, write_order

    console = terminal(highlight=False, width=None if sys.stdout.isatty() else 160)
    if quick and full:
        raise NervaError("--quick and --full exclude each other; give one of them")
    if resume is not None:
        given = [name, quick or None, full or None, output, backend, data, seeds, fraction, cost or None]
        if any(value is not None for value in given):
            raise NervaError("--resume continues a report as it was begun: only --jobs and --json go with it")
        order = read_order(resume)
    elif name is None:
        _print_list(console)
        raise typer.Exit
    else:
        order = Order(name, "full" if full else "quick", backend, data, seeds, fraction)
    chosen = _chosen(order.name)
    benches = [_bench(order, jobs) for _ in chosen]
    if cost:
        _print_costs(chosen, benches, console, json)
        raise typer.Exit
    directory = resume or _new_directory(output, order.name, order.budget)
    if resume is None:
        write_order(dataclasses.replace(order, backend=benches[0].backend), directory)
    _perform(chosen, benches, directory, console, json)


def _perform(chosen: list[Experiment], benches: list[Bench], directory: Path, console: Console, json: Path | None) -> None:
    """Run the experiments, and write their reports."""
    from nerva_core.reproductions.files import RUNS
    from nerva_core.reproductions.report import to_json
    from nerva_core.training.checkpoints import locked
    from nerva_core.training.models import write_atomically

    reports: list[Report] = []
    try:
        with locked(directory):
            for experiment, bench in zip(chosen, benches, strict=True):
                bench.kept = directory / RUNS
                _run(experiment, bench, console, directory, reports)
    except KeyboardInterrupt:
        done = f"{len(reports)} of {len(chosen)} reports are in {directory}"
        print(f"interrupted; {done}; to go on: nerva reproduce --resume {shlex.quote(str(directory))}", file=sys.stderr)
        raise typer.Exit(130) from None
    if json is not None:
        write_atomically(json, to_json(reports).encode())
    console.print(f"\nreport.html (a page that stands alone), report.md, report.json and figures are in {directory}")


def _run(experiment: Experiment, bench: Bench, console: Console, directory: Path, reports: list[Report]) -> None:
    """Run one experiment, print its table, and write what there is so far, so that an interrupt loses no report."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    from nerva_core.reproductions.experiment import perform
    from nerva_core.reproductions.files import write

    console.print(Text.assemble("\n", (experiment.title, "bold"), f" ({bench.budget}, {bench.backend})"))
    left = TextColumn("{task.fields[left]}", markup=False)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), left
    errors = _error_console()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bench.progress = _Shown(progress, progress.add_task(experiment.name, total=1.0, left=""), errors)
        report = perform(experiment, bench)
    reports.append(report)
    _print(report, console)
    write(reports, directory)


class _Shown:
    """Progress on a terminal as a bar; elsewhere as a line whenever something else begins."""

    def __init__(self, progress: Progress, task: TaskID, console: Console) -> None:
        self.progress, self.task, self.console, self.last = progress, task, console, ""

    def __call__(self, text: str, fraction: float, seconds_left: float | None) -> None:
        from nerva_core.reproductions.watch import duration

        left = "" if seconds_left is None else f"{duration(seconds_left)} left"
        self.progress.update(self.task, description=text, completed=fraction, left=left)
        if not self.console.is_terminal and text != self.last:
            self.console.print(f"  {text} ({', '.join([f'{100 * fraction:.0f} %', *[left] * bool(left)])})")
        self.last = text


def _error_console() -> Console:
    from nerva_core.figures.terminal import console

    return console(stderr=True, highlight=False, soft_wrap=True)


def _print(report: Report, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from nerva_core.reproductions.report import COLUMNS
    from nerva_core.reproductions.verdicts import Verdict

    colours = {Verdict.REPRODUCES: "green", Verdict.DIRECTION: "cyan", Verdict.DOES_NOT: "red", Verdict.UNKNOWN: "yellow"}
    table = Table(*COLUMNS, show_lines=True)
    for row in report.findings.rows:
        cells = [str(getattr(row, column)) for column in COLUMNS]
        table.add_row(*cells[:-1], Text(cells[-1], style=colours[row.verdict]))
    console.print(table)
    for remark in report.findings.remarks:
        console.print(f"* {remark}")
    console.print(", ".join(f"{key} {value}" for key, value in report.settings.items()) + f"; {report.seconds:.0f} s")


def _print_list(console: Console) -> None:
    from nerva_core.reproductions import EXPERIMENTS

    for experiment in EXPERIMENTS.values():
        console.print(f"{experiment.name:12} {experiment.title} ({experiment.paper})")
    console.print(f"{ALL:12} all of them")


def _chosen(name: str) -> list[Experiment]:
    from nerva_core.reproductions import EXPERIMENTS

    if name == ALL:
        return list(EXPERIMENTS.values())
    folded = {re.sub(r"[\s_-]", "", known).casefold(): known for known in EXPERIMENTS}
    key = re.sub(r"[\s_-]", "", name).casefold()
    if key not in folded:
        raise NervaError(f"no experiment is called {name!r}; {did_you_mean(name, [*EXPERIMENTS, ALL])}")
    return [EXPERIMENTS[folded[key]]]


def _print_costs(chosen: list[Experiment], benches: list[Bench], console: Console, json: Path | None) -> None:
    """What a step of every network takes, and all of them."""
    from rich.table import Table

    from nerva_core.reproductions.cost import costs_to_json, measured
    from nerva_core.reproductions.watch import duration
    from nerva_core.training.models import write_atomically

    costs: dict[str, list[Cost]] = {}
    for experiment, bench in zip(chosen, benches, strict=True):
        table = Table("network", "parameters", "ms a step", "steps", "runs", "processor time", title=f"{experiment.title} ({bench.budget})")
        costs[experiment.name] = []
        for cost in measured(bench, experiment.parts(bench)):
            costs[experiment.name].append(cost)
            cells = f"{cost.parameters:,}", f"{1000 * cost.step:.1f}", f"{cost.steps:,}", str(cost.runs), duration(cost.seconds)
            table.add_row(cost.kind, *cells)
        console.print(table)
        total = sum(cost.seconds for cost in costs[experiment.name])
        console.print(f"{experiment.name}: {duration(total)} of processor time on this machine, without evaluation")
    if json is not None:
        write_atomically(json, costs_to_json(costs, benches[0].budget).encode())


def _bench(order: Order, jobs: int) -> Bench:
    """The bench of one experiment; mistakes in the options are found here, before anything runs."""
    from nerva_core.algebra.numeric_backend import backend
    from nerva_core.data import SOURCES
    from nerva_core.reproductions.experiment import Bench, fastest_backend

    if order.backend is not None:
        backend(order.backend)  # NervaError if it is unknown or not installed
    if order.fraction is not None and not (order.budget == "full" and 0 < order.fraction <= 1):
        raise NervaError(f"--fraction is a part of the full budget, from 0 to 1, and goes with --full; got {order.fraction:g}")
    source = None if order.data is None else SOURCES.parse(order.data)
    bench = Bench(order.budget, order.backend or fastest_backend(), source, _seeds(order.seeds), order.fraction or 1.0, jobs)
    bench.classes(bench.images())
    return bench


def _seeds(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    if not all(part.strip().isdecimal() for part in text.split(",")):
        raise NervaError(f"--seeds must be numbers separated by ',' such as 0,1,2, got {text!r}")
    numbers = tuple(int(part) for part in text.split(","))
    if len(set(numbers)) < len(numbers):
        raise NervaError(f"--seeds must be different numbers, got {text!r}")
    return numbers


def _new_directory(output: Path | None, name: str, budget: str) -> Path:
    """A directory of its own for the report. NervaError if the one that is asked for holds something."""
    from nerva_core.reproductions.files import ORDER, make_directory

    if output is None:
        stem, parent = f"{name}-{budget}", Path("reproductions")
        numbers = [int(m[1]) for path in parent.glob(f"{stem}-*") if (m := re.fullmatch(rf"{re.escape(stem)}-(\d+)", path.name))]
        output = parent / f"{stem}-{max(numbers, default=0) + 1}"
    if (output / ORDER).exists():
        raise NervaError(f"{output} holds a report; continue it with --resume {output}, or choose another --output")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise NervaError(f"{output} is not empty; choose another --output")
    make_directory(output)
    return output
