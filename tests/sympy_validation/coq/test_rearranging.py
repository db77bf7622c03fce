"""The same entries under other indices."""

from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import Size, product_of
from sympy_validation.coq.ops import CoqOps

N, K, L = Size("N"), Size("K"), Size("L")


def test_the_member_of_a_family_of_known_matrices_is_that_matrix() -> None:
    ops = CoqOps()
    X, Y = ops.variable("X", N, K), ops.variable("Y", N, K)
    assert ops.member(ops.family(X, Y), 1) is Y


def test_to_split_and_join_changes_nothing() -> None:
    ops = CoqOps()
    X = ops.variable("X", product_of(N, L), K)
    assert ops.join(ops.split(X, L, K), N).entry == X.entry


def test_what_has_other_factors_cannot_be_reshaped() -> None:
    ops = CoqOps()
    with pytest.raises(NervaError, match="factors"):
        ops.reshape(ops.variable("X", N, K), K, N)


def test_the_adjoint_of_windows_sums_over_places_and_offsets() -> None:
    ops = CoqOps()
    from nerva_core.algebra.geometry import AnyGeometry

    G = AnyGeometry("G", Size("P"), Size("Q"), Size("U"))
    X = ops.variable("X", product_of(N, Size("P")), K)
    back = ops.fold(ops.windows(X, G), G)
    assert (back.rows, back.columns) == (X.rows, X.columns)
