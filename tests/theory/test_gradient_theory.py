from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from nerva_core.equations.gradient_activations import Arctan, Elementwise, Identity, Log, Tanh, ValueClipping, at
from nerva_core.theory.gradient_theory import (
    CURVATURES,
    DEMONSTRATIONS,
    INSTANCE,
    Demonstration,
    Segment,
    box,
    constants,
    contracts,
    contracts_as_printed,
    curl,
    descent,
    distances,
    equivalent_loss,
    expands,
    gap_bound,
    norm_clipped,
    norm_clipping_curl,
    sampled_constants,
)

GAFS = [G(alpha, beta) for G in (Arctan, Tanh, Log) for alpha, beta in ((0.1, 20.0), (0.2, 10.0))]
W = np.random.default_rng(12).uniform(-1, 1, (8, 2))


# The demonstrations ----------------------------------------------------------------------


@pytest.mark.parametrize("demonstration", DEMONSTRATIONS, ids=lambda d: d.name)
def test_the_statement_holds_and_what_is_printed_does_not(demonstration: Demonstration) -> None:
    assert demonstration.holds()
    assert demonstration.fails()


def test_every_lemma_and_theorem_is_demonstrated() -> None:
    names = {demonstration.name for demonstration in DEMONSTRATIONS}
    assert names >= {"Lemma 1", "Lemma 2", *(f"Theorem {k}" for k in range(1, 7))}
    assert len(names) == len(DEMONSTRATIONS)


# Equivalent losses ----------------------------------------------------------------------


def printed_loss(G: Elementwise, w: np.ndarray[Any, Any]) -> Any:
    """The closed forms for the loss w₁² + 0.2 w₂², each written out."""
    k = np.array(CURVATURES)
    match G:
        case Arctan(alpha, beta):
            each = alpha * (w * np.arctan(beta * k * w) - np.log(1 + (beta * k * w) ** 2) / (2 * beta * k))
        case Tanh(alpha, beta):
            each = alpha / (beta * k) * np.log(np.cosh(beta * k * w))
        case Log(alpha, beta):
            z = beta * k * np.abs(w)
            each = alpha / (beta * k) * ((1 + z) * np.log(1 + z) - z)
        case ValueClipping(c):
            each = np.where(k * np.abs(w) <= c, k * w**2 / 2, c * np.abs(w) - c**2 / (2 * k))
        case _:
            each = k * w**2 / 2
    return each.sum(axis=1)


@pytest.mark.parametrize("G", [*GAFS, ValueClipping(0.3), Identity()], ids=repr)
def test_the_equivalent_loss_has_the_activated_gradient(G: Elementwise) -> None:
    atol = 2e-6 if isinstance(G, Identity) else 1e-13
    np.testing.assert_allclose(equivalent_loss(G, W), printed_loss(G, W), rtol=0, atol=atol)
    for n, h in enumerate(1e-5 * np.eye(2)):
        slope = (equivalent_loss(G, W + h) - equivalent_loss(G, W - h)) / 2e-5
        np.testing.assert_allclose(slope, at(G.value, CURVATURES[n] * W[:, n]), rtol=0, atol=1e-6)


def test_norm_clipping_has_a_curl_and_so_no_equivalent_loss() -> None:
    for w in W:
        numeric = curl(lambda v: norm_clipped(v, 0.05), w)
        assert numeric == pytest.approx(norm_clipping_curl(w, 0.05), rel=1e-5)
        printed = 20 * 0.05 * w[0] * w[1] / (25 * w[0] ** 2 + w[1] ** 2) ** 1.5
        assert abs(numeric) == pytest.approx(abs(printed), rel=1e-5)
        assert abs(numeric) > 1e-4
        assert curl(lambda v: norm_clipped(v, 0.05, (2, 2)), w) == pytest.approx(0, abs=1e-8)
        assert curl(lambda v: norm_clipped(v, 10.0), w) == pytest.approx(0, abs=1e-8)
        assert norm_clipping_curl(w, 10.0) == 0


def test_an_activated_gradient_of_a_separable_loss_has_no_curl() -> None:
    for G in GAFS:
        assert curl(lambda w, G=G: at(G.value, np.multiply(CURVATURES, w)), W[0]) == pytest.approx(0, abs=1e-8)


# Constants ----------------------------------------------------------------------


@pytest.mark.parametrize("G", [*GAFS, Identity(), ValueClipping()], ids=repr)
def test_the_condition_number_at_the_minimum_is_unchanged(G: Elementwise) -> None:
    """It is the ratio of the curvatures of the equivalent loss there, from its values too."""
    assert constants(G, box(0.0)).zeta == pytest.approx(5)
    h = 1e-5
    origin, first, second = equivalent_loss(G, np.array([[0, 0], [h, 0], [0, h]]))
    tolerance = 1e-3 if isinstance(G, Log) else 1e-4  # its third derivative jumps
    assert (first - origin) / (second - origin) == pytest.approx(5, rel=tolerance)


