"""Trainable matrix activation functions (TMAF, section 2): a row z gives A(z) z, where the entries of the matrix A are step functions of z.

The jumps of a step function are at the points s of a fixed grid; its values t_0, ..., t_p on the intervals are trained. On a grid point it
has the value of the interval on the left: all intervals are closed on the right. There is one step function for each layer and diagonal
of A (erratum 002-25), or one for every neuron, which is a column of the K columns of Z.

A step function has derivative 0 almost everywhere, so the Jacobian of A(z) z is A(z) (erratum 002-15). All gradients here hold almost
everywhere, which is where no element of Z is a grid point; on a grid point they are those of the interval on the left.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.trees import Tree, rebuild
from nerva_core.equations.step_functions import Alpha, Beta, Gamma, Given, Grid, Like, Same, StepValues, TenIntervals
from nerva_core.layers.base import LAYERS, Layer, Shape


class MatrixActivation(Layer):
    """The base of this family: layers whose parameters are the values of step functions, p + 1 numbers for p grid points."""

    trailing = True
    per_neuron: bool
    """Whether every column of Z has a step function of its own; then the values are a (p + 1) x K matrix, else (p + 1) x 1."""

    @abstractmethod
    def step_functions(self, D: Size) -> Sequence[tuple[Grid, StepValues]]:
        """The grid and the initial values of each step function."""

    def init(self, rng: np.random.Generator, D: int) -> Tree:
        """The initial step values; nothing is drawn."""
        columns = [np.array([initial.values(grid)]).T for grid, initial in self.step_functions(D)]
        return rebuild(self.shapes(D), [np.repeat(t, D if self.per_neuron else 1, axis=1) for t in columns])

    def _check(self) -> None:
        """NervaError if given initial values do not fit their grids."""
        for grid, initial in self.step_functions(2):
            if isinstance(initial, Given):
                initial.values(grid)

    def _shape(self, grid: Grid, D: Size) -> Shape:
        return grid.intervals(), D if self.per_neuron else 1

    def _step(self, ops: MatrixOps[M], grid: Grid, t: M, Z: M) -> M:
        """φ(Z) for the step function φ with the values t."""
        _, K = ops.shape(Z)
        return ops.step_function(Z, grid.points(), t if self.per_neuron else ops.column_repeat(t, K))

    def _step_gradient(self, ops: MatrixOps[M], grid: Grid, Dphi: M, Z: M) -> M:
        """Dt_j, the sum of Dφ over the elements of Z in the interval j."""
        sums = ops.interval_sums(Dphi, Z, grid.points())
        return sums if self.per_neuron else ops.rows_sum(sums)


class DiagonalTMAFParameters(NamedTuple, Generic[M]):
    """The values of α, (p + 1) x 1."""

    alpha: M


class DiagonalTMAFCache(NamedTuple, Generic[M]):
    """Z, the input, and A = α(Z) are N x K."""

    Z: M
    A: M


@LAYERS.add
@dataclass(frozen=True)
class DiagonalTMAF(MatrixActivation):
    """Y = α(Z) ⊙ Z, with a trained step function α (equations 5 and 6).

    DZ = α(Z) ⊙ DY and Dα_j = 1_Nᵀ · (DY ⊙ Z ⊙ [Z in I_j]) · 1_K, almost everywhere (erratum 002-16).
    """

    grid: Grid = TenIntervals()
    initial: StepValues = Like()
    per_neuron: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check()

    def step_functions(self, D: Size) -> list[tuple[Grid, StepValues]]:
        return [(self.grid, self.initial)]

    def shapes(self, D: Size) -> DiagonalTMAFParameters:
        return DiagonalTMAFParameters(alpha=self._shape(self.grid, D))

    def feedforward(self, ops: MatrixOps[M], params: DiagonalTMAFParameters[M], Z: M) -> tuple[M, DiagonalTMAFCache[M]]:
        A = self._step(ops, self.grid, params.alpha, Z)
        Y = ops.hadamard(A, Z)
        return Y, DiagonalTMAFCache(Z, A)

    def backpropagate(
        self, ops: MatrixOps[M], params: DiagonalTMAFParameters[M], cache: DiagonalTMAFCache[M], DY: M
    ) -> tuple[M, DiagonalTMAFParameters[M]]:
        Z, A = cache
        DZ = ops.hadamard(A, DY)
        DA = ops.hadamard(DY, Z)
        Dalpha = self._step_gradient(ops, self.grid, DA, Z)
        return DZ, DiagonalTMAFParameters(Dalpha)


class TridiagonalTMAFParameters(NamedTuple, Generic[M]):
    """The values of α, β and γ, each (p + 1) x 1 for its own p."""

    alpha: M
    beta: M
    gamma: M


class TridiagonalTMAFCache(NamedTuple, Generic[M]):
    """Z, the input, A = α(Z), B = β(Z) and C = γ(Z) are N x K."""

    Z: M
    A: M
    B: M
    C: M


@LAYERS.add
@dataclass(frozen=True)
class TridiagonalTMAF(MatrixActivation):
    """Y = α(Z) ⊙ Z + (β(Z) ⊙ Z) · S_1ᵀ + (γ(Z) ⊙ Z) · S_1, with trained step functions α, β and γ and (S_1)_{i,i+1} = 1 (equation 7).

    Column j of the matrix is a function of z_j: y_i = γ(z_{i-1}) z_{i-1} + α(z_i) z_i + β(z_{i+1}) z_{i+1} (erratum 002-14).
    DZ = α(Z) ⊙ DY + β(Z) ⊙ (DY · S_1) + γ(Z) ⊙ (DY · S_1ᵀ), almost everywhere (erratum 002-17).
    """

    alpha_grid: Grid = Alpha()
    beta_grid: Grid = Beta()
    gamma_grid: Grid = Gamma()
    alpha: StepValues = Like()
    beta: StepValues = Same()
    gamma: StepValues = Same()
    per_neuron: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check()

    def step_functions(self, D: Size) -> list[tuple[Grid, StepValues]]:
        return [(self.alpha_grid, self.alpha), (self.beta_grid, self.beta), (self.gamma_grid, self.gamma)]

    def shapes(self, D: Size) -> TridiagonalTMAFParameters:
        return TridiagonalTMAFParameters(*(self._shape(grid, D) for grid, _ in self.step_functions(D)))

    def feedforward(self, ops: MatrixOps[M], params: TridiagonalTMAFParameters[M], Z: M) -> tuple[M, TridiagonalTMAFCache[M]]:
        A = self._step(ops, self.alpha_grid, params.alpha, Z)
        B = self._step(ops, self.beta_grid, params.beta, Z)
        C = self._step(ops, self.gamma_grid, params.gamma, Z)
        Y = ops.hadamard(A, Z) + ops.shift_columns(ops.hadamard(B, Z), -1) + ops.shift_columns(ops.hadamard(C, Z), 1)
        return Y, TridiagonalTMAFCache(Z, A, B, C)

    def backpropagate(
        self, ops: MatrixOps[M], params: TridiagonalTMAFParameters[M], cache: TridiagonalTMAFCache[M], DY: M
    ) -> tuple[M, TridiagonalTMAFParameters[M]]:
        Z, A, B, C = cache
        R = ops.shift_columns(DY, 1)
        L = ops.shift_columns(DY, -1)
        DZ = ops.hadamard(A, DY) + ops.hadamard(B, R) + ops.hadamard(C, L)
        Dalpha = self._step_gradient(ops, self.alpha_grid, ops.hadamard(DY, Z), Z)
        Dbeta = self._step_gradient(ops, self.beta_grid, ops.hadamard(R, Z), Z)
        Dgamma = self._step_gradient(ops, self.gamma_grid, ops.hadamard(L, Z), Z)
        return DZ, TridiagonalTMAFParameters(Dalpha, Dbeta, Dgamma)


class DiagonalsCache(NamedTuple, Generic[M]):
    """Z, the input, and φ_o(Z) for every offset o are N x K."""

    Z: M
    phi: tuple[M, ...]


class Diagonals(MatrixActivation):
    """Y = Σ_o ((φ_o(Z) ⊙ Z) · S_oᵀ) ⊙ (1_N · p_o), with a trained step function φ_o for every offset o = column - row of a diagonal.

    p_o is 1 where the matrix has an entry on the diagonal, at (i, i + o), and 0 elsewhere; without p_o it is the whole diagonal.
    DZ = Σ_o φ_o(Z) ⊙ ((DY ⊙ (1_N · p_o)) · S_o), almost everywhere (erratum 002-18). The cost is O(NK) for a diagonal.
    """

    grids: tuple[Grid, ...]
    initial: StepValues

    @abstractmethod
    def offsets_for(self, D: Size) -> Sequence[int]:
        """The offsets of the diagonals, for an input with D columns."""

    def pattern_row(self, ops: MatrixOps[M], o: int, K: Size) -> M | None:
        """p_o, 1 x K; None for the whole diagonal."""
        return None

    def step_functions(self, D: Size) -> list[tuple[Grid, StepValues]]:
        """On the main diagonal the initial values are those given, elsewhere 0."""
        offsets = self.offsets_for(D)
        grids = self.grids * len(offsets) if len(self.grids) == 1 else self.grids
        if len(grids) != len(offsets):
            raise NervaError(f"{type(self).__name__}: expected one grid, or one for each of the {len(offsets)} diagonals, got {len(grids)}")
        return [(grid, self.initial if o == 0 else Same(0.0)) for o, grid in zip(offsets, grids, strict=True)]

    def shapes(self, D: Size) -> tuple[Any, ...]:
        return tuple(self._shape(grid, D) for grid, _ in self.step_functions(D))

    def feedforward(self, ops: MatrixOps[M], params: tuple[M, ...], Z: M) -> tuple[M, DiagonalsCache[M]]:
        _, K = ops.shape(Z)
        phi, terms = [], []
        for o, (grid, _), t in zip(self.offsets_for(K), self.step_functions(K), params, strict=True):
            A = self._step(ops, grid, t, Z)
            phi.append(A)
            terms.append(self._on_pattern(ops, o, ops.shift_columns(ops.hadamard(A, Z), -o)))
        Y = functools.reduce(ops.add, terms)
        return Y, DiagonalsCache(Z, tuple(phi))

    def backpropagate(self, ops: MatrixOps[M], params: tuple[M, ...], cache: DiagonalsCache[M], DY: M) -> tuple[M, tuple[M, ...]]:
        Z, phi = cache
        _, K = ops.shape(Z)
        terms, gradients = [], []
        for o, (grid, _), A in zip(self.offsets_for(K), self.step_functions(K), phi, strict=True):
            E = ops.shift_columns(self._on_pattern(ops, o, DY), o)
            terms.append(ops.hadamard(A, E))
            gradients.append(self._step_gradient(ops, grid, ops.hadamard(E, Z), Z))
        DZ = functools.reduce(ops.add, terms)
        return DZ, tuple(gradients)

    def _on_pattern(self, ops: MatrixOps[M], o: int, X: M) -> M:
        """X ⊙ (1_N · p_o)."""
        N, K = ops.shape(X)
        p = self.pattern_row(ops, o, K)
        return X if p is None else ops.hadamard(X, ops.row_repeat(p, N))


@LAYERS.add
@dataclass(frozen=True)
class PDiagonalTMAF(Diagonals):
    """Y = Σ_o (φ_o(Z) ⊙ Z) · S_oᵀ, with a trained step function φ_o for each of the given offsets o = column - row (section 2).

    DZ = Σ_o φ_o(Z) ⊙ (DY · S_o), almost everywhere (erratum 002-18). The grid is one for all diagonals, or there is one for each.
    """

    aliases = ("BandTMAF",)
    offsets: tuple[int, ...] = (0, 1, -1)
    grids: tuple[Grid, ...] = (TenIntervals(),)
    initial: StepValues = Like()
    per_neuron: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.offsets or len({*self.offsets}) < len(self.offsets):
            raise NervaError(f"PDiagonalTMAF: offsets must be one or more different integers, got {list(self.offsets)}")
        self._check()

    def offsets_for(self, D: Size) -> tuple[int, ...]:
        return self.offsets


@LAYERS.add
@dataclass(frozen=True)
class FullTMAF(Diagonals):
    """``PDiagonalTMAF`` with every diagonal, so that A(z) is a full matrix (section 2); with ``per_neuron``, A_ij has its own function.

    There are 2K - 1 diagonals, so the cost is O(NK²).
    """

    columns = 3
    grids: tuple[Grid, ...] = (TenIntervals(),)
    initial: StepValues = Like()
    per_neuron: bool = False

    def offsets_for(self, D: Size) -> range:
        return range(1 - D, D)


@LAYERS.add
@dataclass(frozen=True)
class SparseTMAF(Diagonals):
    """``PDiagonalTMAF`` on a prescribed pattern: the entry at (i, j) is there if the pattern, rows of zeros and ones, has a 1 (section 2).

    A pattern of r x c is repeated: the entry at (i, j) is that at (i mod r, j mod c). A diagonal without an entry is left out.
    """

    columns = 3
    pattern: tuple[tuple[Literal[0, 1], ...], ...] = ((1, 1), (0, 1))
    grids: tuple[Grid, ...] = (TenIntervals(),)
    initial: StepValues = Like()
    per_neuron: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = {len(row) for row in self.pattern}
        if len(widths) != 1 or 0 in widths or any(entry not in (0, 1) for row in self.pattern for entry in row):
            raise NervaError(
                f"SparseTMAF: the pattern must be rows of the same length of zeros and ones, got {list(map(list, self.pattern))}"
            )
        self._check()

    def offsets_for(self, D: Size) -> list[int]:
        return [o for o in range(1 - D, D) if any(self._diagonal(o, D))]

    def pattern_row(self, ops: MatrixOps[M], o: int, K: Size) -> M | None:
        return ops.constant([self._diagonal(o, K)])

    def _diagonal(self, o: int, K: int) -> list[int]:
        """The entries at (i, i + o) for every row i."""
        rows = [self.pattern[i % len(self.pattern)] for i in range(K)]
        return [row[(i + o) % len(row)] if 0 <= i + o < K else 0 for i, row in enumerate(rows)]
