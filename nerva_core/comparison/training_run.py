"""A whole training run, compared with the same run in exact arithmetic: do small errors stay small?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves, map_tree, named_leaves
from nerva_core.comparison.bounds import TRAINING, Bound
from nerva_core.comparison.inputs import normal, one_hot
from nerva_core.comparison.measure import Result
from nerva_core.comparison.rounding import Value, correctly_rounded
from nerva_core.equations.losses import SoftmaxCrossEntropyOneHot
from nerva_core.equations.optimizers import Momentum
from nerva_core.interpreters.exact import ExactMatrix, ExactOps, exactly
from nerva_core.layers import multilayer_perceptron
from nerva_core.training.step import TrainingState, training_step

STEPS, BATCH, EXAMPLES, FEATURES = 100, 16, 48, 4
LEARNING_RATE = 1 / 64
NETWORK = multilayer_perceptron("SReLU;BatchNormalization;SReLU;Linear", [FEATURES, 8, 6, 3])
SUBJECT = f"{STEPS} steps"
LOSS, OPTIMIZER = SoftmaxCrossEntropyOneHot(), Momentum()


def run(ops: Any, entry: Callable[[Any], Any], compile_: Callable[[Any], Any], dtype: str, seed: int) -> dict[str, Any]:
    """The run on any matrix operations: the loss before every step, and at last every parameter. ``entry`` prepares layers and rules."""
    rng = np.random.default_rng(seed)
    params = map_tree(lambda theta: ops.matrix(theta.astype(dtype)), NETWORK.init(rng, FEATURES))
    statistics = map_tree(lambda s: ops.matrix(s.astype(dtype)), NETWORK.initial_state(FEATURES))
    X, T = normal(rng, EXAMPLES, FEATURES, dtype), one_hot(rng, EXAMPLES, 3, dtype)
    network, optimizer = entry(NETWORK), entry(OPTIMIZER)
    state = TrainingState(params, tuple(optimizer.init(ops, theta) for theta in leaves(params)), statistics)
    scalars = map_tree(getattr(ops, "scalar", lambda c: c), optimizer.scalars(LEARNING_RATE, 1))

    def step(state: TrainingState, X: Any, T: Any, scalars: Any) -> tuple[TrainingState, Any]:
        return training_step(ops, network, LOSS, optimizer, state, X, T, ((),) * len(NETWORK.layers), scalars)

    step = compile_(step)
    results: dict[str, Any] = {}
    for t in range(STEPS):
        rows = rng.permutation(EXAMPLES)[:BATCH]
        state, outputs = step(state, ops.matrix(X[rows]), ops.matrix(T[rows]), scalars)
        results[f"loss {t + 1}"] = outputs.loss
    return results | dict(named_leaves(state.params))


@functools.cache
def exact_run(dtype: str, seed: int) -> dict[str, Value]:
    """The run in exact arithmetic, from initial values and data in the dtype."""
    names: list[str] = []

    def compute(ops: ExactOps) -> list[ExactMatrix]:
        results = run(ops, lambda entry: exactly(entry, ops.numbers), lambda step: step, dtype, seed)
        names[:] = results
        return list(results.values())

    values = correctly_rounded(compute, dtype)
    return dict(zip(names, values, strict=True))


def measure_training(ops: Backend, seed: int) -> Iterator[Result]:
    """The error of the losses and of the parameters after the run, relative to the largest of them, compiled as in training."""
    exact = exact_run(ops.dtype, seed)
    bound = Bound("relative", TRAINING[ops.dtype], f"after {STEPS} steps")
    computed = {name: np.asarray(ops.to_numpy(Y), np.float64) for name, Y in run(ops, lambda e: e, ops.compile, ops.dtype, seed).items()}
    for quantity in ("loss", "parameters"):
        names = [name for name in exact if name.startswith("loss ") == (quantity == "loss")]
        error, case = max((_error(computed[name], exact[name]), name) for name in names)
        largest = max(float(np.abs(exact[name].rounded).max()) for name in names)
        ulp = error / float(np.spacing(np.asarray(largest, ops.dtype)))
        yield Result(
            ops.name, ops.dtype, "compiled", "training", SUBJECT, f"{SUBJECT}: {quantity}", ulp, bound, case, relative=error / largest
        )


def _error(computed: Array, exact: Value) -> float:
    error = float(np.abs((computed - exact.rounded) - exact.rest).max())
    return error if np.isfinite(error) else np.inf
