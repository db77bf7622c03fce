"""The published equations of section 4 are proved, and a wrong one is refuted."""

from __future__ import annotations

from typing import Any

from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.linear import Linear
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import prove
from sympy_validation.theorems import specification
from sympy_validation.theorems.layers import sequence
from sympy_validation.theorems.tools import about


def test_each_combined_layer_has_its_gradients() -> None:
    subjects = {t.subject for t in specification.theorems()}
    assert subjects >= {f"specification.4 {name} layer" for name in ("activation", "softmax", "log-softmax", "SReLU", "activation dropout")}


def test_a_wrong_published_equation_is_refuted() -> None:
    def without_dy(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        return layer.activation.gradient(ops, cache.Z), ()

    claim = LayerGradient(sequence(Linear, ActivationLayer), specification.linear_then(without_dy))
    verdicts = list(prove(about("wrong", claim, "{}", ("all sizes",))))
    assert [v.status for v in verdicts] == ["refuted"] * 3
