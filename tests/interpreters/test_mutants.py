"""Every single-operation mutant is made, and a test of the backpropagation equations refuses it."""

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import rebuild
from nerva_core.equations.activations import ReLU, Tanh
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.equations.optimizers import Adam
from nerva_core.interpreters.mutants import INPUT, KINDS, OTHER_OPERATIONS, MutantOps, Mutation, list_mutations
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear, LogSoftmax, Softmax
from tests.matrix_cases import example

OPS = backend("numpy", dtype="float64")


def backward(layer, N=4, D=3):
    """The backpropagation of a layer as a function of the operations, at a random point."""
    rng = np.random.default_rng(3)
    shapes = layer.shapes(D)
    params = rebuild(shapes, [rng.normal(size=shape) for shape in shapes])
    Y, cache = layer.feedforward(OPS, params, rng.normal(size=(N, D)))
    DY = rng.normal(size=Y.shape)
    return lambda ops: ops.call(layer.backpropagate, params, cache, DY)


def descriptions(code):
    return [mutation.description for mutation in list_mutations(OPS, code)]


def same(one, other):
    (DX, gradients), (DX_, gradients_) = one, other
    return all(np.shape(a) == np.shape(b) and np.allclose(a, b) for a, b in zip((DX, *gradients), (DX_, *gradients_), strict=True))


def survivors(code):
    right = code(MutantOps(OPS, Mutation(0, "nothing", "nothing")))
    mutations = list_mutations(OPS, code)
    assert len(mutations) == len(set(mutations)) > 14
    with np.errstate(all="ignore"):
        return [mutation.description for mutation in mutations if same(code(MutantOps(OPS, mutation)), right)]


@pytest.mark.parametrize("layer", [Linear(2), ActivationLayer(Tanh()), Softmax(), BatchNormalization()], ids=repr)
def test_every_mutant_of_a_layer_changes_its_gradients(layer):
    assert survivors(backward(layer)) == []


def test_the_mutants_that_softmax_does_not_notice():
    """It is invariant under adding a number to a row, and under a factor of e^Z."""
    shifts = ["sign changed", "doubled", "replaced by zeros", "replaced by ones"]
    assert survivors(backward(LogSoftmax())) == [
        *(f"operation 1, rows_max: {fault}" for fault in shifts),
        *(f"operation 2, column_repeat: {fault}" for fault in shifts),
        "operation 3, subtract: add instead",
        "operation 3, subtract: second operand dropped",
        "operation 4, exp: sign changed",
        "operation 4, exp: doubled",
    ]


def test_the_mutants_of_the_linear_layer():
    plain = ["sign changed", "doubled", "replaced by zeros", "replaced by ones"]
    assert descriptions(backward(Linear(2))) == [
        "input DY: replaced by ones",
        *(f"operation 1, transpose: {fault}" for fault in plain),
        *(f"operation 2, matmul: {fault}" for fault in plain),
        *(f"operation 3, columns_sum: {fault}" for fault in [*plain, "columns_mean instead"]),
        *(f"operation 4, matmul: {fault}" for fault in plain),
    ]


C = np.array([[1.0, -2.0]])
A, B, S = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("expression", "arguments", "kind", "expected"),
    [
        (lambda ops, X, Y: X + Y, (A, B), "subtract instead", [[-2, -3]]),
        (lambda ops, X, Y: X - Y, (A, B), "add instead", [[4, 7]]),
        (lambda ops, X, Y: X - Y, (A, B), "first operand dropped", [[-3, -5]]),
        (lambda ops, X, Y: X - Y, (A, B), "second operand dropped", [[1, 2]]),
        (lambda ops, X, Y: ops.hadamard(X, Y), (A, B), "add instead", [[4, 7]]),
        (lambda ops, X, Y: ops.hadamard(X, Y), (A, B), "second operand dropped", [[1, 2]]),
        (lambda ops, X, Y: X @ Y, (S, S.T), "operands swapped", S.T @ S),
        (lambda ops, X, Y: X @ Y, (S, S.T), "first operand transposed", S.T @ S.T),
        (lambda ops, X, Y: X @ Y, (A, S), "second operand transposed", A @ S.T),
        (lambda ops, X, Y: X @ Y, (A, S), "second operand dropped", A),
        (lambda ops, X: ops.transpose(X), (S,), "left out", S),
        (lambda ops, X: 2 * X, (A,), "left out", A),
        (lambda ops, X: 2 * X, (A,), "divide instead", A / 2),
        (lambda ops, X: X / 4, (A,), "scale instead", 4 * A),
        (lambda ops, X: -X, (A,), "sign changed", A),
        (lambda ops, X: ops.columns_sum(X), (S,), "columns_mean instead", [[2, 3]]),
        (lambda ops, X: ops.columns_mean(X), (S,), "columns_sum instead", [[4, 6]]),
        (lambda ops, X: ops.columns_sum(X), (S,), "rows for columns", [[3, 7]]),
        (lambda ops, X: ops.row_repeat(X, 2), (A,), "rows for columns", [[1, 1], [2, 2]]),
        (lambda ops, X: ops.elements_sum(X), (S,), "mean for sum", [[2.5]]),
        (lambda ops, X: ops.inv_sqrt(X), (4 * A,), "sqrt instead", np.sqrt(4 * A)),
        (lambda ops, X: ops.inv_sqrt(X), (A,), "reciprocal instead", 1 / A),
        (lambda ops, X: ops.reciprocal(X), (A,), "left out", A),
        (lambda ops, X: ops.exp(X), (A,), "left out", A),
        (lambda ops, X: ops.where(ops.less(X, 2 * X), X, -X), (A,), "branches swapped", -A),
        (lambda ops, X: ops.where(ops.less(X, 2 * X), X, -X), (C,), "always the first branch", C),
        (lambda ops, X: ops.where(ops.less(X, 2 * X), X, -X), (C,), "always the second branch", -C),
        (lambda ops, X, Y: ops.less(X, Y), (A, B), "operands swapped", [[0, 0]]),
        (lambda ops, X: ops.apply(Tanh().gradient, X), (A,), "function for derivative", np.tanh(A)),
        (lambda ops, X: ops.apply(Tanh().value, X), (A,), "derivative for function", 1 - np.tanh(A) ** 2),
        (lambda ops, X, Y: ops.transpose(X @ Y), (S, S), "transposed", S @ S),
        (lambda ops, X: X + X, (A,), INPUT, [[2, 2]]),
    ],
)
def test_what_a_fault_gives(expression, arguments, kind, expected):
    def code(ops):
        return ops.call(expression, *arguments)

    chosen = next(mutation for mutation in list_mutations(OPS, code) if mutation.kind == kind)
    np.testing.assert_allclose(code(MutantOps(OPS, chosen)), expected)


