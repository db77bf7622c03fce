"""The specification's form of what is computed: combined layers (section 4), slow forms of fast equations, and values at kinks.

The combined layers are compositions here; their published equations are written out once, and proved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix, Scalar
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.activations import ELU, AllReLU, LeakyReLU, ReLU, SReLU
from nerva_core.equations.softmax import softmax
from nerva_core.layers import Sequential
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.batch_normalization import (
    BatchNormalization,
    BatchNormalizationCache,
    BatchNormalizationParameters,
    RunningStatistics,
)
from nerva_core.layers.dropout import Dropout, LinearDropout
from nerva_core.layers.linear import Linear, LinearParameters
from nerva_core.layers.softmax import LogSoftmax, Softmax, SoftmaxCache
from nerva_core.layers.trained_activations import SReLU as SReLULayer
from nerva_core.layers.trained_activations import SReLUCache, SReLUParameters
from sympy_validation.claims import RealVariable
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.spaces import Kind, Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.layers import sequence
from sympy_validation.theorems.tools import about, equation, product

Ops = MatrixOps


def theorems() -> Iterator[Theorem]:
    """The table for the specification's forms."""
    yield from combined_layers()
    yield from softmax_form()
    yield from batch_normalization_forms()
    yield from inference()
    yield from activations_at_kinks()
    yield from srelu_layer_at_kinks()


# Combined layers --------------------------------------------------------------------------------------------------------

Backward = Callable[[Ops, Any, Any, Any, Any], tuple[Any, Any]]
"""(ops, the second layer, its parameters, its cache, DY) -> DZ and the gradients of its parameters, as published."""


def combined_layers() -> Iterator[Theorem]:
    """Section 4: a linear layer followed by another, whose equations are printed together."""
    for name, second, published in (
        ("activation", ActivationLayer, activation_backward),
        ("softmax", Softmax, softmax_backward),
        ("log-softmax", LogSoftmax, log_softmax_backward),
        ("SReLU", SReLULayer, srelu_backward),
    ):
        claim = LayerGradient(sequence(Linear, second), linear_then(published))
        yield from about(f"specification.4 {name} layer", claim, "published {} = ∂⟨DY, Y⟩ / ∂(its variable)", ("all sizes",))
    claim = LayerGradient(sequence(LinearDropout, ActivationLayer), dropout_then(activation_backward))
    statement = "published {} = ∂⟨DY, Y⟩ / ∂(its variable), for every mask R"
    yield from about("specification.4 activation dropout layer", claim, statement, ("all sizes",))


def linear_then(backward: Backward) -> Callable[..., Any]:
    """DW = DZᵀ · X, Db = 1ᵀ · DZ, DX = DZ · W."""

    def equations(ops: Ops, layer: Sequential, params: Tree, cache: Tree, DY: Matrix) -> Tree:
        DZ, gradients = backward(ops, layer.layers[1], params[1], cache[1], DY)
        (W, _), (X,) = params[0], cache[0]
        N, _ = ops.shape(X)
        return DZ @ W, (LinearParameters(ops.transpose(DZ) @ X, ops.ones(1, N) @ DZ), gradients)

    return equations


def dropout_then(backward: Backward) -> Callable[..., Any]:
    """DW = (DZᵀ · X) ⊙ Rᵀ, Db = 1ᵀ · DZ, DX = DZ · (W ⊙ Rᵀ)."""

    def equations(ops: Ops, layer: Sequential, params: Tree, cache: Tree, DY: Matrix) -> Tree:
        DZ, gradients = backward(ops, layer.layers[1], params[1], cache[1], DY)
        (W, _), (X, R) = params[0], cache[0]
        N, _ = ops.shape(X)
        DW = ops.hadamard(ops.transpose(DZ) @ X, ops.transpose(R))
        return DZ @ ops.hadamard(W, ops.transpose(R)), (LinearParameters(DW, ops.ones(1, N) @ DZ), gradients)

    return equations


def activation_backward(ops: Ops, layer: Any, params: Tree, cache: Tree, DY: Matrix) -> tuple[Any, Any]:
    """DZ = DY ⊙ act'(Z)."""
    return ops.hadamard(DY, layer.activation.gradient(ops, cache.Z)), ()


