"""Misprints in sections 5 to 9 of the specification: activations, losses, initial values, learning rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import AllReLU, LeakyReLU
from nerva_core.equations.initializers import Xavier
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.softmax import log_softmax, softmax
from sympy_validation.errata.erratum import Erratum, Ops, erratum
from sympy_validation.spaces.spaces import Kind
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.initializers import moments_theorem
from sympy_validation.theorems.schedules import each, ratios, schedule_theorem
from sympy_validation.theorems.softmax import jacobian_of
from sympy_validation.theorems.tools import equation


def errata() -> Iterator[Erratum]:
    """Those of these sections, in the order of the text."""
    yield leaky_relu()
    yield log_softmax_28()
    yield from losses()
    yield xavier()
    yield from schedules()


def leaky_relu() -> Erratum:
    """For α > 1 the slope α is on the other side."""

    def theorem(alpha: float) -> Iterator[Theorem]:
        return equation("", "value", "", {"X": ("N", "D")}, LeakyReLU(alpha).value, lambda space, X: AllReLU(alpha).value(space.ops, X))

    return erratum(
        "004-48",
        where="section 5, Leaky ReLU",
        printed="max(αx, x) has slope α for x < 0, also for α > 1 (here α = 2)",
        corrected="max(αx, x) has slope α for x < 0 if α <= 1 (here α = 1/10)",
        wrong=theorem(2.0),
        right=theorem(0.1),
    )


def log_softmax_28() -> Erratum:
    """Diag(1/y), not Diag(y)."""

    def line3(diagonal: Any) -> Iterator[Theorem]:
        def tested(ops: Ops, x: Any) -> Tree:
            y = softmax(ops, x)
            return ops.identity(ops.shape(x)[1]) - ops.Diag(diagonal(ops, y)) @ (ops.transpose(y) @ y)

        return equation("", "∂log-softmax/∂x", "", {"x": (1, "D")}, tested, jacobian_of(log_softmax))

    return erratum(
        "004-54",
        where="equation (28), third line",
        printed="I_D - Diag(y) yᵀ y",
        corrected="I_D - Diag(1/y) yᵀ y",
        wrong=line3(lambda ops, y: y),
        right=line3(lambda ops, y: ops.reciprocal(y)),
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
        where="equation (31), one-hot targets",
        printed="softmax(Y) - T, for any targets",
        corrected="softmax(Y) - T, for targets whose rows sum to 1",
        wrong=gradient_of("SoftmaxCrossEntropyOneHot", "SoftmaxCrossEntropy"),
        right=gradient_of("SoftmaxCrossEntropyOneHot", "SoftmaxCrossEntropy", Kind.ROW_STOCHASTIC),
    )
    yield erratum(
        "004-62",
        where="equation (32)",
        printed="T ⊙ σ(Y) - T is the gradient of the binary cross-entropy",
        corrected="σ(Y) - T is the gradient of the binary cross-entropy",
        wrong=gradient_of("LogisticCrossEntropy", "BinaryCrossEntropy"),
        right=gradient_of("BinaryCrossEntropy", "BinaryCrossEntropy"),
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
        where="section 6.1",
        printed="d/dt log σ(t) = 1 - log σ(t)",
        corrected="d/dt log σ(t) = 1 - σ(t)",
        wrong=theorem(lambda ops, t: ops.log_sigmoid(t)),
        right=theorem(lambda ops, t: ops.sigmoid(t)),
    )


def negative_log_likelihood() -> Erratum:
    """A 1 x 1 matrix times a K x 1 matrix."""
    YT = {"Y": ("N", "K", Kind.POSITIVE), "T": ("N", "K", Kind.POSITIVE)}

    def likelihoods(ops: Ops, Y: Matrix, T: Matrix) -> Tree:
        return ops.log(ops.rows_sum(ops.hadamard(Y, T)))

    def printed(ops: Ops, Y: Matrix, T: Matrix) -> Tree:
        N, K = ops.shape(Y)
        return -((ops.ones(1, N) @ likelihoods(ops, Y, T)) @ ops.ones(K, 1))

    def corrected(ops: Ops, Y: Matrix, T: Matrix) -> Tree:
        return -(ops.ones(1, ops.shape(Y)[0]) @ likelihoods(ops, Y, T))

    def theorem(tested: Any) -> Iterator[Theorem]:
        return equation("", "L", "", YT, tested, lambda space, Y, T: LOSSES.build("NegativeLogLikelihood").value(space.ops, Y, T))

    return erratum(
        "004-64",
        where="equation (33)",
        printed="L(Y, T) = -1_Nᵀ · log((Y ⊙ T) · 1_K) · 1_K",
        corrected="L(Y, T) = -1_Nᵀ · log((Y ⊙ T) · 1_K)",
        wrong=theorem(printed),
        right=theorem(corrected),
    )


def xavier() -> Erratum:
    """The printed distribution is the one to which Glorot and Bengio compare theirs."""
    name = Xavier.__name__
    return erratum(
        "004-66",
        where="section 7, Xavier",
        printed="U(-1/√D, 1/√D), for Glorot and Bengio's variance 2/(D + K)",
        corrected="U(-1/√D, 1/√D) has variance 1/(3D); U(-√6/√(D+K), √6/√(D+K)) has 2/(D + K)",
        wrong=moments_theorem(name, "", lambda init, D, K: (0, 2 / (D + K)), published=True),
        right=moments_theorem("NormalizedXavier", "", lambda init, D, K: (0, 2 / (D + K)), published=True),
    )


def schedules() -> Iterator[Erratum]:
    """Section 9."""
    yield erratum(
        "004-70",
        where="section 9, time-based",
        printed="η_{i+1} = η_i / (1 + d i), for the usual rule η_i = η_0 / (1 + d i)",
        corrected="the usual rule is η_{i+1} = η_i (1 + d i) / (1 + d (i+1))",
        wrong=schedule_theorem("InverseTime", "rates", "", ratios(lambda s, space, i: 1 / (1 + s.d * i)), published=True),
        right=schedule_theorem("InverseTime", "rates", "", ratios(lambda s, space, i: (1 + s.d * i) / (1 + s.d * (i + 1))), published=True),
    )
    yield erratum(
        "004-71",
        where="section 9, multi-step",
        printed="η_i = η_0 Γ^(Σ_j ⌊i / m_j⌋), for a decay by Γ at each milestone",
        corrected="η_i = η_0 Γ^(Σ_j [i >= m_j])",
        wrong=schedule_theorem(
            "MultiStep", "rates", "", each(lambda s, space, i: s.eta0 * s.gamma ** sum(i // m for m in s.milestones)), published=True
        ),
        right=schedule_theorem(
            "MultiStep",
            "rates",
            "",
            each(lambda s, space, i: s.eta0 * s.gamma ** sum(min(1, i // m) for m in s.milestones)),
            published=True,
        ),
    )
    yield erratum(
        "004-72",
        where="section 9, step-based",
        printed="d^⌊(1+i)/r⌋, for a rate that drops after each r steps",
        corrected="d^⌊i/r⌋ drops after each r steps; as printed the rate drops at i = r - 1, one step earlier",
        wrong=schedule_theorem("StepBased", "rates", "", each(lambda s, space, i: s.eta0 * s.d ** (i // s.r)), published=True),
        right=schedule_theorem("StepBased", "rates", "", each(lambda s, space, i: s.eta0 * s.d ** ((1 + i) // s.r)), published=True),
    )
