"""Neural networks with explicit backpropagation: one layer algebra, many interpreters.

    import nerva_core as nc

    ops = nc.backend("numpy", dtype="float64")

Names are loaded when they are first used, so importing the package is quick and imports no framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nerva_core import activations, gradient_activations, initializers, layers, losses, optimizers, schedules
    from nerva_core.errors import NervaError
    from nerva_core.layers import Layer, Sequential, multilayer_perceptron
    from nerva_core.matrix_ops import MatrixOps
    from nerva_core.numeric_backend import Backend, backend

_HOME = {
    "Backend": "nerva_core.numeric_backend",
    "Layer": "nerva_core.layers",
    "MatrixOps": "nerva_core.matrix_ops",
    "NervaError": "nerva_core.errors",
    "Sequential": "nerva_core.layers",
    "backend": "nerva_core.numeric_backend",
    "multilayer_perceptron": "nerva_core.layers",
}
_MODULES = ("activations", "gradient_activations", "initializers", "layers", "losses", "optimizers", "schedules")

__all__ = [
    "Backend",
    "Layer",
    "MatrixOps",
    "NervaError",
    "Sequential",
    "activations",
    "backend",
    "gradient_activations",
    "initializers",
    "layers",
    "losses",
    "multilayer_perceptron",
    "optimizers",
    "schedules",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"nerva_core.{name}")
    raise AttributeError(f"module 'nerva_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
