"""Operation counts as polynomials, and the check of a layer's shapes for all N, D, K."""

from dataclasses import dataclass

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.activations import ReLU, Tanh
from nerva_core.equations.losses import SquaredError
from nerva_core.equations.optimizers import GradientDescent
from nerva_core.interpreters.costs import CostOps, costs
from nerva_core.interpreters.polynomial import size
from nerva_core.interpreters.subjects import FUNCTIONS, TABLES, find
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear, LogSoftmax, Sequential, Softmax

N, D, K = size("N"), size("D"), size("K")
SIZES = {"N": 2, "D": 3, "E": 2, "V": 4, "K": 4, "A": 2, "C": 2, "G": 2, "H": 2, "L": 3, "M": 2, "P": 4, "Q": 3, "U": 2, "m": 2}


@pytest.mark.parametrize(
    ("subject", "forward", "backward"),
    [
        (Linear(K), "2NDK + NK", "4NDK + NK"),
        (Softmax(), "5NK + N", "4NK"),
        (LogSoftmax(), "5NK + N", "8NK + N"),
        (BatchNormalization(), "7ND + 5D", "11ND + 2D"),
        (ActivationLayer(Tanh()), "NK", "7NK"),
        (ActivationLayer(ReLU()), "NK", "2NK"),
        (ReLU(), "ND", "ND"),
        (SquaredError(), "4NK + N", "2NK"),
        (GradientDescent(), "2DK", "0"),
        (Sequential((Linear(5), ActivationLayer(ReLU()), Linear(3))), "10ND + 43N", "20ND + 78N"),
    ],
    ids=repr,
)
def test_costs(subject, forward, backward):
    counted = costs(subject)
    assert str(counted.forward) == forward
    assert str(counted.backward) == backward


@pytest.mark.parametrize(
    ("code", "count"),
    [
        (lambda ops, X: X @ ops.transpose(X), "2N²D"),
        (lambda ops, X: ops.columns_mean(X), "ND + D"),
        (lambda ops, X: ops.rows_sum(X), "ND"),
        (lambda ops, X: ops.rows_max(X), "ND"),
        (lambda ops, X: ops.dot(X, X), "2ND"),
        (lambda ops, X: ops.sigmoid(X), "ND"),
        (lambda ops, X: ops.where(X, X, X), "ND"),
        (lambda ops, X: ops.transpose(X), "0"),
        (lambda ops, X: ops.row_repeat(ops.ones(1, K), N), "0"),
        (lambda ops, X: ops.apply(Tanh().gradient, X), "6ND"),
    ],
)
def test_the_convention(code, count):
    ops = CostOps()
    code(ops, ops.matrix((N, D)))
    assert str(ops.count) == count


@dataclass(frozen=True)
class NoTranspose(Linear):
    def feedforward(self, ops, params, X):
        return X @ params.W, (X,)


@dataclass(frozen=True)
class NoRepeat(Linear):
    def feedforward(self, ops, params, X):
        return X @ ops.transpose(params.W) + params.b, (X,)


@dataclass(frozen=True)
class WrongGradient(Linear):
    def backpropagate(self, ops, params, cache, DY):
        DX, gradients = super().backpropagate(ops, params, cache, DY)
        return DX, gradients._replace(W=ops.transpose(gradients.W))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (NoTranspose(K), r"matmul: shapes \(N, D\) and \(K, D\) do not fit"),
        (NoRepeat(K), r"add: shapes \(N, K\) and \(1, K\) differ"),
        (WrongGradient(K), r"WrongGradient: DW should have shape \(K, D\), has \(D, K\)"),
    ],
)
def test_a_layer_whose_shapes_do_not_fit_is_refused(layer, message):
    with pytest.raises(NervaError, match=message):
        costs(layer)


@pytest.mark.parametrize("name", [name for table in TABLES for name in table.entries] + list(FUNCTIONS))
def test_every_entry_has_costs(name):
    subject, _ = find(name)
    assert str(costs(subject).forward) == "0" or costs(subject).forward(**SIZES) > 0
