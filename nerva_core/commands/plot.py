"""The command ``nerva plot``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from nerva_core.layers import Sequential

FIGURE, COMPARISON = "activations.png", "comparison.png"


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Runs, or directories of runs; or one model.safetensors.", metavar="RUN...")],
    png: Annotated[
        Path | None, typer.Option(help=f"A new file for the figure; by default {COMPARISON} here, of activations {FIGURE} in the run.")
    ] = None,
) -> None:
    """Draw the loss and the accuracy of runs: those that differ by the seed alone as their mean, with a band over all of them.

    Of one run whose network has trained activation functions, those: a panel for every layer that is a TMAF or a PReLU.
    """
    from nerva_core.figures.step_functions import learned_activations, step_functions
    from nerva_core.training.models import write_atomically

    if len(runs) > 1 or _holds_runs(runs[0]):
        _compare(runs, png or Path(COMPARISON))
        return
    (run,) = runs
    network, params = _trained(run)
    if run.is_dir() and not step_functions(network, params):
        _compare([run], png or Path(COMPARISON))
        return
    target = png or (run if run.is_dir() else run.parent) / FIGURE
    if os.path.lexists(target):
        raise NervaError(f"{target} is already there; choose another file with --png")
    write_atomically(target, learned_activations(network, params))
    print(f"figure: {target}")


def _holds_runs(path: Path) -> bool:
    """Whether it is a directory of runs, such as that of a sweep."""
    return path.is_dir() and not (path / "config.toml").exists() and any(path.glob("*/config.toml"))


def _compare(paths: list[Path], target: Path) -> None:
    from nerva_core.commands.runs import warn
    from nerva_core.figures.plots import overlaid_curves
    from nerva_core.training.models import write_atomically
    from nerva_core.training.records import groups, records

    if os.path.lexists(target):
        raise NervaError(f"{target} is already there; choose another file with --png")
    found = records(paths, warn)
    if not found:
        raise NervaError("no run is left to draw")
    empty = next((one for one in found if not one.history), None)
    if empty is not None:
        raise NervaError(f"{empty.directory} has no complete epoch yet; continue it with: nerva train --resume --output {empty.directory}")
    write_atomically(target, overlaid_curves({label: [one.history for one in members] for label, members in groups(found).items()}))
    print(f"figure: {target}")


def _trained(run: Path) -> tuple[Sequential, Any]:
    """The network and its parameters: of the model, or of the last checkpoint of a run that has not come to an end."""
    from nerva_core.training.models import load_model
    from nerva_core.training.runs import MODEL, Run

    if run.is_dir() and not (run / MODEL).exists():
        trainer = Run.resume(run).trainer
        if trainer.epoch == 0:
            raise NervaError(f"{run} has no complete epoch yet; continue it with: nerva train --resume --output {run}")
        return trainer.network, trainer.evaluated().params
    model = load_model(run / MODEL if run.is_dir() else run)
    return model.network, model.params
