"""Gradient activation functions in update rules: the variants as plain loops, and how they leave saddles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS, Arctan, Identity, Log, NormClipping, Tanh, ValueClipping
from nerva_core.equations.optimizers import (
    GAF,
    OPTIMIZERS,
    Adam,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    WeightDecay,
)
from tests.conftest import make_backend
from tests.equations.steps import ETA, GRADIENTS, THETA, Array, run
from tests.helpers import examples

VARIANTS = get_args(get_type_hints(GAF)["variant"])


def arctan(g: Any) -> Any:
    """α arctan(βg) with α = 0.1, β = 20."""
    return 0.1 * np.arctan(20 * g)


def loop(variant: str, gradients: Any, mu: float = 0.9, eta: float = 0.1, nesterov: bool = False, theta: Any = 0.0) -> Any:
    """The three forms of Algorithm 1, written as plain loops: as printed, and as the authors' SGD_atanMom and SGD_atan."""
    v, history = 0.0 * theta, []
    for g in gradients:
        if variant == "printed":
            v = mu * v - eta * g
            theta = theta + arctan(mu * v - eta * g if nesterov else v)
        elif variant == "momentum-buffer":
            v = mu * v + g
            theta = theta - eta * arctan(g + mu * v if nesterov else v)
        else:
            v = mu * v + arctan(g)
            theta = theta - eta * (arctan(g) + mu * v if nesterov else v)
        history.append(theta)
    return np.array(history)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("optimizer", "mu", "nesterov"), [(GradientDescent(), 0, False), (Momentum(0.7), 0.7, False), (Nesterov(0.6), 0.6, True)]
)
def test_the_variants_are_the_plain_loops(ops: Backend, variant: Any, optimizer: Optimizer, mu: float, nesterov: bool) -> None:
    expected = loop(variant, GRADIENTS, mu, ETA, nesterov, THETA)
    np.testing.assert_allclose(run(ops, GAF(optimizer, Arctan(), variant=variant)), expected, rtol=0, atol=1e-14)


