"""Truly sparse networks against dense and masked dense ones: the time of a step, and the memory of parameters, moments and patterns.

All run the same training step on the same backend, one after the other in each round. A masked layer is what libraries without sparse
products do: it stores and multiplies all weights, those that are left out by 0.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.registry import Count
from nerva_core.algebra.trees import Tree, leaves
from nerva_core.benchmark.machine import machine
from nerva_core.equations.activations import ReLU
from nerva_core.equations.losses import SoftmaxCrossEntropy
from nerva_core.equations.optimizers import Momentum
from nerva_core.layers import ActivationLayer, Layer, Linear, Sequential, SparseLinear
from nerva_core.layers.densities import erdos_renyi
from nerva_core.layers.linear import LinearParameters
from nerva_core.layers.sparse import SparseParameters
from nerva_core.training.step import TrainingState, training_step

NETWORKS = {"784-1024-1024-10": (784, 1024, 1024, 10), "3072-1024-512-1024-10": (3072, 1024, 512, 1024, 10)}
DENSITIES = (1.0, 0.2, 0.1, 0.05, 0.01, 0.001)
BATCH, STEPS, RATE = 100, 10, 0.01


class Masked(NamedTuple):
    """X is N x D, S is K x D, of zeros and ones."""

    X: Any
    S: Any


@dataclass(frozen=True)
class MaskedLinear(Layer):
    """Y = X · (S ⊙ W)ᵀ + 1_N · b, S a mask of zeros and ones in the state."""

    outputs: Count
    density: float

    def outputs_for(self, D: Size) -> Size:
        return self.outputs

    def shapes(self, D: Size) -> LinearParameters:
        return LinearParameters(W=(self.outputs, D), b=(1, self.outputs))

    def has_pattern(self) -> bool:
        return True

    def given(self, state: Tree, noise: Tree = ()) -> Any:
        return state

    def initial_state(self, D: int) -> Tree:
        sparse = SparseLinear(self.outputs, self.density)
        ones = SparseParameters(w=np.ones((1, sparse.places(D))), b=np.zeros((1, self.outputs)))
        return (sparse.dense(D, ones, sparse.initial_state(D))[1].W,)

    def feedforward(self, ops: MatrixOps[M], params: LinearParameters[M], X: M, S: M) -> tuple[M, Masked]:
        W, b = params
        return X @ ops.transpose(ops.hadamard(S, W)) + ops.row_repeat(b, ops.shape(X)[0]), Masked(X, S)

    def backpropagate(self, ops: MatrixOps[M], params: LinearParameters[M], cache: Masked, DY: M) -> tuple[M, LinearParameters[M]]:
        X, S = cache
        DW = ops.hadamard(S, ops.transpose(DY) @ X)
        return DY @ ops.hadamard(S, params.W), LinearParameters(DW, ops.columns_sum(DY))


KINDS: dict[str, Callable[[int, float], Layer]] = {
    "dense": lambda K, density: Linear(K),
    "masked": lambda K, density: Linear(K) if density == 1 else MaskedLinear(K, density),
    "sparse": lambda K, density: Linear(K) if density == 1 else SparseLinear(K, density),
}


def network(kind: str, sizes: Sequence[int], density: float) -> Sequential:
    """The network whose layers have the Erdős–Rényi densities, by a kind of layer."""
    layers: list[Layer] = []
    for K, own in zip(sizes[1:], erdos_renyi(density, sizes), strict=True):
        layers += [KINDS[kind](K, own), ActivationLayer(ReLU())]
    return Sequential(tuple(layers[:-1]))


@dataclass(frozen=True)
class SparseTiming:
    """What was measured of one network."""

    backend: str
    network: str
    density: float
    kind: str
    milliseconds: float
    """The median of the rounds, of the processor time of a step."""
    bytes: int
    """Of parameters, moments and patterns."""
    load: float
    """The load of the machine, the mean of the last minute, when it was measured."""


class Runner:
    """A network in training on random numbers."""

    def __init__(self, ops: Backend, network: Sequential, inputs: int) -> None:
        rng, D = np.random.default_rng(0), inputs
        self.ops, self.network, self.optimizer = ops, network, Momentum()
        params = ops.matrices(network.init(rng, D))
        moments = tuple(self.optimizer.init(ops, theta) for theta in leaves(params))
        self.state = TrainingState(params, moments, ops.matrices(network.initial_state(D)))
        T = np.eye(int(network.outputs_for(D)))[rng.integers(network.outputs_for(D), size=BATCH)]
        self.data = ops.matrix(rng.normal(size=(BATCH, D))), ops.matrix(T)
        rows = np.stack([rng.permutation(BATCH) for _ in range(STEPS)])
        self.inputs = rows, tuple(np.full(STEPS, c) for c in self.optimizer.scalars(RATE, 1))

    @property
    def bytes(self) -> int:
        """Of the whole state."""
        return sum(np.asarray(self.ops.to_numpy(X)).nbytes for X in leaves(self.state))

    def run(self) -> float:
        """The processor time of a step, in milliseconds."""
        started = time.process_time()
        self.state, _ = self.ops.run_steps(self._step, self.state, self.data, self.inputs)
        return 1000 * (time.process_time() - started) / STEPS

    def _step(self, ops: Any, state: TrainingState, X: Any, T: Any, rows: Any, scalars: Any) -> Any:
        X, T = ops.take_rows(X, rows), ops.take_rows(T, rows)
        return training_step(ops, self.network, SoftmaxCrossEntropy(), self.optimizer, state, X, T, (), scalars)


def measure(name: str, networks: Sequence[str], densities: Sequence[float], rounds: int) -> Iterator[SparseTiming]:
    """Dense, masked and sparse networks on a backend; the dense one is measured beside each of the others."""
    ops = backend(name)
    for of_network in networks:
        sizes = NETWORKS[of_network]
        for density in densities:
            runners = {kind: Runner(ops, network(kind, sizes, density), sizes[0]) for kind in KINDS}
            for runner in runners.values():
                runner.run()  # which compiles it
            times: dict[str, list[float]] = {kind: [] for kind in KINDS}
            for _ in range(rounds):
                for kind, runner in runners.items():
                    times[kind].append(runner.run())
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
            for kind, runner in runners.items():
                yield SparseTiming(name, of_network, density, kind, statistics.median(times[kind]), runner.bytes, load)


def table(timings: Sequence[SparseTiming]) -> str:
    """The times, and how many times as fast the sparse network is as the two others, as lines of text."""
    head = ("backend", "network", "density", "dense ms", "masked ms", "sparse ms", "x dense", "x masked", "memory", "load")
    lines: list[tuple[str, ...]] = [head]
    for k in range(0, len(timings), len(KINDS)):
        dense, masked, sparse = timings[k : k + len(KINDS)]
        times = [f"{t.milliseconds:.2f}" for t in (dense, masked, sparse)]
        ratios = [f"{t.milliseconds / sparse.milliseconds:.2f}" for t in (dense, masked)]
        memory = f"{sparse.bytes / dense.bytes:.1%}"
        lines.append((sparse.backend, sparse.network, f"{sparse.density:g}", *times, *ratios, memory, f"{sparse.load:.1f}"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def sparse_command(backends: Sequence[str], rounds: int, path: Path | None) -> None:
    """``nerva bench --sparse``: print the table, and write what was measured."""
    from nerva_core.training.models import write_atomically

    timings: list[SparseTiming] = []
    for name in backends:
        timings += measure(name, list(NETWORKS), DENSITIES, rounds)
    print(table(timings))
    if path is not None:
        content = {"machine": machine(), "timings": [asdict(timing) for timing in timings]}
        write_atomically(path, json.dumps(content, indent=1).encode())
