"""Names that a shell offers, once ``nerva --install-completion`` has been run."""

from __future__ import annotations

from collections.abc import Callable


def names_of(*tables: str) -> Callable[[str], list[str]]:
    """Completes the names in these tables of ``nerva list``, in all of them if none is named, whatever the case."""

    def complete(incomplete: str) -> list[str]:
        from nerva_core.training.catalogue import TABLES

        return [name for table in tables or TABLES for name in TABLES[table].entries if name.casefold().startswith(incomplete.casefold())]

    return complete


def backend_names(incomplete: str) -> list[str]:
    """Completes the name of a backend."""
    from nerva_core.algebra.numeric_backend import backend_classes

    return [name for name in backend_classes() if name.startswith(incomplete)]


def dtype_names(incomplete: str) -> list[str]:
    """Completes the name of a dtype."""
    return [name for name in ("float32", "float64") if name.startswith(incomplete)]
