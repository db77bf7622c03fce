"""Claims: pairs of matrices, computed in two ways, that must be equal in every space.

One side is what is tested, always the code that trains (or a published equation); the other is what it should be, a derivative
or the specification's form. The tested side runs on matrix operations that it is given, so it can be mutated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.equations.activations import Activation
from nerva_core.equations.losses import Loss
from sympy_validation.spaces import grids
from sympy_validation.spaces.spaces import Kind, Space, run

Matrix = Any
Make = Callable[[Space[Any]], Any]
"""Makes an entry of a table whose parameters are symbols of the space."""


@dataclass(frozen=True)
class Problem:
    """A claim in one space: what the tested matrices should be, each computed when it is asked for, and what they are."""

    expected: Mapping[str, Callable[[], Matrix]]
    tested: Callable[[MatrixOps], Mapping[str, Matrix]]


class Claim(ABC):
    """Something to prove in every space."""

    strict: bool = False

    @abstractmethod
    def quantities(self) -> tuple[str, ...]:
        """The names of the matrices that the claim is about."""

    @abstractmethod
    def problem(self, space: Space[Any]) -> Problem:
        """The claim, stated in the space."""


@dataclass(frozen=True)
class LossGradient(Claim):
    """``gradient`` is the gradient of ``value``, and ``value`` is the sum or the mean of ``rows``."""

    loss: Make
    Y: Kind = Kind.REAL
    T: Kind = Kind.REAL

    def quantities(self) -> tuple[str, ...]:
        return ("DY", "L")

    def problem(self, space: Space[Any]) -> Problem:
        loss: Loss = self.loss(space)
        N, K = space.size("N"), space.size("K")
        Y, T = space.matrix("Y", N, K, self.Y), space.constant("T", N, K, self.T)
        y = space.detach(Y)
        reduce = space.ops.columns_mean if loss.mean else space.ops.columns_sum

        def value_and_gradient(ops: MatrixOps, Y: Matrix, T: Matrix) -> Any:
            return loss.gradient(ops, Y, T), loss.value(ops, Y, T)

        def tested(ops: MatrixOps) -> dict[str, Matrix]:
            return dict(zip(("DY", "L"), run(ops, value_and_gradient, y, T), strict=True))

        expected = {
            "DY": lambda: space.gradient(space.ops.ones(1, 1), loss.value(space.ops, Y, T), "Y"),
            "L": lambda: reduce(loss.rows(space.ops, y, T)),
        }
        return Problem(expected, tested)


@dataclass(frozen=True)
class Slope(Activation):
    """The derivative of an activation, as an activation."""

    activation: Activation

    def value(self, ops: MatrixOps, X: Matrix) -> Matrix:
        return self.activation.gradient(ops, X)

    def gradient(self, ops: MatrixOps, X: Matrix) -> Matrix:
        return self.activation.second_derivative(ops, X)


@dataclass(frozen=True)
class ActivationGradient(Claim):
    """DY ⊙ ``gradient`` is the gradient of ⟨DY, ``value``⟩ for every DY, so the value of an element depends on that element only."""

    activation: Make
    name: str = "gradient"

    def quantities(self) -> tuple[str, ...]:
        return (self.name,)

    def problem(self, space: Space[Any]) -> Problem:
        activation: Activation = self.activation(space)
        N, D = space.size("N"), space.size("D")
        X, DY = space.matrix("X", N, D), space.constant("DY", N, D)
        x = space.detach(X)

        def backpropagate(ops: MatrixOps, X: Matrix, DY: Matrix) -> Matrix:
            return ops.hadamard(DY, activation.gradient(ops, X))

        return Problem(
            {self.name: lambda: space.gradient(DY, activation.value(space.ops, X), "X")},
            lambda ops: {self.name: run(ops, backpropagate, x, DY)},
        )


@dataclass(frozen=True)
class RealVariable:
    """A real variable between two bounds."""

    low: float | None = None
    high: float | None = None


Variables = Mapping[str, Any]
"""The variables of an equation by name: sizes such as ("N", 1) or ("N", "K", Kind.POSITIVE), or a RealVariable."""


@dataclass(frozen=True)
class Equality(Claim):
    """Expressions in the same variables that are equal."""

    names: tuple[str, ...]
    variables: Variables
    tested: Callable[..., Any]
    """A function of (ops, *variables): a matrix, or a tuple of one for each name."""
    expected: Callable[..., Any]
    """A function of (space, *variables): likewise."""
    strict: bool = False
    """Whether they are equal at the jumps of indicators too; otherwise almost everywhere is enough."""
    given: Callable[..., tuple[Matrix, ...]] | None = None
    """What ``tested`` gets instead of the variables: a function of (space, *variables), such as the Jacobians that a rule combines."""

    def quantities(self) -> tuple[str, ...]:
        return self.names

    def problem(self, space: Space[Any]) -> Problem:
        variables = tuple(_variable(space, name, shape) for name, shape in self.variables.items())
        constants = space.detach(self.given(space, *variables) if self.given else variables)
        should_be: list[Matrix] = []

        def expected(k: int) -> Matrix:
            if not should_be:
                # What is strict is not differentiated, and at a kink there are no derivatives.
                should_be.extend(_as_tuple(self.expected(space, *(constants if self.strict else variables))))
            return should_be[k]

        def tested(ops: MatrixOps) -> dict[str, Matrix]:
            return dict(zip(self.names, _as_tuple(run(ops, self.tested, *constants)), strict=True))

        return Problem({name: partial(expected, k) for k, name in enumerate(self.names)}, tested)


def _variable(space: Space[Any], name: str, shape: Any) -> Any:
    if isinstance(shape, RealVariable):
        return space.scalar(name, shape.low, shape.high)
    m, n = (size if isinstance(size, int) else space.size(size) for size in shape[:2])
    return space.matrix(name, m, n, *shape[2:])


def _as_tuple(result: Any) -> tuple[Matrix, ...]:
    return result if isinstance(result, tuple) else (result,)


@dataclass(frozen=True)
class EqualNumbers(Claim):
    """Sequences of numbers that are equal, for rules that compute with numbers instead of matrices: schedules and initial values."""

    name: str
    tested: Callable[[Space[Any]], Sequence[Any]]
    expected: Callable[[Space[Any]], Sequence[Any]]

    def quantities(self) -> tuple[str, ...]:
        return (self.name,)

    def problem(self, space: Space[Any]) -> Problem:
        return Problem(
            {self.name: lambda: _row(space, self.expected(space))},
            lambda ops: {self.name: _row(space, self.tested(space))},
        )


def _row(space: Space[Any], numbers: Sequence[Any]) -> grids.Grid:
    domain = cast("grids.GridOps", space.ops).domain
    return grids.Grid([[domain.number(x) for x in numbers]], (1, len(numbers)))
