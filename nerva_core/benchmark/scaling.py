"""``nerva bench --scaling``: how the time of every layer, forward and backward, grows with the number of rows.

The layers run as training runs them, by ``Backend.run_steps``, on rows that are gathered from the data. Matrices that do not fit
in a cache are slower for every byte, so beside them stands the growth of what every layer does at least: it reads X and DY and
writes Y and DX.
"""

from __future__ import annotations

import functools
import json as json_format
import math
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.trees import Tree, map_tree, stacked
from nerva_core.interpreters.examples import ExampleSizes, describe, examples
from nerva_core.layers import LAYERS, Layer
from nerva_core.training.models import write_atomically

ROWS = (128, 512, 1024, 2048, 4096, 8192)
COLUMNS = 256
STEPS = 8
"""So many steps run in one call: a framework that compiles allocates the memory of a step, which costs page faults, once a call."""
NARROW: dict[str, int] = {"FullTMAF": 16, "SparseTMAF": 16}
"""The columns of layers whose cost has K² terms for each row by definition: at K = 256 the time of one step would be that of the table."""


@dataclass(frozen=True)
class Growth:
    """Seconds for each number of rows, and the exponent e of the fit c N^e."""

    backend: str
    layer: str
    rows: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float
    moving_seconds: tuple[float, ...]
    """Those of gathering the rows of X and copying DY, with NumPy."""
    moving_exponent: float
    columns: int = COLUMNS
    bytes_per_row: float | None = None
    """The growth of the largest memory in use from the first number of rows to the last; for NumPy, whose memory is traced."""
    memory_exponent: float | None = None


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the least-squares line through (log size, log value)."""
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)


def columns_for(layer: Layer) -> int:
    """The number of columns the layer is measured with."""
    return NARROW.get(type(layer).__name__, COLUMNS)


def subjects() -> list[Layer]:
    """Every layer of the table, with as many outputs as inputs, the layers within it too."""
    return [_square(layer).for_any_data(ExampleSizes()) for layer in examples(LAYERS)]


def _square(layer: Layer) -> Layer:
    """The layer with as many outputs as inputs, and the layers inside it likewise."""
    return layer.sized(COLUMNS) if layer.is_sized() else layer.with_inside(_square)


def growth(ops: Backend, layer: Layer, rows: Sequence[int] = ROWS, columns: int | None = None, repeats: int = 3) -> Growth:
    """The fastest of some runs, as steps of training run, for each number of rows; the shortest are repeated within one timing."""
    rng = np.random.default_rng(0)
    columns = columns or columns_for(layer)
    params = layer.init(rng, layer.shape_of_input(ExampleSizes(1, columns, columns))[1])
    seconds, memory, moving = [], [], []

    def step(ops: Any, state: Tree, params: Tree, X: Any, DY: Any, order: Any, noise: Tree) -> Any:
        """The new state is all that the layer computes, so that none of it can be left out."""
        Y, cache = layer.feedforward(ops, params, ops.take_rows(X, order), *noise)
        return (Y, *layer.backpropagate(ops, params, cache, DY)), (ops.zeros(1, 1),)

    for N in rows:
        n, d = layer.shape_of_input(ExampleSizes(N, columns, columns))
        X, DY = rng.normal(size=(n, d)), rng.normal(size=(layer.rows_for(n), layer.outputs_for(d)))
        noise, order = layer.given(layer.initial_state(d), layer.draw(rng, n, d)), rng.permutation(n)
        state, data = ops.matrices(map_tree(np.zeros_like, (DY, X, params))), ops.matrices((params, X, DY))
        runner = _Runner(ops, step, state, data, stacked([(order, ops.converted(noise))] * STEPS))
        seconds.append(_fastest(runner.run, repeats) / STEPS)
        moving.append(_fastest(functools.partial(_move, order, *(A.astype(ops.dtype) for A in (X, DY, X, DY))), repeats))
        if ops.name == "numpy":  # only its memory is seen by tracemalloc; that of the plain equations, whose buffers come and go
            memory.append(_largest_memory(functools.partial(step, ops, (), data[0], data[1], data[2], order, ops.matrices(noise))))
    per_row = (memory[-1] - memory[0]) / (rows[-1] - rows[0]) if memory else None
    growth_of_memory = exponent(rows, memory) if memory else None
    times, moves = (tuple(seconds), exponent(rows, seconds)), (tuple(moving), exponent(rows, moving))
    return Growth(ops.name, repr(layer), tuple(rows), *times, *moves, columns, per_row, growth_of_memory)


def _move(order: Array, X: Array, DY: Array, Y: Array, DX: Array) -> None:
    X.take(order, 0, Y, "clip")
    np.copyto(DX, DY)


@dataclass
class _Runner:
    """Runs the same steps again and again."""

    ops: Backend
    step: Any
    state: Tree
    data: Any
    inputs: Any

    def run(self) -> None:
        """All of the steps."""
        self.state, _ = self.ops.run_steps(self.step, self.state, self.data, self.inputs)


def _largest_memory(run: Any) -> int:
    """The largest number of bytes that a run has in use at once, beyond what it is given."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _fastest(run: Any, repeats: int) -> float:
    run()
    best = math.inf
    for _ in range(repeats):
        started, count = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < 0.005:
            run()
            count += 1
        best = min(best, elapsed / count)
    return best


def chosen_subjects(names: str | None) -> list[Layer]:
    """Those of the layers called so, separated by ``,``; NervaError for a name that none has."""
    known: dict[str, list[Layer]] = {}
    for layer in subjects():
        known.setdefault(type(layer).__name__, []).append(layer)
    wanted = list(known) if names is None else [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in known:
            raise NervaError(f"unknown layer {name!r}; {did_you_mean(name, known)}")
    return [layer for name in wanted for layer in known[name]]


def scaling_command(backends: Sequence[str], json: Path | None, layers: str | None = None) -> None:
    """A line for each layer as soon as it is measured; all times to ``json``."""
    results, measured = [], chosen_subjects(layers)
    for name in backends:
        ops = backend(name)
        print(f"{name}: forward and backward, K = {COLUMNS} unless stated")
        print(
            f"{f'N = {ROWS[0]}':>12} {f'N = {ROWS[-1]}':>12} {'exponent':>8} {'moving':>6} {'bytes/row':>10} {'exponent':>8}  layer",
            flush=True,
        )
        for layer in measured:
            results.append(growth(ops, layer))
            print(_line(results[-1], layer), flush=True)
    if json is not None:
        write_atomically(json, (json_format.dumps([asdict(result) for result in results], indent=1) + "\n").encode())


def _line(result: Growth, layer: Layer) -> str:
    first, last = (f"{1e6 * value:,.0f} µs" for value in (result.seconds[0], result.seconds[-1]))
    memory = "" if result.bytes_per_row is None else f"{result.bytes_per_row:,.0f}"
    growth_of_memory = "" if result.memory_exponent is None else f"{result.memory_exponent:.2f}"
    narrow = "" if result.columns == COLUMNS else f", K = {result.columns}"
    exponents = f"{result.exponent:>8.2f} {result.moving_exponent:>6.2f}"
    return f"{first:>12} {last:>12} {exponents} {memory:>10} {growth_of_memory:>8}  {describe(layer)[:70]}{narrow}"
