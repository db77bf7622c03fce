"""Misprints in the specification: each printed formula is refuted by a counterexample, each corrected one is proved.

Printed formulas are written out here, once. A corrected formula is the shipped code where the code has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.equations.activations import AllReLU, LeakyReLU, ReLU, SReLU
from nerva_core.equations.initializers import Xavier
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.softmax import log_softmax, softmax
from nerva_core.layers.trained_activations import SReLU as SReLULayer
from nerva_core.layers.trained_activations import SReLUParameters
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.spaces import Kind
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.initializers import moments_theorem
from sympy_validation.theorems.matrix_calculus import equation21, equation21_last, normalized_jacobian
from sympy_validation.theorems.schedules import each, ratios, schedule_theorem
from sympy_validation.theorems.softmax import jacobian_of
from sympy_validation.theorems.tools import about, equation

Ops = MatrixOps[Any]


@dataclass(frozen=True)
class Erratum:
    """A formula of the specification that is wrong, or only right under a condition that is not stated."""

    number: str
    where: str
    printed: str
    corrected: str
    theorems: tuple[Theorem, ...]
    """The printed form, which is refuted, and the corrected form, which is proved by each method."""


def erratum(number: str, where: str, printed: str, corrected: str, wrong: Iterator[Theorem], right: Iterator[Theorem]) -> Erratum:
    """The pair of theorems, under the erratum's number."""
    subject = f"errata.{number}"
    refuted = next(wrong)  # one method is enough to refute
    members = [Theorem(subject, refuted.quantity, f"printed: {printed}", refuted.claim, "entries", (), "refuted", "printed", refuted.range)]
    for t in right:
        members.append(
            Theorem(subject, t.quantity, f"corrected: {corrected}", t.claim, t.method, t.conditions, "proved", "corrected", t.range)
        )
    return Erratum(number, where, printed, corrected, tuple(members))


def errata() -> Iterator[Erratum]:
    """All errata that are formulas, in the order of the text."""
    yield from means()
    yield srelu_gradient()
    yield srelu_initial_values()
    yield batch_normalization_21()
    yield dropout_mask()
    yield linear_derivation()
    yield leaky_relu()
    yield log_softmax_28()
    yield from losses()
    yield xavier()
    yield from schedules()


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
        "Table 1, columns_mean",
        "columns_mean(X) = (1_mᵀ · X) / n",
        "columns_mean(X) = (1_mᵀ · X) / m",
        columns(lambda ops, X: ops.divide(ops.columns_sum(X), ops.shape(X)[1])),
        columns(lambda ops, X: ops.columns_mean(X)),
    )
    yield erratum(
        "004-02",
        "Table 1, rows_mean",
        "rows_mean(X) = (X · 1_n) / m",
        "rows_mean(X) = (X · 1_n) / n",
        rows(lambda ops, X: ops.divide(ops.rows_sum(X), ops.shape(X)[0])),
        rows(lambda ops, X: ops.rows_mean(X)),
    )


def srelu_gradient() -> Erratum:
    """T^r is not 0 where z <= t_l."""

    def printed(ops: Ops, layer: SReLULayer, params: SReLUParameters[Any], cache: Any, DY: Any) -> Any:
        DZ, gradients = layer.backpropagate(ops, params, cache, DY)
        (Z,) = cache
        tr, ar = (ops.fill(parameter, *ops.shape(Z)) for parameter in (params.tr, params.ar))
        Tr = ops.where(ops.greater_equal(Z, tr), ops.ones(*ops.shape(Z)) - ar, ops.zeros(*ops.shape(Z)))
        return DZ, gradients._replace(tr=ops.elements_sum(ops.hadamard(DY, Tr)))

    def layer(space: Any) -> SReLULayer:
        return symbolic(SReLULayer, space)

    return erratum(
        "004-16",
        "section 4, SReLU layer",
        "T^r = 1 - a_r where z >= t_r, 0 otherwise",
        "T^r = 0 where z <= t_l or z < t_r, 1 - a_r otherwise",
        (t for t in about("", LayerGradient(layer, printed), "") if t.quantity == "Dtr"),
        (t for t in about("", LayerGradient(layer), "") if t.quantity == "Dtr"),
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
        "section 5, SReLU",
        "(a_l, t_l, a_r, t_r) = (0, 0, 0, 1) is ReLU",
        "(0, 0, 1, 1) is ReLU; (0, 0, 0, 1) is min(max(x, 0), 1)",
        is_relu(0.0),
        is_relu(1.0),
    )


