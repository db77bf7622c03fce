"""Matrix operations for all sizes in the hands of a user's code, which may compute with them, but not look at what they are."""

from __future__ import annotations

import inspect

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


for _name, _method in inspect.getmembers(AllSizesOps, inspect.isfunction):
    if not _name.startswith("_") and _name not in CALLING:
        setattr(OwnOps, _name, unfollowed(_method))
