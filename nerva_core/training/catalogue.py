"""All tables of named entries in one place, for whatever lists or searches them."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Sequence
from typing import Any

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.registry import Entry, Table, folded, user_fields
from nerva_core.data import SOURCES
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS
from nerva_core.equations.hard_functions import HARD_FUNCTIONS
from nerva_core.equations.initializers import INITIALIZERS
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.equations.regrowth import GROWERS, PRUNERS
from nerva_core.equations.schedules import SCHEDULES
from nerva_core.equations.step_functions import GRIDS, STEP_VALUES
from nerva_core.layers import LAYERS

TABLES: dict[str, Table[Any]] = {
    "layers": LAYERS,
    "activations": ACTIVATIONS,
    "hard functions": HARD_FUNCTIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "gradient activations": GRADIENT_ACTIVATIONS,
    "schedules": SCHEDULES,
    "pruners": PRUNERS,
    "growers": GROWERS,
    "initializers": INITIALIZERS,
    "grids": GRIDS,
    "initial step values": STEP_VALUES,
    "data sources": SOURCES,
}


def chosen_tables(kinds: Sequence[str]) -> dict[str, Table[Any]]:
    """The tables of these kinds, in the singular or plural, by default all; NervaError for what is none."""
    names = {folded(name): title for title, table in TABLES.items() for name in (title, table.kind)}
    for kind in kinds:
        if folded(kind) not in names:
            raise NervaError(f"unknown kind {kind!r}; {did_you_mean(kind, TABLES)}")
    return {title: TABLES[title] for title in dict.fromkeys(names[folded(kind)] for kind in kinds)} if kinds else TABLES


def description(entry: type[Entry]) -> str:
    """What an entry is, in a line: the first sentence of its docstring, up to the equation where there is one."""
    text = " ".join(inspect.cleandoc(entry.__doc__ or "").partition("\n\n")[0].split())
    ends = [match.start() for match in re.finditer(r"(?<=[^.][^.])[.;](\s|$)", text)]
    whole = [text[:end] for end in ends if text[:end].count("(") <= text[:end].count(")")]  # as not after "et al."
    return next(iter(whole), text)


def signature(entry: type[Entry]) -> str:
    """An entry as it is written, with its parameters and their defaults: ``Momentum(mu=0.9)``."""
    fields = [*user_fields(entry).values()]
    written = [f"{field.name}" if field.default is dataclasses.MISSING else f"{field.name}={field.default!r}" for field in fields]
    return f"{entry.__name__}({', '.join(written)})" if written else entry.__name__
