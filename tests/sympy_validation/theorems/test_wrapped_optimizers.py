from __future__ import annotations

from nerva_core.equations.averaging import Averaged
from nerva_core.equations.optimizers import OPTIMIZERS, Wrapper
from sympy_validation.theorems.wrapped_optimizers import theorems


def test_every_wrapper_has_theorems_here() -> None:
    wrappers = {f"optimizers.{entry.__name__}" for entry in OPTIMIZERS if issubclass(entry, Wrapper) and not issubclass(entry, Averaged)}
    assert wrappers == {theorem.subject for theorem in theorems()}
