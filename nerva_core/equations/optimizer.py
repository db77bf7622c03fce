"""The base of update rules and their table (Nerva specification, section 8).

θ is one parameter, Dθ its gradient, η the learning rate; every parameter has its own state. The numbers of a step that do not
depend on a parameter (η and the bias corrections of Adam) are computed once, by ``scalars``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.algebra.registry import Entry, Table
from nerva_core.algebra.trees import Tree


@dataclass(frozen=True)
class Optimizer(Entry):
    """θ' and the new state, from θ, Dθ and the state. Adam and RMSProp want coefficients by name: a number looks like a rate."""

    hint = "the learning rate is that of the schedule, such as Constant(0.01) (--schedule)"

    @property
    def needs_all_gradients(self) -> bool:
        """Whether the update of a parameter depends on the gradients of the others, so that ``step`` is more than ``update`` of each."""
        return False

    @property
    def sums_gradients(self) -> bool:
        """Whether what a step adds to θ is a sum of gradients with numbers for coefficients, so that it is the same for every θ."""
        return False

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        """The numbers that step t = 1, 2, ... hands to ``update``: by default the learning rate alone."""
        return (eta,)

    def init(self, ops: MatrixOps[M], theta: M) -> Tree:
        """The state before the first step: by default none."""
        return ()

    def evaluated(self, state: Tree, theta: M) -> M:
        """What a network is evaluated with in the place of θ: by default θ."""
        return theta

    @abstractmethod
    def update(self, ops: MatrixOps[M], state: Tree, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, Tree]:
        """(θ', state'), given the numbers of ``scalars``."""

    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        """All θ' and state' of a step: by default each parameter by itself."""
        updated = [self.update(ops, *given, eta, *scalars) for given in zip(states, thetas, gradients, strict=True)]
        return [theta for theta, _ in updated], [state for _, state in updated]


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """Another optimizer that is given something else than Dθ. Its rule is ``step``, on all parameters; ``update`` is that of one."""

    optimizer: Optimizer

    @property
    def needs_all_gradients(self) -> bool:
        return self.optimizer.needs_all_gradients

    def scalars(self, eta: Scalar, t: int) -> tuple[Scalar, ...]:
        return self.optimizer.scalars(eta, t)

    def init(self, ops: MatrixOps[M], theta: M) -> Tree:
        return self.optimizer.init(ops, theta)

    def evaluated(self, state: Tree, theta: M) -> M:
        return self.optimizer.evaluated(state, theta)

    def update(self, ops: MatrixOps[M], state: Tree, theta: M, Dtheta: M, eta: Scalar, *scalars: Scalar) -> tuple[M, Tree]:
        (new,), (state,) = self.step(ops, (state,), (theta,), (Dtheta,), eta, *scalars)
        return new, state

    @abstractmethod
    def step(
        self, ops: MatrixOps[M], states: Sequence[Any], thetas: Sequence[M], gradients: Sequence[M], eta: Scalar, *scalars: Scalar
    ) -> tuple[list[M], list[Any]]:
        """All θ' and state' of a step."""


OPTIMIZERS: Table[Optimizer] = Table(
    "optimizer",
    Optimizer,
    elsewhere={
        "RAdam": "the nearest is AdamW with a schedule that warms up",
        "LBFGS": "the nearest is Nesterov",
        "Adamax": "the nearest is Adam",
        "SWA": "the nearest is EMA around an optimizer",
        "AveragedModel": "EMA around an optimizer",
        "ExponentialMovingAverage": "EMA around an optimizer",
        "SparseAdam": "gradients are dense: Adam",
        "Rprop": "the nearest is RMSProp",
        "ASGD": "the nearest is GradientDescent",
        "Ftrl": "the nearest is AdaGrad",
        "Muon": "the nearest is Momentum",
    },
)
