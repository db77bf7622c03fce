"""Trainable matrix activation functions: variants of the layers, their special cases, and the form of which all are cases."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.equations.activations import LeakyReLU, ReLU
from nerva_core.equations.step_functions import Grid, Points
from nerva_core.layers import Layer
from nerva_core.layers.tmaf import DiagonalTMAF, PDiagonalTMAF, TridiagonalTMAF
from nerva_core.layers.trained_activations import PReLU
from sympy_validation.claims import Make, RealVariable
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.layers import gradient_theorems
from sympy_validation.theorems.tools import equation

Ops = MatrixOps
Matrix = Any

EVERY_GRID = ", almost everywhere, for every grid with any number of points"


def theorems() -> Iterator[Theorem]:
    """The table for TMAF, beside that of the layers with their defaults."""
    yield from definition()
    yield from gradient_theorems("tmaf.general", general, EVERY_GRID + ", any matrices E and S")
    for layer in (DiagonalTMAF, TridiagonalTMAF, PDiagonalTMAF):
        yield from gradient_theorems(f"tmaf.{layer.__name__}(per neuron)", per_neuron(layer), EVERY_GRID + ", one function a neuron")
    for count in (1, 2, 3):
        about = EVERY_GRID + f" for each of {count} diagonals, any matrices in the place of the shifts S_o"
        yield from gradient_theorems(f"tmaf.PDiagonalTMAF({count} diagonals)", diagonals(count), about)
    yield from special_cases()


# The definition -------------------------------------------------------------------------------------------------------


def definition() -> Iterator[Theorem]:
    """The proofs for all sizes use Σ_j T_j ([l_j < x] - [r_j < x]) for any number of intervals; so the operations are defined."""
    for count in (1, 2, 3):
        points = {f"s{k}": RealVariable() for k in range(1, count + 1)}
        variables = {"X": ("N", "D"), "Y": ("N", "D"), "T": (count + 1, "D"), **points}
        for name, tested, expected in (
            ("step_function", lambda ops, X, Y, T, *s: ops.step_function(X, s, T), step_function),
            ("interval_sums", lambda ops, X, Y, T, *s: ops.interval_sums(Y, X, s), interval_sums),
        ):
            yield from equation(
                f"tmaf.{name}",
                name,
                f"{name} is the sum over the intervals, with [x in I_j] = [l_j < x] - [r_j < x], for all points s ({count} of them)",
                variables,
                tested,
                expected,
                methods=("entries",),
                name="1 point" if count == 1 else f"{count} points",
            )


def inside(ops: Ops, X: Matrix, s: Sequence[Any], j: int) -> Matrix:
    """[l_j < x] - [r_j < x], the indicator of the interval j."""
    m, n = ops.shape(X)
    left = ops.less(ops.full(s[j - 1], m, n), X) if j > 0 else ops.ones(m, n)
    return left - ops.less(ops.full(s[j], m, n), X) if j < len(s) else left


def step_function(space: Space, X: Matrix, Y: Matrix, T: Matrix, *s: Any) -> Matrix:
    """Σ_j (1 · T_j) ⊙ [X in I_j]."""
    ops, count = space.ops, len(s) + 1
    rows = [ops.row_repeat(ops.transpose(ops.unit(j, count)) @ T, ops.shape(X)[0]) for j in range(count)]
    return functools.reduce(ops.add, [ops.hadamard(row, inside(ops, X, s, j)) for j, row in enumerate(rows)])


def interval_sums(space: Space, X: Matrix, Y: Matrix, T: Matrix, *s: Any) -> Matrix:
    """Σ_j e_j · (1ᵀ · (Y ⊙ [X in I_j]))."""
    ops, count = space.ops, len(s) + 1
    return functools.reduce(ops.add, [ops.unit(j, count) @ ops.columns_sum(ops.hadamard(Y, inside(ops, X, s, j))) for j in range(count)])


# Variants of the layers -----------------------------------------------------------------------------------------------


def per_neuron(layer: type[Layer]) -> Make:
    """The layer with a step function for every neuron."""
    return lambda space: symbolic(layer, space, per_neuron=True)


def diagonals(count: int) -> Make:
    """``PDiagonalTMAF`` with so many diagonals, each with a grid of its own.

    For all sizes, the shifts S_1, S_2, ... are arbitrary matrices, so that S_o stands for every shift, up or down, and any other pattern.
    """
    offsets = tuple(range(1, count + 1))
    return lambda space: PDiagonalTMAF(offsets, tuple(space.any_grid(f"s{o}") for o in offsets))


class GeneralParameters(NamedTuple):
    """The values, J x L."""

    T: Matrix


class GeneralCache(NamedTuple):
    """The values that the backward needs; E and S are K x L."""

    V: Matrix
    A: Matrix
    E: Matrix
    S: Matrix


@dataclass(frozen=True)
class General(Layer):
    """Y = (φ(V) ⊙ V) · Sᵀ with V = Z · E: a step function for each of L columns, and any matrices E and S.

    With E = [I ... I] and S = [S_o ...] it is Y = Σ_o (φ_o(Z) ⊙ Z) · S_oᵀ for any set of offsets; with a column for every entry of the
    matrix, E = e_j and S = e_i, it is every sparsity pattern with a function for every entry. So the gradient is proved for all of these.
    """

    grid: Grid
    L: Size
    E: Matrix
    S: Matrix

    def shapes(self, D: Size) -> GeneralParameters:
        return GeneralParameters((self.grid.intervals(), self.L))

    def feedforward(self, ops: Ops, params: GeneralParameters, Z: Matrix) -> tuple[Matrix, GeneralCache]:
        V = Z @ self.E
        A = ops.step_function(V, self.grid.points(), params.T)
        return ops.hadamard(A, V) @ ops.transpose(self.S), GeneralCache(V, A, self.E, self.S)

    def backpropagate(self, ops: Ops, params: GeneralParameters, cache: GeneralCache, DY: Matrix) -> tuple[Matrix, GeneralParameters]:
        V, A, E, S = cache
        G = DY @ S
        DZ = ops.hadamard(A, G) @ ops.transpose(E)
        return DZ, GeneralParameters(ops.interval_sums(ops.hadamard(G, V), V, self.grid.points()))


def general(space: Space) -> General:
    """The layer with arbitrary E and S."""
    D, H = space.size("D"), space.size("H")
    return General(space.any_grid("s"), H, space.constant("E", D, H), space.constant("S", D, H))


# Special cases --------------------------------------------------------------------------------------------------------


def run_layer(layer: Layer, values: Callable[[Ops], Any]) -> Callable[..., tuple[Matrix, Matrix]]:
    """(Y, DZ) of a layer with the given parameters."""

    def function(ops: Ops, Z: Matrix, DY: Matrix) -> tuple[Matrix, Matrix]:
        params = values(ops)
        Y, cache = layer.feedforward(ops, params, Z)
        return Y, layer.backpropagate(ops, params, cache, DY)[0]

    return function


def activation_and_gradient(activation: Any) -> Callable[..., tuple[Matrix, Matrix]]:
    """act(Z), and DY ⊙ act'(Z)."""
    return lambda space, Z, DY: (activation.value(space.ops, Z), space.ops.hadamard(DY, activation.gradient(space.ops, Z)))