def softmax_backward(ops: Ops, layer: Any, params: Tree, cache: Tree, DY: Matrix) -> tuple[Any, Any]:
    """DZ = Y ⊙ (DY - diag(DY · Yᵀ) · 1_Kᵀ)."""
    Y = cache.Y
    K = ops.shape(Y)[1]
    return ops.hadamard(Y, DY - ops.diag(DY @ ops.transpose(Y)) @ ops.ones(1, K)), ()


def log_softmax_backward(ops: Ops, layer: Any, params: Tree, cache: Tree, DY: Matrix) -> tuple[Any, Any]:
    """DZ = DY - softmax(Z) ⊙ (DY · 1_K · 1_Kᵀ)."""
    K = ops.shape(DY)[1]
    return DY - ops.hadamard(softmax(ops, cache.Z), product(DY, ops.ones(K, 1), ops.ones(1, K))), ()


def srelu_backward(ops: Ops, layer: Any, params: Tree, cache: Tree, DY: Matrix) -> tuple[Any, SReLUParameters]:
    """The printed cases of srelu', A^l, T^l and A^r, and those of T^r as corrected (erratum 004-16)."""
    (Z,) = cache
    shape = ops.shape(Z)
    al, tl, ar, tr = (ops.fill(parameter, *shape) for parameter in params)
    zero, one = ops.zeros(*shape), ops.ones(*shape)
    left = ops.less_equal(Z, tl)
    middle_or_left = one - ops.hadamard(one - left, ops.greater_equal(Z, tr))
    N, K = shape

    def total(A: Matrix) -> Tree:
        return product(ops.ones(1, N), ops.hadamard(DY, A), ops.ones(K, 1))

    gradients = SReLUParameters(
        al=total(ops.where(left, Z - tl, zero)),
        tl=total(ops.where(left, one - al, zero)),
        ar=total(ops.where(middle_or_left, zero, Z - tr)),
        tr=total(ops.where(middle_or_left, zero, one - ar)),
    )
    return ops.hadamard(DY, ops.where(left, al, ops.where(middle_or_left, one, ar))), gradients


# Slow forms of fast equations -------------------------------------------------------------------------------------------


def softmax_form() -> Iterator[Theorem]:
    """O(N²K) and O(NK)."""
    yield from equation(
        "layers.Softmax",
        "DX",
        "DX = Y ⊙ (DY - diag(DY · Yᵀ) · 1_Kᵀ), for every Y",
        {"Y": ("N", "K"), "DY": ("N", "K")},
        lambda ops, Y, DY: Softmax().backpropagate(ops, (), SoftmaxCache(Y), DY)[0],
        lambda space, Y, DY: softmax_backward(space.ops, Softmax(), (), SoftmaxCache(Y), DY)[0],
        name="specification",
    )


def batch_normalization_forms() -> Iterator[Theorem]:
    """Equation (25) with its N x N matrices, and Σ with its D x D matrix."""

    def fast(ops: Ops, Z: Matrix, S: Matrix, gamma: Any, DY: Matrix) -> Tree:
        cache = BatchNormalizationCache(Z, S, S, S)
        return BatchNormalization().backpropagate(ops, BatchNormalizationParameters(gamma, gamma), cache, DY)[0]

    def equation25(space: Space, Z: Matrix, S: Matrix, gamma: Any, DY: Matrix) -> Tree:
        ops = space.ops
        N = ops.shape(Z)[0]
        one = ops.ones(N, 1)
        DZ = ops.hadamard(one @ gamma, DY)
        inner = (ops.scale(N, ops.identity(N)) - one @ ops.transpose(one)) @ DZ
        return ops.hadamard(ops.divide(one @ S, N), inner - ops.hadamard(Z, one @ ops.transpose(ops.diag(ops.transpose(Z) @ DZ))))

    subject = "layers.BatchNormalization"
    variables = {"Z": ("N", "D"), "S": (1, "D"), "gamma": (1, "D"), "DY": ("N", "D")}
    statement = "DX is that of equation (25), for every Z and S = (Σ + ε)^(-1/2)"
    yield from equation(subject, "DX", statement, variables, fast, equation25, name="specification")
    yield from batch_normalization_forward()


