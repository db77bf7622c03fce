"""The bridge (DAB) of the experiments on it, and the quantities that are read from their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.reproductions.runs import Trained, values
from nerva_core.reproductions.verdicts import Statistic

Runs = Mapping[str, Sequence[Trained]]
"""The runs by kind, one a seed."""


def bridge_around(hard: Any, outputs: int, **options: Any) -> dict[str, Any]:
    """The layer as a configuration has it, for a hard function with so many outputs: γ = 10 over the mean of all elements.

    The bridge has one hidden tanh layer, and starts near tanh.
    """
    linear = f"Linear({outputs}, weights=NearIdentity(1, 0.01))"
    return {"name": "DAB", "hard": hard, "bridge": [linear, "Tanh", linear], "gamma": 10, "reduction": "full mean", **options}


def accuracies(runs: Sequence[Trained]) -> Statistic:
    """The test accuracies in percent."""
    return Statistic.of(100 * a for a in values(runs, lambda m: m.test_accuracy))
