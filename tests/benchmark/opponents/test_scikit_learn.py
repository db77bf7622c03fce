from __future__ import annotations

import pytest

from nerva_core.benchmark.contenders import NoCounterpartError, Ours
from nerva_core.benchmark.measure import disagreement
from nerva_core.benchmark.opponents import ScikitLearn
from tests.benchmark.networks import losses, problem


def test_scikit_learn_computes_what_ours_does() -> None:
    given = problem('["Linear(8)", "Tanh", "Linear(3)"]')
    assert disagreement(losses(Ours, given), losses(ScikitLearn, given), "float32") is None


@pytest.mark.parametrize(
    ("layers", "extra", "message"),
    [
        ('["Linear(8)", "BatchNormalization", "ReLU", "Linear(3)"]', "", "MLPClassifier is dense layers"),
        ('["Linear(8)", "SiLU", "Linear(3)"]', "", "no ActivationLayer"),
        ('["Linear(8)", "PReLU", "Linear(3)"]', "", "no PReLU"),
        ('["Linear(8)", "ReLU", "Linear(3)"]', 'optimizer = "Adam"', "momentum, not Adam"),
        ('["Linear(8)", "ReLU", "Linear(3)"]', 'loss = "SquaredError"', "softmax cross-entropy, not SquaredError"),
    ],
)
def test_what_an_opponent_does_not_have(layers: str, extra: str, message: str) -> None:
    with pytest.raises(NoCounterpartError, match=message):
        ScikitLearn(problem(layers, extra), 1)