def batch_normalization_forward() -> Iterator[Theorem]:
    """Section 4, with ε: R = X - 1_N · 1_Nᵀ / N · X, Σ = diag(Rᵀ R)ᵀ / N, Z = (1_N · (Σ + ε)^(-1/2)) ⊙ R, Y = (1_N · γ) ⊙ Z + 1_N · β."""

    def shipped(ops: Ops, epsilon: Scalar, X: Matrix, gamma: Any, beta: Scalar) -> Tree:
        Y, cache = BatchNormalization(epsilon).feedforward(ops, BatchNormalizationParameters(gamma, beta), X)
        return Y, *cache

    def published(space: Space, epsilon: Scalar, X: Matrix, gamma: Any, beta: Scalar) -> Tree:
        ops = space.ops
        N, D = ops.shape(X)
        one = ops.ones(N, 1)
        mean = ops.divide(ops.transpose(one) @ X, N)
        R = X - ops.divide(one @ ops.transpose(one), N) @ X
        Sigma = ops.divide(ops.transpose(ops.diag(ops.transpose(R) @ R)), N)
        S = ops.inv_sqrt(Sigma + epsilon * ops.ones(1, D))
        Z = ops.hadamard(one @ S, R)
        return ops.hadamard(one @ gamma, Z) + one @ beta, Z, S, mean, Sigma

    yield from equation(
        "layers.BatchNormalization",
        ("Y", *BatchNormalizationCache._fields),
        "{} is that of section 4, with Σ + ε for Σ",
        {"epsilon": RealVariable(0), "X": ("N", "D"), "gamma": (1, "D"), "beta": (1, "D")},
        shipped,
        published,
        name="specification",
    )


# Inference --------------------------------------------------------------------------------------------------------------


def inference() -> Iterator[Theorem]:
    """Evaluation is the forward without noise, and with the batch's statistics where these are the running ones."""
    shapes = {"X": ("N", "D"), "W": ("K", "D"), "b": (1, "K")}
    yield from equation(
        "layers.Dropout",
        "evaluate",
        "the output at inference is that for a mask of ones, the mean mask",
        {"X": ("N", "D")},
        lambda ops, X: Dropout().evaluate(ops, (), (), X),
        lambda space, X: Dropout().feedforward(space.ops, (), X, space.ops.ones(*space.ops.shape(X)))[0],
    )
    yield from equation(
        "layers.LinearDropout",
        "evaluate",
        "the output at inference is that for a mask of ones, the mean mask",
        shapes,
        lambda ops, X, W, b: LinearDropout(1).evaluate(ops, LinearParameters(W, b), (), X),
        lambda s, X, W, b: LinearDropout(1).feedforward(s.ops, LinearParameters(W, b), X, s.ops.ones(*s.ops.shape(s.ops.transpose(W))))[0],
    )
    yield from batch_normalization_inference()


def batch_normalization_inference() -> Iterator[Theorem]:
    """The equations of the forward with any mean and Σ; the running statistics are averages."""
    row = (1, "D")
    variables = {"epsilon": RealVariable(0), "momentum": RealVariable(0, 1), "X": ("N", "D"), "gamma": row, "beta": row}
    statistics = {"mean": row, "Sigma": (1, "D", Kind.POSITIVE), "old_mean": row, "old_Sigma": row}

    def tested(ops: Ops, epsilon: Scalar, momentum: Scalar, X: Matrix, gamma: Any, beta: Scalar, mean: Any, Sigma: Any, *old: Any) -> Tree:
        layer = BatchNormalization(epsilon, momentum)
        Y = layer.evaluate(ops, BatchNormalizationParameters(gamma, beta), RunningStatistics(mean, Sigma), X)
        return Y, *layer.update_state(ops, RunningStatistics(*old), BatchNormalizationCache(X, mean, mean, Sigma))

    def expected(
        space: Space, epsilon: Scalar, momentum: Scalar, X: Matrix, gamma: Any, beta: Scalar, mean: Any, Sigma: Any, *old: Any
    ) -> Tree:
        ops = space.ops
        N, D = ops.shape(X)
        one = ops.ones(N, 1)
        Z = ops.hadamard(one @ ops.inv_sqrt(Sigma + epsilon * ops.ones(1, D)), X - one @ mean)
        averages = (momentum * before + (1 - momentum) * now for before, now in zip(old, (mean, Sigma), strict=True))
        return ops.hadamard(one @ gamma, Z) + one @ beta, *averages

    yield from equation(
        "layers.BatchNormalization",
        ("evaluate", "running mean", "running Σ"),
        "{}: Y = γ ⊙ (X - mean) / √(Σ + ε) + β by columns; new = momentum · old + (1 - momentum) · batch",
        {**variables, **statistics},
        tested,
        expected,
    )


