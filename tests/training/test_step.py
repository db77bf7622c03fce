from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import leaves
from nerva_core.equations.losses import SoftmaxCrossEntropy, SquaredError
from nerva_core.equations.optimizers import GradientDescent
from nerva_core.layers import Linear, Sequential
from nerva_core.training.step import TrainingState, largest_magnitude, training_step


@pytest.mark.parametrize(("X", "T", "named"), [((3, 5, 4), (3, 2), "X"), ((3, 4), (3, 2, 1), "T"), ((4,), (1, 2), "X")])
def test_a_step_refuses_what_is_not_a_matrix(X: tuple[int, ...], T: tuple[int, ...], named: str) -> None:
    """Linear turned W into a 3 x 2 x 4 array without a word."""
    ops, network, optimizer = backend("numpy"), Sequential((Linear(2),)), GradientDescent()
    params = ops.matrices(network.init(np.random.default_rng(0), 4))
    state = TrainingState(params, tuple(optimizer.init(ops, theta) for theta in leaves(params)), network.initial_state(4))
    with pytest.raises(NervaError, match=f"training_step: {named}: every value is a matrix"):
        training_step(ops, network, SquaredError(), optimizer, state, np.zeros(X), np.zeros(T), (), optimizer.scalars(0.1, 1))


@pytest.mark.parametrize("named", ["W", "b"])
@pytest.mark.parametrize("spoil", [np.ravel, lambda theta: np.stack([theta] * 3), np.ndarray.tolist])
def test_a_step_refuses_a_parameter_that_is_not_a_matrix(named: str, spoil: Callable[[Any], Any]) -> None:
    """A b of shape (2,), and a family of W, went through the equations and came back in other shapes."""
    ops, network, optimizer = backend("numpy"), Sequential((Linear(2),)), GradientDescent()
    (params,) = ops.matrices(network.init(np.random.default_rng(0), 4))
    spoiled = (params._replace(**{named: spoil(getattr(params, named))}),)
    state = TrainingState(spoiled, ((), ()), network.initial_state(4))
    with pytest.raises(NervaError, match=rf"the parameters: 0\.{named}: every value is a matrix"):
        training_step(ops, network, SquaredError(), optimizer, state, np.zeros((3, 4)), np.zeros((3, 2)), (), optimizer.scalars(0.1, 1))


@pytest.mark.parametrize("named", ["targets", "weights"])
def test_a_step_refuses_weights_that_are_not_a_matrix(named: str) -> None:
    ops, network, optimizer = backend("numpy"), Sequential((Linear(2),)), GradientDescent()
    state = TrainingState(ops.matrices(network.init(np.random.default_rng(0), 4)), ((), ()), network.initial_state(4))
    arguments = (np.zeros((3, 4)), np.zeros((3, 2)), (), optimizer.scalars(0.1, 1))
    with pytest.raises(NervaError, match=rf"training_step: {named}: every value is a matrix, but this one has the shape \(3,\)"):
        training_step(ops, network, SquaredError(), optimizer, state, *arguments, **{named: np.ones(3)})


def test_the_largest_magnitude_is_that_of_any_sign_and_matrix(ops: Any) -> None:
    matrices = [ops.matrix([[1.0, -5.0], [2.0, 3.0]]), ops.matrix([[4.0]])]
    assert ops.to_numpy(largest_magnitude(ops, matrices)) == [[5.0]]
    assert ops.to_numpy(largest_magnitude(ops, matrices[::-1])) == [[5.0]]


def test_padding_does_not_weaken_a_step(ops: Any) -> None:
    """With the number of targets, a step on rows of which some are padding is one on the others alone."""
    network, optimizer, rng = Sequential((Linear(3),)), GradientDescent(), np.random.default_rng(0)
    X, T, kept = rng.normal(size=(5, 4)), np.eye(3)[[0, 2, 1, 1, 0]], [0, 3, 4]
    T[[1, 2]] = 0
    params = network.init(rng, 4)

    def step(X: Any, T: Any, targets: Any) -> Any:
        theta = ops.matrices(params)
        state = TrainingState(theta, tuple(optimizer.init(ops, t) for t in leaves(theta)), network.initial_state(4))
        scalars = tuple(map(ops.scalar, optimizer.scalars(0.1, 1)))
        arguments = ops.matrix(X), ops.matrix(T), (), scalars, False, targets
        new, outputs = training_step(ops, network, SoftmaxCrossEntropy(), optimizer, state, *arguments)
        return [*map(ops.to_numpy, leaves(new.params)), ops.to_numpy(outputs.loss)]

    padded, alone = step(X, T, ops.full(3, 1, 1)), step(X[kept], T[kept], None)
    for a, b in zip(padded, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
