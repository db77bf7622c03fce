from __future__ import annotations

import copy
import importlib
import pickle
import sys
import types
from importlib import metadata
from typing import Any

import numpy as np
import pytest

import nerva_core.algebra.numeric_backend
from backends.numpy import NumpyBackend
from nerva_core.algebra.errors import NervaError, NotInstalledError
from nerva_core.algebra.numeric_backend import ENTRY_POINTS, Backend, backend, backend_classes, backends_named, require, statuses
from nerva_core.equations.losses import SquaredError
from nerva_core.layers import BatchNormalization
from tests.conftest import installed, make_backend
from tests.helpers import assert_trees_equal, to_numpy, to_ops

OPTIONAL = [name for name, cls in backend_classes().items() if cls.extra]


def test_the_four_backends_are_declared() -> None:
    assert {"numpy", "jax", "torch", "tensorflow"} <= set(backend_classes())
    for name, cls in backend_classes().items():
        assert cls.name == name


@pytest.mark.parametrize(("name", "nearest"), [("jaxx", "jax"), ("Numpy", "numpy"), ("pytorch", "torch"), ("tensorflo", "tensorflow")])
def test_an_unknown_backend_is_corrected(name: str, nearest: str) -> None:
    with pytest.raises(NervaError, match=f"unknown backend '{name}'; did you mean '{nearest}'\\? known: jax, numpy"):
        backend(name)


def test_the_dtype_is_known(backend_name: str) -> None:
    bad: Any = "float16"
    narrow = ", 'bfloat16'" if backend_classes()[backend_name].narrows else ""
    with pytest.raises(NervaError, match=f"dtype must be one of 'float32', 'float64'{narrow}, got 'float16'"):
        backend(backend_name, bad)


@pytest.mark.parametrize("device", ["cuda:99", "gpux", "cpu:77"])
def test_a_device_that_is_not_there(backend_name: str, device: str) -> None:
    with pytest.raises(NervaError, match=f"backend '{backend_name}' finds no device '{device}'; .*known: .*cpu"):
        backend(backend_name, "float32", device)


def test_every_listed_device_can_be_used(ops: Backend) -> None:
    assert "cpu" in ops.devices()
    for device in ops.devices():
        other = backend(ops.name, "float64", device)
        assert other.device == device
        np.testing.assert_array_equal(other.to_numpy(other.matrix([[1, 2]]) + other.ones(1, 2)), [[2, 3]])


def test_what_is_not_a_matrix_is_refused(ops: Backend) -> None:
    with pytest.raises(NervaError, match=r"every value is a matrix, but this one has the shape \(3, 5, 4\)"):
        ops.matrix(np.zeros((3, 5, 4)))
    for values in ([[1.0, 2.0], [3.0]], "abc", None, [[1.0, None]], [[1j]], object()):
        with pytest.raises(NervaError, match="a matrix is made of real numbers, in rows of one length, got"):
            ops.matrix(values)
    assert ops.to_numpy(ops.matrix([1.0, 2.0])).shape == (1, 2)


# A framework that is missing ----------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_framework_names_the_command_that_installs_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = backend_classes()[name]
    monkeypatch.setitem(sys.modules, cls.requires, None)
    with pytest.raises(NotInstalledError, match=rf"backend '{name}' needs {cls.requires}, .*pip install 'nerva\[{cls.extra}\]'"):
        backend(name)


@pytest.mark.parametrize("name", OPTIONAL)
def test_the_status_of_a_missing_framework_is_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = backend_classes()[name]
    monkeypatch.setattr(nerva_core.algebra.numeric_backend, "backend_classes", lambda: {name: cls})
    monkeypatch.setitem(sys.modules, cls.requires, None)
    (status,) = statuses()
    assert (status.name, status.version, status.devices) == (name, None, [])
    assert status.hint == f"install it with: pip install 'nerva[{cls.extra}]'"


