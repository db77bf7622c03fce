"""What the page of a training step runs in the browser: a step of a small network, with every matrix that occurs in it.

NumPy is not there: the same equations run on lists of Python's floating-point numbers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from play import FloatDomain

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.trees import leaves, map_tree, with_leaves
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.losses import LOSSES
from nerva_core.inspection.trace import trace_step
from nerva_core.inspection.trace_data import Trace
from nerva_core.layers import Sequential
from nerva_core.layers.notation import items_of, parse_layers
from sympy_validation.faults import fault
from sympy_validation.spaces.grids import Grid, GridOps

MOST = 64
"""The largest number of rows, of columns, and of layers: a page shows every matrix."""

Initializer.draw = lambda self, rng, D, K, shape: self.distribution(D, K).draw(rng, shape)  # type: ignore[assignment, method-assign]


class Rows(list[list[float]]):
    """The rows of a matrix, where the library expects an array."""

    def item(self) -> float:
        """The only element."""
        ((x,),) = self
        return x


class Numbers(GridOps):
    """Matrix operations on floating-point numbers."""

    def __init__(self) -> None:
        super().__init__(FloatDomain())

    def matrix(self, rows: list[list[float]]) -> Grid:
        """The matrix with the given rows."""
        return Grid(rows, (len(rows), len(rows[0])))

    def matrices(self, tree: Any) -> Any:
        """A tree of rows as a tree of matrices."""
        return map_tree(self.matrix, tree)

    def to_numpy(self, X: Grid) -> Rows:
        """The rows of the matrix."""
        return Rows([list(row) for row in X.elements])


class Draws(random.Random):
    """Random matrices, as NumPy's generators give them."""

    def uniform(self, a: float, b: float, shape: tuple[int, int] = (1, 1)) -> Any:
        """Independent draws from U(a, b)."""
        return Rows([[a + (b - a) * self.random() for _ in range(shape[1])] for _ in range(shape[0])])

    def normal(self, mu: float, sigma: float, shape: tuple[int, int]) -> Rows:
        """Independent draws from N(mu, sigma)."""
        return Rows([[self.gauss(mu, sigma) for _ in range(shape[1])] for _ in range(shape[0])])


def step(given: str, post: Callable[[str], None]) -> None:
    """A step, given as JSON: layers, loss, lr, X and T as text, and the parameters, or a seed for those at the beginning."""
    try:
        post(json.dumps({"kind": "step", **told(json.loads(given))}, ensure_ascii=False))
    except NervaError as error:
        post(json.dumps({"kind": "note", "text": str(error)}))
    except Exception as error:
        post(json.dumps({"kind": "note", "text": f"this does not run: {fault(error)}"}))
    post(json.dumps({"kind": "done"}))


def told(given: dict[str, Any]) -> dict[str, Any]:
    """The parts of the step, the loss before it, and the parameters before and after it. NervaError if it cannot be computed."""
    X, T = matrix("X", given["X"]), matrix("T", given["T"])
    network, loss = parse_layers(items_of(given["layers"])), LOSSES.parse(given["loss"])
    D, N = len(X[0]), len(X)
    check(network, N, D, T)
    params = network.init(Draws(given["seed"]), D)
    if given.get("params"):
        params = with_leaves(params, given["params"])
    none = network.draw(Draws(0), N, D)
    trace = trace_step(network, X, T, params, loss, lr=float(given["lr"]), noise=none, ops=Numbers(), state=none)  # type: ignore[arg-type]
    return {"loss": trace.loss, "params": [list(leaves(params)), list(leaves(trace.params))], "parts": parts(trace)}


def check(network: Sequential, N: int, D: int, T: Rows) -> None:
    """NervaError if the page cannot show a step of the network, or the targets do not fit."""
    if list(leaves(network.noise_shapes(N, D))):
        raise NervaError("a layer with random numbers, such as Dropout, is not run in the browser; nerva trace shows it")
    if len(network.flattened()) > MOST or max(N, D, network.outputs_for(D)) > MOST:
        raise NervaError(f"the page shows up to {MOST} layers, rows and columns; nerva trace shows a corner of larger matrices")
    outputs = network.outputs_for(D)
    if (len(T), len(T[0])) != (N, outputs):
        raise NervaError(
            f"T has a row for each row of X and a column for each output of the network: "
            f"{counted(N, 'row')} and {counted(outputs, 'column')}, got {counted(len(T), 'row')} and {counted(len(T[0]), 'column')}"
        )


def matrix(name: str, text: str) -> Rows:
    """The matrix in a text: a row a line, numbers with spaces or commas between them. NervaError if there is none."""
    rows = Rows()
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        try:
            rows.append([float(word) for word in line.replace(",", " ").split()])
        except ValueError as error:
            raise NervaError(f"{name}, row {number}: numbers with spaces between them are expected, {error}") from None
    if not rows or len(set(map(len, rows))) > 1:
        raise NervaError(f"{name} needs rows with as many numbers each, got {[len(row) for row in rows]}")
    return rows


def parts(trace: Trace) -> list[dict[str, Any]]:
    """The trace as the page draws it."""
    return [
        {
            "number": part.number,
            "title": part.title,
            "matrices": [
                {
                    "name": m.name,
                    "given": m.given,
                    "origin": m.right if m.given else "",
                    "shape": m.shape,
                    "mathml": f"<math>{m.mathml}</math>",
                    "values": m.values,
                }
                for m in part.matrices
            ],
        }
        for part in trace.parts
    ]
