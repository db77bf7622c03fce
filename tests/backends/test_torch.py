"""What is particular to PyTorch; the operations are tested by test_matrix_ops.py, for all backends."""

from __future__ import annotations

import math

import pytest

from tests.conftest import make_backend

pytest.importorskip("torch")


def test_softplus_is_not_linear_above_a_threshold() -> None:
    """torch's own softplus is x from x = 20 on, off by 2e-9."""
    ops = make_backend("torch", "float64")
    assert ops.softplus(ops.matrix([[20.5]])).item() == 20.5 + math.log1p(math.exp(-20.5))


def test_normal_cdf_does_not_cancel() -> None:
    """torch's own ndtr is 0 from x = -9 on."""
    ops = make_backend("torch", "float64")
    assert ops.normal_cdf(ops.matrix([[-9.0]])).item() == pytest.approx(1.1285884059538408e-19, rel=1e-13)


def test_matrices_are_not_taped() -> None:
    ops = make_backend("torch", "float32")
    assert not ops.matrix([[1.0]]).requires_grad
