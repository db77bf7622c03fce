"""The command ``nerva find-rate``. What it needs is imported when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError


def find_rate(
    config: Annotated[Path | None, typer.Argument(help="A TOML file; without it, scikit-learn's digits.", show_default=False)] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as optimizer=Adam; may be repeated.")] = None,
    low: Annotated[float, typer.Option(help="The first rate.")] = 1e-6,
    high: Annotated[float, typer.Option(help="The last rate.")] = 10.0,
    steps: Annotated[int, typer.Option(min=10, max=1_000_000, help="The number of steps.")] = 200,
    png: Annotated[Path | None, typer.Option(help="A new file for the figure.")] = None,
) -> None:
    """Find a learning rate: train for a few steps with a rising rate, draw the loss, and suggest a tenth of the best rate."""
    from nerva_core.figures.plots import curve, name_axes, panels
    from nerva_core.figures.plots import png as as_png
    from nerva_core.figures.terminal import console, curves
    from nerva_core.training import rate_finder
    from nerva_core.training.config import load_config, make_config, override, parse_settings
    from nerva_core.training.models import write_atomically
    from nerva_core.training.trainer import Trainer

    if png is not None and os.path.lexists(png):
        raise NervaError(f"{png} is already there; choose another file with --png")
    given = parse_settings(settings or [])
    chosen = load_config(config, given) if config else make_config(override({}, given), "command line")
    found = rate_finder.find_rate(Trainer(chosen), low, high, steps)
    first, last = found.rates[0], found.rates[-1]
    terminal = console(highlight=False, soft_wrap=True)
    terminal.print(curves({"loss": list(found.losses)}, 1, f"step; the rate goes from {first:.3g} to {last:.3g}"))
    terminal.print(f"\nsuggested: --schedule 'Constant({found.suggested:.2g})'")
    if png is not None:
        figure, axes = panels(width=5.0)
        curve(axes[0, 0], found.rates, found.losses, 0, marker=None)
        axes[0, 0].axvline(found.suggested, color="#555555", linewidth=0.8, linestyle="--")
        axes[0, 0].set_xscale("log")
        name_axes(axes[0, 0], "learning rate", "loss (smoothed)", f"suggested: {found.suggested:.2g}")
        write_atomically(png, as_png(figure))
        terminal.print(f"figure: {png}")
