"""Matrix operations for all sizes in the hands of a user's code, which may compute with them, but not look at what they are."""

from __future__ import annotations

import inspect

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes import powers
from sympy_validation.all_sizes.generic import is_generic
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.ops import AllSizesOps
from sympy_validation.operands import Opaque
from sympy_validation.ways import unfollowed

CALLING = ("apply", "scan")
"""The operations that call a function of the user."""


class OwnOps(AllSizesOps, Opaque):
    """The operations; the code that calls them is followed, and they are not."""

    what = "the matrix operations"

    def __repr__(self) -> str:
        self._no_text()
        return "OwnOps()"

    def sqrt(self, X: SymbolicMatrix) -> SymbolicMatrix:
        self._require_nonzero(X, "its root is 0")
        return super().sqrt(X)

    def inv_sqrt(self, X: SymbolicMatrix) -> SymbolicMatrix:
        return self.reciprocal(super().sqrt(X))

    def quotient(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        if powers.quotient(X.entry, Y.entry, self._is_nonzero) is None:
            self._require_nonzero(Y, "0 / 0 is 0")
        return super().quotient(X, Y)

    def xlogy(self, X: SymbolicMatrix, Y: SymbolicMatrix) -> SymbolicMatrix:
        self._require_nonzero(Y, "0 log 0 is 0")
        return super().xlogy(X, Y)

    def _require_nonzero(self, X: SymbolicMatrix, value: str) -> None:
        """What has a value where X is 0 is not what the condition X != 0 says, unless this is shown almost everywhere."""
        if not (powers.positive_in_cases(X.entry) or is_generic(X.entry)):
            raise NervaError(f"{X.text()} may be 0 in a whole region, where {value}")


for _name, _method in inspect.getmembers(OwnOps, inspect.isfunction):
    if not _name.startswith("_") and _name not in CALLING:
        setattr(OwnOps, _name, unfollowed(_method))
