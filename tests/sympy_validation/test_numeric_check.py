"""What a proof with symbols cannot see is seen on NumPy: layers that are wrong at one size, for one value, or outside of the proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.theorem import prove_or_try_entries
from sympy_validation.user_layers import user_theorems

HEAD = """
import random
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer
from nerva_core.algebra.registry import Count, Positive

last = {}


class P(NamedTuple):
    W: Any


@dataclass(frozen=True)
class Square(Layer):
    def feedforward(self, ops, params, X):
        return ops.hadamard(X, X), X

    def backpropagate(self, ops, params, cache, DY):
        return 2 * ops.hadamard(DY, cache), ()
"""


def layer(forward: str, backward: str, rest: str = "") -> str:
    """A layer with these bodies."""
    return f"""
@dataclass(frozen=True)
class Case(Layer):
    {rest or "pass"}

    def feedforward(self, ops, params, X):
        {forward}

    def backpropagate(self, ops, params, cache, DY):
        {backward}
"""


LINEAR = """outputs: Count

    def outputs_for(self, D):
        return self.outputs

    def shapes(self, D):
        return P((self.outputs, D))
"""
PENALTY = "c: Positive = 0.1\n\n    def penalty(self, ops, cache): return self.c * ops.elements_sum(cache)"
WRONG = {
    "one row": (layer("return (X if ops.shape(X)[0] == 1 else 2 * X), ()", "return 2 * DY, ()"), "N=1"),
    "many rows": (layer("return 2 * X, ()", "return (2 if ops.shape(DY)[0] < 32 else 3) * DY, ()"), "N=40"),
    "square": (
        layer(
            "Y = X @ ops.transpose(params.W); return (Y + X if ops.shape(X)[1] == self.outputs else Y), X",
            "return DY @ params.W, P(ops.transpose(DY) @ cache)",
            LINEAR,
        ),
        "D=2, K=2",
    ),
    "one value": (layer("return self.a * X, ()", "return (2 if self.a == 1 else self.a) * DY, ()", "a: float = 0.5"), "a=1.0"),
    "a literal": (layer("return X, ()", "return (2 if self.m == 'b' else 1) * DY, ()", "m: Literal['a', 'b'] = 'a'"), "REFUTED for m = b"),
    "a boolean": (layer("return X, ()", "return (2 if self.m else 1) * DY, ()", "m: bool = False"), "REFUTED for m = True"),
    "truth of a matrix": (layer("return 3 * X, ops.elements_sum(X - X)", "return (3 if cache else 7) * DY, ()"), "on NumPy"),
    "in place": (layer("Y = X; Y += ops.hadamard(X, X); return Y, X", "return DY + 2 * ops.hadamard(DY, cache), ()"), "changed in place"),
    "a global": (layer("last['X'] = X; return ops.hadamard(X, X), ()", "return 2 * ops.hadamard(DY, last['X']), ()"), "REFUTED"),
    "a cache used up": (layer("return X, [X]", "cache.pop(); return DY, ()"), "only once"),
    "random": (layer("return random.random() * X, ()", "return 0.5 * DY, ()"), "REFUTED"),
    "rarely random": (
        layer("return X, ()", "return (1 + (random.random() < 1e-9)) * DY, ()"),
        "random numbers are drawn that are no input",
    ),
    "NumPy's": (layer("return X, ()", "return (1 + (np.random.rand() < 1e-9)) * DY, ()"), "random numbers are drawn that are no input"),
    "a stopped gate": (layer("return ops.hadamard(X, ops.stop_gradient(X)), X", "return ops.hadamard(DY, cache), ()"), "REFUTED"),
    "a penalty": (
        layer(
            "return X, X",
            "return DY, ()",
            PENALTY,
        ),
        "REFUTED",
    ),
    "evaluate": ("class Case(Square):\n    def evaluate(self, ops, params, state, X):\n        return X\n", "evaluate gives"),
    "outputs_for": ("class Case(Square):\n    def outputs_for(self, D):\n        return 2 * D\n", "by outputs_for"),
    "update_state": (
        "class Case(Square):\n    def update_state(self, ops, state, cache):\n        return (cache,)\n",
        "update_state gives other shapes",
    ),
    "init": (
        layer("return X @ ops.transpose(params.W), X", "return DY @ params.W, P(ops.transpose(DY) @ cache)", LINEAR)
        + "    def init(self, rng, D):\n        return P(rng.normal(size=(D, self.outputs)))\n",
        "init gives",
    ),
    "draw": (
        "class Case(Square):\n    def noise_shapes(self, N, D):\n        return ((N, D),)\n    def draw(self, rng, N, D):\n"
        "        return (rng.normal(size=(D, N)),)\n    def feedforward(self, ops, params, X, R):\n        return ops.hadamard(X, X), X\n",
        "draw gives",
    ),
    "columns": (layer("return X, ops.shape(X)", "return (1 if cache[1] == 3 else 0) * DY, ()", "columns = 3"), "on NumPy"),
}


def words(path: Path, code: str, name: str = "Case") -> list[tuple[str, str]]:
    file = path / f"case{abs(hash(code))}.py"
    text = code.replace("class Case(Square)", "@dataclass(frozen=True)\nclass Case(Square)")
    file.write_text(HEAD + text, encoding="utf-8")
    return [(verdict.status, verdict.words) for verdict in prove_or_try_entries(user_theorems(f"{file}:{name}"))]


@pytest.mark.parametrize("kind", WRONG)
def test_wrong(tmp_path: Path, kind: str) -> None:
    code, message = WRONG[kind]
    verdicts = words(tmp_path, code)
    assert "refuted" in {status for status, _ in verdicts}
    assert message in " ".join(text for _, text in verdicts)


def test_functions_of_numpy_are_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match=r"np.sum cannot compute.*line \d+: return X \+ np.sum\(X\), \(\)"):
        words(tmp_path, layer("return X + np.sum(X), ()", "return DY + np.mean(DY), ()"))


def test_right(tmp_path: Path) -> None:
    assert words(tmp_path, "", "Square") == [("proved", "proved")]
    assert {s for s, _ in words(tmp_path, layer("return X, X", "return DY + self.c * ops.ones(*ops.shape(cache)), ()", PENALTY))} == {
        "proved"
    }


def test_what_has_a_value_nowhere_is_not_proved(tmp_path: Path) -> None:
    code = layer("S = ops.sqrt(-ops.hadamard(X, X)); return X + ops.hadamard(S, S) + ops.hadamard(X, X), X", "return DY, ()")
    ((status, text),) = words(tmp_path, code)
    assert status == "open"
    assert "no point that was tried" in text


SOFTMAX = "ops.hadamard(ops.exp(X), ops.column_repeat(ops.reciprocal(ops.rows_sum(ops.exp(X))), ops.shape(X)[1]))"
ACTIVATION = """
@dataclass(frozen=True)
class Case(Activation):
    def value(self, ops, X):
        return {}

    def gradient(self, ops, X):
        return {}

    def second_derivative(self, ops, X):
        return {}
