"""Fixtures: every declared backend, in every dtype. A backend whose framework is not installed is skipped, with the reason."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

# Before any framework is loaded: both dtypes in one process, the CPU, no start-up notes.
os.environ["JAX_ENABLE_X64"] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from nerva_core import cli
from nerva_core.algebra.numeric_backend import Backend, DType, backend, backend_classes
from nerva_core.training.interruption import SIGNALS

DTYPES = get_args(DType)
COMPILED = ("jax", "tensorflow")
"""The backends that compile each operation for each shape and dtype."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-samples", action="store_true", help="every example of tests that are marked as sampled")


def pytest_configure(config: pytest.Config) -> None:
    """What JAX compiles is kept, for all workers, for the processes that tests start, and for the next run."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.rootpath / ".pytest_cache" / "jax"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.hookimpl(tryfirst=True)  # before ``-m sampled`` is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a slow test that is marked ``sampled(k, *words)`` run a k-th of the examples, always the same, whose name has one of the words.

    Of a test on every backend in every dtype run one dtype, chosen by the name, on a backend that compiles.
    """
    for item in items:
        parameters = _parameters(item)
        if parameters.get("backend_name") in COMPILED and "dtype" in parameters and not item.get_closest_marker("sampled"):
            item.add_marker(pytest.mark.sampled(1))
    if config.getoption("--all-samples"):
        return
    chosen = [_is_chosen(item) for item in items]
    config.hook.pytest_deselected(items=[item for item, kept in zip(items, chosen, strict=True) if not kept])
    items[:] = [item for item, kept in zip(items, chosen, strict=True) if kept]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def _is_chosen(item: pytest.Item) -> bool:
    mark, parameters = item.get_closest_marker("sampled"), _parameters(item)
    if mark is None:
        return True
    if parameters.get("backend_name") in COMPILED and "dtype" in parameters:
        name = item.name.replace(parameters["dtype"], "")
        if DTYPES[zlib.crc32(name.encode()) % len(DTYPES)] != parameters["dtype"]:
            return False
    k, *words = mark.args
    return bool(words and not any(word in item.name for word in words)) or zlib.crc32(item.name.encode()) % k == 0


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@functools.cache
def load_frameworks() -> None:
    """Load all frameworks in one fixed order, whatever tests are selected: their shared libraries are sensitive to it."""
    for cls in sorted(backend_classes().values(), key=lambda cls: cls.requires, reverse=True):
        if installed(cls.requires):
            importlib.import_module(cls.requires)


@functools.cache
def make_backend(name: str, dtype: DType) -> Backend:
    if name != "numpy":
        load_frameworks()
    return backend(name, dtype)


BACKENDS = [
    name if installed(cls.requires) else pytest.param(name, marks=pytest.mark.skip(reason=f"{cls.requires} is not installed"))
    for name, cls in backend_classes().items()
]


@pytest.fixture(params=BACKENDS)
def backend_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ops(backend_name: str) -> Backend:
    """Each backend, in float64."""
    return make_backend(backend_name, "float64")


@pytest.fixture
def ops_of_dtype(backend_name: str, dtype: DType) -> Backend:
    """Each backend, in each dtype."""
    return make_backend(backend_name, dtype)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240521)


Nerva = Callable[..., tuple[int, str, str]]
"""The command line in an empty directory: (exit status, stdout, stderr) for the arguments."""


@pytest.fixture
def nerva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Nerva:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nerva", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def foreground() -> Iterator[None]:
    """No signal is ignored, as in a shell's foreground; in its background or under nohup some are."""
    usual = {number: signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL for number in SIGNALS}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
