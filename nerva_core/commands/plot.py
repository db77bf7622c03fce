"""The command ``nerva plot``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError

if TYPE_CHECKING:
    from nerva_core.layers import Sequential

FIGURE = "activations.png"


def plot(
    run: Annotated[Path, typer.Argument(help="The directory of a run, ended or not, or a model.safetensors.")],
    png: Annotated[Path | None, typer.Option(help=f"A new file for the figure; by default {FIGURE} in the run.")] = None,
) -> None:
    """Draw the activation functions that a network has learned: a panel for every layer that is a TMAF or a PReLU."""
    from nerva_core.figures.step_functions import learned_activations
    from nerva_core.training.models import write_atomically

    target = png or (run if run.is_dir() else run.parent) / FIGURE
    if os.path.lexists(target):
        raise NervaError(f"{target} is already there; choose another file with --png")
    write_atomically(target, learned_activations(*_trained(run)))
    print(f"figure: {target}")


def _trained(run: Path) -> tuple[Sequential, Any]:
    """The network and its parameters: of the model, or of the last checkpoint of a run that has not come to an end."""
    from nerva_core.training.models import load_model
    from nerva_core.training.runs import MODEL, Run

    if run.is_dir() and not (run / MODEL).exists():
        trainer = Run.resume(run).trainer
        if trainer.epoch == 0:
            raise NervaError(f"{run} has no complete epoch yet; continue it with: nerva train --resume --output {run}")
        return trainer.network, trainer.to_numpy().params
    model = load_model(run / MODEL if run.is_dir() else run)
    return model.network, model.params
