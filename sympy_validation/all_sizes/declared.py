"""Declarations of a theorem for all sizes: sizes, variables, functions and layers, each declared once, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import Scalar
from sympy_validation.all_sizes.abstract import AbstractHardFunction, AbstractLayer
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.rearrangements import RearrangementOps
from sympy_validation.all_sizes.scalars import Conditions, OwnSize, SymbolicScalar
from sympy_validation.all_sizes.symbols import (
    ARCTAN,
    NORMAL_CDF,
    NORMAL_PDF,
    STOPPED,
    Dimension,
    Function,
    Product,
    Size,
    Variable,
    column_index,
    row_index,
)
from sympy_validation.all_sizes.terms import Entry, Polynomial, only
from sympy_validation.cases import Case
from sympy_validation.unknown import UnknownActivation

D = TypeVar("D", Size, Variable, Function)


class DeclaredOps(RearrangementOps):
    """The matrices that are declared, and the conditions of what is done with them."""

    def __init__(self) -> None:
        self._conditions = Conditions()
        self._declared: dict[str, Size | Variable | Function] = {}
        self._constants: dict[tuple[tuple[Scalar, ...], ...], str] = {}

    def size(self, name: str) -> Size:
        """An arbitrary positive number of rows or columns."""
        return self._declare(name, Size(name))

    def assume(self, case: Case) -> None:
        """Answer comparisons of sizes and hyper-parameters as they are in this case."""
        self._conditions.case = case

    def own_size(self, name: str, least: int = 1) -> Size:
        """A size that a user's code may compute with, but not decide by, and which is at least this."""
        return self._declare(name, OwnSize(name, self._conditions, least=least))

    def variable(
        self, name: str, rows: Dimension, columns: Dimension, *, positive: bool = False, row_stochastic: bool = False, fixed: bool = False
    ) -> SymbolicMatrix:
        """A matrix of arbitrary real numbers; or of positive ones, or one whose rows sum to 1; ``fixed`` if nothing is to vary."""
        variable = self._declare(name, Variable(name, _dimension(rows), _dimension(columns), positive, row_stochastic, fixed))
        i, j = row_index(rows), column_index(columns)
        matrix = self._matrix(rows, columns, only(Entry(variable, i, j)))
        if positive:
            self._conditions.add(f"{matrix.text()} > 0")
        if row_stochastic:
            self._conditions.add(f"the rows of {name} sum to 1")
        return matrix

    def scalar(self, name: str, *, positive: bool = False, fixed: bool = False) -> SymbolicScalar:
        """An arbitrary real number, or positive one; ``fixed`` if a statement is for each value, and not for almost all."""
        return SymbolicScalar(self.variable(name, 1, 1, positive=positive, fixed=fixed).entry, self._conditions)

    def unknown_activation(self, name: str) -> UnknownActivation:
        """An arbitrary differentiable function, as an activation."""
        return UnknownActivation(self._declare(name, Function(name)))

    def unknown_step(self, name: str) -> UnknownActivation:
        """An arbitrary function whose derivative is 0 almost everywhere, as an activation."""
        return UnknownActivation(self._declare(name, Function(name, step=True)))

    def abstract_layer(
        self, name: str, outputs: Dimension | None = None, parameters: Mapping[str, tuple[Dimension, Dimension]] | None = None
    ) -> AbstractLayer:
        """An arbitrary differentiable layer, with the shapes of its parameters."""
        return AbstractLayer(self._declare(name, Function(name)).name, outputs, parameters or {})

    def abstract_hard_function(self, name: str, outputs: Dimension) -> AbstractHardFunction:
        """An arbitrary function of a matrix."""
        return AbstractHardFunction(self._declare(name, Function(name)).name, outputs)

    def _declare(self, name: str, declaration: D) -> D:
        if not name.isidentifier() or name in (NORMAL_CDF.name, NORMAL_PDF.name, ARCTAN.name, STOPPED.name):
            raise NervaError(f"a name is made of letters, digits and _, and is not Φ, φ, arctan or stop_gradient, got {name!r}")
        if self._declared.setdefault(name, declaration) != declaration:
            raise NervaError(f"{name!r} is declared twice: as {self._declared[name]!r} and as {declaration!r}")
        return declaration

    def any_matrix(self, name: str, rows: Dimension, columns: Dimension) -> SymbolicMatrix:
        name = self._constants.setdefault(((name,),), f"C{len(self._constants) + 1}")
        return self.variable(name, rows, columns, fixed=True)

    def _matrix(self, rows: Dimension, columns: Dimension, entry: Polynomial, members: Dimension = 1) -> SymbolicMatrix:
        return SymbolicMatrix(_dimension(rows), _dimension(columns), entry, self._conditions, _dimension(members))

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of all operations so far, and what was declared. A theorem proved with these operations holds under them."""
        return tuple(self._conditions.texts)


def _dimension(size: Any) -> Dimension:
    if isinstance(size, (Size, Product)) or (isinstance(size, int) and size >= 1):
        return size
    raise NervaError(f"a size is made by ops.size(...) or is a positive int, got {size!r}")
