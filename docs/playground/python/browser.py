"""SymPy is fetched when it is first imported: most proofs do without it, and it is as large as all else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import js


class SymPyFinder:
    """Finds SymPy after it has been fetched."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "sympy":
            return None
        sys.meta_path.remove(SymPyFinder)
        js.fetchSymPy()
        importlib.invalidate_caches()
        return PathFinder.find_spec(name, path, target)


sys.meta_path.append(SymPyFinder)
