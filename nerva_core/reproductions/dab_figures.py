"""The figures of the paper on bridges: accuracy against the length (Table 1) and the ponder steps (Fig. 3), images (Fig. 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nerva_core.figures.plots import COLOURS, band, curve, legend, name_axes, panels, png
from nerva_core.reproductions.experiment import Trained, curves
from nerva_core.reproductions.verdicts import Statistic


def accuracy_by_length(found: Mapping[int, Mapping[str, Statistic]]) -> bytes:
    """The accuracies by kind of network against the length T, mean and range."""
    figure, axes = panels(width=5.2)
    kinds = next(iter(found.values()))
    for k, kind in enumerate(kinds):
        _with_range(axes[0, 0], list(found), [found[T][kind] for T in found], k, kind)
    name_axes(axes[0, 0], "length T", "all-or-none test accuracy (%)", integers=True)
    axes[0, 0].set_ylim(-3, 103)
    legend(figure, columns=2)
    return png(figure)


def accuracy_by_steps(found: Mapping[int, Statistic]) -> bytes:
    """The accuracy against the number of ponder steps, mean and range."""
    figure, axes = panels(width=5.2)
    _with_range(axes[0, 0], list(found), list(found.values()), 0, "bridge, T = 5")
    name_axes(axes[0, 0], "ponder steps", "all-or-none test accuracy (%)", integers=True)
    legend(figure)
    return png(figure)


def image_curves(found: Mapping[str, Sequence[Trained]]) -> bytes:
    """Test accuracies over the epochs with a sort layer, and the earth mover distances of the hard layers."""
    figure, (axes,) = panels(1, 2)
    for k, (name, runs) in enumerate(found.items()):
        kind = name.removeprefix("images: ")
        epochs = list(range(1, runs[0].config.training.epochs + 1))
        if "signum" not in kind:
            band(axes[0], epochs, curves(runs, lambda m: None if m.test_accuracy is None else 100 * m.test_accuracy), k, kind)
        if all(m.hard_distance is not None for run in runs for m in run.history):
            band(axes[1], epochs, curves(runs, lambda m: m.hard_distance), k, kind)
    name_axes(axes[0], "epoch", "test accuracy (%)", "images through a sort layer", integers=True)
    name_axes(axes[1], "epoch", "earth mover distance", "between input and output of the layer", integers=True)
    legend(figure, columns=3)
    return png(figure)


def _with_range(axis: object, x: Sequence[int], found: Sequence[Statistic], k: int, label: str) -> None:
    curve(axis, x, [statistic.mean for statistic in found], k, label)
    low, high = [min(s.values) for s in found], [max(s.values) for s in found]
    axis.fill_between(x, low, high, color=COLOURS[k % len(COLOURS)], alpha=0.15, linewidth=0)  # type: ignore[attr-defined]