def test_the_shapes_decide_what_is_possible():
    wide = np.ones((2, 3))
    assert {m.kind for m in list_mutations(OPS, lambda ops: ops.call(lambda ops, X: ops.columns_sum(X), wide))}.isdisjoint(
        {"rows for columns", "transposed", "left out"}
    )


def test_the_condition_of_where_keeps_its_magnitude():
    code = [str(m) for m in list_mutations(OPS, lambda ops: ops.call(ReLU().gradient, S))]
    assert "operation 2, greater_equal: doubled" in code
    chosen = [str(m) for m in list_mutations(OPS, lambda ops: ops.call(lambda ops, X: ops.where(ops.less(X, -X), X, -X), S))]
    assert not {"operation 2, less: doubled", "operation 2, less: sign changed"} & set(chosen)
    assert "operation 2, less: operands swapped" in chosen


def test_losses_and_update_rules_have_mutants():
    gradient = descriptions(lambda ops: ops.call(SoftmaxCrossEntropy().gradient, A, B))
    assert gradient[:2] == ["input Y: replaced by ones", "input T: replaced by ones"]
    state = Adam().init(OPS, A)
    update = descriptions(lambda ops: ops.call(Adam().update, state, A, B, *Adam().scalars(0.1, 1)))
    assert "input Dtheta: replaced by ones" in update
    assert any("sqrt: inv_sqrt instead" in fault for fault in update)


def test_only_operations_are_mistaken_for_one_another():
    assert set(OTHER_OPERATIONS) | {other for others in OTHER_OPERATIONS.values() for other in others} <= set(OPERATIONS)
    assert INPUT not in KINDS


def test_mutants_of_the_definitions():
    def code(ops):
        return ops.call(lambda ops, X: ops.columns_mean(X), S)

    mutation = Mutation(3, "divide", "left out")
    assert mutation not in list_mutations(OPS, code)
    assert mutation in list_mutations(OPS, code, descend=True)
    np.testing.assert_allclose(code(MutantOps(OPS, mutation, descend=True)), [[4, 6]])


def one_operation(name, n):
    """The operation on positive matrices with 2 rows and n columns, or as it needs them."""
    rng = np.random.default_rng(11)
    arguments = example(name, 2, n, lambda m, n, *k: rng.uniform(0.1, 0.9, size=(*k, m, n)), f=Tanh().gradient)
    return lambda ops: ops.call(lambda ops, *arguments: getattr(ops, name)(*arguments), *arguments)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("n", [2, 3])
def test_every_mutant_of_every_operation_runs_and_has_the_shape_of_the_original(name, n):
    code = one_operation(name, n)
    right = code(MutantOps(OPS, Mutation(0, "nothing", "nothing")))
    for mutation in list_mutations(OPS, code):
        with np.errstate(all="ignore"):
            assert code(MutantOps(OPS, mutation)).shape == right.shape, mutation


def test_every_kind_of_fault_occurs():
    found = {mutation.kind for name in OPERATIONS for mutation in list_mutations(OPS, one_operation(name, 2))}
    found |= {mutation.kind for mutation in list_mutations(OPS, lambda ops: ops.call(lambda ops, X: ops.apply(Tanh().value, X), S))}
    assert set(KINDS) - found == set()
