"""Figures. matplotlib is imported when one is drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from nerva_core.training import Metrics


def learning_curves(history: Sequence[Metrics], title: str) -> bytes:
    """Loss and accuracy over the epochs, on the training and the test set, as a PNG."""
    from matplotlib.figure import Figure

    accuracies = [m for m in history if m.test_accuracy is not None]
    figure = Figure(figsize=(9 if accuracies else 5, 3.6), layout="constrained")
    axes: Any = figure.subplots(1, 2 if accuracies else 1, squeeze=False)[0]
    epochs = [m.epoch for m in history]
    _curve(axes[0], epochs, [m.train_loss for m in history], [m.test_loss for m in history], "loss (mean of the examples)")
    if accuracies:
        train = [100 * (m.train_accuracy or 0) for m in history]
        _curve(axes[1], epochs, train, [100 * (m.test_accuracy or 0) for m in history], "accuracy (%)")
    figure.suptitle(title, fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _curve(axis: Any, epochs: list[int], train: list[float], test: list[float], label: str) -> None:
    axis.plot(epochs, train, label="training set", color="#0072b2", marker="." if len(epochs) < 30 else None)
    axis.plot(epochs, test, label="test set", color="#d55e00", marker="." if len(epochs) < 30 else None)
    axis.set_xlabel("epoch")
    axis.set_ylabel(label)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
