"""``nerva bench --scaling``: how the time of every layer, forward and backward, grows with the number of rows."""

from __future__ import annotations

import functools
import json as json_format
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.layers import Layer
from nerva_core.numeric_backend import Backend

ROWS = (128, 256, 512, 1024, 2048, 4096, 8192)
COLUMNS = 256


@dataclass(frozen=True)
class Growth:
    """Seconds for each number of rows, and the exponent e of the fit c N^e."""

    backend: str
    layer: str
    rows: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the least-squares line through (log size, log value)."""
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)


def subjects() -> list[Layer]:
    """Every layer of the table, with as many outputs as inputs."""
    from nerva_core.comparison.examples import examples
    from nerva_core.layers import LAYERS

    return [replace(layer, outputs=COLUMNS) if hasattr(layer, "outputs") else layer for layer in examples(LAYERS)]


def growth(ops: Backend[Any], layer: Layer, rows: Sequence[int] = ROWS, columns: int = COLUMNS, repeats: int = 3) -> Growth:
    """The fastest of some runs, compiled, for each number of rows; the shortest runs are repeated within one timing."""
    rng = np.random.default_rng(0)
    params = ops.matrices(layer.init(rng, columns))
    seconds = []

    def both(params: Any, X: Any, DY: Any, noise: Any) -> Any:
        Y, cache = layer.feedforward(ops, params, X, *noise)
        return Y, layer.backpropagate(ops, params, cache, DY)

    compiled = ops.compile(both)
    for N in rows:
        noise = ops.matrices(layer.draw(rng, N, columns))
        X, DY = ops.matrix(rng.normal(size=(N, columns))), ops.matrix(rng.normal(size=(N, layer.outputs_for(columns))))
        seconds.append(_fastest(functools.partial(_run, ops, compiled, params, X, DY, noise), repeats))
    return Growth(ops.name, repr(layer), tuple(rows), tuple(seconds), exponent(rows, seconds))


def _run(ops: Backend[Any], compiled: Any, *arguments: Any) -> None:
    Y, (DX, _) = compiled(*arguments)
    ops.to_numpy(Y), ops.to_numpy(DX)  # waits for a framework that only begins to compute


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


def scaling_command(backends: Sequence[str], json: Path | None) -> None:
    """A table of exponents; all times to ``json``."""
    from rich.console import Console
    from rich.table import Table

    from nerva_core.models import write_atomically
    from nerva_core.numeric_backend import backend

    results = []
    for name in backends:
        ops = backend(name)
        table = Table("layer", f"N = {ROWS[0]}", f"N = {ROWS[-1]}", "exponent", title=f"{name}: forward and backward, K = {COLUMNS}")
        for layer in subjects():
            result = growth(ops, layer)
            results.append(result)
            first, last = (f"{1e6 * value:,.0f} µs" for value in (result.seconds[0], result.seconds[-1]))
            table.add_row(result.layer.replace("[", r"\["), first, last, f"{result.exponent:.2f}")
        Console().print(table)
    if json is not None:
        write_atomically(json, (json_format.dumps([asdict(result) for result in results], indent=1) + "\n").encode())
