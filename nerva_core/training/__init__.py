"""Training: a configuration, the steps, the state that is saved and resumed, and what is reported of a run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nerva_core.training.results import Metrics
    from nerva_core.training.step import training_step
    from nerva_core.training.trainer import DivergenceError, Trainer

FILES = {"DivergenceError": "trainer", "Metrics": "results", "Trainer": "trainer", "training_step": "step"}
__all__ = ["DivergenceError", "Metrics", "Trainer", "training_step"]


def __getattr__(name: str) -> Any:
    """The trainer is loaded when it is first used: commands import the modules beside it, and not all of them train."""
    if name in FILES:
        return getattr(importlib.import_module(f"{__name__}.{FILES[name]}"), name)
    raise AttributeError(f"module 'nerva_core.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
