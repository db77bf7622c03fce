"""The audit refuses or explains every mutant, and says so when a proof is weak."""

from __future__ import annotations

import io
from typing import Any

import pytest

from nerva_core.figures.terminal import console
from nerva_core.interpreters.mutants import Mutation
from nerva_core.layers.batch_normalization import BatchNormalization
from sympy_validation import report
from sympy_validation.audit import AbsentError, Audit, Equivalence, Mutant, audit, audit_claim, audited, refute
from sympy_validation.certificates import SamplePoints
from sympy_validation.claims import Equality
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces import points
from sympy_validation.symbols import symbolic
from sympy_validation.table import select, table
from sympy_validation.theorem import Theorem

CLAIMS = audited(table())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("theorem", CLAIMS, ids=lambda theorem: theorem.id)
def test_a_sample_of_mutants(theorem: Theorem) -> None:
    result = audit_claim(theorem.subject, theorem.claim, limit=5)
    assert result.mutants
    assert [str(m.mutation) for m in result.survivors] == []


@pytest.mark.parametrize("name", ["layers.Linear", "layers.BatchNormalization", "layers.Softmax", "layers.SReLU", "layers.LinearDropout"])
def test_all_mutants_of_a_backward(name: str) -> None:
    theorem = select([name])[0]
    result = audit_claim(name, theorem.claim)
    assert len(result.killed) == len(result.mutants) >= 18


def test_dy_replaced_by_ones_is_among_them() -> None:
    result = audit_claim("linear", select(["layers.Linear"])[0].claim)
    assert any("DY: replaced by ones" in str(m.mutation) for m in result.killed)


def test_an_equivalent_mutant_has_a_reason() -> None:
    claim = Equality(("Z",), {"X": ("N", "N")}, lambda ops, X: X + ops.transpose(X), lambda space, X: X + space.ops.transpose(X))
    result = audit_claim("symmetric", claim)
    assert [(str(m.mutation), m.reason) for m in result.equivalent] == [("operation 2, add: transposed", "equal for all sizes")]
    assert not result.survivors


def test_a_vacuous_claim_has_survivors_or_equivalents(monkeypatch: pytest.MonkeyPatch) -> None:
    """At N = 2 batch normalisation has DX = 0: no mutant that scales DX can be refused there, and none is proved to be the same."""
    monkeypatch.setattr(points, "SIZES", ({"N": 2, "D": 3},))
    claim = LayerGradient(lambda space: BatchNormalization(epsilon=0.0))
    result = audit_claim("batch normalization at N = 2", claim)
    assert len(result.survivors) > 10


def test_a_mutant_that_is_wrong_is_not_proved_to_be_the_same() -> None:
    claim = select(["layers.Linear"])[0].claim
    killed = audit_claim("linear", claim).killed
    assert not any(Equivalence(claim).reason(m.mutation) for m in killed)


def test_the_audit_goes_through_the_claims() -> None:
    results = list(audit(select(["layers.Linear", "layers.Dropout", "errata.004-43"]), limit=3))
    assert [r.subject for r in results] == ["layers.Linear", "layers.Dropout", "layers.Dropout"]


def test_points_are_made_once() -> None:
    made = SamplePoints(LayerGradient(lambda space: symbolic(BatchNormalization, space)))
    first: list[Any] = [point for point, _ in zip(made, range(2), strict=False)]
    assert [a is b for a, b in zip(first, made, strict=False)] == [True, True]


def test_a_mutation_whose_number_does_not_occur_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """On symbols the code does one operation less than where the mutations were listed: what was not changed is not equal."""

    def tested(ops: Any, X: Any) -> Any:
        Z = ops.add(X, X)
        return ops.maximum(Z, Z) if isinstance(ops.shape(X)[0], int) else Z

    claim = Equality(("Z",), {"X": ("N", "D")}, tested, lambda space, X: 2 * X)
    result = audit_claim("fewer operations", claim)
    assert "operation 2, maximum: minimum instead" in [str(m.mutation) for m in result.absent]
    assert {m.mutation.index for m in result.absent} == {2}
    assert not {m.mutation.index for m in result.survivors + result.equivalent} & {2}
    absent = Audit("x", ("Z",), [Mutant(Mutation(99, "add", "doubled"), absent=True)])
    monkeypatch.setattr(report, "audit", lambda theorems: iter([absent]))
    out = io.StringIO()
    assert report.run_audit(console(file=out, width=100), []) == [absent]
    assert "ERROR: operation 99, add: doubled does not occur" in out.getvalue()
    assert report.show_proofs(["layers.Linear.DX"], None, None, True, True) is report.Outcome.REFUTED


def test_a_refutation_by_code_that_was_not_changed_is_none() -> None:
    claim = Equality(("Z",), {"X": ("N", "D")}, lambda ops, X: X + X, lambda space, X: 3 * X)
    with pytest.raises(AbsentError):
        refute(SamplePoints(claim), ("Z",), Mutation(7, "add", "doubled"))


def test_where_the_code_has_no_value_before_the_mutation_a_point_shows_nothing() -> None:
    """1/p is not defined at the point of zeros and ones; that the column is not repeated once changes nothing."""
    (theorem, *_) = select(["bridges.score_function_gradient"])
    result = audit_claim("score function", theorem.claim)
    same = [str(m.mutation) for m in result.equivalent]
    assert "operation 16, column_repeat: left out" in same
    assert result.absent == result.survivors == []