"""


@pytest.mark.parametrize(
    ("value", "gradient", "second", "statuses"),
    [
        ("ops.exp(X)", "ops.exp(X)", "ops.exp(X)", ["proved", "proved"]),
        ("ops.exp(X)", "ops.exp(X)", "2 * ops.exp(X)", ["proved", "refuted"]),
        (SOFTMAX, "0 * X", "0 * X", ["refuted", "proved"]),
        ("X - ops.column_repeat(ops.rows_mean(X), ops.shape(X)[1])", "0 * X", "0 * X", ["refuted", "proved"]),
    ],
)
def test_activations(tmp_path: Path, value: str, gradient: str, second: str, statuses: list[str]) -> None:
    assert [status for status, _ in words(tmp_path, ACTIVATION.format(value, gradient, second))] == statuses


def test_a_parameter_called_like_a_mask_is_not_the_mask(tmp_path: Path) -> None:
    code = """
class Q(NamedTuple):
    R: Any


@dataclass(frozen=True)
class Case(Layer):
    def shapes(self, D): return Q((1, D))
    def noise_shapes(self, N, D): return ((1, D),)
    def feedforward(self, ops, params, X, mask):
        return ops.hadamard(X, ops.row_repeat(ops.hadamard(params.R, mask), ops.shape(X)[0])), (X, mask)
    def backpropagate(self, ops, params, cache, DY):
        X, mask = cache
        DX = ops.hadamard(DY, ops.row_repeat(ops.hadamard(params.R, mask), ops.shape(X)[0]))
        return DX, Q({} * ops.hadamard(mask, ops.columns_sum(ops.hadamard(DY, X))))
"""
    assert [status for status, _ in words(tmp_path, code.format(1))] == ["proved", "proved"]
    assert [status for status, _ in words(tmp_path, code.format(2))] == ["proved", "refuted"]
