from __future__ import annotations

import inspect

from nerva_core.algebra.operations.step_functions import StepFunctionOps
from nerva_core.comparison.subjects import subjects
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS
from nerva_core.equations.hard_functions import HARD_FUNCTIONS
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.layers import LAYERS

ALL = list(subjects())


def test_nothing_is_left_out():
    found = {kind: {subject.name.partition("(")[0] for subject in ALL if subject.kind == kind} for kind in {s.kind for s in ALL}}
    operations = {name for name, _ in inspect.getmembers(StepFunctionOps, inspect.isfunction) if not name.startswith("_")} - {
        "shape",
        "size_power",
    }
    tables = {table.kind: table for table in (ACTIVATIONS, GRADIENT_ACTIVATIONS, HARD_FUNCTIONS, LAYERS, LOSSES, OPTIMIZERS)}
    assert found == {"operation": operations} | {kind: set(table.entries) for kind, table in tables.items()}


def test_names_are_unique():
    assert len({(subject.kind, subject.name) for subject in ALL}) == len(ALL)
