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
    with pytest.raises(NervaError, match="is not there"):
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


HERE = Path(__file__).parent
FILES = {"wrong": ("more_wrong_layers.py",), "right": ("more_right_layers.py", "right_layers_in_cases.py")}
CLASS = re.compile(r"^class (\w+)\((?:Layer|Activation)\)", re.MULTILINE)
MORE = {kind: [f"{file}:{name}" for file in of for name in CLASS.findall((HERE / file).read_text())] for kind, of in FILES.items()}


@pytest.mark.parametrize("name", MORE["wrong"])
def test_no_more_wrong_layer_is_proved(name: str) -> None:
    assert any(v.status != "proved" for v in verdicts(f"{HERE / name}"))


@pytest.mark.parametrize("name", MORE["right"])
def test_more_right_layers_are_proved_for_all_sizes(name: str) -> None:
    found = verdicts(f"{HERE / name}")
    assert {(v.status, v.theorem.method) for v in found} == {("proved", "all sizes")}


def own(tmp_path: Path, code: str) -> list[Verdict]:
    """The verdicts on a layer called Own."""
    (tmp_path / "own.py").write_text(HEAD + code, encoding="utf-8")
    return verdicts(f"{tmp_path / 'own.py'}:Own")
