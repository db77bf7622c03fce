"""Proofs from Python: ``nerva_core.prove("Linear")``, whose result a notebook shows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nerva_core.algebra.registry import Entry

if TYPE_CHECKING:
    from sympy_validation.notebook import Verdicts


def prove(*names: str | Entry | type[Entry], seconds: float = 60.0) -> Verdicts:
    """Prove what the names say: Linear, layers.Linear, my_layer.py:MyLayer; or of an entry, the theorems about its class.

    ``seconds`` limits each theorem. NervaError if nothing is named, for a name that there is not, or if SymPy is not installed.
    """
    from nerva_core.algebra.numeric_backend import require

    require("sympy", "proofs")
    from sympy_validation.notebook import prove_named

    return prove_named(names, seconds)