def special_cases() -> Iterator[Theorem]:
    """Section 2: the layers of which TMAF is a generalisation."""
    ZDY = {"Z": ("N", "K"), "DY": ("N", "K")}
    one_point, two_points = Points((0.0,)), Points((0.0, 1.0))

    def diagonal(grid: Grid, *t: float) -> Callable[..., Any]:
        layer = DiagonalTMAF(grid)
        parameters = type(layer.shapes(1))
        return run_layer(layer, lambda ops: parameters(ops.constant([[x] for x in t])))

    for name, activation, t0 in (("ReLU", ReLU(), 0.0), ("LeakyReLU", LeakyReLU(0.25), 0.25)):
        yield from equation(
            "tmaf.special cases",
            ("Y", "DZ"),
            f"{{}} with the grid point 0 and the values {t0:g} and 1 is that of {name}",
            ZDY,
            diagonal(one_point, t0, 1.0),
            activation_and_gradient(activation),
            methods=("entries",),
            name=name,
        )

    def window(space: Space, Z: Matrix, DY: Matrix) -> tuple[Matrix, Matrix]:
        ops = space.ops
        zero, one = ops.zeros(*ops.shape(Z)), ops.ones(*ops.shape(Z))
        inside = ops.less(zero, Z) - ops.less(one, Z)
        return ops.hadamard(inside, Z), ops.hadamard(inside, DY)

    yield from equation(
        "tmaf.special cases",
        ("Y", "DZ"),
        "{} with the grid points 0 and 1 and the values 0, 1 and 0 is that of the discontinuous y [0 < y <= 1]",
        ZDY,
        diagonal(two_points, 0.0, 1.0, 0.0),
        window,
        methods=("entries",),
        name="discontinuous",
    )
    yield from prelu(ZDY)
    yield from tridiagonal()


