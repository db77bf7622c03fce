"""What stands for NumPy in a browser, where it is not: the names that the library mentions when it is imported.

None of them is the type of anything, and none can be called once the library is there: proofs need symbols and exact numbers only.
"""

from __future__ import annotations

import math
from typing import Any

inf, pi = math.inf, math.pi
loading = True
"""While the library is imported, a call such as np.dtype(np.float64) gives the name that is called."""


class Absent(type):
    """A name of NumPy: for type hints and isinstance."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name, (), {"__module__": f"{cls.__module__}.{cls.__name__}"})

    def __getitem__(cls, key: Any) -> Any:
        return Any

    def __iter__(cls) -> Any:
        return iter(())

    def __call__(cls, *arguments: Any, **parameters: Any) -> Any:
        if loading:
            return cls
        raise NotImplementedError(f"{cls.__module__}.{cls.__name__}: NumPy is not in the browser; use the operations of ops")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return Absent(name, (), {"__module__": "numpy"})
