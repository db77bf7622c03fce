"""Sizes in the hands of a user's code: what is known of them, what they can be computed with."""

from __future__ import annotations

import pytest

from sympy_validation.cases import Case
from sympy_validation.operands import ComparedError
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace


def test_sizes_of_a_case() -> None:
    space = SymbolicSizesSpace(own=True)
    space.assume(Case(sizes={"N": (1, 1), "L": (2, None)}, same={"K": "D"}))
    N, L, D, K = map(space.size, "NLDK")
    assert (N, D == K, L > 1, L != 1) == (1, True, True, True)
    with pytest.raises(ComparedError, match="the size L") as caught:
        bool(L > 7)
    assert [case.words for case in caught.value.cases] == ["D = K, N = 1, 1 < L < 8", "D = K, N = 1, L > 7"]


def test_a_product_is_divided_by_its_factors() -> None:
    space = SymbolicSizesSpace(own=True)
    D = space.size("D")
    assert 3 * D // 3 is not None
    assert str((2 * D) // D) == "2"
    with pytest.raises(ComparedError):
        D // 2


def test_a_sum_is_a_size_and_a_number() -> None:
    space = SymbolicSizesSpace(own=True)
    D, K = map(space.size, "DK")
    assert space.ops.shape(space.ops.ones(D + 3, K + D)) == (D + 3, K + D)
    assert (-(D + 3) + D == -3, abs(D + 3) == 3 + D, (D + 3) ** 2 - D**2 - 6 * D == 9, -D + D == 0, (D + K) - K == D) == (True,) * 5
    assert (2.0 ** (D + 1) == 2 * 2.0**D, (D + 1) / 2 - 0.5 * D == 0.5, 3 * (D + 2) - 6 - 2 * D == D) == (True,) * 3
    assert (D + 3 > D, D + K == K + D, D + 1 == D, D + 0 is D, sum([D, K, 3]) == 3 + K + D) == (True, True, False, True, True)
    with pytest.raises(ComparedError):
        bool(D + 3 > 5)
