"""What is particular to NumPy; the operations are tested by test_matrix_ops.py, for all backends."""

from __future__ import annotations

import numpy as np

from tests.conftest import make_backend


def test_functions_of_extreme_inputs_raise_no_floating_point_error() -> None:
    """Not even under ``np.errstate(all="raise")``, underflow excepted: a result that is too small is 0."""
    ops = make_backend("numpy", "float64")
    X = ops.matrix([[-1e300, -1e4, 0.0, 1e4, 1e300]])
    with np.errstate(all="raise", under="ignore"):
        for function in (ops.sigmoid, ops.log_sigmoid, ops.softplus, ops.tanh, ops.normal_cdf, ops.normal_pdf):
            assert np.isfinite(function(X)).all()


def test_dtype_is_kept_beside_python_numbers() -> None:
    ops = make_backend("numpy", "float32")
    X = ops.matrix([[1.0]])
    assert (0.1 * X / ops.scalar(3)).dtype == np.float32