def batch_normalization_21() -> Erratum:
    """A number minus a matrix."""

    def printed(ops: Ops, r: Any) -> Any:
        return ops.inv_sqrt(ops.divide(ops.transpose(r) @ r, ops.shape(r)[0])) - equation21_last(ops, r)

    def theorem(tested: Any) -> Iterator[Theorem]:
        return equation("", "∂z/∂r", "", {"r": ("N", 1)}, tested, normalized_jacobian)

    return erratum(
        "004-26",
        "equation (21)",
        "∂z/∂r = σ^(-1/2) - r · σ^(-3/2)/2 · 2rᵀ/N",
        "∂z/∂r = σ^(-1/2) I_N - r · σ^(-3/2)/2 · 2rᵀ/N",
        theorem(printed),
        theorem(equation21),
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
        "section 4, dropout layers",
        "R is K x D",
        "R is D x K",
        theorem("K", "D", lambda ops, W, R: ops.transpose(ops.hadamard(W, R))),
        theorem("D", "K", lambda ops, W, R: ops.transpose(ops.hadamard(W, ops.transpose(R)))),
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
        "section 4.1, linear layer, last line",
        "∂L/∂w_ij = Σ_{k=1}^N (e_i)_l (DYᵀ · X)_lj, summed over l as in the line before",
        "∂L/∂w_ij = Σ_{l=1}^K (e_i)_l (DYᵀ · X)_lj = (DYᵀ · X)_ij",
        theorem(lambda ops, X, W, DY: ops.scale(ops.shape(X)[0], ops.transpose(DY) @ X)),
        theorem(lambda ops, X, W, DY: ops.transpose(DY) @ X),
    )


def leaky_relu() -> Erratum:
    """For α > 1 the slope α is on the other side."""

    def theorem(alpha: float) -> Iterator[Theorem]:
        return equation("", "value", "", {"X": ("N", "D")}, LeakyReLU(alpha).value, lambda space, X: AllReLU(alpha).value(space.ops, X))

    return erratum(
        "004-48",
        "section 5, Leaky ReLU",
        "max(αx, x) has slope α for x < 0, also for α > 1 (here α = 2)",
        "max(αx, x) has slope α for x < 0 if α <= 1 (here α = 1/10)",
        theorem(2.0),
        theorem(0.1),
    )


def log_softmax_28() -> Erratum:
    """Diag(1/y), not Diag(y)."""

    def line3(diagonal: Any) -> Iterator[Theorem]:
        def tested(ops: Ops, x: Any) -> Any:
            y = softmax(ops, x)
            return ops.identity(ops.shape(x)[1]) - ops.Diag(diagonal(ops, y)) @ (ops.transpose(y) @ y)

        return equation("", "∂log-softmax/∂x", "", {"x": (1, "D")}, tested, jacobian_of(log_softmax))

    return erratum(
        "004-54",
        "equation (28), third line",
        "I_D - Diag(y) yᵀ y",
        "I_D - Diag(1/y) yᵀ y",
        line3(lambda ops, y: y),
        line3(lambda ops, y: ops.reciprocal(y)),
    )


def losses() -> Iterator[Erratum]:
    """Gradients and conditions of section 6."""

    def gradient_of(loss: str, of: str, T: Kind = Kind.REAL) -> Iterator[Theorem]:
        """The gradient of one loss, as that of another."""
        return equation(
            "",
            "DY",
            "",
            {"Y": ("N", "K"), "T": ("N", "K", T)},
            LOSSES.build(loss).gradient,
            lambda space, Y, T: space.gradient(space.ops.ones(1, 1), LOSSES.build(of).value(space.ops, Y, T), "Y"),
        )

    yield erratum(
        "004-60",
        "equation (31), one-hot targets",
        "softmax(Y) - T, for any targets",
        "softmax(Y) - T, for targets whose rows sum to 1",
        gradient_of("SoftmaxCrossEntropyOneHot", "SoftmaxCrossEntropy"),
        gradient_of("SoftmaxCrossEntropyOneHot", "SoftmaxCrossEntropy", Kind.ROW_STOCHASTIC),
    )
    yield erratum(
        "004-62",
        "equation (32)",
        "T ⊙ σ(Y) - T is the gradient of the binary cross-entropy",
        "σ(Y) - T is the gradient of the binary cross-entropy",
        gradient_of("LogisticCrossEntropy", "BinaryCrossEntropy"),
        gradient_of("BinaryCrossEntropy", "BinaryCrossEntropy"),
    )
    yield log_sigmoid_derivative()
    yield negative_log_likelihood()


