"""Misprints in the specification: each printed formula is refuted by a counterexample, each corrected one is proved.

Printed formulas are written out here, once. A corrected formula is the shipped code where the code has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import ReLU, SReLU
from nerva_core.layers.trained_activations import SReLU as SReLULayer
from nerva_core.layers.trained_activations import SReLUParameters
from sympy_validation.errata import specification_functions as functions
from sympy_validation.errata.erratum import Erratum, Ops, erratum
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.matrix_calculus import equation21, equation21_last, normalized_jacobian
from sympy_validation.theorems.tools import about, equation


def errata() -> Iterator[Erratum]:
    """All errata that are formulas, in the order of the text."""
    yield from means()
    yield srelu_gradient()
    yield srelu_initial_values()
    yield batch_normalization_21()
    yield dropout_mask()
    yield linear_derivation()
    yield from functions.errata()


def theorems() -> Iterator[Theorem]:
    """The table for the errata."""
    for item in errata():
        yield from item.theorems


def means() -> Iterator[Erratum]:
    """The mean is the number from which the deviations sum to 0."""
    X = {"X": ("N", "D")}

    def columns(mean: Any) -> Iterator[Theorem]:
        return equation(
            "",
            "Σ_i (x_ij - mean_j)",
            "",
            X,
            lambda ops, X: ops.columns_sum(X - ops.row_repeat(mean(ops, X), ops.shape(X)[0])),
            lambda space, X: space.ops.zeros(1, space.ops.shape(X)[1]),
        )

    def rows(mean: Any) -> Iterator[Theorem]:
        return equation(
            "",
            "Σ_j (x_ij - mean_i)",
            "",
            X,
            lambda ops, X: ops.rows_sum(X - ops.column_repeat(mean(ops, X), ops.shape(X)[1])),
            lambda space, X: space.ops.zeros(space.ops.shape(X)[0], 1),
        )

    yield erratum(
        "004-01",
        where="Table 1, columns_mean",
        printed="columns_mean(X) = (1_mᵀ · X) / n",
        corrected="columns_mean(X) = (1_mᵀ · X) / m",
        wrong=columns(lambda ops, X: ops.divide(ops.columns_sum(X), ops.shape(X)[1])),
        right=columns(lambda ops, X: ops.columns_mean(X)),
    )
    yield erratum(
        "004-02",
        where="Table 1, rows_mean",
        printed="rows_mean(X) = (X · 1_n) / m",
        corrected="rows_mean(X) = (X · 1_n) / n",
        wrong=rows(lambda ops, X: ops.divide(ops.rows_sum(X), ops.shape(X)[0])),
        right=rows(lambda ops, X: ops.rows_mean(X)),
    )


def srelu_gradient() -> Erratum:
    """T^r is not 0 where z <= t_l."""

    def printed(ops: Ops, layer: SReLULayer, params: SReLUParameters, cache: Tree, DY: Matrix) -> Tree:
        DZ, gradients = layer.backpropagate(ops, params, cache, DY)
        (Z,) = cache
        tr, ar = (ops.fill(parameter, *ops.shape(Z)) for parameter in (params.tr, params.ar))
        Tr = ops.where(ops.greater_equal(Z, tr), ops.ones(*ops.shape(Z)) - ar, ops.zeros(*ops.shape(Z)))
        return DZ, gradients._replace(tr=ops.elements_sum(ops.hadamard(DY, Tr)))

    def layer(space: Space) -> SReLULayer:
        return symbolic(SReLULayer, space)

    return erratum(
        "004-16",
        where="section 4, SReLU layer",
        printed="T^r = 1 - a_r where z >= t_r, 0 otherwise",
        corrected="T^r = 0 where z <= t_l or z < t_r, 1 - a_r otherwise",
        wrong=(t for t in about("", LayerGradient(layer, printed), "") if t.quantity == "Dtr"),
        right=(t for t in about("", LayerGradient(layer), "") if t.quantity == "Dtr"),
    )


def srelu_initial_values() -> Erratum:
    """(0, 0, 0, 1) is the clipped ReLU."""

    def is_relu(ar: float) -> Iterator[Theorem]:
        return equation(
            "",
            "value",
            "",
            {"X": ("N", "D")},
            SReLU(0.0, 0.0, ar, 1.0).value,
            lambda space, X: ReLU().value(space.ops, X),
            methods=("entries",),
        )

    return erratum(
        "004-18",
        where="section 5, SReLU",
        printed="(a_l, t_l, a_r, t_r) = (0, 0, 0, 1) is ReLU",
        corrected="(0, 0, 1, 1) is ReLU; (0, 0, 0, 1) is min(max(x, 0), 1)",
        wrong=is_relu(0.0),
        right=is_relu(1.0),
    )


def batch_normalization_21() -> Erratum:
    """A number minus a matrix."""

    def printed(ops: Ops, r: Any) -> Tree:
        return ops.inv_sqrt(ops.divide(ops.transpose(r) @ r, ops.shape(r)[0])) - equation21_last(ops, r)

    def theorem(tested: Any) -> Iterator[Theorem]:
        return equation("", "∂z/∂r", "", {"r": ("N", 1)}, tested, normalized_jacobian)

    return erratum(
        "004-26",
        where="equation (21)",
        printed="∂z/∂r = σ^(-1/2) - r · σ^(-3/2)/2 · 2rᵀ/N",
        corrected="∂z/∂r = σ^(-1/2) I_N - r · σ^(-3/2)/2 · 2rᵀ/N",
        wrong=theorem(printed),
        right=theorem(equation21),
    )


def dropout_mask() -> Erratum:
    """The mask of the weights must have the shape of Wᵀ."""

    def theorem(m: str, n: str, masked: Any) -> Iterator[Theorem]:
        return equation(
            "",
            "Wᵀ ⊙ R",
            "",
            {"W": ("K", "D"), "R": (m, n)},
            lambda ops, W, R: ops.hadamard(ops.transpose(W), R),
            lambda space, W, R: masked(space.ops, W, R),
        )

    return erratum(
        "004-28",
        where="section 4, dropout layers",
        printed="R is K x D",
        corrected="R is D x K",
        wrong=theorem("K", "D", lambda ops, W, R: ops.transpose(ops.hadamard(W, R))),
        right=theorem("D", "K", lambda ops, W, R: ops.transpose(ops.hadamard(W, ops.transpose(R)))),
    )


def linear_derivation() -> Erratum:
    """The sum over k remains where that over l should."""

    def theorem(tested: Any) -> Iterator[Theorem]:
        return equation(
            "",
            "DW",
            "",
            {"X": ("N", "D"), "W": ("K", "D"), "DY": ("N", "K")},
            tested,
            lambda space, X, W, DY: space.gradient(DY, X @ space.ops.transpose(W), "W"),
        )

    return erratum(
        "004-43",
        where="section 4.1, linear layer, last line",
        printed="∂L/∂w_ij = Σ_{k=1}^N (e_i)_l (DYᵀ · X)_lj, summed over l as in the line before",
        corrected="∂L/∂w_ij = Σ_{l=1}^K (e_i)_l (DYᵀ · X)_lj = (DYᵀ · X)_ij",
        wrong=theorem(lambda ops, X, W, DY: ops.scale(ops.shape(X)[0], ops.transpose(DY) @ X)),
        right=theorem(lambda ops, X, W, DY: ops.transpose(DY) @ X),
    )
