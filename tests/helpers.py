"""What tests share: trees of matrices, an example of every entry of a table, and a NumPy backend that counts elements."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.numpy import NumpyBackend
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.registry import Entry, Table
from nerva_core.algebra.trees import rebuild
from nerva_core.interpreters.examples import EXAMPLES, ExampleSizes, required_values
from nerva_core.interpreters.traced import OPERATIONS
from nerva_core.layers import LAYERS, Layer, Linear, Sequential

Tree = Any
"""A matrix, or a tuple or NamedTuple of trees."""


def tree_map(f: Callable[..., Any], *trees: Tree) -> Tree:
    first = trees[0]
    if isinstance(first, tuple):
        return rebuild(first, [tree_map(f, *items) for items in zip(*trees, strict=True)])
    return f(*trees)


def to_ops(ops: Backend, tree: Tree) -> Tree:
    return tree_map(ops.matrix, tree)


def to_numpy(ops: Backend, tree: Tree) -> Tree:
    return tree_map(ops.to_numpy, tree)


def as_one(ops: Backend, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; JAX compiles it as a whole, which takes a fraction of the time that it takes for each of its operations."""
    return ops.compile(function) if ops.name == "jax" else function


def assert_trees_equal(actual: Tree, expected: Tree, rtol: float = 0, atol: float = 0) -> None:
    """The same structure, types of tuples, shapes and values."""
    if isinstance(expected, tuple):
        assert type(actual) is type(expected)
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected, strict=True):
            assert_trees_equal(a, b, rtol, atol)
    else:
        assert np.shape(actual) == np.shape(expected)
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


# Entries of tables ----------------------------------------------------------------------


def example(entry: type[Any]) -> Any:
    """An instance with default parameters; those without a default get a value that their type allows. Networks inside take any size."""
    return entry(**required_values(entry, EXAMPLES | {Sequential: Sequential((Linear(3),))}))


def examples(table: Table[Any]) -> list[Entry]:
    """One instance of every entry of a table; of layers, those that take rows of any number and length."""
    return [entry for entry in map(example, table) if not (isinstance(entry, Layer) and is_positional(entry))]


def positional_examples() -> list[Layer]:
    """One instance of every layer whose rows are positions of examples, for data of ``ExampleSizes``."""
    return [layer.for_any_data(ExampleSizes()) for layer in map(example, LAYERS) if is_positional(layer)]


def is_positional(layer: Layer) -> bool:
    """Whether the layer asks for more than N x D."""
    return layer.for_any_data(ExampleSizes()).shape_of_input(ExampleSizes()) != (ExampleSizes().size("N"), layer.columns or 4)


def takes(layer: Layer, D: int) -> bool:
    """Whether the layer takes inputs with D columns."""
    try:
        layer.outputs_for(D)
    except NervaError:
        return False
    return True


# Cost ----------------------------------------------------------------------


class Counted(np.ndarray[Any, Any]):
    """An array whose creation is counted."""

    sizes: typing.ClassVar[list[int]] = []

    def __array_finalize__(self, source: Any) -> None:
        Counted.sizes.append(self.size)


class CountingBackend(NumpyBackend):
    """NumPy, where every matrix that is made, by an operation or a native operator, is counted."""

    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if name not in OPERATIONS:
            return attribute
        return lambda *args: attribute(*args).view(Counted)

    def matrix(self, values: Any) -> Any:
        return super().matrix(values).view(Counted)


def elements_made(run: Callable[[CountingBackend], Any]) -> list[int]:
    """The numbers of elements of the matrices that ``run`` makes."""
    ops = CountingBackend("float64")
    Counted.sizes.clear()
    run(ops)
    return list(Counted.sizes)


def outside_of(figure: Any) -> list[str]:
    """What a figure would cut off: its legends, and the labels of its axes and colour bars, that are not whole inside it."""
    figure.draw_without_rendering()
    boxes = {f"legend of {box.get_texts()[0].get_text()}": box.get_window_extent() for box in figure.legends}
    for axis in figure.axes:
        boxes |= {text.get_text(): text.get_window_extent() for text in (axis.xaxis.label, axis.yaxis.label, axis.title) if text.get_text()}
    whole = figure.bbox
    return [name for name, b in boxes.items() if b.x0 < whole.x0 - 1 or b.x1 > whole.x1 + 1 or b.y0 < whole.y0 - 1 or b.y1 > whole.y1 + 1]