def test_the_variants_differ_after_three_steps(ops: Backend) -> None:
    """Erratum 001-46, in numbers."""
    gradients = np.array([0.3, -0.2, 0.1]).reshape(3, 1, 1)
    ends = {v: run(ops, GAF(Momentum(0.9), variant=v), np.zeros((1, 1)), gradients, 0.1)[-1].item() for v in VARIANTS}
    assert ends == pytest.approx({"printed": -0.0995, "momentum-buffer": -0.0363, "gradient-first": -0.0240}, abs=5e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_with_the_identity_it_is_the_optimizer(ops: Backend, variant: Any) -> None:
    """As in the paper: Algorithm 1 without an activation is momentum."""
    optimizers: list[Optimizer] = [GradientDescent(), Momentum(0.8), Nesterov(0.8)]
    for optimizer in [*optimizers, Adam(), RMSProp()] if variant == "gradient-first" else optimizers:
        activated = run(ops, GAF(optimizer, Identity(), variant=variant))
        np.testing.assert_allclose(activated, run(ops, optimizer), rtol=0, atol=1e-14, err_msg=repr(optimizer))


def test_gradient_first_is_the_optimizer_on_activated_gradients(ops: Backend) -> None:
    for optimizer in (Adam(), RMSProp(), Momentum(), WeightDecay(Adam(), 0.1, decoupled=True)):
        expected = run(ops, optimizer, gradients=arctan(GRADIENTS))
        np.testing.assert_allclose(run(ops, GAF(optimizer, Arctan())), expected, rtol=0, atol=1e-13)


def test_where_the_weight_decay_is() -> None:
    """Inside, it is added to the activated gradient; outside, it is activated with it."""
    ops = make_backend("numpy", "float64")
    g = GRADIENTS[:1]
    inside, outside = (
        run(ops, GAF(WeightDecay(GradientDescent(), 0.3)), gradients=g),
        run(ops, WeightDecay(GAF(GradientDescent()), 0.3), gradients=g),
    )
    np.testing.assert_allclose(inside[0], THETA - ETA * (arctan(g[0]) + 0.3 * THETA), rtol=1e-13)
    np.testing.assert_allclose(outside[0], THETA - ETA * arctan(g[0] + 0.3 * THETA), rtol=1e-13)


@pytest.mark.parametrize("variant", ["printed", "momentum-buffer"])
@pytest.mark.parametrize("text", ["Adam", "RMSProp", "WeightDecay(Momentum, 0.1)", "GAF(Momentum)"])
def test_a_variant_that_makes_no_sense_is_refused(variant: str, text: str) -> None:
    with pytest.raises(
        NervaError, match=f"the variant '{variant}' is for GradientDescent, Momentum, Nesterov and SGD without decay"
    ) as caught:
        OPTIMIZERS.parse(f"GAF({text}, variant={variant})")
    assert ("put the decay outside: WeightDecay(GAF(" in str(caught.value)) == text.startswith("WeightDecay")


def test_alpha_and_beta_are_those_of_the_activation() -> None:
    expected = GAF(Momentum(0.9), Tanh(0.2, 10.0))
    for text in ("GAF(Momentum(0.9), tanh, alpha=0.2, beta=10)", "gaf(momentum, tanh(0.2, 10))", "GAF(Momentum, tanh(alpha=0.2), beta=10)"):
        assert OPTIMIZERS.parse(text) == expected
    assert GAF(Momentum()) == GAF(Momentum(), Arctan(0.1, 20.0), variant="gradient-first")
    with pytest.raises(NervaError, match=r"ValueClipping has no parameter 'alpha'; known: threshold"):
        OPTIMIZERS.parse("GAF(Momentum, value_clipping, alpha=0.1)")
    with pytest.raises(NervaError, match=r"Identity has no parameter 'beta'; it has none"):
        GAF(Momentum(), Identity(), beta=20.0)
    with pytest.raises(NervaError, match=r"GAF: alpha must be > 0, got -1"):
        OPTIMIZERS.parse("GAF(Momentum, arctan, alpha=-1)")
    with pytest.raises(NervaError, match=r"unknown gradient activation 'arctn'; did you mean 'Arctan'"):
        OPTIMIZERS.parse("GAF(Momentum, arctn)")
    with pytest.raises(NervaError, match=r"variant must be one of 'gradient-first', 'printed', 'momentum-buffer', got 'first'"):
        OPTIMIZERS.parse("GAF(Momentum, variant=first)")


def steps_until(
    optimizer: Optimizer, reached: Callable[[Array], bool], curvatures: tuple[float, float], start: tuple[float, float], eta: float
) -> int:
    """The number of steps on the loss with the gradient curvatures ⊙ w until a point is reached."""
    ops = make_backend("numpy", "float64")
    w, k = ops.matrix([start]), ops.matrix([curvatures])
    state = optimizer.init(ops, w)
    for t in range(1, 1000):
        w, state = optimizer.update(ops, state, w, ops.hadamard(k, w), *optimizer.scalars(eta, t))
        if reached(w[0]):
            return t
    return 1000


@pytest.mark.parametrize(
    ("optimizer", "escape", "far"),
    [
        (GradientDescent(), 60, 76),
        (GAF(GradientDescent(), Arctan()), 34, 98),
        (GAF(GradientDescent(), Tanh()), 34, 129),
        (GAF(GradientDescent(), Log()), 35, 70),
        (GAF(GradientDescent(), Arctan(), variant="printed"), 33, 45),
        (GAF(GradientDescent(), Arctan(), variant="momentum-buffer"), 34, 98),
        (GAF(GradientDescent(), ValueClipping()), 60, 155),
        (GAF(GradientDescent(), NormClipping()), 139, 234),
        (Momentum(), 28, 36),
        (GAF(Momentum(), Arctan()), 20, 32),
        (GAF(Momentum(), Arctan(), variant="printed"), 20, 28),
        (GAF(Momentum(), Arctan(), variant="momentum-buffer"), 21, 82),
    ],
    ids=repr,
)
def test_leaving_a_saddle(optimizer: Optimizer, escape: int, far: int) -> None:
    """w₁² - w₂² from (1, 1e-6) with η = 0.1: the GAF leaves the neighbourhood sooner, and, bounded, gets far later (Theorem 6)."""
    for distance, expected in ((0.05, escape), (1.0, far)):
        assert steps_until(optimizer, lambda w, d=distance: abs(w[1]) > d, (2, -2), (1, 1e-6), 0.1) == expected


def test_near_a_minimum_the_gaf_doubles_the_learning_rate_and_far_from_it_is_slower() -> None:
    """w₁² + 0.2 w₂², αβ = 2: half the steps from near, more from far."""
    activated = GAF(GradientDescent(), Arctan())
    small: Callable[[Array], bool] = lambda w: w[0] ** 2 + 0.2 * w[1] ** 2 < 1e-8  # noqa: E731
    near, far = (0.02, 0.03), (20.0, 30.0)
    assert [steps_until(o, small, (2, 0.4), near, 0.1) for o in (GradientDescent(), activated)] == [121, 59]
    assert steps_until(GradientDescent(), small, (2, 0.4), near, 0.2) == 59
    assert steps_until(GradientDescent(), small, (2, 0.4), far, 0.1) < 300 < 1000 == steps_until(activated, small, (2, 0.4), far, 0.1)


def test_every_gradient_activation_runs_in_an_optimizer(ops_of_dtype: Backend) -> None:
    reference = make_backend("numpy", "float64")
    for activation in examples(GRADIENT_ACTIVATIONS):
        optimizer = GAF(Momentum(), activation)
        expected, atol = run(reference, optimizer), {"float32": 1e-5, "float64": 1e-13}[ops_of_dtype.dtype]
        np.testing.assert_allclose(run(ops_of_dtype, optimizer), expected, rtol=0, atol=atol, err_msg=repr(activation))
