"""The checker is checked: what is wrong is found, under its name; what is right is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from backends.numpy import NumpyBackend
from nerva_core.comparison.measure import expectations, measure
from nerva_core.comparison.subjects import CONSTANTS, subjects
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.layers import Linear
from nerva_core.layers.linear import LinearParameters
from tests.conftest import make_backend

ALL = list(subjects())
OPERATIONS = [subject for subject in ALL if subject.kind == "operation"]


def named(name, kind=None):
    return next(subject for subject in ALL if subject.name == name and subject.kind in (kind or subject.kind))


def failures(ops, chosen):
    return {(result.kind, result.quantity) for subject in chosen for result in measure(subject, ops, 0) if not result.within}


def faulty(name, change):
    """A NumPy backend with one operation changed."""

    def operation(self, *arguments):
        return change(getattr(NumpyBackend, name)(self, *arguments))

    return type("Faulty", (NumpyBackend,), {name: operation})("float64")


def wrong(Y):
    return Y * (1 + 1e-6)


# Native operators cannot be replaced by a subclass of the backend; indicators and numbers of ones and zeros are multiples too.
@pytest.mark.parametrize("subject", OPERATIONS, ids=lambda subject: subject.name)
def test_an_operation_that_is_wrong_by_1e_6_is_named(subject):
    ops = faulty(subject.name, wrong)
    found = failures(ops, [subject])
    assert found == ({("operation", subject.name)} if subject.name != "zeros" else set())


def test_only_what_uses_a_wrong_operation_is_named():
    chosen = [subject for subject in ALL if subject.kind == "activation"]
    found = {name.partition(":")[0].partition("(")[0] for _, name in failures(faulty("tanh", wrong), chosen)}
    assert found == {"Mish", "Tanh"}
    found = {name.partition(":")[0].partition("(")[0] for _, name in failures(faulty("sigmoid", wrong), chosen)}
    assert found == {"Mish", "Sigmoid", "SiLU", "Softplus", "Tanh", "TanhGELU"}


@pytest.mark.parametrize("name", ["exp", "hadamard", "columns_sum", "normal_cdf", "quotient"])
def test_float32_arithmetic_inside_float64_is_named(name):
    ops = faulty(name, lambda Y: Y.astype("float32").astype("float64"))
    with warnings.catch_warnings(record=True):
        assert ("operation", name) in failures(ops, [named(name, "operation")])


def test_all_float32_inside_float64_is_named():
    class Half(NumpyBackend):
        def matrix(self, values):
            return super().matrix(np.asarray(values, "float32"))

    with warnings.catch_warnings(record=True):
        found = failures(Half("float64"), [named("Linear(outputs=3)"), named("Tanh"), named("matmul")])
    assert {("operation", "matmul"), ("activation", "Tanh: value"), ("layer", "Linear(outputs=3): DW")} <= found


def test_a_result_of_the_wrong_dtype_is_a_problem():
    ops = faulty("tanh", lambda Y: Y.astype("float32"))
    with warnings.catch_warnings(record=True):
        (result,) = measure(named("tanh"), ops, 0)
    assert "dtype float32" in result.problem


def test_a_transposed_gradient_is_named_in_the_square_case(monkeypatch):
    """W is K x D: the shape does not tell where K = D."""

    class Transposing(NumpyBackend):
        pass

    right = Linear.backpropagate

    def backpropagate(self, ops, params, cache, DY):
        DX, (DW, Db) = right(self, ops, params, cache, DY)
        if isinstance(ops, Transposing) and DW.shape[0] == DW.shape[1]:
            DW = DW.T
        return DX, LinearParameters(DW, Db)

    monkeypatch.setattr(Linear, "backpropagate", backpropagate)
    subject = named("Linear(outputs=3)")
    results = [result for result in measure(subject, Transposing("float64"), 0) if not result.within]
    assert [(result.quantity, result.case) for result in results] == [("Linear(outputs=3): DW", "square")]


def test_a_wrong_shape_is_a_problem():
    (result,) = measure(named("columns_sum"), faulty("columns_sum", lambda Y: Y.T), 0)
    assert "shape" in result.problem


@pytest.mark.parametrize(("change", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_nan_and_infinity_are_problems(change, word):
    (result,) = measure(named("exp"), faulty("exp", lambda Y: np.where(Y == 1, change, Y)), 0)
    assert not result.within
    assert word in result.problem


def test_a_warning_is_a_problem():
    def textbook(self, X):
        return 1 / (1 + np.exp(-X))  # overflows for x < -709, with the right value 0

    ops = type("Textbook", (NumpyBackend,), {"sigmoid": textbook})("float64")
    (result,) = measure(named("sigmoid"), ops, 0)
    assert "overflow" in result.problem
    assert not result.within


def test_cancellation_is_not_held_against_a_backend_but_a_lost_digit_is():
    subject = named("BatchNormalization")
    results = {result.quantity: result for result in measure(subject, NumpyBackend("float64"), 0)}
    DX = results["BatchNormalization: DX"]
    assert DX.within
    assert DX.ulp > 1e3  # DX is a difference: its last digits are gone in any arithmetic
    found = failures(faulty("columns_mean", lambda Y: Y * (1 + 1e-13)), [subject])
    assert ("layer", "BatchNormalization: DX") in found


def test_every_backend_is_within_its_bounds_on_what_frameworks_get_wrong(ops_of_dtype):
    """The whole comparison is the command's; here are the functions that had to be mended in one framework or another."""
    chosen = [named(operation, "operation") for operation in ("expm1", "tanh", "log1p", "sigmoid", "normal_cdf", "normal_pdf")]
    assert failures(ops_of_dtype, chosen) == set()


COSTLY = ("Attention", "GroupedQueryAttention", "MultiHeadAttention", "TransformerBlock")
"""Seconds each to compute exactly."""
KINDS = {subject.name.partition("(")[0]: subject for subject in ALL if subject.name.startswith(COSTLY)}
CHOSEN = [subject for subject in ALL if not subject.name.startswith(COSTLY) or subject in KINDS.values()]
"""Of what costs much one example each; the command compares all."""


@pytest.mark.sampled(8)
@pytest.mark.parametrize("subject", CHOSEN, ids=lambda subject: f"{subject.kind} {subject.name}")
def test_numpy_is_within_its_bounds_in_all_cases(subject, dtype):
    assert failures(make_backend("numpy", dtype), [subject]) == set()
    left_out = subject.inputs(0, dtype).keys() - expectations(subject, 0, dtype).keys()
    if subject.name in ("CrossEntropy", "NegativeLogLikelihood"):  # the logarithms of negative numbers
        assert {"probabilities, one-hot", "certain", "one row, positive", "one column, positive"} & left_out == set()
    else:
        assert left_out == set()


def test_a_new_activation_is_compared_without_an_edit(monkeypatch):
    from nerva_core.equations.activations import Activation

    class Cube(Activation):
        def value(self, ops, X):
            return ops.hadamard(X, ops.hadamard(X, X))

        def gradient(self, ops, X):
            return 3 * ops.hadamard(X, X)

    monkeypatch.setitem(ACTIVATIONS.entries, "Cube", Cube)
    (cube,) = [subject for subject in subjects() if subject.name == "Cube"]
    with np.errstate(all="ignore"):
        assert {result.quantity for result in measure(cube, NumpyBackend("float64"), 0)} == {"Cube: value", "Cube: gradient"}


def test_constants_are_operations_too():
    assert set(CONSTANTS) <= {subject.name for subject in OPERATIONS}