def prelu(variables: dict[str, Any]) -> Iterator[Theorem]:
    """PReLU is a TMAF."""

    def tmaf(ops: Ops, Z: Matrix, DY: Matrix, a: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        layer = DiagonalTMAF(Points((0.0,)))
        params = type(layer.shapes(1))(ops.unit(0, 2) @ a + ops.unit(1, 2))
        Y, cache = layer.feedforward(ops, params, Z)
        DZ, gradients = layer.backpropagate(ops, params, cache, DY)
        return Y, DZ, ops.transpose(ops.unit(0, 2)) @ gradients.alpha

    def expected(space: Space, Z: Matrix, DY: Matrix, a: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        layer = PReLU()
        params = type(layer.shapes(1))(a)
        Y, cache = layer.feedforward(space.ops, params, Z)
        DZ, gradients = layer.backpropagate(space.ops, params, cache, DY)
        return Y, DZ, gradients.a

    yield from equation(
        "tmaf.special cases",
        ("Y", "DZ", "Da"),
        "{} of PReLU is that of the diagonal TMAF with the grid point 0 and the values a and 1",
        {**variables, "a": (1, 1)},
        tmaf,
        expected,
        methods=("entries",),
        name="PReLU",
    )


def tridiagonal() -> Iterator[Theorem]:
    """Equation (7) entry by entry, with 3 neurons; and the tri-diagonal layer as a p-diagonal one."""
    grid, K = Points((-1.0, 1.0)), 3
    variables = {"Z": ("N", K), "alpha": (3, 1), "beta": (3, 1), "gamma": (3, 1)}

    def column_form(space: Space, Z: Matrix, *values: Matrix) -> Matrix:
        """Row n is A(z) z for the row z of Z, with the printed matrix A(z)."""
        ops = space.ops

        def entry(t: Matrix, z: Matrix, j: int) -> Matrix:
            return ops.step_function(z @ ops.unit(j, K), grid.points(), t)

        def row(z: Matrix) -> Matrix:
            alpha, beta, gamma = values
            result = ops.zeros(1, K)
            for i in range(K):
                y = ops.zeros(1, 1)
                for j, t in ((i - 1, gamma), (i, alpha), (i + 1, beta)):
                    if 0 <= j < K:
                        y = y + ops.hadamard(entry(t, z, j), z @ ops.unit(j, K))
                result = result + y @ ops.transpose(ops.unit(i, K))
            return result

        return space.rowwise(row, Z)

    def layer(ops: Ops, Z: Matrix, *values: Matrix) -> Matrix:
        layer = TridiagonalTMAF(grid, grid, grid)
        return layer.feedforward(ops, type(layer.shapes(K))(*values), Z)[0]

    def band(space: Space, Z: Matrix, *values: Matrix) -> Matrix:
        return PDiagonalTMAF((0, 1, -1), (grid,)).feedforward(space.ops, values, Z)[0]

    for name, statement, expected in (
        ("equation 7", "is the product of the matrix of equation (7) with the row, column j a function of z_j (K = 3)", column_form),
        ("p-diagonal", "is that of the p-diagonal layer with the offsets 0, 1 and -1 (K = 3)", band),
    ):
        yield from equation("tmaf.TridiagonalTMAF", "Y", f"Y {statement}", variables, layer, expected, methods=("entries",), name=name)
