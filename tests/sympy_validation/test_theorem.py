"""From a claim to a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy_validation.attempt import Attempt
from sympy_validation.cases import ANY, Case
from sympy_validation.claims import Equality
from sympy_validation.spaces.grids import GridOps
from sympy_validation.spaces.points import CHECKS
from sympy_validation.theorem import Theorem, prove, prove_or_try_entries


def theorem(tested: Any, expected: Any, method: Any = "all sizes", **options: Any) -> Theorem:
    return Theorem("test", "Z", "Z = Z", Equality(("Z",), {"X": ("N", "D")}, tested, expected, **options), method)


def two_x(space: Any, X: Any) -> Any:
    return 2 * X


def test_proved_refuted_and_open() -> None:
    right = theorem(lambda ops, X: X + X, two_x)
    wrong = theorem(lambda ops, X: X, two_x)
    broken = theorem(lambda ops, X: X.nothing, two_x)
    assert [v.status for v in prove([right, wrong, broken])] == ["proved", "refuted", "open"]
    assert [v.as_expected for v in prove([right, wrong, broken])] == [True, False, False]


def test_an_exception_is_told() -> None:
    verdicts = prove([theorem(lambda ops, X: {}["nothing"], two_x), theorem(lambda ops, X: X.nothing, two_x)])
    for verdict, told in zip(verdicts, ("KeyError: 'nothing'", "ComparedError: a matrix of a proof has no 'nothing'"), strict=True):
        assert verdict.words.startswith(f"not proved (no counterexample found): {told}")


def test_what_is_open_for_all_sizes_is_tried_at_concrete_ones() -> None:
    def only_concrete(ops: Any, X: Any) -> Any:
        m, _ = ops.shape(X)
        return X + X if isinstance(m, int) else X.nothing

    (verdict,) = prove_or_try_entries([theorem(only_concrete, two_x)])
    assert (verdict.status, verdict.theorem.method) == ("proved", "entries")
    assert verdict.theorem.sizes == "N=3,D=2; N=4,D=3"


def test_names_and_sizes() -> None:
    right = theorem(lambda ops, X: X + X, two_x)
    assert right.id == "test.Z/all-sizes"
    assert right.sizes == "all N, D"


def test_a_strict_theorem_holds_at_kinks() -> None:
    def below(ops: Any, X: Any) -> Any:
        return ops.less(X, ops.zeros(*ops.shape(X)))

    def not_above(space: Any, X: Any) -> Any:
        return space.ops.less_equal(X, space.ops.zeros(*space.ops.shape(X)))

    (almost,) = prove([theorem(below, not_above)])
    (everywhere,) = prove([theorem(below, not_above, strict=True)])
    assert (almost.status, everywhere.status) == ("proved", "refuted")
    assert "should be 1, is 0" in str(everywhere.counterexample)


def test_conditions_that_never_hold_prove_nothing() -> None:
    """log(-x²) has a value nowhere, log(x) - log(x) wherever x > 0."""

    def never(ops: Any, X: Any) -> Any:
        L = ops.log(-ops.hadamard(X, X))
        return X + X + L - L

    def sometimes(ops: Any, X: Any) -> Any:
        L = ops.log(X)
        return X + X + L - L

    found = list(prove([theorem(never, two_x), theorem(sometimes, two_x)]))
    assert [v.status for v in found] == ["open", "proved"]
    assert found[0].note == "proved under conditions that hold at no point that was tried"
    assert "X[i,j] > 0" in found[1].conditions


def test_a_rounding_is_in_the_verdict() -> None:
    (rounded,) = prove([theorem(lambda ops, X: (0.1 + 0.2) * X, lambda space, X: 0.3 * X)])
    assert rounded.words == "proved up to the rounding of numbers in the code"
    (wrong,) = prove([theorem(lambda ops, X: 2.000000000000001 * X, two_x)])
    assert wrong.status == "open"


def test_points_are_looked_at_once_for_all_methods() -> None:
    calls = []

    def counted(ops: Any, X: Any) -> Any:
        calls.append(ops)
        return X + X

    first = theorem(counted, two_x)
    assert [v.status for v in prove([first, replace(first, method="entries")])] == ["proved", "proved"]
    assert len(calls) == 1 + len(first.entry_sizes) + len(CHECKS)


def test_what_runs_at_no_point_is_not_proved() -> None:
    def only_on_symbols(ops: Any, X: Any) -> Any:
        if isinstance(ops, GridOps):
            raise TypeError("no numbers here")
        return X + X

    (verdict,) = prove([theorem(only_on_symbols, two_x)])
    assert verdict.status == "open"
    assert verdict.note.startswith("proved, but looked at at no point: TypeError: no numbers here")


def test_what_holds_in_some_cases_only_is_not_proved() -> None:
    """R = x - mean(x) is not 0 almost everywhere, but for D = 1, where [R < 0] + [R > 0] is 0."""

    def signs(ops: Any, X: Any) -> Any:
        R, zeros = X - ops.column_repeat(ops.rows_mean(X), ops.shape(X)[1]), ops.zeros(*ops.shape(X))
        return ops.less(R, zeros) + ops.less(zeros, R)

    claim = theorem(signs, lambda space, X: space.ops.ones(*space.ops.shape(X))).claim
    one, more = Case(sizes={"D": (1, 1)}), Case(sizes={"D": (2, None)})
    proved = [Attempt(claim, "all sizes", own=True, cases=cases).proves("Z")[0] for cases in ((ANY,), (one,), (more,), (one, more))]
    assert proved == [False, False, True, False]
