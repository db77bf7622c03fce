"""Averages of weights: against Optax, in numbers by hand, and around other rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.optimizers import EMA, OPTIMIZERS, SGD, GradientDescent, Lookahead, Optimizer, WeightDecay
from tests.conftest import installed, load_frameworks
from tests.equations.test_optimizers import ETA, GRADIENTS, THETA, run

Array = np.ndarray[Any, Any]


def averages(ops: Backend, optimizer: Optimizer, theta: Array = THETA, gradients: Array = GRADIENTS, eta: float = ETA) -> Array:
    """What the network is evaluated with after each step."""
    parameter, history = ops.matrix(theta), []
    state = optimizer.init(ops, parameter)
    for t, gradient in enumerate(gradients, start=1):
        scalars = [ops.scalar(c) for c in optimizer.scalars(eta, t)]
        parameter, state = optimizer.update(ops, state, parameter, ops.matrix(gradient), *scalars)
        history.append(ops.to_numpy(optimizer.evaluated(state, parameter)))
    return np.array(history)


@pytest.mark.skipif(not installed("optax"), reason="optax is not installed")
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.999])
def test_the_average_is_that_of_optax(ops: Backend, beta: float) -> None:
    """optax.ema with its correction, in float64, of the parameters that gradient descent gives."""
    load_frameworks()
    import jax
    import optax

    with jax.enable_x64(True):
        rule = optax.ema(beta, debias=True)
        state, expected = rule.init(THETA), []
        for theta in run(ops, GradientDescent()):
            average, state = rule.update(jax.numpy.asarray(theta), state)
            expected.append(np.array(average))
    np.testing.assert_allclose(averages(ops, EMA(GradientDescent(), beta)), expected, rtol=0, atol=1e-11)


@pytest.mark.skipif(not installed("optax"), reason="optax is not installed")
def test_lookahead_is_that_of_optax(ops: Backend) -> None:
    load_frameworks()
    import jax
    import optax

    with jax.enable_x64(True):
        rule = optax.lookahead(optax.sgd(ETA, momentum=0.75), sync_period=2, slow_step_size=0.25)
        params = optax.LookaheadParams.init_synced(jax.numpy.asarray(THETA))
        state, expected = rule.init(params), []
        for gradient in GRADIENTS:
            updates, state = rule.update(jax.numpy.asarray(gradient), state, params)
            params = optax.apply_updates(params, updates)
            expected.append(np.array(params.fast))
    np.testing.assert_allclose(run(ops, Lookahead(SGD(momentum=0.75), 2, 0.25)), expected, rtol=0, atol=1e-12)


def test_in_numbers(ops: Backend) -> None:
    """θ = 0 with gradients -1, -1, -4 and η = 1 is 1, 2, 6; with β = 1/2 its averages are 1, 5/3 and (1 + 2 · 2 + 4 · 6) / 7."""
    theta, G = np.zeros((1, 1)), np.array([-1.0, -1, -4]).reshape(-1, 1, 1)
    np.testing.assert_allclose(averages(ops, EMA(GradientDescent(), 0.5), theta, G, 1.0).ravel(), [1, 5 / 3, 29 / 7], rtol=1e-15)
    # After two steps halfway between 0 and 2, from which the third goes on.
    np.testing.assert_array_equal(run(ops, Lookahead(GradientDescent(), 2, 0.5), theta, G, 1.0).ravel(), [1, 1, 5])


def test_training_goes_on_as_without_averages(ops: Backend) -> None:
    for rule in (GradientDescent(), SGD(momentum=0.5, decay=0.25)):
        np.testing.assert_array_equal(run(ops, EMA(rule, 0.9)), run(ops, rule))
        np.testing.assert_array_equal(run(ops, Lookahead(rule, k=100)), run(ops, rule))


def test_an_average_is_seen_through_other_rules(ops: Backend) -> None:
    plain = averages(ops, EMA(GradientDescent(), 0.5))
    for rule in (Lookahead(EMA(GradientDescent(), 0.5), k=100), WeightDecay(EMA(GradientDescent(), 0.5), 0.0)):
        np.testing.assert_array_equal(averages(ops, rule), plain)
    np.testing.assert_array_equal(averages(ops, WeightDecay(GradientDescent(), 0.0)), run(ops, GradientDescent()))


def test_the_first_average_is_a_copy(ops: Backend) -> None:
    theta = ops.matrix(THETA)
    assert EMA(GradientDescent()).init(ops, theta).Theta is not theta


@pytest.mark.parametrize("text", ["EMA(Adam, beta=1.0)", "EMA(Adam, -0.1)", "Lookahead(Adam, k=0)", "Lookahead(Adam, alpha=0.0)", "EMA"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"must be|needs the parameter 'optimizer'"):
        OPTIMIZERS.parse(text)