def test_over_a_box_the_condition_number_of_a_quadratic_grows() -> None:
    found = constants(Arctan(0.1, 20), box(1.0))
    assert (found.ell, found.zeta) == pytest.approx((4, 1601))
    assert constants(Identity(), box(1.0)) == pytest.approx((2, 0.4))
    for G in GAFS:
        assert constants(G, box(1.0)).zeta > 5


def test_the_instance_of_theorems_1_to_3() -> None:
    with_gaf, without = constants(Arctan(0.1, 20), INSTANCE), constants(Identity(), INSTANCE)
    assert with_gaf == pytest.approx((3.108, 0.1220), abs=5e-4)
    assert without == pytest.approx((10, 0.1))
    assert (with_gaf.zeta, without.zeta) == pytest.approx((25.5, 100), abs=0.05)


@pytest.mark.parametrize("G", [Arctan(0.1, 20), Tanh(0.2, 10), Log(0.1, 20), Identity()], ids=repr)
def test_sampling_approaches_the_constants_from_inside(G: Elementwise) -> None:
    exact = constants(G, box(0.1))
    found = sampled_constants(lambda w: at(G.value, np.multiply(CURVATURES, w)), (-0.1, -0.1), (0.1, 0.1), 4000)
    assert exact.c * 0.999 <= found.c < 1.5 * exact.c
    assert 0.7 * exact.ell < found.ell <= exact.ell * 1.001


def test_sampling_sees_a_loss_that_is_not_separable() -> None:
    H = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert sampled_constants(lambda w: H @ w, (-1, -1), (1, 1)) == pytest.approx((3, 1), rel=1e-3)


# The numbers of the errata ----------------------------------------------------------------------


def test_the_counterexamples_to_lemma_2_as_printed() -> None:
    steep = Arctan(10, 1)
    assert contracts_as_printed(steep, 3, 3)
    assert not contracts(steep, 3, 3)
    assert distances(steep, [3.01], [-3.01]) == pytest.approx((25.0, 6.02), abs=0.01)
    assert at(steep.derivative, -5.0).item() <= 1
    assert not contracts(steep, -5, 0)
    after, before = distances(steep, [0.2], [0.1])
    assert after > before


def test_the_conditions_of_the_lemmas() -> None:
    G = Arctan(0.1, 20)
    assert [expands(G, epsilon) for epsilon in (0.01, 0.0499, 0.0501)] == [True, True, False]
    assert [contracts(G, *pair) for pair in ((0.05, 0.11), (0.06, 0.12), (0.12, 0.06), (0.04, 0.12), (-0.1, 0.2))] == [
        False, True, False, False, False,
    ]  # fmt: skip
    assert distances(G, [0.1], [0.1]) == (0, 0)


def test_equation_26_unrolls_equation_25_exactly() -> None:
    gap, ell, c, M, M_G, mu = (Fraction(n, 7) for n in (30, 20, 3, 5, 9, 6))
    value = gap
    for k in range(1, 8):
        assert value == gap_bound(k, gap, ell, c, M, M_G, mu)
        value = (1 - c * mu**2 / (ell * M_G)) * (value - M / (2 * c * M_G)) + M / (2 * c * M_G)


def test_the_activated_stochastic_gradient_is_biased() -> None:
    g, G = np.array([-0.3, 0.5]), Arctan(0.1, 20)
    assert at(G.value, g).mean() == pytest.approx(0.0033, abs=5e-5)
    assert at(G.value, g.mean()).item() == pytest.approx(0.1107, abs=5e-5)


def test_the_numbers_of_theorem_6() -> None:
    G = Arctan(0.1, 20)
    assert [abs(descent(each, 1.0, 0.1, 0.95, 2)[-1] - 0.1) for each in (Identity(), G)] == pytest.approx([0.0998, 0.0954], abs=5e-5)
    assert at(G.value, [0.11, -0.105]).sum() == pytest.approx(0.0018, abs=5e-5)


def test_a_path_of_gradient_descent() -> None:
    np.testing.assert_allclose(descent(Identity(), 2.0, 1.0, 0.25, 3), [1, 0.5, 0.25, 0.125])
    expected = [1.0]
    for _ in range(2):
        expected.append(expected[-1] - 0.5 * 0.1 * math.tanh(20 * 3 * expected[-1]))
    np.testing.assert_allclose(descent(Tanh(), 3.0, 1.0, 0.5, 2), expected)


def test_a_segment_is_read_at_its_ends() -> None:
    G = Arctan(0.1, 20)
    slope = lambda g: 2 / (1 + (20 * g) ** 2)  # noqa: E731
    assert constants(G, [Segment(3, 0.1, 0.2)]) == pytest.approx((3 * slope(0.1), 3 * slope(0.2)))
