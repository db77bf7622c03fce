"""Former import paths that documentation named: ``nerva_core.activations`` is ``nerva_core.equations.activations``, the same module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

FORMER = {
    **{f"nerva_core.{name}": f"nerva_core.algebra.{name}" for name in ("errors", "matrix_ops", "numeric_backend", "registry", "trees")},
    **{
        f"nerva_core.{name}": f"nerva_core.equations.{name}"
        for name in (
            "activations",
            "gradient_activations",
            "hard_functions",
            "initializers",
            "losses",
            "optimizers",
            "schedules",
            "softmax",
            "step_functions",
        )
    },
    **{f"nerva_core.{name}": f"nerva_core.training.{name}" for name in ("config", "models", "predictions")},
    **{f"nerva_core.{name}": f"nerva_core.theory.{name}" for name in ("bridge_theory", "gradient_theory", "q_calculus")},
    "nerva_core.trace": "nerva_core.inspection.trace",
    "nerva_core.landscape": "nerva_core.inspection.landscape",
    "nerva_core.tmaf_plots": "nerva_core.figures.step_functions",
    "nerva_core.layers.perceptron": "nerva_core.layers.notation",
}


class FormerPaths:
    """Finds the module under its present path, so that its classes and tables exist once.

    It has the methods of a finder and a loader; their base classes, in ``importlib.abc``, would take longer to import than all of
    this.
    """

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A spec for former paths alone."""
        loader: Any = self
        return ModuleSpec(fullname, loader) if fullname in FORMER else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself; what the import system would write over is kept."""
        module = importlib.import_module(FORMER[spec.name])
        self._present = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""
        module.__spec__ = self._present


def install() -> None:
    """Make former paths importable."""
    if not any(type(finder).__name__ == FormerPaths.__name__ for finder in sys.meta_path):
        sys.meta_path.append(FormerPaths())
