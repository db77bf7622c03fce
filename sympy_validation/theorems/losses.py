"""Every loss: ``gradient`` is the gradient of ``value``, and ``value`` is the sum (or mean) of ``rows``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.losses import (
    CTC,
    LOSSES,
    LogisticCrossEntropy,
    Loss,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    SoftmaxFocal,
    SquaredError,
)
from nerva_core.equations.softmax import log_softmax, log_softmax_jacobian, softmax, stable_softmax
from sympy_validation.attempt import Method
from sympy_validation.claims import LossGradient
from sympy_validation.spaces.spaces import Kind, Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems import ctc
from sympy_validation.theorems.tools import METHODS, about, equation, product

TARGETS = {"SoftmaxCrossEntropyOneHot": Kind.ROW_STOCHASTIC, "KLDivergence": Kind.POSITIVE}
"""Losses whose gradient is only that of targets of this kind; every other one is proved for all targets."""
GIVEN: dict[str, dict[str, Any]] = {"SequenceCrossEntropy": {"classes": 2}, "SoftmaxFocal": {"gamma": 2}}
"""Parameters that are no symbols."""
ENTRIES_ONLY = ("SequenceCrossEntropy",)
"""Losses that number the columns, which symbolic sizes do not: they are proved at concrete sizes (its positions are rows of a loss that
is proved for all)."""
OUTPUTS = {"CrossEntropy": Kind.POSITIVE, "NegativeLogLikelihood": Kind.POSITIVE}
"""Losses of probabilities."""
ROW = {"y": (1, "K"), "t": (1, "K")}
YT = {"Y": ("N", "K"), "T": ("N", "K")}


def theorems() -> Iterator[Theorem]:
    """The table for the losses."""
    for entry in LOSSES:
        yield from ctc.theorems() if entry is CTC else loss_theorems(entry, GIVEN.get(entry.__name__, {}))
    for gamma in (1, 5):
        yield from loss_theorems(SoftmaxFocal, {"gamma": gamma}, ("all sizes",))
    yield from specification_forms()
    yield from printed_losses()
    yield from derivations()
    yield from padding()


def padding() -> Iterator[Theorem]:
    """Losses that skip padding: of a row without a target neither the loss nor the gradient has anything."""
    for entry in LOSSES:
        if not entry.skips_padding:
            continue

        def of_zero(ops: MatrixOps, Y: Matrix, entry: type[Loss] = entry) -> Tree:
            T = ops.zeros(*ops.shape(Y))
            return entry().rows(ops, Y, T), entry().gradient(ops, Y, T)

        def nothing(space: Space, Y: Matrix) -> Tree:
            return space.ops.zeros(space.ops.shape(Y)[0], 1), space.ops.zeros(*space.ops.shape(Y))

        statement, outputs = "{} is 0 for targets 0, whatever the outputs are", {"Y": ("N", "K", OUTPUTS.get(entry.__name__, Kind.REAL))}
        subject, names = f"losses.{entry.__name__}", ("rows", "DY")
        yield from equation(subject, names, statement, outputs, of_zero, nothing, name="padding", methods=("all sizes",))


def loss_theorems(entry: type[Loss], given: Mapping[str, Any], methods: tuple[Method, ...] = METHODS) -> Iterator[Theorem]:
    """The theorems of one loss, with some of its parameters given."""
    subject, kind = f"losses.{entry.__name__}", TARGETS.get(entry.__name__, Kind.REAL)
    claim = LossGradient(lambda space: symbolic(entry, space, **given), OUTPUTS.get(entry.__name__, Kind.REAL), kind)
    targets = {Kind.ROW_STOCHASTIC: "targets with row sums 1", Kind.POSITIVE: "all positive targets T"}.get(kind, "all targets T")
    methods = ("entries",) if entry.__name__ in ENTRIES_ONLY else methods
    for theorem in about(subject, claim, "{}", methods):
        reduction = "mean" if entry.mean else "sum"
        statement = (
            f"gradient = ∂L(Y, T) / ∂Y for {targets}"
            if theorem.quantity == "DY"
            else f"L(Y, T) = the {reduction} of the losses of the rows"
        )
        conditions = tuple(f"for {key} = {value}" for key, value in given.items())
        at = "".join(f"({value})" for value in given.values() if value != GIVEN.get(entry.__name__, {}).get("gamma", value))
        yield Theorem(subject + at, theorem.quantity, statement, claim, theorem.method, conditions)


def specification_forms() -> Iterator[Theorem]:
    """The published form of a gradient or loss is the one that is computed."""

    def lce(space: Space, Y: Matrix, T: Matrix) -> Tree:
        return space.ops.hadamard(T, space.ops.sigmoid(Y)) - T

    def sce(space: Space, Y: Matrix, T: Matrix) -> Tree:
        K = space.ops.shape(Y)[1]
        ones = space.ops.ones(K, 1)
        return space.ops.hadamard(softmax(space.ops, Y), product(T, ones, space.ops.transpose(ones))) - T

    def mse(space: Space, Y: Matrix, T: Matrix) -> Tree:
        N, K = space.ops.shape(Y)
        return space.ops.divide(space.ops.divide(SquaredError().value(space.ops, Y, T), K), N)

    for loss, name, statement, tested, expected in (
        ("LogisticCrossEntropy", "DY", "-T ⊙ σ(-Y) = T ⊙ σ(Y) - T (32)", LogisticCrossEntropy().gradient, lce),
        (
            "SoftmaxCrossEntropy",
            "DY",
            "gradient = softmax(Y) ⊙ (T · 1_K · 1_Kᵀ) - T (31), with the plain softmax",
            SoftmaxCrossEntropy().gradient,
            sce,
        ),
        ("MeanSquaredError", "L", "MSE = SE / (K N)", MeanSquaredError().value, mse),
    ):
        yield from equation(f"losses.{loss}", name, statement, YT, tested, expected, name="specification")


PRINTED: tuple[tuple[str, Kind, str, Any, Any], ...] = (
    (
        "SquaredError",
        Kind.REAL,
        "1_Nᵀ · ((Y - T) ⊙ (Y - T)) · 1_K, rows (y - t)(y - t)ᵀ (29)",
        lambda ops, Y, T: ops.hadamard(Y - T, Y - T),
        lambda ops, y, t: (y - t) @ ops.transpose(y - t),
    ),
    (
        "CrossEntropy",
        Kind.POSITIVE,
        "-1_Nᵀ · (T ⊙ log(Y)) · 1_K, rows -t · log(y)ᵀ (30)",
        lambda ops, Y, T: -ops.hadamard(T, ops.log(Y)),
        lambda ops, y, t: -(t @ ops.transpose(ops.log(y))),
    ),
    (
        "SoftmaxCrossEntropy",
        Kind.REAL,
        "-1_Nᵀ · (T ⊙ log-softmax(Y)) · 1_K, rows -t · log-softmax(y)ᵀ (31)",
        lambda ops, Y, T: -ops.hadamard(T, log_softmax(ops, Y)),
        lambda ops, y, t: -(t @ ops.transpose(log_softmax(ops, y))),
    ),
    (
        "LogisticCrossEntropy",
        Kind.REAL,
        "-1_Nᵀ · (T ⊙ log(σ(Y))) · 1_K, rows -t · log(σ(y))ᵀ (32)",
        lambda ops, Y, T: -ops.hadamard(T, ops.log(ops.sigmoid(Y))),
        lambda ops, y, t: -(t @ ops.transpose(ops.log(ops.sigmoid(y)))),
    ),
)
"""Section 6: (loss, outputs, its equation, the matrix whose elements are summed, the loss of a row)."""


def printed_losses() -> Iterator[Theorem]:
    """The losses of a batch and of a single row, as printed."""

    def batch(terms: Any) -> Tree:
        def loss(space: Space, Y: Matrix, T: Matrix) -> Tree:
            ops = space.ops
            N, K = ops.shape(Y)
            return product(ops.ones(1, N), terms(ops, Y, T), ops.ones(K, 1))

        return loss

    def row(loss: Any) -> Tree:
        return lambda space, y, t: loss(space.ops, y, t)

    for name, Y, printed, terms, row_loss in PRINTED:
        loss, subject = LOSSES.build(name), f"losses.{name}"
        batches, single = {"Y": ("N", "K", Y), "T": ("N", "K")}, {"y": (1, "K", Y), "t": (1, "K")}
        yield from equation(subject, "L", f"L(Y, T) = {printed}", batches, loss.value, batch(terms), name="batch, printed")
        yield from equation(subject, "L", f"L(Y, T) = {printed}", single, loss.rows, row(row_loss), name="row, printed")
    likelihoods = {"y": (1, "K", Kind.POSITIVE), "t": (1, "K", Kind.POSITIVE)}
    tested, expected = LOSSES.build("NegativeLogLikelihood").rows, row(lambda ops, y, t: -ops.log(y @ ops.transpose(t)))
    statement = "the loss of a row is -log(y · tᵀ) (33)"
    yield from equation("losses.NegativeLogLikelihood", "L", statement, likelihoods, tested, expected, name="row, printed")


def derivations() -> Iterator[Theorem]:
    """Section 6.1, for a single output y and target t."""

    def along(space: Space, value: Any) -> Tree:
        return space.gradient(space.ops.ones(1, 1), value, "y")

    def loss_of(name: str) -> Tree:
        return lambda space, y, t: along(space, LOSSES.build(name).value(space.ops, y, t))

    def one(ops: MatrixOps, y: Any) -> Tree:
        return ops.ones(*ops.shape(y))

    positive = {"y": (1, "K", Kind.POSITIVE), "t": (1, "K")}
    for number, name, statement, variables, tested in (
        ("(34)", "CrossEntropy", "∂L_CE/∂y = -t · Diag(1/y)", positive, lambda ops, y, t: -(t @ ops.Diag(ops.reciprocal(y)))),
        (
            "(35)",
            "SoftmaxCrossEntropy",
            "∂L_SCE/∂y = -t · (I_K - 1_K · softmax(y))",
            ROW,
            lambda ops, y, t: -(t @ log_softmax_jacobian(ops, y)),
        ),
        (
            "(35) simplified",
            "SoftmaxCrossEntropy",
            "∂L_SCE/∂y = t · 1_K · softmax(y) - t",
            ROW,
            lambda ops, y, t: product(ops.rows_sum(t), stable_softmax(ops, y)) - t,
        ),
        (
            "LCE",
            "LogisticCrossEntropy",
            "∂L_LCE/∂y = -t · Diag(1_Kᵀ - σ(y))",
            ROW,
            lambda ops, y, t: -(t @ ops.Diag(one(ops, y) - ops.sigmoid(y))),
        ),
    ):
        yield from equation("specification.6.1", number, statement, variables, tested, loss_of(name))
