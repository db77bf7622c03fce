"""Layers inside a layer are arbitrary in its proof: blocks are proved, and what joins their parts wrongly is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.equations.activations import GELU
from nerva_core.layers import ActivationLayer, Linear, Repeat, Residual, Sequential
from nerva_core.layers.tmaf import FullTMAF
from sympy_validation.parts import Parts, can_be_any
from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import user_theorems

HEAD = """
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.registry import Count
from nerva_core.equations.activations import GELU, ReLU
from nerva_core.layers import ActivationLayer, Layer, Linear
from nerva_core.layers.attention import Attention
from nerva_core.layers.normalization import LayerNorm


class P(NamedTuple):
    norm: Any
    qkv: Any
    out: Any
"""
BLOCK = """
@dataclass(frozen=True)
class Own(Layer):
    length: Count = 3
    heads: Count = 1

    def shape_of_input(self, symbols):
        return symbols.size("N") * self.length, symbols.size("D")

    def parts(self, D):
        return LayerNorm(), Linear(3 * D), Attention(self.heads, length=self.length), Linear(D)

    def shapes(self, D):
        n, q, _, o = self.parts(D)
        return P(n.shapes(D), q.shapes(D), o.shapes(D))

    def init(self, rng, D):
        n, q, _, o = self.parts(D)
        return P(n.init(rng, D), q.init(rng, D), o.init(rng, D))

    def feedforward(self, ops, params, X):
        n, q, a, o = self.parts(ops.shape(X)[1])
        Z, c1 = n.feedforward(ops, params.norm, X)
        Q, c2 = q.feedforward(ops, params.qkv, Z)
        A, c3 = a.feedforward(ops, (), Q)
        Y, c4 = o.feedforward(ops, params.out, A)
        return X + Y, (c1, c2, c3, c4)

    def backpropagate(self, ops, params, cache, DY):
        n, q, a, o = self.parts(ops.shape(DY)[1])
        c1, c2, c3, c4 = cache
        DA, Do = o.backpropagate(ops, params.out, c4, DY)
        DQ, _ = a.backpropagate(ops, (), c3, DA)
        DZ, Dq = q.backpropagate(ops, params.qkv, c2, DQ)
        DX, Dn = n.backpropagate(ops, params.norm, c1, DZ)
        return DX + DY, P(Dn, Dq, Do)
"""
TWO = """
class Two(NamedTuple):
    first: Any
    second: Any


@dataclass(frozen=True)
class Own(Layer):
    def shapes(self, D):
        return Two(Linear(D).shapes(D), Linear(D).shapes(D))

    def init(self, rng, D):
        return Two(Linear(D).init(rng, D), Linear(D).init(rng, D))

    def feedforward(self, ops, params, X):
        D = ops.shape(X)[1]
        H, c = Linear(D).feedforward(ops, params.first, X)
        Y, d = Linear(D).feedforward(ops, params.second, H)
        return Y, (c, d)

    def backpropagate(self, ops, params, cache, DY):
        D = ops.shape(DY)[1]
        c, d = cache
        DH, second = Linear(D).backpropagate(ops, params.second, d, DY)
        DX, first = Linear(D).backpropagate(ops, params.first, c, DH)
        return DX, Two(first, second)
"""
ACTIVATIONS = """
@dataclass(frozen=True)
class Own(Layer):
    def feedforward(self, ops, params, X):
        return ActivationLayer(GELU()).feedforward(ops, (), 2 * X)

    def backpropagate(self, ops, params, cache, DY):
        DX, _ = ActivationLayer(GELU()).backpropagate(ops, (), cache, DY)
        return 2 * DX, ()
"""
OWN_LINEAR = """
class Wrong(Linear):
    def backpropagate(self, ops, params, cache, DY):
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        return 2 * DX, gradients
"""


def proved(tmp_path: Path, code: str) -> list[Verdict]:
    """The verdicts on the layer called Own."""
    (tmp_path / "own.py").write_text(HEAD + code, encoding="utf-8")
    return list(prove_or_try_entries(user_theorems(f"{tmp_path / 'own.py'}:Own")))


@pytest.mark.parametrize(("code", "parts"), [(BLOCK, "Attention, LayerNorm, Linear"), (TWO, "Linear"), (ACTIVATIONS, "ActivationLayer")])
def test_a_block_is_proved_for_any_parts(tmp_path: Path, code: str, parts: str) -> None:
    found = proved(tmp_path, code)
    assert {(v.status, v.all_sizes) for v in found} == {("proved", True)}
    assert {v.conditions for v in found} == {(f"the equations of {parts} are right",)}


@pytest.mark.parametrize(
    ("code", "right", "wrong"),
    [
        (TWO, "params.first, c, DH", "params.second, c, DH"),
        (TWO, "params.first, c, DH", "params.first, d, DH"),
        (TWO, "return DX, Two", "return DH, Two"),
        (ACTIVATIONS, "return 2 * DX", "return DX"),
        (ACTIVATIONS, "ActivationLayer(GELU()).backpropagate", "ActivationLayer(ReLU()).backpropagate"),
        (OWN_LINEAR + TWO, "Linear(D).feedforward(ops, params.second, H)", "Wrong(D).feedforward(ops, params.second, H)"),
        (OWN_LINEAR + TWO, "Linear(D).backpropagate(ops, params.second", "Wrong(D).backpropagate(ops, params.second"),
    ],
)
def test_what_joins_parts_wrongly_is_refused(tmp_path: Path, code: str, right: str, wrong: str) -> None:
    assert right in code
    statuses = {(v.status, v.all_sizes) for v in proved(tmp_path, code.replace(right, wrong))}
    if "Wrong(D).feedforward" in wrong:  # only its backward is wrong, and that is not called
        assert statuses == {("proved", True)}
    else:
        assert "refuted" in {status for status, _ in statuses}


def test_which_layers_have_theorems() -> None:
    assert can_be_any(Residual(Sequential((Linear(3), ActivationLayer(GELU())))))
    for layer in (FullTMAF(), Repeat(Sequential((Linear(3),)))):
        assert not can_be_any(layer)


def test_layers_are_called_alike_if_they_are_certainly_the_same() -> None:
    parts = Parts()
    size = object()
    assert parts.name(Linear(3)) == parts.name(Linear(3)) != parts.name(Linear(4))
    assert parts.name(Linear(size)) == parts.name(Linear(size)) != parts.name(Linear(object()))
