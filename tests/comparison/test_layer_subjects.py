from __future__ import annotations

from nerva_core.comparison.layer_subjects import layer
from nerva_core.layers import Linear, Sequential
from nerva_core.layers.batch_normalization import BatchNormalization


def test_a_layer_has_all_its_gradients(ops):
    subject = layer(Sequential((Linear(2), BatchNormalization())))
    given = {name: ops.matrix(X) for name, X in subject.inputs(0, "float64")["ordinary"].items()}
    outputs = subject.function(ops, subject.entry, given)
    assert {"Y", "DX", "0.DW", "0.Db", "1.Dgamma", "1.Dbeta", "evaluate", "new state.1.mean", "new state.1.Sigma"} == outputs.keys()


def test_the_variance_is_huge_and_tiny():
    cases = layer(BatchNormalization()).inputs(0, "float32")
    assert cases["huge variance"]["X"].var() > 1e33
    assert cases["tiny variance"]["X"].astype(float).var() < 1e-33
