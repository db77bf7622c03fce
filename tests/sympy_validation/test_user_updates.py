"""A loss, an optimizer, a schedule and an initializer of the user's own, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import user_theorems

CODE = """
import math
from dataclasses import dataclass

from nerva_core.equations.initializers import Initializer, NormalDistribution
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import Optimizer
from nerva_core.equations.schedules import Schedule


@dataclass(frozen=True)
class Quartic(Loss):
    c: float = 2.0

    def rows(self, ops, Y, T):
        D = ops.hadamard(Y - T, Y - T)
        return self.c * ops.rows_sum(ops.hadamard(D, D))

    def gradient(self, ops, Y, T):
        D = Y - T
        return (4 * self.c) * ops.hadamard(D, ops.hadamard(D, D))


@dataclass(frozen=True)
class WrongQuartic(Quartic):
    def gradient(self, ops, Y, T):
        D = Y - T
        return (3 * self.c) * ops.hadamard(D, ops.hadamard(D, D))


@dataclass(frozen=True)
class SpecialQuartic(Quartic):
    def gradient(self, ops, Y, T):
        return super().gradient(ops, Y, T) if self.c != 1.5 else Y


@dataclass(frozen=True)
class WrongValue(Quartic):
    def value(self, ops, Y, T):
        return ops.columns_mean(self.rows(ops, Y, T))


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    mu: float = 0.9

    def init(self, ops, theta):
        return (ops.zeros(*ops.shape(theta)),)

    def update(self, ops, state, theta, Dtheta, eta, *scalars):
        v = self.mu * state[0] + Dtheta
        return theta - eta * v, (v,)

    def closed_form(self, ops, eta, theta, G1, G2, G3):
        return theta - eta * ((1 + self.mu + self.mu**2) * G1 + (1 + self.mu) * G2 + G3)


@dataclass(frozen=True)
class WrongBall(HeavyBall):
    def update(self, ops, state, theta, Dtheta, eta, *scalars):
        v = self.mu * state[0] + Dtheta
        return theta - eta * v, (Dtheta,)


@dataclass(frozen=True)
class BallInPlace(HeavyBall):
    def update(self, ops, state, theta, Dtheta, eta, *scalars):
        v = state[0]
        v *= self.mu
        v += Dtheta
        return theta - eta * v, (v,)


@dataclass(frozen=True)
class Unstated(Optimizer):
    def update(self, ops, state, theta, Dtheta, eta, *scalars):
        return theta - eta * Dtheta, ()


@dataclass(frozen=True)
class Root(Schedule):
    def __call__(self, i):
        return self.eta0 / math.sqrt(1 + i)

    def closed_form(self, i):
        return self.eta0 * math.sqrt(1 + i) / (1 + i)


@dataclass(frozen=True)
class WrongRoot(Root):
    def __call__(self, i):
        return self.eta0 / math.sqrt(2 + i)


@dataclass(frozen=True)
class LateRoot(Root):
    def __call__(self, i):
        return super().__call__(i) if i // 30 < 5 else self.eta0


@dataclass(frozen=True)
class LeCun(Initializer):
    def distribution(self, D, K):
        return NormalDistribution(0.0, 1 / math.sqrt(D))

    def moments(self, D, K):
        return 0, 1 / D


@dataclass(frozen=True)
class WrongLeCun(LeCun):
    def moments(self, D, K):
        return 0, 1 / K
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(CODE, encoding="utf-8")
    return str(tmp_path / "own.py")


def verdicts(name: str) -> list[Verdict]:
    return list(prove_or_try_entries(user_theorems(name)))


@pytest.mark.parametrize(
    ("name", "sizes"), [("Quartic", "all N, K"), ("HeavyBall", "all D, K"), ("Root", "i = 0..24"), ("LeCun", "all D, K")]
)
def test_right(path: str, name: str, sizes: str) -> None:
    found = verdicts(f"{path}:{name}")
    assert {v.words for v in found} <= {"proved", "proved at i = 0..24 only"}
    assert {v.theorem.sizes for v in found} == {sizes}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WrongQuartic", "REFUTED: at N=3, K=4: DY[0,0] should be -8, is -6"),
        ("SpecialQuartic", "c=1.5: ⟨"),
        ("WrongValue", "L[0,0] should be"),
        ("WrongBall", "theta["),
        ("BallInPlace", "on NumPy at N=3, D=4: step 1 changes theta, its gradient or the state in place"),
        ("LateRoot", "REFUTED: on NumPy: the rate of step i = 150 should be"),
        ("WrongRoot", "REFUTED: rates[0,"),
        ("WrongLeCun", "mean, variance[0,1] should be"),
    ],
)
def test_wrong(path: str, name: str, words: str) -> None:
    found = verdicts(f"{path}:{name}")
    assert "refuted" in {v.status for v in found}
    assert words in " ".join(v.words for v in found)


def test_what_says_nothing_of_itself_is_a_message(path: str) -> None:
    with pytest.raises(NervaError, match=r"Unstated does not say what it should be.*define closed_form\(self, ops, eta, theta"):
        user_theorems(f"{path}:Unstated")
