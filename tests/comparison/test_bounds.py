from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.comparison.bounds import DEFAULT, FLUSHING, IN_ULP, RULES, SUM, TRAINING, bound_of
from nerva_core.comparison.subjects import subjects
from nerva_core.equations.activations import ACTIVATIONS, Tanh

PAGE = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
ALL = list(subjects())


def test_the_bounds_are_the_stated_ones():
    assert DEFAULT == {"ulp": 4, "terms": 2}
    assert SUM == 1
    assert TRAINING == {"float64": 1e-12, "float32": 1e-5}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.quantity)
def test_a_rule_is_about_something_and_says_why_in_the_documentation(rule):
    names = [name for subject in ALL for name in (f"{subject.name}: value", f"{subject.name}: gradient")]
    assert any(rule.matches(name, backend, dtype) for name in names for backend in backend_classes() for dtype in TRAINING)
    assert rule.reason in PAGE


def test_what_flushes_is_a_backend_and_is_documented():
    for name, reason in FLUSHING.items():
        assert name in backend_classes()
        assert reason in PAGE


def test_elementwise_quantities_are_measured_in_ulp_and_sums_by_their_terms():
    named = {subject.name: subject for subject in ALL}
    assert bound_of("numpy", "float64", named["tanh"], "value").measure == "ulp"
    assert bound_of("numpy", "float64", named["tanh"], "value").value == 4
    assert bound_of("numpy", "float64", named["matmul"], "value").measure == "terms"
    assert bound_of("numpy", "float64", named["matmul"], "value").value == 1
    assert bound_of("numpy", "float64", named["Softmax"], "DX").measure == "terms"
    assert bound_of("numpy", "float64", named["SiLU"], "gradient").measure == "terms"
    assert bound_of("numpy", "float64", named["Sigmoid"], "gradient").measure == "ulp"


def test_an_activation_of_a_user_is_held_to_its_running_error():
    """One that nothing is stated of, such as a Mish of one's own, whose gradient crosses 0."""

    class Another(Tanh):
        pass

    subject = next(subject for subject in ALL if subject.kind == "activation")
    assert bound_of("numpy", "float64", dataclasses.replace(subject, name="Another", entry=Another()), "value").measure == "terms"


def test_every_activation_that_is_held_to_ulp_is_there():
    assert {ACTIVATIONS.lookup(name).__name__ for name in IN_ULP} == IN_ULP


def test_subnormal_numbers_may_be_zero_only_where_that_is_said():
    sigmoid = next(subject for subject in ALL if subject.name == "sigmoid")
    flushes = {name: bound_of(name, "float64", sigmoid, "value").flushes for name in backend_classes()}
    assert flushes == {"numpy": False, "jax": True, "torch": True, "tensorflow": True}
    exp = next(subject for subject in ALL if subject.name == "exp")
    assert not bound_of("torch", "float64", exp, "value").flushes
