from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.activations import ELU
from nerva_core.equations.optimizers import GAF, Adam, AdamState, Momentum
from nerva_core.interoperability.common import as_layer, as_rule, check_columns, fill_in, hollow, operations, rule_template
from nerva_core.layers import ActivationLayer, Linear, QActivation, Sequential
from nerva_core.layers.linear import LinearParameters


def test_layers_and_rules_from_text() -> None:
    assert as_layer("q-elu(lambda=0.5)") == QActivation(ELU(), lambda_=0.5)
    assert as_layer("Linear(3); ELU") == Sequential((Linear(3), ActivationLayer(ELU())))
    assert as_layer(Linear(3)) == Linear(3)
    assert as_rule("GAF(Momentum)") == GAF(Momentum())
    with pytest.raises(NervaError, match="unknown layer 'Linaer'; did you mean 'Linear'"):
        as_layer("Linaer(3)")


def test_a_dtype_that_the_library_does_not_have_is_refused() -> None:
    with pytest.raises(NervaError, match="dtype must be one of 'float32', 'float64', got 'float16'"):
        operations("numpy", "float16")


def test_trees() -> None:
    tree = (LinearParameters("W", "b"), ())
    assert hollow(tree) == (LinearParameters(None, None), ())
    assert fill_in(hollow(tree), ["W", "b"]) == tree
    with pytest.raises(NervaError, match="expected 2 matrices, got 1"):
        fill_in(tree, ["W"])
    assert rule_template(Adam()) == AdamState(None, None)


def test_columns_are_checked() -> None:
    check_columns(Linear(2), 3, 3)
    with pytest.raises(NervaError, match="Linear was made for 3 inputs, but X has 4 columns"):
        check_columns(Linear(2), 3, 4)
