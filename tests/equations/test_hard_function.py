from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.hard_function import HARD_FUNCTIONS, HardFunction
from nerva_core.layers import StraightThrough, parse_layers
from tests.conftest import make_backend
from tests.equations.test_hard_functions import apply


def test_a_hard_function_of_ones_own_is_one_entry() -> None:
    @HARD_FUNCTIONS.add
    @dataclass(frozen=True)
    class Rectangles(HardFunction):
        """[x² < c]."""

        c: float = 1.0

        def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
            return ops.less(ops.hadamard(X, X), ops.full(self.c, *ops.shape(X)))

    try:
        (layer,) = parse_layers(["StraightThrough(Rectangles(c=4))"]).layers
        assert layer == StraightThrough(Rectangles(4.0))
        np.testing.assert_array_equal(apply(make_backend("numpy", "float64"), Rectangles(), [[0.5, 1.0, -2.0]]), [[1, 0, 0]])
    finally:
        del HARD_FUNCTIONS.entries["Rectangles"], HARD_FUNCTIONS._by_key["rectangles"]
