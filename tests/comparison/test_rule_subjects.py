from __future__ import annotations

import numpy as np

from nerva_core.comparison.rule_subjects import activation, loss
from nerva_core.equations.activations import ReLU
from nerva_core.equations.losses import CrossEntropy


def test_the_awkward_is_there():
    X = activation(ReLU()).inputs(0, "float64")["row"]["X"]
    tiny = np.finfo("float64").smallest_subnormal
    for value in (0.0, tiny, -tiny, 1e4, -1e4):
        assert value in X
    cases = loss(CrossEntropy()).inputs(0, "float64")
    assert {"large logits, one-hot", "near ties, one-hot", "one row, one-hot", "one column, one-hot"} <= cases.keys()
    assert (np.abs(cases["large logits, one-hot"]["Y"]) == 1e4).all()
