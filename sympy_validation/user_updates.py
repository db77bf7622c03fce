"""Theorems about a loss, an optimizer, a schedule or an initializer of the user's own.

A loss states what its gradient is the gradient of. Of the others the class itself says what they should be, by a method that only the
proof calls: ``closed_form`` of an optimizer and of a schedule, ``moments`` of an initializer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry
from nerva_core.algebra.trees import Tree
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.losses import Loss
from nerva_core.equations.optimizers import Optimizer
from nerva_core.equations.schedules import Schedule
from nerva_core.layers import Layer
from sympy_validation.claims import Claim, EqualNumbers, LossGradient, Make, Matrix, Problem
from sympy_validation.mentioned import mentioned, values_beside
from sympy_validation.numeric_check import LAYERS, NumericRuns
from sympy_validation.spaces.spaces import Space, run
from sympy_validation.symbols import with_symbols
from sympy_validation.theorems.initializers import moments
from sympy_validation.theorems.optimizer_steps import GRADIENTS, steps
from sympy_validation.theorems.schedules import COUNT
from sympy_validation.update_run import LATEST, MOMENTS, InitializerRun, OptimizerRun, ScheduleRun


@dataclass(frozen=True)
class Stated:
    """What is claimed of a kind of entry."""

    claim: Callable[[Make], Claim]
    statement: Callable[[str], str]
    """Of a quantity."""
    needs: str = ""
    """The method by which the class states what is claimed, with its parameters; empty if it need not."""
    range: str = ""
    """What it is proved for, if not for sizes of matrices."""
    quantity: str = ""
    """What numbers are about."""
    runs: NumericRuns | None = None
    """How it is run on numbers, if it is."""
    as_layer: Callable[[Any], Any] = field(default=lambda entry: entry)
    """What is run."""


@dataclass(frozen=True)
class LossAsLayer(Layer):
    """Y = L(X, T) in every row, with arbitrary targets T as its noise: so a loss is checked on NumPy as layers are."""

    loss: Loss

    def outputs_for(self, D: Any) -> Any:
        return 1

    def noise_shapes(self, N: Any, D: Any) -> Any:
        return ((N, D),)

    def feedforward(self, ops: Any, params: Tree, X: Matrix, *noise: Matrix) -> Any:
        (T,) = noise
        return ops.row_repeat(self.loss.value(ops, X, T), ops.shape(X)[0]), (X, T)

    def backpropagate(self, ops: Any, params: Tree, cache: Tree, DY: Matrix) -> Any:
        X, T = cache
        return ops.hadamard(ops.fill(ops.columns_sum(DY), *ops.shape(X)), self.loss.gradient(ops, X, T)), ()


@dataclass(frozen=True)
class Steps(Claim):
    """After steps with arbitrary gradients and one learning rate, θ is what the optimizer's ``closed_form`` says."""

    optimizer: Make

    def quantities(self) -> tuple[str, ...]:
        return ("theta",)

    def problem(self, space: Space[Any]) -> Problem:
        optimizer = self.optimizer(space)
        K, D, eta = space.size("K"), space.size("D"), space.scalar("eta", 0)
        theta, *gradients = (space.constant(name, K, D) for name in ("theta", *GRADIENTS))

        def stepped(ops: Any, theta: Matrix, *gradients: Matrix) -> Matrix:
            return steps(ops, optimizer, theta, gradients, eta)[0]

        return Problem(
            {"theta": lambda: optimizer.closed_form(space.ops, eta, theta, *gradients)},
            lambda ops: {"theta": run(ops, stepped, theta, *gradients)},
        )


def _schedule(make: Make) -> Claim:
    """At the first steps, and at those near the numbers that the code mentions."""

    def at(method: str) -> Callable[[Any], Sequence[Any]]:
        def rates(space: Any) -> list[Any]:
            schedule = make(space)
            rate = with_symbols(getattr(schedule, method), space)
            return [rate(i) for i in (*range(COUNT), *(int(i) for i in values_beside(mentioned(type(schedule)), whole=True, most=LATEST)))]

        return rates

    return EqualNumbers("rates", at("__call__"), at("closed_form"))


def _initializer(make: Make) -> Claim:
    def sizes(space: Any) -> tuple[Any, Any]:
        return space.scalar("D", 0), space.scalar("K", 0)

    def tested(space: Any) -> Sequence[Any]:
        return moments(with_symbols(make(space).distribution, space)(*sizes(space)))

    return EqualNumbers(MOMENTS, tested, lambda space: with_symbols(make(space).moments, space)(*sizes(space)))


STATED: dict[type[Entry], Stated] = {
    Loss: Stated(
        LossGradient,
        lambda quantity: "gradient = ∂L(Y, T) / ∂Y for all targets T" if quantity == "DY" else "L(Y, T) is made of the losses of the rows",
        quantity="DY",
        runs=LAYERS,
        as_layer=LossAsLayer,
    ),
    Optimizer: Stated(
        Steps,
        lambda _: f"theta after {len(GRADIENTS)} steps = closed_form",
        "closed_form(self, ops, eta, theta, *gradients)",
        runs=NumericRuns(OptimizerRun),
    ),
    Schedule: Stated(
        _schedule,
        lambda _: "the rates = closed_form",
        "closed_form(self, i)",
        f"i = 0..{COUNT - 1}",
        runs=NumericRuns(ScheduleRun, any_sizes=False),
    ),
    Initializer: Stated(
        _initializer,
        lambda _: "(mean, variance) = moments",
        "moments(self, D, K)",
        "all D, K",
        quantity=MOMENTS,
        runs=NumericRuns(InitializerRun, any_sizes=False),
    ),
}


def stated(entry: type[Entry]) -> Stated:
    """What is claimed of the class; NervaError if it does not say what it should be."""
    found = next(what for kind, what in STATED.items() if issubclass(entry, kind))
    if found.needs and not hasattr(entry, found.needs.partition("(")[0]):
        raise NervaError(f"{entry.__name__} does not say what it should be, so there is nothing to prove: define {found.needs}")
    return found
