"""A refuted gradient and the one change that makes it right: by hand, and for the mutants of the audit."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from nerva_core.equations.activations import Tanh
from nerva_core.interpreters.mutants import MutantOps, Mutation, list_mutations
from nerva_core.layers import ActivationLayer, Linear
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.softmax import LogSoftmax, Softmax
from sympy_validation.attempt import Attempt
from sympy_validation.certificates import SamplePoints
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.repair import POINTS, Advice, Search
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import prove_or_try_entries
from sympy_validation.user_layers import user_theorems

HEAD = """
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.registry import Positive
from nerva_core.layers import Layer


class VW(NamedTuple):
    V: Any
    W: Any


@dataclass(frozen=True)
class Case(Layer):
"""
LAYER_NORM = """
    c: Positive = 0.5

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        R = X - ops.column_repeat(ops.rows_mean(X), D)
        s = ops.inv_sqrt(ops.rows_mean(ops.hadamard(R, R)) + ops.ones(N, 1))
        Z = ops.hadamard(R, ops.column_repeat(s, D))
        return self.c * Z, (Z, s)

    def backpropagate(self, ops, params, cache, DY):
        Z, s = cache
        _, D = ops.shape(Z)
        DZ = self.c * DY
        inner = DZ - ops.column_repeat(ops.rows_mean(DZ), D)
        inner = inner - ops.hadamard(Z, ops.column_repeat(ops.rows_mean(ops.hadamard(DZ, Z)), D))
        return ops.hadamard(ops.column_repeat(s, D), inner), ()
"""
TWO = """
    def shapes(self, D):
        return VW((D, D), (D, D))

    def feedforward(self, ops, params, X):
        return (X @ params.V) @ params.W, [X]

    def backpropagate(self, ops, params, cache, DY):
        V, W = params
        (X,) = cache
        DH = DY @ ops.transpose(W)
        return DH @ ops.transpose(V), VW(ops.transpose(X) @ DH, ops.transpose(X @ V) @ DY)
"""
EXCHANGED = "VW(ops.transpose(X @ V) @ DY, ops.transpose(X) @ DH)"
CASES = {
    "a missing mean": (
        LAYER_NORM,
        "inner = DZ - ops.column_repeat(ops.rows_mean(DZ), D)",
        "inner = DZ",
        "the term -rows_mean(DZ) is missing",
    ),
    "a sum for a mean": (LAYER_NORM, "ops.rows_mean(DZ)", "ops.rows_sum(DZ)", "rows_mean belongs in the place of rows_sum"),
    "a sign": (LAYER_NORM, "inner = inner - ops", "inner = inner + ops", "the sign is opposite"),
    "a lost hyper-parameter": (LAYER_NORM, "DZ = self.c * DY", "DZ = DY", "divide it by 2|the factor self.c is missing"),
    "a lost factor": (LAYER_NORM, "return ops.hadamard(ops.column_repeat(s, D), inner), ()", "return inner, ()", "the factor s is missing"),
    "exchanged": (
        TWO,
        "VW(ops.transpose(X) @ DH, ops.transpose(X @ V) @ DY)",
        "VW(ops.transpose(X @ V) @ DY, ops.transpose(X) @ DH)",
        "exchanged",
    ),
    "transposed": (TWO, "VW(ops.transpose(X) @ DH,", "VW(ops.transpose(DH) @ X,", "the result must be transposed"),
    "the whole sign": (TWO, "VW(ops.transpose(X) @ DH,", "VW(-(ops.transpose(X) @ DH),", "the sign is opposite"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_change_is_named(tmp_path: Path, name: str) -> None:
    code, right, wrong, words = CASES[name]
    assert right in code
    (tmp_path / "case.py").write_text(HEAD + code.replace(right, wrong), encoding="utf-8")
    advice = [v.advice for v in prove_or_try_entries(user_theorems(f"{tmp_path / 'case.py'}:Case")) if v.status == "refuted"]
    assert advice
    assert all(any(word in text for word in words.split("|")) for text in advice)
    assert all(text.startswith("one change makes D") and "at the points" not in text for text in advice)


def test_what_is_right_needs_no_change(tmp_path: Path) -> None:
    (tmp_path / "case.py").write_text(HEAD + LAYER_NORM, encoding="utf-8")
    assert [v.advice for v in prove_or_try_entries(user_theorems(f"{tmp_path / 'case.py'}:Case"))] == [""]


def test_two_mistakes_are_not_one(tmp_path: Path) -> None:
    code = TWO.replace("DH @ ops.transpose(V), VW(ops.transpose(X) @ DH", "-(DH @ V), VW(2 * (ops.transpose(DH) @ X)")
    (tmp_path / "case.py").write_text(HEAD + code, encoding="utf-8")
    assert {v.advice for v in prove_or_try_entries(user_theorems(f"{tmp_path / 'case.py'}:Case"))} == {""}


LAYERS: dict[str, Any] = {
    "Linear": lambda space: Linear(space.size("K")),
    "Tanh": lambda space: ActivationLayer(Tanh()),
    "Softmax": lambda space: Softmax(),
    "LogSoftmax": lambda space: LogSoftmax(),
    "BatchNormalization": lambda space: symbolic(BatchNormalization, space),
}


def mutants(make: Any) -> list[Mutation]:
    point = next(iter(SamplePoints(LayerGradient(make))))
    return [mutation for mutation in list_mutations(point.space.ops, point.problem.tested) if mutation.index]


def repaired(make: Any, mutation: Mutation) -> Advice | None:
    """The repair of the layer whose backward has this fault."""

    def wrong(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
        return MutantOps(ops, mutation).call(layer.backpropagate, params, cache, DY)

    claim = LayerGradient(make, wrong)
    return Search(list(islice(SamplePoints(claim), POINTS)), claim.quantities(), list(Attempt(claim, "all sizes")._settings())).best()


@pytest.mark.parametrize("name", LAYERS)
def test_most_mutants_are_repaired(name: str) -> None:
    """Of about ten mutants that keep their operands: from zeros or ones no change of one place leads back. docs/proofs.md has all."""
    slips = [mutation for mutation in mutants(LAYERS[name]) if not mutation.kind.startswith("replaced by")]
    found = [repaired(LAYERS[name], mutation) for mutation in slips[:: max(7, len(slips) // 10)]]
    assert sum(advice is not None and advice.proved for advice in found) >= 0.6 * len(found)
