from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.other_names import RENAMED
from nerva_core.algebra.registry import user_fields
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.layers.notation import parse_layers
from nerva_core.training.catalogue import TABLES


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("AdamW(weight_decay=0.1)", "it is called decay here"),
        ("Adam(weight_decay=0.1)", r"wrap the optimizer, as in WeightDecay\(Adam, 0.01\)"),
        ("Adam(betas=[0.9, 0.99])", "it is called beta1 and beta2 here"),
        ("Momentum(momentum=0.9)", "it is called mu here"),
        ("RMSprop(alpha=0.9)", "it is called rho here"),
        ("Adam(lr=0.1)", r"the learning rate is that of the schedule, such as Constant\(0.01\) \(--schedule\)"),
        ("Adam(amsgrad=true)", "AMSGrad is an optimizer of its own"),
    ],
)
def test_parameters_of_optimizers(optimizer: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        OPTIMIZERS.parse(optimizer)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("LeakyReLU(negative_slope=0.1)", "it is called alpha here"),
        ("Linear(out_features=3)", "it is called outputs here"),
        ("Linear(in_features=3, outputs=4)", "inputs are those of the layer before"),
        ("Linear(3, bias=false)", "Linear: bias must be an initializer such as 'Zero', got False"),
    ],
)
def test_parameters_of_layers(layer: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_layers([layer])


def test_each_name_is_that_of_a_parameter() -> None:
    known = {name for table in TABLES.values() for entry in table for name in user_fields(entry)}
    assert {name for here in RENAMED.values() for name in here} <= known
