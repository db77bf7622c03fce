"""A user's own layer: found, made with symbols where that is possible, and every mistake explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import is_user_layer, user_theorems

HEAD = """
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer
from nerva_core.algebra.registry import Count, NonNegative
"""
LAYERS = (
    HEAD
    + '''
@dataclass(frozen=True)
class Residual(Layer):
    """Y = X + c act(X)."""

    activation: Activation
    c: float = 0.1

    def feedforward(self, ops, params, X):
        return X + self.c * ops.apply(self.activation.value, X), X

    def backpropagate(self, ops, params, cache, DY):
        return DY + self.c * ops.hadamard(DY, ops.apply(self.activation.gradient, cache)), ()


@dataclass(frozen=True)
class WrongResidual(Residual):
    def backpropagate(self, ops, params, cache, DY):
        return self.c * ops.hadamard(DY, ops.apply(self.activation.gradient, cache)), ()


@dataclass(frozen=True)
class Branching(Layer):
    """The code looks at the value of c."""

    c: NonNegative = 0.25

    def feedforward(self, ops, params, X):
        return (float(self.c) if self.c > 0 else 0) * X, ()

    def backpropagate(self, ops, params, cache, DY):
        return float(self.c) * DY, ()


@dataclass(frozen=True)
class Kernel(Layer):
    kernel: int

    def feedforward(self, ops, params, X):
        return self.kernel * X, ()

    def backpropagate(self, ops, params, cache, DY):
        return self.kernel * DY, ()


@dataclass(frozen=True)
class Named(Kernel):
    mode: str


class Norm(NamedTuple):
    gain: Any


@dataclass(frozen=True)
class RowNorm(Layer):
    """Y = gain * X / sqrt(rows_sum(X * X) + 1), with an example that is hard to get right."""

    def shapes(self, D):
        return Norm((1, D))

    def feedforward(self, ops, params, X):
        N, D = ops.shape(X)
        s = ops.inv_sqrt(ops.rows_sum(ops.hadamard(X, X)) + ops.ones(N, 1))
        Z = ops.hadamard(X, ops.column_repeat(s, D))
        return ops.hadamard(ops.row_repeat(params.gain, N), Z), (Z, s)

    def backpropagate(self, ops, params, cache, DY):
        Z, s = cache
        N, D = ops.shape(Z)
        DZ = ops.hadamard(ops.row_repeat(params.gain, N), DY)
        inner = DZ - ops.hadamard(Z, ops.column_repeat(ops.rows_sum(ops.hadamard(Z, DZ)), D))
        return ops.hadamard(ops.column_repeat(s, D), inner), Norm(ops.columns_sum(ops.hadamard(DY, Z)))


@dataclass(frozen=True)
class Broken(Layer):
    def feedforward(self, ops, params, X):
        return X.nothing, ()

    def backpropagate(self, ops, params, cache, DY):
        return DY, ()


@dataclass(frozen=True)
class BrokenBackward(Layer):
    def feedforward(self, ops, params, X):
        return 2 * X, ()

    def backpropagate(self, ops, params, cache, DY):
        return ops.hadamard(DY, cache.Z), ()


@dataclass(frozen=True)
class TooFew(RowNorm):
    def backpropagate(self, ops, params, cache, DY):
        return super().backpropagate(ops, params, cache, DY)[0], ()


class Unfinished(Layer):
    pass


not_a_layer = 3
'''
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "layers.py").write_text(LAYERS, encoding="utf-8")
    return str(tmp_path / "layers.py")


def verdicts(name: str) -> list[Verdict]:
    return list(prove_or_try_entries(user_theorems(name)))


@pytest.mark.parametrize(
    "name", ["Residual", "Residual()", "Residual(ReLU)", "Residual(c=0.5)", "RowNorm", "Kernel(3)", "Kernel(kernel=2)"]
)
def test_right(path: str, name: str) -> None:
    found = verdicts(f"{path}:{name}")
    assert {v.theorem.method for v in found} == {"all sizes"}
    assert {v.status for v in found} == {"proved"}


def test_wrong(path: str) -> None:
    found = verdicts(f"{path}:WrongResidual")
    assert {v.status for v in found} == {"refuted"}
    assert re.search(r"DX\[\d,\d\] should be", found[0].words)


def test_code_that_needs_numbers_gets_the_defaults(path: str) -> None:
    found = verdicts(f"{path}:Branching")
    assert {v.status for v in found} == {"proved"}
    assert {v.conditions for v in found} == {("for c = 0.25",)}


@pytest.mark.parametrize(("name", "words"), [("Branching", "proved for c = 0.25 only"), ("Kernel(3)", "proved for kernel = 3 only")])
def test_what_stays_concrete_is_in_the_verdict(path: str, name: str, words: str) -> None:
    assert {v.words for v in verdicts(f"{path}:{name}")} == {words}


def test_a_file_without_a_class_lists_its_classes(path: str) -> None:
    with pytest.raises(NervaError, match=f"which class of {re.escape(path)}.*{re.escape(path)}:Residual, .*:RowNorm"):
        user_theorems(path)


def test_every_literal_and_boolean_is_proved(tmp_path: Path) -> None:
    code = """
