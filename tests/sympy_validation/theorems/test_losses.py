"""A wrong gradient of a loss is refuted by the theorems that its entry gets."""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.losses import LOSSES, MeanSquaredError, SquaredError
from sympy_validation.theorem import prove
from sympy_validation.theorems.losses import loss_theorems, theorems


@dataclass(frozen=True)
class SumForMeanError(MeanSquaredError):
    """The gradient of the sum, for the mean."""

    def gradient(self, ops: MatrixOps[M], Y: M, T: M) -> M:
        return SquaredError().gradient(ops, Y, T)


def test_the_gradient_of_the_sum_is_not_that_of_the_mean() -> None:
    for entry, status in ((MeanSquaredError, "proved"), (SumForMeanError, "refuted")):
        assert {v.status for v in prove(list(loss_theorems(entry))) if v.theorem.quantity == "DY"} == {status}


def test_every_loss_has_theorems() -> None:
    assert {f"losses.{entry.__name__}" for entry in LOSSES} <= {theorem.subject for theorem in theorems()}