def test_the_status_of_what_is_installed() -> None:
    for status in statuses():
        if installed(backend_classes()[status.name].requires):
            assert status.version == importlib.import_module(backend_classes()[status.name].requires).__version__
            assert "cpu" in status.devices


def test_require_imports_or_says_how_to_install() -> None:
    assert require("math", "extra") is importlib.import_module("math")
    with pytest.raises(NotInstalledError, match=r"needs no_such_module .*pip install 'nerva\[proofs\]'"):
        require("no_such_module", "proofs")


# A backend of another distribution ----------------------------------------------------------------------


class Foreign(NumpyBackend):
    name = "foreign"
    requires = "foreign_framework"

    def start(self) -> None:
        importlib.import_module(self.requires)
        super().start()


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution declares an entry point; its module is importable, its framework is not."""
    module = types.ModuleType("foreign_backend")
    module.Foreign = Foreign
    monkeypatch.setitem(sys.modules, "foreign_backend", module)
    point = metadata.EntryPoint("foreign", "foreign_backend:Foreign", ENTRY_POINTS)
    real = metadata.entry_points
    monkeypatch.setattr(metadata, "entry_points", lambda **selection: [*real(**selection), point])


@pytest.mark.usefixtures("foreign")
def test_a_backend_of_another_distribution_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "foreign_framework", types.ModuleType("foreign_framework"))
    assert "foreign" in backend_classes()
    ops = backend("foreign", "float64")
    assert isinstance(ops, Foreign)
    np.testing.assert_array_equal(ops.to_numpy(ops.rows_sum(ops.matrix([[1, 2]]))), [[3]])
    with pytest.raises(NervaError, match="did you mean 'foreign'"):
        backend("foreing")


def test_backends_in_a_text() -> None:
    assert backends_named("numpy") == ["numpy"]
    assert backends_named(" numpy , numpy") == ["numpy", "numpy"]
    assert backends_named(None) == [name for name, cls in backend_classes().items() if installed(cls.requires)]
    with pytest.raises(NervaError, match="unknown backend 'nunpy'; did you mean 'numpy'"):
        backends_named("numpy,nunpy")


@pytest.mark.usefixtures("foreign")
def test_a_backend_in_a_text_without_its_framework() -> None:
    assert "foreign" not in backends_named(None)
    with pytest.raises(NotInstalledError, match=r"backend 'foreign' is not installed; install it with: pip install foreign_framework$"):
        backends_named("foreign")


@pytest.mark.usefixtures("foreign")
def test_a_missing_framework_of_another_distribution_is_named() -> None:
    with pytest.raises(NotInstalledError, match=r"needs foreign_framework, .*pip install foreign_framework$"):
        backend("foreign")


def test_a_broken_backend_of_another_distribution_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, real = metadata.EntryPoint("broken", "no_such_module:Backend", ENTRY_POINTS), metadata.entry_points
    monkeypatch.setattr(metadata, "entry_points", lambda **selection: [*real(**selection), broken])
    assert backend("numpy").name == "numpy"
    assert "broken" not in backend_classes()
    assert "numpy" in backend_classes()
    with pytest.raises(NervaError, match=r"'broken' is declared as no_such_module:Backend, which cannot be loaded: No module"):
        backend("broken")


# What a backend does besides the operations ----------------------------------------------------------------------


@pytest.mark.parametrize(("values", "shape"), [(3, (1, 1)), ([1, 2, 3], (1, 3)), ([[1], [2]], (2, 1)), (np.ones((2, 3), np.int8), (2, 3))])
def test_matrix_reads_what_numpy_reads(ops_of_dtype: Backend, values: Any, shape: tuple[int, int]) -> None:
    X = ops_of_dtype.matrix(values)
    assert ops_of_dtype.shape(X) == shape
    array = ops_of_dtype.to_numpy(X)
    assert array.dtype == ops_of_dtype.dtype
    np.testing.assert_array_equal(array, np.array(values, ndmin=2))


def test_a_matrix_is_a_copy(ops: Backend) -> None:
    values = np.zeros((2, 2))
    X = ops.matrix(values)
    values[0, 0] = 1
    np.testing.assert_array_equal(ops.to_numpy(X), 0)


def test_take_rows(ops: Backend) -> None:
    X = ops.matrix([[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(ops.to_numpy(ops.take_rows(X, np.array([2, 0, 2]))), [[4, 5], [0, 1], [4, 5]])
    np.testing.assert_array_equal(ops.to_numpy(ops.take_rows(X, np.array([1]))), [[2, 3]])


def test_a_compiled_step_is_the_eager_one(ops_of_dtype: Backend, rng: np.random.Generator) -> None:
    """A step with a layer, a loss, NamedTuples and a number that changes from call to call."""
    ops, layer, loss = ops_of_dtype, BatchNormalization(), SquaredError()

    def step(params: Any, X: Any, T: Any, eta: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X)
        DX, gradients = layer.backpropagate(ops, params, cache, loss.gradient(ops, Y, T))
        gamma, beta = (p - eta * g for p, g in zip(params, gradients, strict=True))
        return type(params)(gamma, beta), DX, loss.value(ops, Y, T)

    compiled = ops.compile(step)
    params = to_ops(ops, layer.init(rng, 3))
    for N, eta in ((5, 0.1), (5, 0.01), (3, 0.5)):
        X, T = ops.matrix(rng.normal(size=(N, 3))), ops.matrix(rng.normal(size=(N, 3)))
        actual, expected = (to_numpy(ops, f(params, X, T, ops.scalar(eta))) for f in (compiled, step))
        tolerance = {"float32": 1e-5, "float64": 1e-13}[ops.dtype]
        assert_trees_equal(actual, expected, rtol=tolerance, atol=tolerance)
        assert all(a.dtype == ops.dtype for a in (*actual[0], *actual[1:]))


@pytest.mark.parametrize("run", ["run_steps", "run_plainly"])
def test_steps_give_the_last_state_and_all_outputs_as_one_array(ops_of_dtype: Backend, run: str) -> None:
    """The outputs are a nested tuple of 1 x 1 matrices; the inputs are rows, matrices and numbers."""
    ops = ops_of_dtype

    def step(ops: Any, state: Any, X: Any, rows: Any, noise: Any, c: Any) -> Any:
        (total,) = state
        Y = c * ops.take_rows(X, rows) + noise
        return (total + Y,), (ops.elements_sum(Y), (ops.elements_sum(total),))

    X = ops.matrix([[1, 2], [3, 4], [5, 6]])
    inputs = np.array([[0], [1], [2]]), np.full((3, 1, 2), 0.25), np.array([1.0, 2.0, 3.0])
    (total,), outputs = getattr(ops, run)(step, (ops.zeros(1, 2),), (X,), inputs)
    assert type(outputs) is np.ndarray
    assert outputs.dtype == ops.dtype
    np.testing.assert_array_equal(outputs, [[3.5, 0], [14.5, 3.5], [33.5, 18]])
    np.testing.assert_array_equal(ops.to_numpy(total), [[22.75, 28.75]])


def test_repr_says_what_it_is(ops_of_dtype: Backend) -> None:
    assert repr(ops_of_dtype) == f"{type(ops_of_dtype).__name__}(dtype='{ops_of_dtype.dtype}', device='cpu')"


@pytest.mark.parametrize("name", ["numpy", "jax", "torch", "tensorflow"])
def test_a_backend_is_pickled_and_copied(name: str) -> None:
    ops = make_backend(name, "float64")
    for again in (pickle.loads(pickle.dumps(ops)), copy.deepcopy(ops)):
        assert repr(again) == repr(ops)
        assert again.to_numpy(again.matrix([[1.5]])).tolist() == [[1.5]]
