"""The figures of the paper on bridges: sorting (Table 1, Fig. 3), images (Fig. 6), and codes (Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.figures.plots import COLOURS, band, curve, legend, name_axes, panels, png
from nerva_core.reproductions.runs import Trained, curves
from nerva_core.reproductions.verdicts import Statistic
from nerva_core.training.results import Metrics


def accuracy_by_length(found: Mapping[int, Mapping[str, Statistic]]) -> bytes:
    """The accuracies by kind of network against the length T, mean and range; a kind need not have been trained at every length."""
    figure, axes = panels(width=5.2)
    for k, kind in enumerate(dict.fromkeys(kind for by_kind in found.values() for kind in by_kind)):
        lengths = [T for T in found if kind in found[T]]
        _with_range(axes[0, 0], lengths, [found[T][kind] for T in lengths], k, kind)
    name_axes(axes[0, 0], "length T", "all-or-none test accuracy (%)", integers=True)
    axes[0, 0].set_ylim(-3, 103)
    legend(figure, columns=2)
    return png(figure)


def accuracy_by_steps(found: Mapping[int, Mapping[int, Statistic]]) -> bytes:
    """The accuracy against the number of ponder steps, mean and range: one panel a length T."""
    figure, (axes,) = panels(1, len(found), width=3.8)
    for axis, (T, by_steps) in zip(axes, found.items(), strict=True):
        _with_range(axis, list(by_steps), list(by_steps.values()), 0, "bridge")
        name_axes(axis, "ponder steps", "all-or-none test accuracy (%)", f"T = {T}", integers=True)
    legend(figure)
    return png(figure)


def image_curves(found: Mapping[str, Sequence[Trained]], sort_1d: str) -> bytes:
    """Test accuracies over the epochs with a one-dimensional sort, and the earth mover distances of all sorts."""
    figure, (axes,) = panels(1, 2)
    for k, (kind, runs) in enumerate(found.items()):
        epochs = list(range(1, runs[0].config.training.epochs + 1))
        if kind.startswith((sort_1d, "identity")):
            band(axes[0], epochs, curves(runs, _percent), k, kind)
        if all(m.hard_distance is not None for run in runs for m in run.history):
            band(axes[1], epochs, curves(runs, lambda m: m.hard_distance), k, kind)
    name_axes(axes[0], "epoch", "test accuracy (%)", "images through a sort layer", integers=True)
    name_axes(axes[1], "epoch", "earth mover distance", "between input and output of the layer", integers=True)
    legend(figure, columns=3)
    return png(figure)


def placement_curves(found: Mapping[int, Sequence[Trained]]) -> bytes:
    """Test accuracies over the epochs, by the block after which the hard function stands."""
    figure, axes = panels(width=5.2)
    for k, (block, runs) in enumerate(found.items()):
        epochs = list(range(1, runs[0].config.training.epochs + 1))
        band(axes[0, 0], epochs, curves(runs, _percent), k, f"after block {block}" if block else "none")
    name_axes(axes[0, 0], "epoch", "test accuracy (%)", "a signum with a bridge", integers=True)
    legend(figure)
    return png(figure)


def codes(found: Mapping[str, Mapping[float, tuple[Statistic | None, Statistic]]]) -> bytes:
    """MS-SSIM and the accuracy of a linear probe against the bits per pixel, mean and range, by kind of code; None is not drawn."""
    drawn = [i for i in (0, 1) if any(pair[i] is not None for by_rate in found.values() for pair in by_rate.values())]
    figure, (axes,) = panels(1, len(drawn))
    for axis, i in zip(axes, drawn, strict=True):
        for k, (kind, by_rate) in enumerate(found.items()):
            points = [(rate, pair[i]) for rate, pair in by_rate.items()]
            known = [(rate, statistic) for rate, statistic in points if statistic is not None]
            if known:
                _with_range(axis, [rate for rate, _ in known], [statistic for _, statistic in known], k, kind)
        name_axes(axis, "bits per pixel", ("MS-SSIM, test images", "linear probe, test accuracy (%)")[i])
    legend(figure)
    return png(figure)


def _percent(metrics: Metrics) -> float | None:
    return None if metrics.test_accuracy is None else 100 * metrics.test_accuracy


def _with_range(axis: Any, x: Sequence[float], found: Sequence[Statistic], k: int, label: str) -> None:
    curve(axis, x, [statistic.mean for statistic in found], k, label)
    low, high = [min(s.values) for s in found], [max(s.values) for s in found]
    axis.fill_between(x, low, high, color=COLOURS[k % len(COLOURS)], alpha=0.15, linewidth=0)
