"""The table of update rules: names of other frameworks, and the nearest rule where there is none."""

from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.optimizers import OPTIMIZERS, Adam, AdamW, GlobalNormClipping, GradientDescent, Momentum


@pytest.mark.parametrize(
    "name", ["SGD", "AdamW", "Adagrad", "Adadelta", "NAdam", "Lion", "AMSGrad", "LAMB", "RMSprop", "Adafactor", "EMA(Adam)"]
)
def test_names_of_other_frameworks_are_known(name: str) -> None:
    assert type(OPTIMIZERS.parse(name)) is OPTIMIZERS.lookup(name.partition("(")[0])


def test_what_is_missing_has_a_nearest() -> None:
    with pytest.raises(NervaError, match=r"RAdam.*the nearest is AdamW"):
        OPTIMIZERS.parse("RAdam")


def test_a_rule_of_all_gradients_is_seen_through_others() -> None:
    assert OPTIMIZERS.parse("WeightDecay(GlobalNormClipping(Momentum), 0.1)").needs_all_gradients
    assert not Momentum().needs_all_gradients
    assert GlobalNormClipping(GradientDescent()).needs_all_gradients


def test_the_numbers_of_a_step_are_the_rate_unless_the_rule_says_otherwise() -> None:
    assert GradientDescent().scalars(0.5, 3) == (0.5,)
    assert Adam(beta1=0.5, beta2=0.75).scalars(0.5, 2) == AdamW(beta1=0.5, beta2=0.75).scalars(0.5, 2) == (0.5, 0.75, 0.4375)
