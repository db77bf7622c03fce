"""The commands ``nerva compare`` and ``nerva vectors``. What they need is imported when they run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.commands.completion import names_of

if TYPE_CHECKING:
    from nerva_core.comparison.measure import Result
    from nerva_core.comparison.subject import Subject

SLOWEST_FIRST = ("jax", "tensorflow", "torch")


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to compare: Linear, my_layer.py:MyLayer; without it, all.", show_default=False, autocompletion=names_of()
        ),
    ] = None,
    backends: Annotated[str | None, typer.Option(help="Backends separated by ','; without it, all that are installed.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64; without it, both.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all results to this file.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write a heat map to this file.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the inputs.")] = 0,
) -> None:
    """Compare every backend with the exact value of every equation; status 1 if one is not within its stated error."""
    from nerva_core.algebra.numeric_backend import backends_named
    from nerva_core.comparison.report import heat_map, print_results, to_json
    from nerva_core.figures.terminal import console
    from nerva_core.training.models import write_atomically

    _subjects(names or [])  # a mistake in a name is told at once
    results = _results(backends_named(backends), _dtypes(dtype), names or [], seed)
    print_results(results, console(width=None if os.isatty(1) else 180))
    if json is not None:
        write_atomically(json, to_json(results).encode())
    if png is not None:
        write_atomically(png, heat_map(results))
    if not all(result.within for result in results):
        raise typer.Exit(1)


def vectors(
    directory: Annotated[Path, typer.Argument(help="Where to write them; created if it is not there.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Of what, such as Linear or my_layer.py:MyLayer; without it, of all.", show_default=False, autocompletion=names_of()
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the inputs.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Write into a directory that is not empty.")] = False,
) -> None:
    """Write golden vectors: inputs and correctly rounded results of every layer, function, loss and optimizer."""
    from nerva_core.comparison.vectors import write_vectors

    print(f"{write_vectors(directory, seed, force, _subjects(names or []))} test cases in {directory}")


def run(backend_name: str, dtype: Any, names: list[str], seed: int) -> list[Result]:
    """All results of one backend in one dtype."""
    import logging

    from nerva_core.algebra.numeric_backend import backend
    from nerva_core.comparison.measure import measure
    from nerva_core.comparison.training_run import SUBJECT, measure_training

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns that many functions are compiled
    ops = backend(backend_name, dtype)
    results = [result for subject in _subjects(names) for result in measure(subject, ops, seed)]
    return results + (list(measure_training(ops, seed)) if _chosen(SUBJECT, names) else [])


def _subjects(names: list[str]) -> list[Subject]:
    """The subjects with these names, all without names; NervaError for a name that none has.

    A class of a file is compared as the tables are, with its defaults or examples; if it has arguments, with these.
    """
    from nerva_core.algebra.user_files import own_description
    from nerva_core.comparison.subjects import subject_of, subjects

    own = [own_description(name) for name in names if ".py:" in name]
    given = [subject_of(table.parse(description)) for table, description in own if "(" in description]
    others = [name for name in names if ".py:" not in name] + [description for _, description in own if "(" not in description]
    _check_names(others)
    return given + [subject for subject in subjects() if (others or not names) and _chosen(subject.name, others)]


def _chosen(subject: str, names: list[str]) -> bool:
    return not names or any(subject.casefold() == name.casefold() or subject.casefold().startswith(f"{name.casefold()}(") for name in names)


def _check_names(names: list[str]) -> None:
    from nerva_core.comparison.subjects import subjects
    from nerva_core.comparison.training_run import SUBJECT

    known = {subject.name.partition("(")[0] for subject in subjects()} | {SUBJECT}
    for name in names:
        if not any(_chosen(subject, [name]) for subject in known):
            raise NervaError(f"nothing to compare is called {name!r}; {did_you_mean(name, known)}")


def _dtypes(text: str | None) -> list[str]:
    from typing import get_args

    from nerva_core.algebra.numeric_backend import DType

    if text is None:
        return list(reversed(get_args(DType)))
    if text not in get_args(DType):
        raise NervaError(f"dtype must be one of {', '.join(map(repr, get_args(DType)))}, got {text!r}")
    return [text]


def _results(names: list[str], dtypes: list[str], chosen: list[str], seed: int) -> list[Result]:
    """The results in a fixed order. Every backend and dtype has a process of its own: the frameworks do not share one well."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    from rich.progress import Progress

    from nerva_core.figures.terminal import console

    tasks = [(name, dtype) for name in names for dtype in dtypes]
    order = sorted(tasks, key=lambda task: SLOWEST_FIRST.index(task[0]) if task[0] in SLOWEST_FIRST else len(SLOWEST_FIRST))
    context = multiprocessing.get_context("spawn")
    with (
        Progress(console=console(stderr=True), transient=True) as progress,
        ProcessPoolExecutor(os.cpu_count(), mp_context=context, max_tasks_per_child=1) as pool,
    ):
        bar = progress.add_task("comparing", total=len(tasks))
        futures = {pool.submit(run, *task, chosen, seed): task for task in order}
        done = {}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            progress.advance(bar)
    return [result for task in tasks for result in done[task]]
