"""The text of a theorem."""

from __future__ import annotations

from sympy_validation.coq.export import export
from sympy_validation.table import select


def text(name: str) -> str:
    (theorem,) = (t for t in select([name]) if t.method == "all sizes")
    (exported,) = export([theorem])
    return exported.text


def test_the_theorem_of_linear_is_readable() -> None:
    found = text("layers.Linear.DX")
    assert "forall N K D : nat, (0 < N)%nat -> (0 < K)%nat -> (0 < D)%nat ->" in found
    assert "is_derive (fun t => X t n d) 0 (dX n d)" in found
    assert "(∑ n < N, (∑ d < D, ((∑ k < K, ((DY n k) * (W k d))) * dX n d)))" in found


def test_an_unknown_layer_is_a_function_with_its_derivatives() -> None:
    found = text("layers.Residual.DX")
    assert "D0_layers" in found
    assert "smooth_layers" in found


def test_what_is_assumed_is_a_hypothesis_in_bounds() -> None:
    assert "(forall n, (n < N)%nat -> forall k, (k < K)%nat -> 0 < (Y 0 n k)) ->" in text("losses.CrossEntropy.DY/")
