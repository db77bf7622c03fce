"""What a user's code decides by: comparisons of sizes and hyper-parameters are cases, also where they are caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import user_theorems

HEAD = """
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer
from nerva_core.algebra.registry import Count, NonNegative
"""


def verdicts(name: str) -> list[Verdict]:
    return list(prove_or_try_entries(user_theorems(name)))


def own(tmp_path: Path, code: str) -> list[Verdict]:
    """The verdicts on a layer called Own."""
    (tmp_path / "own.py").write_text(HEAD + code, encoding="utf-8")
    return verdicts(f"{tmp_path / 'own.py'}:Own")


CAUGHT = """
@dataclass(frozen=True)
class Caught(Layer):
    \"\"\"Wrong for more than a thousand columns; that they cannot be compared is caught.\"\"\"

    alpha: float = 0.5

    def feedforward(self, ops, params, X):
        return 3 * X, ()

    def backpropagate(self, ops, params, cache, DY):
        try:
            wrong = ASK
        except Exception:
            wrong = False
        return (5 if wrong else 3) * DY, ()
"""


@pytest.mark.parametrize("ask", ["int(ops.shape(DY)[1]) > 1000", "ops.shape(DY)[1] % 3001 == 3000"])
def test_a_caught_comparison_is_one(tmp_path: Path, ask: str) -> None:
    (tmp_path / "caught.py").write_text(HEAD + CAUGHT.replace("ASK", ask), encoding="utf-8")
    (verdict,) = verdicts(f"{tmp_path / 'caught.py'}:Caught")
    assert verdict.status != "proved" or verdict.theorem.method == "entries"
    assert "what follows depends on" in verdict.note


def test_both_answers_of_a_caught_comparison_are_cases(tmp_path: Path) -> None:
    (tmp_path / "caught.py").write_text(HEAD + CAUGHT.replace("ASK", "ops.shape(DY)[1] > 1000"), encoding="utf-8")
    less, more = verdicts(f"{tmp_path / 'caught.py'}:Caught")
    assert [(v.theorem.name, v.status == "proved" and v.theorem.method == "all sizes") for v in (less, more)] == [
        ("if D < 1001", True),
        ("if D > 1000", False),
    ]


def test_a_caught_comparison_of_a_hyper_parameter_is_one(tmp_path: Path) -> None:
    (tmp_path / "caught.py").write_text(HEAD + CAUGHT.replace("ASK", "self.alpha > 77"), encoding="utf-8")
    found = verdicts(f"{tmp_path / 'caught.py'}:Caught")
    assert [v.theorem.name for v in found] == ["if alpha < 77", "if alpha = 77", "if alpha > 77"]
    assert {v.status for v in found} == {"refuted"}


CAUGHT_VALUE = """
@dataclass(frozen=True)
class Caught(Activation):
    alpha: float = 0.5

    def value(self, ops, X):
        try:
            wrong = ASK
        except Exception:
            wrong = False
        return (5 if wrong else 3) * X

    def gradient(self, ops, X):
        return 3 * ops.ones(*ops.shape(X))
"""


def test_a_comparison_that_the_value_of_an_activation_catches_is_one(tmp_path: Path) -> None:
    for ask, statuses in (("self.alpha > 77", ["refuted"] * 3), ("ops.shape(X)[1] > 1000", ["proved", "refuted"])):
        file = tmp_path / f"caught{len(statuses)}.py"
        file.write_text(HEAD + CAUGHT_VALUE.replace("ASK", ask), encoding="utf-8")
        found = verdicts(f"{file}:Caught")
        assert [v.status if v.all_sizes else "some sizes" for v in found][: len(statuses)] in (statuses, ["proved", "some sizes"])


LARGE = CAUGHT.replace("ASK", "isinstance(ops.shape(DY)[0], int) and ops.shape(DY)[0] > 128")


def test_large_sizes_are_tried(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(HEAD + LARGE, encoding="utf-8")
    (verdict,) = verdicts(f"{tmp_path / 'large.py'}:Caught")
    assert "on NumPy at N=300" in verdict.words


DECIDES = """
@dataclass(frozen=True)
class Own(Layer):
    PARAMETER

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        return (2 * X if CONDITION else 3 * X), ()

    def backpropagate(self, ops, params, cache, DY):
        N, D = ops.shape(DY)
        return (2 * DY if CONDITION else BACK * DY), ()
"""


@pytest.mark.parametrize(
    ("parameter", "condition", "names"),
    [
        ("", "N == 1", ["if N = 1", "if N > 1"]),
        ("", "N > 2", ["if N < 3", "if N > 2"]),
        ("", "N == D", ["if D = N", "if D ≠ N"]),
        ("c: float = 0.5", "self.c > 1", ["if c < 1", "if c = 1", "if c > 1"]),
        ("c: float = 0.5", "self.c", ["if c < 0", "if c = 0", "if c > 0"]),
        ("c: NonNegative = 0.5", "0.25 <= self.c < 0.5", ["if c = 0", "if 0 < c < 0.25", "if c = 0.25"]),
    ],
)
def test_what_code_decides_by_are_cases(tmp_path: Path, parameter: str, condition: str, names: list[str]) -> None:
    code = DECIDES.replace("CONDITION", condition).replace("PARAMETER", parameter or "pass")
    found = own(tmp_path, code.replace("BACK", "3"))
    assert {(v.status, v.all_sizes, v.words) for v in found} == {("proved", True, "proved")}
    assert {v.theorem.name.replace("N = D", "D = N").replace("N ≠ D", "D ≠ N") for v in found} >= {*names}


def test_the_case_that_is_wrong_is_refuted(tmp_path: Path) -> None:
    code = DECIDES.replace("CONDITION", "self.c < 7.5").replace("PARAMETER", "c: float = 0.5").replace("BACK", "4")
    (tmp_path / "own.py").write_text(HEAD + code, encoding="utf-8")
    assert "refuted" in {v.status for v in verdicts(f"{tmp_path / 'own.py'}:Own")}


def test_other_values_than_the_default_are_not_claimed(tmp_path: Path) -> None:
    """A loop is proved for one number of passes: unless that was asked for, it is not a proof of the layer."""
    loop = """
