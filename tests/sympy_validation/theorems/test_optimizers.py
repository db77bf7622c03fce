"""A wrong update rule is refuted, and every optimizer has its theorems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.equations.optimizers import OPTIMIZERS, Momentum
from sympy_validation.theorem import prove
from sympy_validation.theorems.optimizers import keras_momentum, like_library, theorems


@dataclass(frozen=True)
class Dampened(Momentum):
    """The gradient is multiplied by 1 - μ, as in an average."""

    def update(self, ops: MatrixOps, state: Any, theta: Any, Dtheta: Any, eta: Any) -> Any:
        return super().update(ops, state, theta, (1 - self.mu) * Dtheta, eta)


def test_momentum_with_dampening_is_not_that_of_keras() -> None:
    for entry, status in ((Momentum, "proved"), (Dampened, "refuted")):
        assert {v.status for v in prove(list(like_library("Momentum", entry, "Keras", keras_momentum, varying=True)))} == {status}


def test_every_optimizer_has_theorems() -> None:
    without = {f"optimizers.{entry.__name__}" for entry in OPTIMIZERS} - {theorem.subject for theorem in theorems()}
    assert without == set()
