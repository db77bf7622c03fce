"""Spaces in which a claim is interpreted: variables, sizes and derivatives, over one kind of matrix.

A claim (``claims``) is written once against ``Space`` and is then checked

* on SymPy expressions, element by element at concrete sizes (``entries``),
* on matrices of symbolic size, for all sizes (``symbolic_sizes``),
* on exact numbers at a random point, where it can be refuted (``points``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, cast

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar, Size
from nerva_core.algebra.operations.windows import Windows
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import Activation
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.step_functions import Grid
from nerva_core.layers import Layer, Linear
from sympy_validation.cases import Case
from sympy_validation.unknown import UnknownActivation, unknowns

ROUNDED = "up to the rounding of numbers in the code"
"""The condition of a proof in which 0.3333333333333333 was taken for 1/3."""

OTHER_SIZE = 2
"""The size at which entries are computed of what is not given one: positions, channels, heads."""
MEMORY = {"S": OTHER_SIZE - 1}
"""Of the positions, fewer than all are the memory: otherwise none is left that asks it, and CrossAttention is 0 whatever it computes."""


class Kind(Enum):
    """What is assumed of the elements of a variable."""

    REAL = "real"
    POSITIVE = "positive"
    ROW_STOCHASTIC = "rows with sum 1"
    NUMBERS = "numbers of rows"
    """Of an embedding: where elements have values, 0 or 1, since no row has the number of a generic real."""


@dataclass(frozen=True)
class ExampleLayer(Linear):
    """A layer whose parameters have no names."""

    def shapes(self, D: Size) -> Tree:
        return tuple(super().shapes(D))


@dataclass(frozen=True)
class ExampleHardFunction(HardFunction):
    """g(σ/(1 + σ²) · [1 2 3 ...]) of the sums σ = X · 1, with an unknown function g; it may change the number of columns.

    The operations are the same for all sizes. σ/(1 + σ²) keeps the numbers small when the function is applied again and again.
    """

    outputs: int
    name: str

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        sums = ops.rows_sum(X)
        bounded = ops.hadamard(sums, ops.reciprocal(ops.add(ops.ones(*ops.shape(sums)), ops.hadamard(sums, sums))))
        multiples = bounded @ ops.constant([range(1, self.outputs + 1)])
        H: M = unknowns(ops).unknown(self.name, multiples)
        return H

    def outputs_for(self, D: Size) -> Size:
        return self.outputs


@dataclass(frozen=True)
class AnyGrid(Grid):
    """Points of which nothing is known but that they increase."""

    s: Any
    count: Size
    """The number of intervals."""

    def points(self) -> Any:
        return self.s

    def intervals(self) -> Size:
        return self.count


class Space(ABC, Generic[M]):
    """Matrix operations with variables. Matrices of one name are one variable."""

    ops: MatrixOps[M]
    math: Any
    """The functions exp, sqrt and cos, and pi, of scalars."""
    case: Case = Case()
    """What is assumed of sizes and hyper-parameters."""

    def assume(self, case: Case) -> None:
        """Assume this of the sizes and hyper-parameters that are made from now on."""
        self.case = case

    @abstractmethod
    def size(self, name: str) -> Size:
        """The size called N, D, K, ...; an int stands for itself."""

    def steps(self) -> int:
        """The number of steps of a loop, which is unrolled."""
        return 2

    def geometry(self, name: str) -> Windows:
        """Any windows; where that cannot be had, an example: overlapping ones of two positions, in a row of three."""
        return Geometry.of((3,), 2)

    @abstractmethod
    def scalar(self, name: str, low: float | None = None, high: float | None = None, closed: bool = False) -> Scalar:
        """A real number between ``low`` and ``high``; greater than ``low``, or also equal to it if ``closed``."""

    def unknown_function(self, name: str) -> Activation:
        """Any differentiable function R -> R."""
        return UnknownActivation(name)

    def any_grid(self, name: str, points: int = 2) -> Grid:
        """Any grid; where the number of its points cannot be arbitrary, with so many points."""
        s = [self.scalar(f"{name}1")]
        for k in range(2, points + 1):
            s.append(s[-1] + self.scalar(f"{name}{k}", 0))
        return AnyGrid(tuple(s), points + 1)

    def any_layer(self, name: str, outputs: Size, D: Size) -> Layer:
        """A layer of which nothing is known; where that cannot be had, an example of one."""
        return ExampleLayer(outputs)

    def any_hard_function(self, name: str, outputs: Size, D: Size) -> HardFunction:
        """Any function of the input; where that cannot be had, an example of one."""
        return ExampleHardFunction(outputs, name)

    @abstractmethod
    def matrix(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> M:
        """The m x n variable ``name``, with respect to which matrices can be differentiated."""

    @abstractmethod
    def gradient(self, DY: M, Y: M, name: str) -> M:
        """The derivative of ⟨DY, Y⟩, the sum of the elements of DY ⊙ Y, with respect to the variable, on which DY does not depend."""

    def constant(self, name: str, m: Size, n: Size, kind: Kind = Kind.REAL) -> M:
        """A variable with respect to which nothing is differentiated."""
        return self.matrix(name, m, n, kind)

    def detach(self, tree: Tree) -> Any:
        """The same values; what is computed from them will not be differentiated."""
        return tree

    def proves(self, expected: M, found: M, strict: bool = False) -> tuple[bool, tuple[str, ...]]:
        """Whether the two are shown to be equal, and the conditions under which they are. At a point nothing is proved.

        Unless ``strict``, it is enough that they are equal almost everywhere: off the jumps of indicators.
        """
        return False, ()

    @abstractmethod
    def columnwise(self, f: Callable[..., M], *matrices: M) -> M:
        """The matrix whose j-th column is f of the j-th columns (column vectors) of the matrices."""

    @abstractmethod
    def rowwise(self, f: Callable[..., M], *matrices: M) -> M:
        """The matrix whose i-th row is f of the i-th rows (row vectors) of the matrices."""

    @abstractmethod
    def jacobian(self, y: M, name: str) -> M:
        """∂y_j / ∂x_q at row j and column q, of a vector y with respect to the vector variable ``name``."""

    @abstractmethod
    def unknown_vector(self, name: str, n: Size, row: bool, x: M) -> M:
        """A row or column vector of n unknown differentiable functions of the vector x."""


def run(ops: MatrixOps[M], function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(ops, *arguments)``, also where ``ops`` wraps the matrices to look at, or to change, what the function does."""
    wraps = hasattr(type(ops), "call")  # to ask the object would search for the name that was meant
    return cast(Any, ops).call(function, *arguments) if wraps else function(ops, *arguments)
