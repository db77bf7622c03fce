"""Within 4 units in the last place in float64, on many random points, where the frameworks' own functions are not."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

mp = mpmath.MPContext()
mp.prec = 200

FUNCTIONS = {
    "expm1": (mp.expm1, -30, 30),
    "log1p": (mp.log1p, -0.9, 30),
    "tanh": (mp.tanh, -20, 20),
    "normal_pdf": (lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi), -37, 37),
    "normal_cdf": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, -37, 9),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_four_ulp(ops, name, compiled, rng):
    exact, low, high = FUNCTIONS[name]
    X = np.concatenate([rng.uniform(low, high, 300), rng.uniform(-1, 1, 200), rng.normal(size=100) * 1e-3])[None]
    function = getattr(ops, name)
    computed = ops.to_numpy((ops.compile(function) if compiled else function)(ops.matrix(X)))[0]
    values = [exact(mp.mpf(x)) for x in X[0]]
    errors = [float(abs(mp.mpf(y) - value)) / float(np.spacing(abs(float(value)))) for y, value in zip(computed, values, strict=True)]
    assert max(errors) <= 4


@pytest.mark.parametrize("name", ["expm1", "tanh", "normal_pdf", "normal_cdf"])
def test_limits(ops, name):
    X = np.array([[-1e300, -1e4, 0.0, 700.0, 1e4, 1e300]])
    computed = ops.to_numpy(getattr(ops, name)(ops.matrix(X[:, : 4 if name == "expm1" else 6])))[0]
    assert np.isfinite(computed).all()
    expected = {"expm1": [-1, -1, 0], "tanh": [-1, -1, 0, 1, 1, 1], "normal_pdf": [0, 0, 1 / np.sqrt(2 * np.pi), 0, 0, 0]}
    expected["normal_cdf"] = [0, 0, 0.5, 1, 1, 1]
    assert computed[: len(expected[name])] == pytest.approx(expected[name], rel=1e-15)