from typing import Literal

@dataclass(frozen=True)
class Scaled(Layer):
    mode: Literal["once", "twice"] = "twice"
    back: bool = True

    def feedforward(self, ops, params, X):
        return (2 if self.mode == "twice" else 1) * X, ()

    def backpropagate(self, ops, params, cache, DY):
        return (2 if self.mode == "twice" else 1) * DY, ()
"""
    (tmp_path / "literal.py").write_text(HEAD + code, encoding="utf-8")
    found = verdicts(f"{tmp_path / 'literal.py'}:Scaled")
    assert [v.words for v in found] == [f"proved for mode = {m}, back = {b} only" for m in ("twice", "once") for b in (True, False)]
    assert len({v.theorem.id for v in found}) == 4
    assert len(verdicts(f"{tmp_path / 'literal.py'}:Scaled(once, back=true)")) == 1


def test_a_backward_that_does_not_run_is_open(path: str) -> None:
    found = verdicts(f"{path}:BrokenBackward")
    assert {v.status for v in found} == {"open"}
    assert "AttributeError" in found[0].words


def test_a_missing_gradient_is_said(path: str) -> None:
    assert "gives 0 gradients of parameters, shapes(D) lists 1" in verdicts(f"{path}:TooFew")[0].words


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Residua", "did you mean 'Residual'"),
        ("Named", "Named needs a value for kernel, for example"),
        ("Kernel(size=3)", "no parameter 'size'; known: kernel"),
        ("Kernel(1, 2)", "at most 1 parameters, got 2"),
        ("not_a_layer", "must be a class derived from one of nerva_core.layers.base.Layer"),
        ("Unfinished", "feedforward"),
        ("Broken", "Broken does not run: AttributeError"),
    ],
)
def test_mistakes(path: str, name: str, message: str) -> None:
    with pytest.raises(NervaError, match=re.escape(message)):
        user_theorems(f"{path}:{name}")


def test_no_such_file() -> None:
    with pytest.raises(NervaError, match="there is no file"):
        user_theorems("nowhere.py:Layer")


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import nothing_of_this_name\n", encoding="utf-8")
    with pytest.raises(NervaError, match="ModuleNotFoundError"):
        user_theorems(f"{tmp_path / 'bad.py'}:Layer")


def test_names() -> None:
    assert is_user_layer("my_layer.py:MyLayer")
    assert not is_user_layer("layers.Linear")


ACTIVATIONS = """
from dataclasses import dataclass

from nerva_core.equations.activations import Activation


@dataclass(frozen=True)
class Square(Activation):
    c: float = 1.0

    def value(self, ops, X):
        return self.c * ops.hadamard(X, X)

    def gradient(self, ops, X):
        return (2 * self.c) * X


@dataclass(frozen=True)
class WrongSquare(Square):
    def gradient(self, ops, X):
        return self.c * X


@dataclass(frozen=True)
class Unfinished(Activation):
    def value(self, ops, X):
        return X
"""


def test_activations(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(ACTIVATIONS, encoding="utf-8")
    (right,) = verdicts(f"{tmp_path / 'own.py'}:Square")
    assert (right.theorem.id, right.status, right.theorem.sizes) == ("own.py:Square.gradient/all-sizes", "proved", "all N, D")
    (wrong,) = verdicts(f"{tmp_path / 'own.py'}:WrongSquare(c=3)")
    assert wrong.status == "refuted"
    with pytest.raises(NervaError, match=r"defines value and gradient, missing: \['gradient'\]"):
        user_theorems(f"{tmp_path / 'own.py'}:Unfinished")


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


HERE = Path(__file__).parent
MORE = {
    kind: re.findall(r"^class (\w+)\((?:Layer|Activation)\)", (HERE / f"more_{kind}_layers.py").read_text(encoding="utf-8"), re.MULTILINE)
    for kind in ("wrong", "right")
}


@pytest.mark.parametrize("name", MORE["wrong"])
def test_no_more_wrong_layer_is_proved(name: str) -> None:
    assert any(v.status != "proved" for v in verdicts(f"{HERE / 'more_wrong_layers.py'}:{name}"))


@pytest.mark.parametrize("name", MORE["right"])
def test_more_right_layers_are_proved_for_all_sizes(name: str) -> None:
    found = verdicts(f"{HERE / 'more_right_layers.py'}:{name}")
    assert {(v.status, v.theorem.method) for v in found} == {("proved", "all sizes")}


def own(tmp_path: Path, code: str) -> list[Verdict]:
    """The verdicts on a layer called Own."""
    (tmp_path / "own.py").write_text(HEAD + code, encoding="utf-8")
    return verdicts(f"{tmp_path / 'own.py'}:Own")


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
