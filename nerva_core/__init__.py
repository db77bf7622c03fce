"""Neural networks with explicit backpropagation: one layer algebra, many interpreters.

    import nerva_core as nc

    ops = nc.backend("numpy", dtype="float64")

Names are loaded when they are first used, so importing the package is quick and imports no framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nerva_core import former_paths

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nerva_core import layers
    from nerva_core.algebra.errors import NervaError
    from nerva_core.algebra.matrix_ops import MatrixOps
    from nerva_core.algebra.numeric_backend import Backend, backend
    from nerva_core.equations import activations, gradient_activations, initializers, losses, optimizers, schedules
    from nerva_core.estimators import NervaClassifier, NervaRegressor, fit
    from nerva_core.inspection.showing import show
    from nerva_core.layers import Layer, Sequential, multilayer_perceptron
    from nerva_core.proving import prove

_HOME = {
    "Backend": "nerva_core.algebra.numeric_backend",
    "Layer": "nerva_core.layers",
    "MatrixOps": "nerva_core.algebra.matrix_ops",
    "NervaClassifier": "nerva_core.estimators",
    "NervaError": "nerva_core.algebra.errors",
    "NervaRegressor": "nerva_core.estimators",
    "Sequential": "nerva_core.layers",
    "backend": "nerva_core.algebra.numeric_backend",
    "fit": "nerva_core.estimators",
    "multilayer_perceptron": "nerva_core.layers",
    "prove": "nerva_core.proving",
    "show": "nerva_core.inspection.showing",
}
_EQUATIONS = ("activations", "gradient_activations", "initializers", "losses", "optimizers", "schedules")

__all__ = [
    "Backend",
    "Layer",
    "MatrixOps",
    "NervaClassifier",
    "NervaError",
    "NervaRegressor",
    "Sequential",
    "activations",
    "backend",
    "fit",
    "gradient_activations",
    "initializers",
    "layers",
    "losses",
    "multilayer_perceptron",
    "optimizers",
    "prove",
    "schedules",
    "show",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _EQUATIONS:
        return importlib.import_module(f"nerva_core.equations.{name}")
    if name == "layers":
        return importlib.import_module("nerva_core.layers")
    raise AttributeError(f"module 'nerva_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


former_paths.install()
