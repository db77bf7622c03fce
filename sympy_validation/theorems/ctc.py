"""Connectionist temporal classification: its parts for any number of positions, and the whole for one and two.

* **Emissions.** DY is the gradient of Σ_t ⟨DQ_t, Q_t⟩, for any DQ_t and any l', for all numbers of examples, positions, states and classes.
* **A step.** Let J be any differentiable function of α after a step, the loss of what follows. If Dα is its gradient, then after the step
  backwards it is that of J - Σ log c as a function of α before the step, and DQ is right; for any K.
* **The end.** Dα is the gradient of Σ -log(α · f).

By induction over t = P, ..., 1, as for recurrent layers, the gradient is right for every P.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.equations.ctc import CTC, Cache, Labelling, Step
from sympy_validation.attempt import Method
from sympy_validation.claims import Claim, Make, Matrix, Problem
from sympy_validation.spaces.spaces import Space, run
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.recurrent import total_gradient
from sympy_validation.theorems.tools import about

SUBJECT = "losses.CTC"
ALL_SIZES: tuple[Method, ...] = ("all sizes",)


def any_classes(space: Space[Any]) -> CTC:
    """The loss with any number of classes."""
    return CTC(space.size("C"))


@dataclass(frozen=True)
class EmissionsGradient(Claim):
    """``emissions_backpropagate`` gives the gradient of Σ_t ⟨DQ_t, Q_t⟩."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DY",)

    def problem(self, space: Space[Any]) -> Problem:
        ops, loss = space.ops, self.loss(space)
        N, P, S, C = (space.size(name) for name in "NPSC")
        Y = space.matrix("Y", N, P * C)
        states = ops.split(space.constant("states", N * S, C), S, C)
        DQ = ops.split(space.constant("DQ", N, P * S), N, S)
        probabilities, Q = loss.emissions(ops, Y, states)
        given = space.detach((probabilities, states, DQ))

        def backpropagate(ops: MatrixOps[Any], P_: Matrix, states: Matrix, DQ: Matrix) -> Matrix:
            return ops.reshape(loss.emissions_backpropagate(ops, P_, states, DQ), N, P * C)

        def expected() -> Matrix:
            return space.gradient(ops.join(DQ, 1), ops.join(Q, 1), "Y")

        return Problem({"DY": expected}, lambda ops: {"DY": run(ops, backpropagate, *given)})


@dataclass(frozen=True)
class StepGradient(Claim):
    """One step back makes of the gradient of J(α) that of J(α) - Σ log c, with respect to α before it and Q."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("Dalpha", "DQ")

    def problem(self, space: Space[Any]) -> Problem:
        loss, any_ops = self.loss(space), space.ops
        N, S = space.size("N"), space.size("S")
        alpha, Q, K = space.matrix("alpha", N, S), space.matrix("Q", N, S), space.constant("K", N, S)
        step = loss.step(any_ops, K, alpha, Q)
        one = any_ops.ones(1, 1)
        terms = ((one, any_ops.output("J", 1, 1, step.alpha)), (-any_ops.ones(N, 1), any_ops.log(step.c)))
        given = space.detach((K, tuple(step), any_ops.pullback("J", 0, one, *space.detach((step.alpha,)))))

        def backpropagate(ops: MatrixOps[Any], K: Matrix, step: Any, later: Matrix) -> Any:
            return loss.step_backpropagate(ops, K, Step(*step), later)

        expected = {name: partial(total_gradient, space, terms, name[1:]) for name in self.quantities()}
        return Problem(expected, lambda ops: dict(zip(self.quantities(), run(ops, backpropagate, *given), strict=True)))


@dataclass(frozen=True)
class EndGradient(Claim):
    """``end_backpropagate`` gives the gradient of Σ -log(α · f)."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("Dalpha",)

    def problem(self, space: Space[Any]) -> Problem:
        loss, ops = self.loss(space), space.ops
        N, S = space.size("N"), space.size("S")
        alpha, f = space.matrix("alpha", N, S), space.constant("f", N, S)
        given = space.detach((alpha, f))

        def expected() -> Matrix:
            return space.gradient(ops.ones(N, 1), loss.end(ops, alpha, f), "alpha")

        return Problem({"Dalpha": expected}, lambda ops: {"Dalpha": run(ops, loss.end_backpropagate, *given)})


@dataclass(frozen=True)
class WholeGradient(Claim):
    """``backpropagate`` gives the gradient of the sum of the losses, for so many positions and any l', K and f."""

    loss: Make
    positions: int

    def quantities(self) -> tuple[str, ...]:
        return ("DY",)

    def problem(self, space: Space[Any]) -> Problem:
        ops, loss = space.ops, self.loss(space)
        N, S, C = (space.size(name) for name in "NSC")
        Y = space.matrix("Y", N, self.positions * C)
        states = ops.split(space.constant("states", N * S, C), S, C)
        labels = Labelling(states, *(space.constant(name, N, S) for name in "Kf"))
        L, cache = loss.of_labelling(ops, Y, labels)
        given = space.detach((tuple(labels), tuple(cache)))

        def backpropagate(ops: MatrixOps[Any], labels: Any, cache: Any) -> Matrix:
            return loss.backpropagate(ops, Labelling(*labels), Cache(*cache))

        def expected() -> Matrix:
            return space.gradient(ops.ones(N, 1), L, "Y")

        return Problem({"DY": expected}, lambda ops: {"DY": run(ops, backpropagate, *given)})


def theorems() -> Iterator[Theorem]:
    """The table for the loss."""
    yield from about(SUBJECT, EmissionsGradient(any_classes), "{} = ∂ Σ_t ⟨DQ_t, Q_t⟩ / ∂Y for any DQ and any l'", ALL_SIZES, name="emissions")
    yield from about(SUBJECT, StepGradient(any_classes), STEP, ALL_SIZES, name="a step")
    yield from about(SUBJECT, EndGradient(any_classes), "{} = ∂ Σ -log(α · f) / ∂α", ALL_SIZES, name="the end")
    for P in (1, 2):
        statement = f"{{}} = ∂ Σ L / ∂Y for any l', K and f, P = {P}"
        yield from about(SUBJECT, WholeGradient(any_classes, P), statement, ALL_SIZES, name=f"P = {P}")


STEP = "{} after a step backwards is that of J - Σ log c, if before it Dα is that of J, for any J of the later steps"
