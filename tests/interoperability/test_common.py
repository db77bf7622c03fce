from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.activations import ELU
from nerva_core.equations.optimizers import GAF, Adam, AdamState, Momentum
from nerva_core.interoperability.common import (
    as_layer,
    as_rule,
    check_columns,
    check_parameters,
    check_trainable,
    fill_in,
    hollow,
    initial,
    operations,
    rule_template,
)
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear, QActivation, Sequential
from nerva_core.layers.linear import LinearParameters


def test_layers_and_rules_from_text() -> None:
    assert as_layer("q-elu(lambda=0.5)") == QActivation(ELU(), lambda_=0.5)
    assert as_layer("Linear(3); ELU") == Sequential((Linear(3), ActivationLayer(ELU())))
    assert as_layer(Linear(3)) == Linear(3)
    assert as_rule("GAF(Momentum)") == GAF(Momentum())
    with pytest.raises(NervaError, match="unknown layer 'Linaer'; did you mean 'Linear'"):
        as_layer("Linaer(3)")


def test_a_dtype_that_the_library_does_not_have_is_refused() -> None:
    with pytest.raises(NervaError, match="run in float32 or float64, got float16; convert the arrays"):
        operations("numpy", "float16")


def test_trees() -> None:
    tree = (LinearParameters("W", "b"), ())
    assert hollow(tree) == (LinearParameters(None, None), ())
    assert fill_in(hollow(tree), ["W", "b"]) == tree
    with pytest.raises(NervaError, match="expected 2 matrices, got 1"):
        fill_in(hollow(tree), ["W"])
    assert rule_template(Adam()) == AdamState(None, None)


def test_layers_from_lists_and_tables() -> None:
    assert as_layer({"name": "Linear", "outputs": 3}) == Linear(3)
    assert as_layer(["Linear(3)", "ELU"]) == Sequential((Linear(3), ActivationLayer(ELU())))
    for wrong, message in (({"outputs": 3}, "needs a name"), (None, "must be text such as")):
        with pytest.raises(NervaError, match=message):
            as_layer(wrong)


def test_columns_are_checked() -> None:
    check_columns(Linear(2), 3, np.ones((1, 3)))
    with pytest.raises(NervaError, match="Linear was made for 3 inputs, but X has 4 columns"):
        check_columns(Linear(2), 3, np.ones((1, 4)))
    with pytest.raises(NervaError, match=r"rows of 3 numbers, got 1\.5"):
        check_columns(Linear(2), 3, 1.5)


def test_parameters_are_checked() -> None:
    X, W, b = np.ones((2, 3)), np.ones((4, 3)), np.ones((1, 4))
    check_parameters(Linear(4), X, LinearParameters(W, b))
    for params, message in (
        (LinearParameters(W.T, b), r"has for 3 columns of X W of shape \(4, 3\), b of shape \(1, 4\); got W of shape \(3, 4\)"),
        ((), "got no parameters"),
        (LinearParameters(W.astype("float32"), b), "X is float64, but the parameter W of Linear is float32"),
    ):
        with pytest.raises(NervaError, match=message):
            check_parameters(Linear(4), X, params)


def test_one_row_is_refused_where_batches_are_normalised() -> None:
    check_trainable(Linear(2), (1, 3))
    for shape in ((2, 3), (None, 3), (2, 1, 3)):
        check_trainable(BatchNormalization(), shape)
    for shape in ((1, 3), (3,), (1, 1, 3)):
        with pytest.raises(NervaError, match="at least two rows in training"):
            check_trainable(Sequential((Linear(2), BatchNormalization())), shape)


@pytest.mark.parametrize(("inputs", "seed", "message"), [("3", 0, "got '3'"), (0, 0, "got 0"), (3, -1, "seed must be >= 0, got -1")])
def test_sizes_and_seeds_are_checked(inputs: Any, seed: int, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        initial(Linear(2), inputs, seed)
