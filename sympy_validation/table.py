"""The table of theorems: what is claimed of each public layer, activation, loss, optimizer, schedule and initializer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from nerva_core.algebra.errors import NervaError, did_you_mean
from sympy_validation.errata import dab, gaf, q_neurons
from sympy_validation.errata import specification as specification_errata
from sympy_validation.errata import tmaf as tmaf_errata
from sympy_validation.theorem import Theorem
from sympy_validation.theorems import (
    activations,
    bridges,
    gradient_activations,
    initializers,
    layers,
    losses,
    matrix_calculus,
    optimizers,
    q_calculus,
    recurrent,
    schedules,
    softmax,
    specification,
    tmaf,
)

SOURCES = (
    layers,
    recurrent,
    bridges,
    activations,
    losses,
    softmax,
    specification,
    matrix_calculus,
    optimizers,
    schedules,
    q_calculus,
    gradient_activations,
    initializers,
    specification_errata,
    q_neurons,
    gaf,
    tmaf,
    tmaf_errata,
    dab,
)


@cache
def table() -> tuple[Theorem, ...]:
    """All theorems, by subject."""
    return tuple(theorem for source in SOURCES for theorem in source.theorems())


def select(names: Iterable[str]) -> list[Theorem]:
    """The theorems whose id or subject begins with, or contains, one of the names; NervaError for a name that none has."""
    chosen: dict[str, Theorem] = {}
    for name in names:
        found = _named(name)
        if not found:
            raise NervaError(f"no theorem is called {name!r}; {did_you_mean(name, _short_names())}")
        chosen |= {theorem.id: theorem for theorem in found}
    return [theorem for theorem in table() if theorem.id in chosen]


def _named(name: str) -> list[Theorem]:
    key = name.casefold()
    exact = [t for t in table() if key in (t.subject.casefold(), t.subject.casefold().partition(".")[2])]
    begins = [t for t in table() if t.id.casefold().startswith(key)]
    return exact or begins or [t for t in table() if key in t.id.casefold()]


def _short_names() -> set[str]:
    return {theorem.subject.partition(".")[2] or theorem.subject for theorem in table()}
