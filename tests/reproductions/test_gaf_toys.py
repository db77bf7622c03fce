import numpy as np
import pytest

from nerva_core.equations.gradient_activations import Arctan
from nerva_core.equations.optimizers import GAF, GradientDescent, Momentum
from nerva_core.reproductions.gaf_toys import SADDLE, descend, escape, path, steps_until


def test_a_path_is_that_of_the_rule_by_hand() -> None:
    w = np.array([1.0, 0.5])
    expected = [w]
    for _ in range(3):
        w = w - 0.1 * 0.1 * np.arctan(20 * np.array(SADDLE) * w)
        expected.append(w)
    assert path(GAF(GradientDescent(), Arctan()), SADDLE, (1.0, 0.5), 0.1, 3) == pytest.approx(np.array(expected), rel=1e-14)


def test_steps_until_it_holds_to_the_end() -> None:
    points = np.array([0, 2, 0, 2, 2])[:, None]
    assert steps_until(lambda w: w[:, 0] > 1, points) == 3
    assert steps_until(lambda w: w[:, 0] >= 0, points) == 0
    assert steps_until(lambda w: w[:, 0] < 1, points) is None


def test_steps() -> None:
    assert escape(Momentum()) == 28
    assert descend(GradientDescent(), (2.0, 3.0), 1e-6) == 177
    assert descend(GradientDescent(), (0.02, 0.03), 1e-8) == 121
    assert descend(GradientDescent(), (0.02, 0.03), 1e-8, eta=0.2) == 59
