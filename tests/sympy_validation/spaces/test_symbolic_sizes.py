"""Matrices of symbolic size as a space of claims."""

from __future__ import annotations

from nerva_core.layers import Sequential
from sympy_validation.cases import Case
from sympy_validation.spaces.spaces import ExampleLayer
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace


def test_names_of_different_kinds_do_not_clash() -> None:
    space = SymbolicSizesSpace()
    K = space.size("K")
    matrix = space.matrix("K", K, K)
    scalar = space.scalar("K")
    assert space.size("K") == K
    assert space.proves(2 * matrix, matrix + matrix)[0]
    assert not space.proves(scalar * matrix, matrix)[0]
    assert space.proves(matrix, space.matrix("K", K, K))[0]


def test_layers_of_which_nothing_is_known() -> None:
    space = SymbolicSizesSpace()
    N, D, K = (space.size(name) for name in "NDK")
    f, g = space.any_layer("f", K, D), space.any_layer("g", K, D)
    X, W, b = space.matrix("X", N, D), space.matrix("0", K, D), space.matrix("1", 1, K)
    F, cache = f.feedforward(space.ops, (W, b), X)
    DY = space.constant("DY", N, K)
    DX, _ = f.backpropagate(space.ops, (W, b), cache, DY)
    assert space.proves(space.gradient(DY, F, "X"), DX)[0]
    assert not space.proves(space.gradient(DY, F, "X"), g.backpropagate(space.ops, (W, b), cache, DY)[0])[0]
    assert Sequential((f,)).shapes(D) == (tuple(ExampleLayer(K).shapes(D)),)


def test_all_sizes_tell_the_kinks() -> None:
    space = SymbolicSizesSpace()
    X = space.matrix("X", space.size("N"), space.size("D"))
    zero = space.ops.zeros(*space.ops.shape(X))
    below, not_above = space.ops.less(X, zero), space.ops.less_equal(X, zero)
    assert space.proves(below, not_above)[0]
    assert not space.proves(below, not_above, strict=True)[0]


def test_cases_into_which_a_proof_is_divided() -> None:
    space = SymbolicSizesSpace(own=True)
    space.assume(Case(sizes={"N": (1, 1)}))
    space.size("N"), space.size("D"), space.scalar("c", 0.0), space.scalar("lam", 0.0, None, True)
    assert [[case.words for case in cases] for cases in space.divisions()] == [
        ["lam = 0", "lam > 0"],
        ["D = 1, lam = 0", "D > 1, lam = 0", "D = 1, lam > 0", "D > 1, lam > 0"],
        [f"{c}, {lam}" for c in ("0 < c < 1", "c = 1", "c > 1") for lam in ("lam = 0", "0 < lam < 1", "lam = 1", "lam > 1")],
    ]


def test_an_unbounded_number_is_divided_by_zero_and_one() -> None:
    space = SymbolicSizesSpace(own=True)
    space.scalar("c")
    first, finer = ([case.words for case in cases] for cases in space.divisions())
    assert first == ["c < 0", "c = 0", "c > 0"]
    assert finer == ["c < 0", "c = 0", "0 < c < 1", "c = 1", "c > 1"]


def test_within_a_case() -> None:
    space = SymbolicSizesSpace(True, Case(sizes={"N": (1, 1), "D": (2, None)}))
    space.assume(Case(sizes={"K": (1, 3)}))
    assert space.size("N") == 1
    assert space.size("D") > 1
    assert space.case.range("K") == (1, 3)
