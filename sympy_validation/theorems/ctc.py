"""Connectionist temporal classification: its parts for any number of positions, and the whole for one.

* **Emissions.** DY is the gradient of Σ_t ⟨DΛ_t, Λ_t⟩, for any DΛ_t and any l', for all numbers of examples, positions, states and classes.
* **A step.** Let J be any differentiable function of A after a step, the loss of what follows. If DA is its gradient, then after the step
  backwards it is that of J as a function of A before the step, and DΛ is right; for any labels.
* **The end.** DA is the gradient of the loss of the last position.

By induction over t = P, ..., 1, as for recurrent layers, the gradient is right for every P.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.algebra.trees import Tree
from nerva_core.equations.ctc import CTC, CTCCache, Labelling
from sympy_validation.attempt import Method
from sympy_validation.claims import Claim, Make, Matrix, Problem
from sympy_validation.spaces.spaces import Space, run
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import about

SUBJECT = "losses.CTC"
ALL_SIZES: tuple[Method, ...] = ("all sizes",)


def any_classes(space: Space) -> CTC:
    """The loss with any number of classes."""
    return CTC(space.size("C"))


def any_labelling(space: Space, S: Size, C: Size) -> Labelling:
    """Any numbers in the place of what the labels say."""
    N = space.size("N")
    states = space.ops.split(space.constant("states", N * S, C), S, C)
    return Labelling(states, *(space.constant(name, N, S) for name in Labelling._fields[1:]))


@dataclass(frozen=True)
class CTCEmissionsGradient(Claim):
    """``emissions_backpropagate`` gives the gradient of Σ_t ⟨DΛ_t, Λ_t⟩."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DY",)

    def problem(self, space: Space) -> Problem:
        ops, loss = space.ops, self.loss(space)
        N, P, S, C = (space.size(name) for name in "NPSC")
        Y, states = space.matrix("Y", N, P * C), any_labelling(space, S, C).states
        DLambda = ops.split(space.constant("DLambda", N, P * S), N, S)
        logP, Lambda = loss.emissions(ops, Y, states)
        given = space.detach((logP, states, DLambda))

        def backpropagate(ops: MatrixOps, logP: Matrix, states: Matrix, DLambda: Matrix) -> Matrix:
            return ops.reshape(loss.emissions_backpropagate(ops, logP, states, DLambda), N, P * C)

        def expected() -> Matrix:
            return space.gradient(ops.join(DLambda, 1), ops.join(Lambda, 1), "Y")

        return Problem({"DY": expected}, lambda ops: {"DY": run(ops, backpropagate, *given)})


@dataclass(frozen=True)
class CTCStepGradient(Claim):
    """One step back makes of the gradient of J(A) that with respect to A before it and Λ."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DA", "DLambda")

    def problem(self, space: Space) -> Problem:
        any_ops: Any = space.ops
        loss = self.loss(space)
        N, S = space.size("N"), space.size("S")
        A, Lambda, labels = space.matrix("A", N, S), space.matrix("Lambda", N, S), any_labelling(space, S, space.size("C"))
        after, shares = loss.step(any_ops, labels, A, Lambda)
        one = any_ops.ones(1, 1)
        later_loss = any_ops.output("J", 1, 1, after)
        given = space.detach((shares, any_ops.pullback("J", 0, one, *space.detach((after,)))))

        def backpropagate(ops: MatrixOps, shares: Matrix, later: Matrix) -> Tree:
            return loss.step_backpropagate(ops, shares, later), later

        expected = {name: partial(space.gradient, one, later_loss, name[1:]) for name in self.quantities()}
        return Problem(expected, lambda ops: dict(zip(self.quantities(), run(ops, backpropagate, *given), strict=True)))


@dataclass(frozen=True)
class CTCEndGradient(Claim):
    """``end_backpropagate`` gives the gradient of the sum of what ``end`` gives."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DA",)

    def problem(self, space: Space) -> Problem:
        loss, ops = self.loss(space), space.ops
        N, S = space.size("N"), space.size("S")
        A, labels = space.matrix("A", N, S), any_labelling(space, S, space.size("C"))
        given = space.detach((tuple(labels), A))

        def backpropagate(ops: MatrixOps, labels: Any, A: Matrix) -> Matrix:
            return loss.end_backpropagate(ops, Labelling(*labels), A)

        def expected() -> Matrix:
            return space.gradient(ops.ones(N, 1), loss.end(ops, labels, A), "A")

        return Problem({"DA": expected}, lambda ops: {"DA": run(ops, backpropagate, *given)})


@dataclass(frozen=True)
class CTCGradient(Claim):
    """``backpropagate`` gives the gradient of the sum of the losses, for one position and any labels."""

    loss: Make

    def quantities(self) -> tuple[str, ...]:
        return ("DY",)

    def problem(self, space: Space) -> Problem:
        ops, loss = space.ops, self.loss(space)
        N, S, C = (space.size(name) for name in "NSC")
        Y, labels = space.matrix("Y", N, C), any_labelling(space, S, C)
        L, cache = loss.of_labelling(ops, Y, labels)
        given = space.detach((tuple(labels), tuple(cache)))

        def backpropagate(ops: MatrixOps, labels: Any, cache: Tree) -> Matrix:
            return loss.backpropagate(ops, Labelling(*labels), CTCCache(*cache))

        def expected() -> Matrix:
            return space.gradient(ops.ones(N, 1), L, "Y")

        return Problem({"DY": expected}, lambda ops: {"DY": run(ops, backpropagate, *given)})


def theorems() -> Iterator[Theorem]:
    """The table for the loss."""
    yield from about(
        SUBJECT, CTCEmissionsGradient(any_classes), "{} = ∂ Σ_t ⟨DΛ_t, Λ_t⟩ / ∂Y for any DΛ and any l'", ALL_SIZES, name="emissions"
    )
    yield from about(SUBJECT, CTCStepGradient(any_classes), STEP, ALL_SIZES, name="a step")
    yield from about(SUBJECT, CTCEndGradient(any_classes), "{} = ∂ Σ -log Σ_s e^A(s) / ∂A for any labels", ALL_SIZES, name="the end")
    yield from about(SUBJECT, CTCGradient(any_classes), "{} = ∂ Σ L / ∂Y for any labels, P = 1", ALL_SIZES, name="P = 1")


STEP = "{} after a step backwards is that of J, if before it DA is that of J, for any J of the later steps and any labels"