@dataclass(frozen=True)
class Own(Layer):
    n: int = 3

    def feedforward(self, ops, params, X):
        for _ in range(self.n):
            X = 2 * X
        return X, ()

    def backpropagate(self, ops, params, cache, DY):
        return 2**self.n * DY, ()
"""
    (verdict,) = own(tmp_path, loop)
    assert (verdict.words, verdict.all_sizes) == ("proved for n = 3 only", False)
    (given,) = verdicts(f"{tmp_path / 'own.py'}:Own(n=3)")
    assert (given.words, given.all_sizes) == ("proved for n = 3 only", True)


def test_a_size_has_no_text_for_code_to_decide_by(tmp_path: Path) -> None:
    (verdict,) = own(tmp_path, DECIDES.replace("CONDITION", "f'{N}' == '7001'").replace("PARAMETER", "pass").replace("BACK", "4"))
    assert not (verdict.status == "proved" and verdict.all_sizes)


SCALED = """
import collections
from typing import Annotated, Literal

from annotated_types import Ge

@dataclass(frozen=True)
class Pair:
    first: Any

@dataclass(frozen=True)
class Own(Layer):
    FIELD

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        return ops.scale(FORWARD, X), ()

    def backpropagate(self, ops, params, cache, DY):
        N, D = ops.shape(DY)
        return ops.scale(BACKWARD, DY), ()
"""
FAR = "sum((1200, 34))"
"""A number that code does not mention, so that nothing is tried beside it."""


def scaled(tmp_path: Path, field: str, forward: str, backward: str) -> list[Verdict]:
    return own(tmp_path, SCALED.replace("FIELD", field).replace("FORWARD", forward).replace("BACKWARD", backward))


@pytest.mark.parametrize(
    ("field", "forward", "backward"),
    [
        ("n: int = 2", "math.sqrt(self.n * self.n)", "self.n"),
        ("n: Annotated[int, Ge(0)] = 2", "self.n + 1", "self.n + 1 if self.n else 5"),
        ("pass", "2", f"3 if Pair(D) == Pair({FAR}) else 2"),
        ("pass", "2", f"collections.ChainMap({{{FAR}: 3}}).get(D, 2)"),
        ("c: float = 0.5", "2", f"{{{FAR}: 3}}.get(self.c, 2)"),
    ],
)
def test_what_is_wrong_for_one_value_is_not_proved_for_all(tmp_path: Path, field: str, forward: str, backward: str) -> None:
    assert not all(v.status == "proved" and v.all_sizes for v in scaled(tmp_path, field, forward, backward))


def test_combinations_that_are_not_tried_are_not_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sympy_validation.user_layers.COMBINATIONS", 2)
    monkeypatch.setattr("sympy_validation.hyperparameters.COMBINATIONS", 2)
    found = scaled(tmp_path, "kind: Literal[0, 1, 2] = 0", "2", "3 if self.kind == 2 else 2")
    assert [(v.status, v.all_sizes) for v in found] == [("proved", False)] * 2
    assert "2 of the 3 combinations of kind" in found[0].theorem.unasked


def test_a_count_is_any_size(tmp_path: Path) -> None:
    (verdict,) = scaled(tmp_path, "n: Count = 2", "math.sqrt(self.n * self.n)", "self.n")
    assert (verdict.words, verdict.all_sizes) == ("proved", True)


def test_a_whole_number_is_any_positive_one(tmp_path: Path) -> None:
    (verdict,) = scaled(tmp_path, "n: int = 2", "math.sqrt(self.n * self.n)", "self.n")
    assert (verdict.words, verdict.all_sizes) == ("proved for n > 0 only", False)


JUMPS = """
@dataclass(frozen=True)
class Own(Layer):
    c: float = 0.5

    def feedforward(self, ops, params, X):
        Z = ops.zeros(*ops.shape(X))
        A = SCALE * X
        return ops.hadamard(X, ops.less(A, Z) + ops.less(Z, A)), ()

    def backpropagate(self, ops, params, cache, DY):
        return DY, ()
"""


@pytest.mark.parametrize(("scale", "proved"), [(f"(self.c - {FAR})", False), ("(self.c**2 + 1)", True)])
def test_a_hyper_parameter_is_not_almost_any(tmp_path: Path, scale: str, proved: bool) -> None:
    """[a x < 0] + [0 < a x] = 1 for almost all x, but not for a = c - 1234 where c is 1234."""
    (verdict,) = own(tmp_path, JUMPS.replace("SCALE", scale))
    assert (verdict.status == "proved" and verdict.all_sizes) == proved


def test_a_number_at_which_code_jumps_is_a_case_of_its_own(tmp_path: Path) -> None:
    """max(x, a x) for any a, also for 1, where both are the same."""
    (verdict,) = own(
        tmp_path,
        """
@dataclass(frozen=True)
class Own(Layer):
    a: float = 0.1

    def feedforward(self, ops, params, X):
        return ops.maximum(X, self.a * X), X

    def backpropagate(self, ops, params, cache, DY):
        return ops.where(ops.less(cache, self.a * cache), self.a * DY, DY), ()
""",
    )
    assert (verdict.status, verdict.all_sizes) == ("proved", True)
