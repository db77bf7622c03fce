"""No operation escapes a traced value, and an interpreter has every operation of MatrixOps."""

import inspect

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import rebuild
from nerva_core.equations.activations import ACTIVATIONS, Tanh
from nerva_core.interpreters.traced import NATIVE, OPERANDS, OPERATIONS, Interpreter, Recorder, Traced, TracingOps
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear, LinearDropout, LogSoftmax, Sequential, Softmax, SReLU
from tests.helpers import examples
from tests.reference import ReferenceOps

OPS = backend("numpy", dtype="float64")
LAYERS = [
    Linear(2),
    LinearDropout(2),
    ActivationLayer(Tanh()),
    SReLU(),
    Softmax(),
    LogSoftmax(),
    BatchNormalization(),
    Sequential((Linear(3), BatchNormalization(), ActivationLayer(Tanh()), Linear(2), Softmax())),
]


def draw(rng, shapes):
    if shapes and isinstance(shapes[0], int):
        return rng.normal(size=shapes)
    return rebuild(shapes, [draw(rng, shape) for shape in shapes])


def names(recorder):
    return [operation.name for operation, _ in recorder.steps]


def test_every_public_method_of_matrix_ops_is_an_operation():
    public = {name for name, _ in inspect.getmembers(MatrixOps, inspect.isfunction) if not name.startswith("_")}
    assert public - set(OPERATIONS) == {"shape", "members", "scan", "size_power"}
    assert len(OPERATIONS) > 40
    assert not Interpreter.__abstractmethods__ & set(OPERATIONS)


def test_operands_are_the_matrix_arguments():
    assert OPERANDS["where"] == (0, 1, 2)
    assert OPERANDS["scale"] == (1,)
    assert OPERANDS["divide"] == (0,)
    assert OPERANDS["apply"] == (1,)
    assert OPERANDS["full"] == ()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_traced_layers_give_the_same_numbers_bit_for_bit(layer):
    rng = np.random.default_rng(1)
    params, X = draw(rng, layer.shapes(4)), rng.normal(size=(3, 4))
    noise = layer.draw(rng, 3, 4) if not isinstance(layer, Sequential) else ()
    Y, cache = layer.feedforward(OPS, params, X, *noise)
    DY = rng.normal(size=Y.shape)
    traced = TracingOps(OPS)
    Yt, cache_t = traced.call(layer.feedforward, params, X, *noise)
    assert type(cache_t) is type(cache)
    np.testing.assert_array_equal(Yt, Y)
    right, wrapped = layer.backpropagate(OPS, params, cache, DY), traced.call(layer.backpropagate, params, cache, DY)
    np.testing.assert_array_equal(wrapped[0], right[0])
    assert str(wrapped[1]) == str(right[1])


@pytest.mark.parametrize("activation", examples(ACTIVATIONS), ids=repr)
def test_descending_reaches_only_primitives(activation):
    recorder = Recorder(OPS, descend=True)
    X = np.linspace(-2, 2, 7).reshape(1, 7)
    value = recorder.call(activation.value, X)
    recorder.call(activation.gradient, X)
    np.testing.assert_allclose(value, activation.value(OPS, X), rtol=1e-13, atol=1e-13)
    primitives = {name for name in OPERATIONS if getattr(getattr(MatrixOps, name), "__isabstractmethod__", False)}
    assert set(names(recorder)) <= primitives | set(NATIVE)


def test_native_are_the_operations_defined_by_an_operator():
    single_operator = {name for name in OPERATIONS if "self." not in inspect.getsource(getattr(MatrixOps, name)).partition(":\n")[2]}
    primitives = {name for name in OPERATIONS if getattr(getattr(MatrixOps, name), "__isabstractmethod__", False)}
    assert single_operator - primitives - {"apply", "again", "stop_gradient"} == set(NATIVE)


def test_operations_are_recorded_at_the_level_of_the_code():
    recorder = Recorder(OPS)
    X = recorder.wrap(np.ones((3, 2)))
    recorder.columns_mean(X)
    assert names(recorder) == ["columns_mean"]
    recorder = Recorder(OPS, descend=True)
    recorder.columns_mean(recorder.wrap(np.ones((3, 2))))
    assert names(recorder) == ["full", "matmul", "divide"]


def test_operators_and_named_operations_are_one():
    recorder = Recorder(OPS)
    X = recorder.wrap(np.array([[1.0, 2.0], [3.0, 4.0]]))
    results = [X + X, X - X, -X, X @ X, 2 * X, X / 2, np.float64(3) * X]
    assert names(recorder) == ["add", "subtract", "negate", "matmul", "scale", "divide", "scale"]
    assert all(isinstance(result, Traced) for result in results)
    np.testing.assert_array_equal(results[3].value, [[7, 10], [15, 22]])


def test_keyword_arguments_are_put_in_order():
    recorder = Recorder(OPS)
    recorder.zeros(3)
    recorder.full(n=2, m=1, c=5.0)
    assert [operation.arguments for operation, _ in recorder.steps] == [(3, 1), (5.0, 1, 2)]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda ops, X: X * X, r"ops\.hadamard"),
        (lambda ops, X: X * 2, r"write c \* X"),
        (lambda ops, X: X.T, r"ops\.transpose"),
        (lambda ops, X: X + 1, "add: expected a matrix, got 1; nothing broadcasts"),
        (lambda ops, X: ops.hadamard(X, np.ones((2, 2))), "hadamard: expected a matrix"),
        (lambda ops, X: X + TracingOps(OPS).wrap(np.ones((2, 2))), "belongs to another"),
    ],
)
def test_what_is_not_an_operation_is_refused(mistake, message):
    ops = TracingOps(OPS)
    with pytest.raises(NervaError, match=message):
        mistake(ops, ops.wrap(np.ones((2, 2))))


class MoreOps(type(OPS)):
    def cube(self, X):
        return X * X * X


def test_operations_that_only_the_inner_has_are_recorded_too():
    recorder = Recorder(MoreOps(dtype="float64"))
    cubed = recorder.cube(recorder.wrap(np.full((1, 1), 2.0)))
    assert cubed.value == 8
    assert names(recorder) == ["cube"]
    assert recorder.dtype == "float64"
    with pytest.raises(AttributeError, match="quart"):
        _ = recorder.quart


def test_numbers_are_not_wrapped():
    ops = TracingOps(OPS)
    wrapped = ops.wrap((np.ones((1, 1)), 0.1, np.float64(2), ("text", None)))
    assert isinstance(wrapped[0], Traced)
    assert wrapped[1:] == (0.1, 2.0, ("text", None))


def test_tracing_may_be_nested():
    outer = Recorder(Recorder(OPS))
    X = outer.wrap(outer.inner.wrap(np.ones((2, 2))))
    outer.columns_sum(X + X)
    assert names(outer) == names(outer.inner) == ["add", "columns_sum"]


def test_a_family_that_is_a_tuple_of_matrices_is_one_value():
    """As where caches with families are handed to code whose operations are looked at."""
    ops = ReferenceOps()
    F = ops.family(ops.matrix([[1, 2]]), ops.matrix([[3, 4]]))
    recorder = Recorder(ops)
    found = recorder.call(lambda ops, cache: ops.member(cache[0], 1) + cache[1], (F, ops.matrix([[10, 20]])))
    assert names(recorder) == ["member", "add"]
    assert np.asarray(found).tolist() == [[13, 24]]