def log_sigmoid_derivative() -> Erratum:
    """The "well known fact" of section 6.1."""

    def theorem(inner: Any) -> Iterator[Theorem]:
        return equation(
            "",
            "d log σ",
            "",
            {"t": (1, 1)},
            lambda ops, t: ops.ones(1, 1) - inner(ops, t),
            lambda space, t: space.gradient(space.ops.ones(1, 1), space.ops.log_sigmoid(t), "t"),
        )

    return erratum(
        "004-63",
        "section 6.1",
        "d/dt log σ(t) = 1 - log σ(t)",
        "d/dt log σ(t) = 1 - σ(t)",
        theorem(lambda ops, t: ops.log_sigmoid(t)),
        theorem(lambda ops, t: ops.sigmoid(t)),
    )


def negative_log_likelihood() -> Erratum:
    """A 1 x 1 matrix times a K x 1 matrix."""
    YT = {"Y": ("N", "K", Kind.POSITIVE), "T": ("N", "K", Kind.POSITIVE)}

    def likelihoods(ops: Ops, Y: Any, T: Any) -> Any:
        return ops.log(ops.rows_sum(ops.hadamard(Y, T)))

    def printed(ops: Ops, Y: Any, T: Any) -> Any:
        N, K = ops.shape(Y)
        return -((ops.ones(1, N) @ likelihoods(ops, Y, T)) @ ops.ones(K, 1))

    def corrected(ops: Ops, Y: Any, T: Any) -> Any:
        return -(ops.ones(1, ops.shape(Y)[0]) @ likelihoods(ops, Y, T))

    def theorem(tested: Any) -> Iterator[Theorem]:
        return equation("", "L", "", YT, tested, lambda space, Y, T: LOSSES.build("NegativeLogLikelihood").value(space.ops, Y, T))

    return erratum(
        "004-64",
        "equation (33)",
        "L(Y, T) = -1_Nᵀ · log((Y ⊙ T) · 1_K) · 1_K",
        "L(Y, T) = -1_Nᵀ · log((Y ⊙ T) · 1_K)",
        theorem(printed),
        theorem(corrected),
    )


def xavier() -> Erratum:
    """The printed distribution is the one to which Glorot and Bengio compare theirs."""
    name = Xavier.__name__
    return erratum(
        "004-66",
        "section 7, Xavier",
        "U(-1/√D, 1/√D), for Glorot and Bengio's variance 2/(D + K)",
        "U(-1/√D, 1/√D) has variance 1/(3D); U(-√6/√(D+K), √6/√(D+K)) has 2/(D + K)",
        moments_theorem(name, "", lambda init, D, K: (0, 2 / (D + K)), published=True),
        moments_theorem("NormalizedXavier", "", lambda init, D, K: (0, 2 / (D + K)), published=True),
    )


def schedules() -> Iterator[Erratum]:
    """Section 9."""
    yield erratum(
        "004-70",
        "section 9, time-based",
        "η_{i+1} = η_i / (1 + d i), for the usual rule η_i = η_0 / (1 + d i)",
        "the usual rule is η_{i+1} = η_i (1 + d i) / (1 + d (i+1))",
        schedule_theorem("InverseTime", "rates", "", ratios(lambda s, space, i: 1 / (1 + s.d * i)), published=True),
        schedule_theorem("InverseTime", "rates", "", ratios(lambda s, space, i: (1 + s.d * i) / (1 + s.d * (i + 1))), published=True),
    )
    yield erratum(
        "004-71",
        "section 9, multi-step",
        "η_i = η_0 Γ^(Σ_j ⌊i / m_j⌋), for a decay by Γ at each milestone",
        "η_i = η_0 Γ^(Σ_j [i >= m_j])",
        schedule_theorem(
            "MultiStep", "rates", "", each(lambda s, space, i: s.eta0 * s.gamma ** sum(i // m for m in s.milestones)), published=True
        ),
        schedule_theorem(
            "MultiStep",
            "rates",
            "",
            each(lambda s, space, i: s.eta0 * s.gamma ** sum(min(1, i // m) for m in s.milestones)),
            published=True,
        ),
    )
    yield erratum(
        "004-72",
        "section 9, step-based",
        "d^⌊(1+i)/r⌋, for a rate that drops after each r steps",
        "d^⌊i/r⌋ drops after each r steps; as printed the rate drops at i = r - 1, one step earlier",
        schedule_theorem("StepBased", "rates", "", each(lambda s, space, i: s.eta0 * s.d ** (i // s.r)), published=True),
        schedule_theorem("StepBased", "rates", "", each(lambda s, space, i: s.eta0 * s.d ** ((1 + i) // s.r)), published=True),
    )
