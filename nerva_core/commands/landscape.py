"""The command ``nerva landscape``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError


def landscape(
    run: Annotated[Path, typer.Argument(help="The directory of a run.")],
    directions: Annotated[int, typer.Option(min=1, max=1000, help="The number of random directions.")] = 3,
    reach: Annotated[float, typer.Option(help="How far to go; 1 is the norm of the weights of every neuron.")] = 1.0,
    points: Annotated[int, typer.Option(min=3, max=10_000, help="Points on a curve.")] = 21,
    examples: Annotated[int, typer.Option(min=1, help="The first so many training examples.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Of the directions.")] = 0,
    png: Annotated[Path | None, typer.Option(help="A new file for the figure; by default landscape.png in the run.")] = None,
) -> None:
    """Draw the loss around a trained network, and suggest alpha and beta of a gradient activation."""
    import numpy as np
    from rich.progress import Progress

    from nerva_core.figures.plots import loss_along_directions
    from nerva_core.figures.terminal import console
    from nerva_core.inspection.landscape import loss_curve, on_examples, suggest
    from nerva_core.training.models import write_atomically
    from nerva_core.training.runs import CONFIG, Run

    if not (reach > 0 and np.isfinite(reach)):
        raise NervaError(f"--reach must be a positive number, got {reach}")
    target = run / "landscape.png" if png is None else png
    if os.path.lexists(target):
        raise NervaError(f"{target} is already there; choose another file with --png")
    if not (run / CONFIG).is_file():
        raise NervaError(f"{run} is not the directory of a run: there is no {CONFIG} in it")
    trained = Run.resume(run)
    if trained.trainer.epoch == 0:
        raise NervaError(f"{run} has no complete epoch yet; continue it with nerva train --resume --output {run}")
    t = np.linspace(-reach, reach, points | 1)  # an odd number, so that the optimum is among them
    with Progress(console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("losses", total=1.0)
        curve = loss_curve(
            on_examples(trained.trainer, examples), t, directions, seed, lambda fraction: progress.update(task, completed=fraction)
        )
    write_atomically(target, loss_along_directions({run.name: curve}))
    recorded = [m.largest_gradient for m in trained.history if m.largest_gradient is not None]
    terminal = console(highlight=False, soft_wrap=True)
    terminal.print(
        f"loss at the optimum {curve.losses[0, len(t) // 2]:.4g}, at distance {reach:g} from {curve.losses[:, [0, -1]].min():.4g}"
    )
    if not recorded:
        terminal.print("no suggestion of alpha and beta: train with record_gradients = true under [training] to have the gradients too")
    else:
        found = suggest(curve, recorded)
        shape = "flatter" if found.flatter else "sharper"
        terminal.print(f"largest gradient of an epoch: median {found.typical_gradient:.3g}, largest {max(recorded):.3g}")
        terminal.print(f"the loss is {shape} than a parabola near the optimum")
        terminal.print(f"suggestion: GAF(..., Arctan(alpha={found.alpha:.2g}, beta={found.beta:.2g}))")
    terminal.print(f"figure: {target}")
