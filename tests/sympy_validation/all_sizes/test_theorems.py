"""All of nerva_core is proved for all sizes, by running it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from nerva_core.equations.activations import ACTIVATIONS, Activation, ReLU
from nerva_core.equations.losses import LOSSES, Loss, SoftmaxCrossEntropyOneHot
from nerva_core.equations.optimizers import Adam
from nerva_core.equations.softmax import (
    log_softmax,
    log_softmax_jacobian,
    softmax,
    softmax_jacobian,
    stable_log_softmax,
    stable_softmax,
)
from nerva_core.layers import (
    LAYERS,
    ActivationLayer,
    BatchNormalization,
    Layer,
    Linear,
    LogSoftmax,
    QActivation,
    Sequential,
    SReLU,
)
from nerva_core.layers.around import Around
from nerva_core.theory.q_calculus import elementwise_derivative
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.theorems.losses import ENTRIES_ONLY


@pytest.fixture
def ops() -> AllSizesOps:
    return AllSizesOps()


@pytest.fixture
def X(ops: AllSizesOps) -> SymbolicMatrix:
    return ops.variable("X", ops.size("N"), ops.size("D"))


# Layers ---------------------------------------------------------------------------------------------------------------


def variables(ops: AllSizesOps, shapes: Any, name: str) -> Any:
    """A variable for each shape in a tuple of shapes, a NamedTuple of shapes, or tuples of these."""
    if len(shapes) == 2 and not any(isinstance(size, tuple) for size in shapes):
        return ops.variable(name, *shapes)
    names = getattr(shapes, "_fields", [f"{k}" for k in range(len(shapes))])
    matrices = [variables(ops, shape, f"{name}_{key}") for key, shape in zip(names, shapes, strict=True)]
    return type(shapes)(*matrices) if hasattr(shapes, "_fields") else tuple(matrices)


def matrices_in(tree: Any) -> list[SymbolicMatrix]:
    return [tree] if isinstance(tree, SymbolicMatrix) else [matrix for item in tree for matrix in matrices_in(item)]


def residuals(ops: AllSizesOps, layer: Layer) -> list[SymbolicMatrix]:
    """The derivatives of ⟨DY, Y⟩ + R of the surrogate minus what ``backpropagate`` says, for the input and each parameter."""
    space = SymbolicSizesSpace()
    space.ops = ops
    layer = layer.for_any_data(space)
    N, D = layer.shape_of_input(space)
    X = ops.variable("X", N, D)
    params, noise = variables(ops, layer.shapes(D), "p"), variables(ops, layer.noise_shapes(N, D), "r")
    Y, cache = layer.feedforward(ops, params, X, *noise)
    DY = ops.variable("DY", *ops.shape(Y))
    DX, gradients = layer.backpropagate(ops, params, cache, DY)
    surrogate, R = layer.surrogate(ops, params, X, *noise)
    L = ops.elements_sum(ops.hadamard(DY, surrogate)) + (ops.zeros(1, 1) if R is None else R)
    proved = [(X, DX), *zip(matrices_in(params), matrices_in(gradients), strict=True)]
    return [ops.released(ops.gradient(L, variable)) - gradient for variable, gradient in proved]


def batch_normalization(ops: AllSizesOps) -> Layer:
    return BatchNormalization(epsilon=ops.scalar("epsilon", positive=True))


def act(ops: AllSizesOps, name: str = "act") -> Layer:
    return ActivationLayer(ops.unknown_activation(name))


def linear(ops: AllSizesOps, size: str = "K") -> Layer:
    return Linear(ops.size(size))


CHAINS: dict[str, Callable[[AllSizesOps], tuple[Layer, ...]]] = {
    "linear, batch normalization": lambda o: (linear(o), batch_normalization(o)),
    "linear, batch normalization, activation": lambda o: (linear(o), batch_normalization(o), act(o)),
    "activation, linear, batch normalization": lambda o: (act(o), linear(o), batch_normalization(o)),
    "linear, SReLU": lambda o: (linear(o), SReLU()),
    "linear, activation, linear, log-softmax": lambda o: (linear(o, "H"), act(o), linear(o), LogSoftmax()),
}


SYMBOLS: dict[str, Callable[[AllSizesOps], Any]] = {
    "outputs": lambda o: o.size("K"),
    **{name: lambda o: 2 for name in ("height", "width", "length")},
    "activation": lambda o: o.unknown_activation("act"),
    "heads": lambda o: o.size("H"),
    "groups": lambda o: o.size("G"),
    "vocabulary": lambda o: o.size("V"),
    "epsilon": lambda o: o.scalar("epsilon", positive=True),
    "layers": lambda o: (linear(o), act(o)),
    **{name: lambda o: Sequential((linear(o, "D"), act(o))) for name in ("f", "g")},
    "hard": lambda o: o.abstract_hard_function("hard", o.size("D")),
    "bridge": lambda o: Sequential((linear(o, "H"), act(o), linear(o, "D"))),
}
"""Symbols for the fields of layers, by name; other fields keep their defaults."""


def layer_of(kind: type[Layer], ops: AllSizesOps) -> Layer:
    """An instance with symbols for what can be one."""
    symbols = {**SYMBOLS, "layers": lambda o: Sequential((linear(o, "D"), act(o)))} if issubclass(kind, Around) else SYMBOLS
    return kind(**{field.name: symbols[field.name](ops) for field in dataclasses.fields(kind) if field.name in symbols})


IN_PARTS = {
    *("LSTM", "GRU", "MultiHeadAttention", "MultiHeadCrossAttention", "CrossAttention", "SparseLinear", "TransformerBlock"),
    *("Convolution", "Padded", "SqueezeExcitation", "Tied", "TransposedConvolution", "WeightNorm"),
}
"""Proved in the table alone: one step of a cell, the loop around any cell, columns that are a product, any pattern, any layers inside."""


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if kind.__name__ not in IN_PARTS], ids=lambda kind: kind.__name__)
def test_layers(ops: AllSizesOps, kind: type[Layer]) -> None:
    assert all(ops.is_zero(residual) for residual in residuals(ops, layer_of(kind, ops)))


@pytest.mark.parametrize("name", CHAINS)
def test_chains(ops: AllSizesOps, name: str) -> None:
    assert all(ops.is_zero(residual) for residual in residuals(ops, Sequential(CHAINS[name](ops))))


def test_conditions_of_batch_normalization(ops: AllSizesOps) -> None:
    residuals(ops, batch_normalization(ops))
    assert ops.conditions == ("epsilon > 0", "N^2·epsilon + N·Σ_k(X[k,j]^2) - Σ_k(X[k,j])^2 > 0")


# Activations ----------------------------------------------------------------------------------------------------------


def activation_of(kind: type[Activation], ops: AllSizesOps) -> Activation:
    """An instance with symbols for its numbers and its functions."""
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: SYMBOLS[name](ops) if name in SYMBOLS else ops.scalar(name) for name in names})


def derivative_is(ops: AllSizesOps, X: SymbolicMatrix, f: Any, gradient: Any) -> bool:
    R = ops.variable("R", *ops.shape(X))
    L = ops.elements_sum(ops.hadamard(R, f(ops, X)))
    return ops.is_zero(ops.gradient(L, X) - ops.hadamard(R, gradient(ops, X)))


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_activations(ops: AllSizesOps, X: SymbolicMatrix, kind: type[Activation]) -> None:
    f = activation_of(kind, ops)
    assert derivative_is(ops, X, f.value, f.gradient)


@pytest.mark.parametrize("kind", [kind for kind in ACTIVATIONS if "second_derivative" in vars(kind)], ids=lambda kind: kind.__name__)
def test_second_derivatives(ops: AllSizesOps, X: SymbolicMatrix, kind: type[Activation]) -> None:
    f = activation_of(kind, ops)
    assert derivative_is(ops, X, f.gradient, f.second_derivative)


def test_an_elu_written_with_cases(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    zero, one = ops.zeros(*ops.shape(X)), ops.ones(*ops.shape(X))
    value = ops.where(ops.less(X, zero), ops.expm1(X), X)
    assert ops.is_zero(ops.maximum(X, zero) + ops.expm1(ops.minimum(X, zero)) - value)
    gradient = ops.where(ops.less(X, zero), ops.exp(X), one)
    assert ops.is_zero(ops.gradient(ops.elements_sum(value), X) - gradient)


def test_functions_of_piecewise_functions(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    zero = ops.zeros(*ops.shape(X))
    negative = ops.less(X, zero)
    f = ops.unknown_activation("f")
    assert ops.is_zero(ops.hadamard(negative, f(ops, ops.hadamard(negative, X)) - f(ops, X)))
    assert ops.is_zero(ops.softplus(ops.abs(X)) - ops.where(negative, ops.softplus(-X), ops.softplus(X)))
    assert ops.is_zero(ops.abs(ops.abs(X)) - ops.abs(X))


def test_identities_of_the_sigmoid_and_tanh(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    one, sigma, tanh = ops.ones(*ops.shape(X)), ops.sigmoid(X), ops.tanh(X)
    assert ops.is_zero(ops.hadamard(sigma, ops.sigmoid(-X)) - ops.hadamard(sigma, one - sigma))
    assert ops.is_zero(ops.sigmoid(-X) - (one - sigma))
    assert ops.is_zero(tanh - (2 * ops.sigmoid(2 * X) - one))
    assert ops.is_zero(ops.gradient(ops.elements_sum(tanh), X) - (one - ops.hadamard(tanh, tanh)))
    assert ops.is_zero(ops.log_sigmoid(X) + ops.softplus(-X))
    assert ops.conditions == ()


# Losses ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in LOSSES if kind.__name__ not in {"CTC", *ENTRIES_ONLY}], ids=lambda kind: kind.__name__)
def test_losses(ops: AllSizesOps, kind: type[Loss]) -> None:
    N, K = ops.size("N"), ops.size("K")
    Y, T = ops.variable("Y", N, K), ops.variable("T", N, K, row_stochastic=kind is SoftmaxCrossEntropyOneHot)
    loss = kind()
    assert ops.is_zero(ops.gradient(loss.value(ops, Y, T), Y) - loss.gradient(ops, Y, T))


def test_one_hot_needs_targets_that_sum_to_one(ops: AllSizesOps) -> None:
    Y, T = (ops.variable(name, ops.size("N"), ops.size("K")) for name in "YT")
    loss = SoftmaxCrossEntropyOneHot()
    assert not ops.is_zero(ops.gradient(loss.value(ops, Y, T), Y) - loss.gradient(ops, Y, T))


# Softmax functions ----------------------------------------------------------------------------------------------------


def test_softmax_functions(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    N, _ = ops.shape(X)
    assert ops.is_zero(stable_softmax(ops, X) - softmax(ops, X))
    assert ops.is_zero(stable_log_softmax(ops, X) - log_softmax(ops, X))
    assert ops.is_zero(ops.log(softmax(ops, X)) - log_softmax(ops, X))
    assert ops.is_zero(ops.rows_sum(softmax(ops, X)) - ops.ones(N))
    assert ops.conditions == ()


def test_jacobians(ops: AllSizesOps) -> None:
    x = ops.variable("x", 1, ops.size("D"))
    for f in (softmax, stable_softmax):
        assert ops.is_zero(ops.jacobian(f(ops, x), x) - softmax_jacobian(ops, x))
    for f in (log_softmax, stable_log_softmax):
        assert ops.is_zero(ops.jacobian(f(ops, x), x) - log_softmax_jacobian(ops, x))


# Property 1 of the specification: columns zʲ = f(xʲ, yʲ), or rows ------------------------------------------------------


def test_property_1(ops: AllSizesOps) -> None:
    m, n = ops.size("M"), ops.size("N")
    X, Y = ops.variable("X", m, n), ops.variable("Y", m, n)
    T, column, row = ops.transpose, ops.ones(m), ops.ones(1, n)
    columns, rows = T(ops.diag(T(X) @ Y)), ops.diag(X @ T(Y))
    by_columns: list[tuple[Callable[[Any, Any], Any], SymbolicMatrix]] = [
        (lambda x, y: x @ T(x) @ y, ops.hadamard(X, ops.row_repeat(columns, m))),  # (10)
        (lambda x, y: column @ T(x) @ y, ops.row_repeat(columns, m)),  # (11)
        (lambda x, y: x @ T(column) @ y, ops.hadamard(X, column @ T(column) @ Y)),  # (12)
    ]
    by_rows: list[tuple[Callable[[Any, Any], Any], SymbolicMatrix]] = [
        (lambda x, y: x @ T(y) @ y, ops.hadamard(ops.column_repeat(rows, n), Y)),  # (13)
        (lambda x, y: x @ T(y) @ row, ops.column_repeat(rows, n)),  # (14)
        (lambda x, y: x @ T(row) @ y, ops.hadamard(X @ T(row) @ row, Y)),  # (15)
    ]
    for f, Z in by_columns:
        assert ops.is_zero(ops.by_columns(f, X, Y) - Z)
    for f, Z in by_rows:
        assert ops.is_zero(ops.by_rows(f, X, Y) - Z)


# The q-activation, for every function f and every q --------------------------------------------------------------------


def test_q_activations(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    """g_q(x) = x D_q f(x) (3), and the pseudo-code (f(x (1 + δ)) - f(x)) / δ (A.3)."""
    f, q = ops.unknown_activation("f"), ops.scalar("q")
    Q, one = ops.full(q, *ops.shape(X)), ops.ones(*ops.shape(X))
    Y, _ = QActivation(f).feedforward(ops, (), X, Q)
    assert ops.is_zero(Y - ops.hadamard(X, elementwise_derivative(ops, f, 1, q, X)))
    delta = ops.variable("delta", *ops.shape(X))
    Y, _ = QActivation(f).feedforward(ops, (), X, one + delta)
    code = ops.hadamard(f(ops, X + ops.hadamard(delta, X)) - f(ops, X), ops.reciprocal(delta))
    assert ops.is_zero(Y - code)


def test_q_relu(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    """It is relu for every q > 0 (erratum 000-18)."""
    q = ops.scalar("q", positive=True)
    Y, _ = QActivation(ReLU()).feedforward(ops, (), X, ops.full(q, *ops.shape(X)))
    assert ops.is_zero(Y - ReLU()(ops, X))


# What else nerva_core says --------------------------------------------------------------------------------------------


def test_normalised_columns(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    N, D = ops.shape(X)
    R = X - ops.row_repeat(ops.columns_mean(X), N)
    Z = ops.hadamard(R, ops.row_repeat(ops.inv_sqrt(ops.columns_mean(ops.hadamard(R, R))), N))
    assert ops.is_zero(ops.columns_sum(Z))
    assert ops.is_zero(ops.columns_sum(ops.hadamard(Z, Z)) - ops.scale(N, ops.ones(1, D)))


def test_step_functions(ops: AllSizesOps, X: SymbolicMatrix) -> None:
    alpha = ops.unknown_step("alpha")
    L = ops.elements_sum(ops.hadamard(alpha(ops, X), X))
    assert ops.is_zero(ops.gradient(L, X) - alpha(ops, X))
    assert ops.conditions == ("almost everywhere: X[i,j] is not a jump of alpha",)


def test_adam_with_the_bias_corrections_merged(ops: AllSizesOps) -> None:
    """θ - η √c₂/c₁ m' / (√v' + ε √c₂), as Kingma and Ba write it at the end of their section 2."""
    shape = ops.size("K"), ops.size("D")
    theta, Dtheta, m, v = (ops.variable(name, *shape) for name in ("theta", "Dtheta", "m", "v"))
    eta, epsilon, c1, c2 = (ops.scalar(name, positive=True) for name in ("eta", "epsilon", "c1", "c2"))
    adam = Adam(beta1=ops.scalar("beta1"), beta2=ops.scalar("beta2"), epsilon=epsilon)
    new, state = adam.update(ops, adam.init(ops, theta)._replace(m=m, v=v), theta, Dtheta, eta, c1, c2)
    root = ops.sqrt(state.v) + ops.full(epsilon * c2**0.5, *shape)
    merged = theta - (eta * c2**0.5 / c1) * ops.hadamard(state.m, ops.reciprocal(root))
    assert ops.is_zero(new - merged)
