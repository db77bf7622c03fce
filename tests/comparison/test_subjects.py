from __future__ import annotations

import inspect

import numpy as np
import pytest

from nerva_core.algebra.operations.step_functions import StepFunctionOps
from nerva_core.comparison.subjects import activation, layer, loss, subjects
from nerva_core.equations.activations import ACTIVATIONS, ReLU
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS
from nerva_core.equations.hard_functions import HARD_FUNCTIONS
from nerva_core.equations.losses import LOSSES, CrossEntropy
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.layers import LAYERS, Linear, Sequential
from nerva_core.layers.batch_normalization import BatchNormalization

ALL = list(subjects())


def test_nothing_is_left_out():
    found = {kind: {subject.name.partition("(")[0] for subject in ALL if subject.kind == kind} for kind in {s.kind for s in ALL}}
    operations = {name for name, _ in inspect.getmembers(StepFunctionOps, inspect.isfunction) if not name.startswith("_")} - {"shape"}
    tables = {table.kind: table for table in (ACTIVATIONS, GRADIENT_ACTIVATIONS, HARD_FUNCTIONS, LAYERS, LOSSES, OPTIMIZERS)}
    assert found == {"operation": operations} | {kind: set(table.entries) for kind, table in tables.items()}


def test_names_are_unique():
    assert len({(subject.kind, subject.name) for subject in ALL}) == len(ALL)


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: f"{subject.kind} {subject.name}")
def test_inputs_are_finite_matrices_in_their_dtype_and_repeatable(subject, dtype):
    first, second = subject.inputs(3, dtype), subject.inputs(3, dtype)
    assert first.keys() == second.keys()
    for case in first:
        for name, X in first[case].items():
            assert X.dtype == dtype
            assert X.ndim == 2
            assert np.isfinite(X).all()
            assert np.array_equal(X, second[case][name])


def test_the_awkward_is_there():
    X = activation(ReLU()).inputs(0, "float64")["row"]["X"]
    tiny = np.finfo("float64").smallest_subnormal
    for value in (0.0, tiny, -tiny, 1e4, -1e4):
        assert value in X
    cases = loss(CrossEntropy()).inputs(0, "float64")
    assert {"large logits, one-hot", "near ties, one-hot", "one row, one-hot", "one column, one-hot"} <= cases.keys()
    assert (np.abs(cases["large logits, one-hot"]["Y"]) == 1e4).all()
    cases = layer(BatchNormalization()).inputs(0, "float32")
    assert cases["huge variance"]["X"].var() > 1e33
    assert cases["tiny variance"]["X"].astype(float).var() < 1e-33


def test_a_layer_has_all_its_gradients(ops):
    subject = layer(Sequential((Linear(2), BatchNormalization())))
    given = {name: ops.matrix(X) for name, X in subject.inputs(0, "float64")["ordinary"].items()}
    outputs = subject.function(ops, subject.entry, given)
    assert {"Y", "DX", "0.DW", "0.Db", "1.Dgamma", "1.Dbeta", "evaluate", "new state.1.mean", "new state.1.Sigma"} == outputs.keys()