# Values at kinks --------------------------------------------------------------------------------------------------------


def _full(ops: Ops, c: Any, X: Matrix) -> Tree:
    return ops.full(c, *ops.shape(X))


def _negative(ops: Ops, X: Matrix) -> Tree:
    return ops.less(X, _full(ops, 0, X))


def _srelu_cases(ops: Ops, al: Any, tl: Any, ar: Any, tr: Any, X: Matrix) -> Tree:
    right = ops.where(ops.greater_equal(X, _full(ops, tr, X)), _full(ops, ar, X), _full(ops, 1, X))
    return ops.where(ops.less_equal(X, _full(ops, tl, X)), _full(ops, al, X), right)


CASES: tuple[tuple[Any, str, Any], ...] = (
    (ReLU, "relu'(x) = 0 if x < 0, 1 otherwise", lambda ops, X: ops.where(_negative(ops, X), _full(ops, 0, X), _full(ops, 1, X))),
    (
        LeakyReLU,
        "leaky-relu'(x) = α if x < αx, 1 otherwise",
        lambda ops, a, X: ops.where(ops.less(X, a * X), _full(ops, a, X), _full(ops, 1, X)),
    ),
    (
        AllReLU,
        "all-relu'(x) = α if x < 0, 1 otherwise",
        lambda ops, a, X: ops.where(_negative(ops, X), _full(ops, a, X), _full(ops, 1, X)),
    ),
    (
        ELU,
        "elu'(x) = α eˣ if x < 0, 1 otherwise",
        lambda ops, a, X: ops.where(_negative(ops, X), a * ops.exp(ops.minimum(X, _full(ops, 0, X))), _full(ops, 1, X)),
    ),
    (SReLU, "srelu'(x) = a_l if x <= t_l, a_r if x >= t_r, 1 otherwise; the first case that holds", _srelu_cases),
)
"""(activation, its derivative as printed, the same in matrix operations)."""


def activations_at_kinks() -> Iterator[Theorem]:
    """The printed cases of the derivatives, which say what they are at a kink too."""
    for entry, statement, cases in CASES:
        parameters = {field.name: RealVariable() for field in dataclasses.fields(entry)}
        yield from equation(
            f"activations.{entry.__name__}",
            "gradient",
            statement + ", also at the kinks",
            {**parameters, "X": ("N", "D")},
            lambda ops, *v, entry=entry: entry(*v[:-1]).gradient(ops, v[-1]),
            lambda space, *v, cases=cases: cases(space.ops, *v),
            name="specification",
            methods=("all sizes",),
            strict=True,
        )


def srelu_layer_at_kinks() -> Iterator[Theorem]:
    """The gradients of the SReLU layer are the published ones for every Z, also where it equals a threshold."""
    variables = {"Z": ("N", "K"), **dict.fromkeys(SReLUParameters._fields, (1, 1)), "DY": ("N", "K")}

    def gradients(backward: Any) -> Callable[..., Any]:
        def both(ops: Ops, Z: Matrix, al: Any, tl: Any, ar: Any, tr: Any, DY: Matrix) -> Tree:
            DZ, parameters = backward(ops, SReLUParameters(al, tl, ar, tr), SReLUCache(Z), DY)
            return DZ, *parameters

        return both

    published = gradients(lambda ops, params, cache, DY: srelu_backward(ops, None, params, cache, DY))
    yield from equation(
        "layers.SReLU",
        ("DX", "Dal", "Dtl", "Dar", "Dtr"),
        "{} is the published one, with T^r corrected, also at the kinks",
        variables,
        gradients(SReLULayer().backpropagate),
        lambda space, *v: published(space.ops, *v),
        name="specification",
        methods=("all sizes",),
        strict=True,
    )
