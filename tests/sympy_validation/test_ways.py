"""Code that goes another way on numbers than on symbols is not proved for all sizes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nerva_core.algebra.user_files import load_file
from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import user_theorems
from sympy_validation.ways import Ways, followed, line_of, unfollowed

WRONG = """
import contextlib
import inspect
from dataclasses import dataclass
from nerva_core.layers import Layer

FAR = [1200, 34]


@dataclass(frozen=True)
class Own(Layer):
    kind: str = "b"

    def feedforward(self, ops, params, X):
        return 3 * X, ()

    def wrong(self, ops, DY):
        BODY

    def backpropagate(self, ops, params, cache, DY):
        return (5 if self.wrong(ops, DY) else 3) * DY, ()
"""
CATCHES = """
        try:
            return ASK
        except Exception:
            return False
"""
BODIES = {
    "an operation that fails": CATCHES.replace("ASK", "ops.take_columns(DY, [sum(FAR)]) is not None"),
    "an operation that is unknown": CATCHES.replace("ASK", "ops.product(DY, DY) is not None"),
    "an element": CATCHES.replace("ASK", "float(DY[0, sum(FAR)]) < 1e9"),
    "a suppressed exception": "with contextlib.suppress(TypeError):\n            return float(DY[0, 0]) > 1e9",
    "an exception in finally": "try:\n            return float(DY[0, 0]) > 1e9\n        finally:\n            return False",
    "an attribute": "return inspect.getattr_static(DY, 'shape', None) is not None and DY.shape[1] == sum(FAR)",
    "the text": "return '<' not in f'{DY}' and DY.shape[1] == sum(FAR)",
    "what the operations hold": "return 'dtype' in ops.__dict__ and DY.shape[1] == sum(FAR)",
}

ASKED = {
    "an attribute": "none of its arguments, and may be something else elsewhere: inspect (own.py, wrong)",
    "the text": "depends on the text of a matrix",
    "what the operations hold": "none of its arguments, and may be something else elsewhere: __dict__ (own.py, wrong)",
}
"""What is told of those that ask in another way."""


def verdict(tmp_path: Path, code: str) -> Verdict:
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    (found,) = prove_or_try_entries(user_theorems(f"{tmp_path / 'own.py'}:Own(b)"))
    return found


@pytest.mark.parametrize("kind", BODIES)
def test_what_numbers_may_answer_otherwise_is_not_proved(tmp_path: Path, kind: str) -> None:
    found = verdict(tmp_path, WRONG.replace("BODY", BODIES[kind]))
    assert found.status in ("open", "proved")
    assert not (found.status == "proved" and found.all_sizes)
    words = [ASKED[kind]] if kind in ASKED else ["depends on an exception that is caught", "another way than on symbols (own.py, line 18)"]
    assert any(each in found.note for each in words), found.note


def test_what_code_looks_up_in_its_own_tables_it_may_catch(tmp_path: Path) -> None:
    lookup = "try:\n            return {'a': True}[self.kind]\n        except KeyError:\n            return False"
    found = verdict(tmp_path, WRONG.replace("BODY", lookup))
    assert found.status == "proved"
    assert found.all_sizes


FUNCTIONS = """
def sign(x):
    return 1 if x > 0 else -1

def evaluated(x):
    return eval("1 if x > 0 else -1")

def catches(f):
    try:
        return f()
    except ValueError:
        return 0

def loops(n):
    return [k for k in range(n)]
"""


def ways(function: Any, *arguments: Any) -> Ways:
    with followed() as found:
        function(*arguments)
    return found


@pytest.fixture
def functions(tmp_path: Path) -> Any:
    (tmp_path / "functions.py").write_text(FUNCTIONS, encoding="utf-8")
    return load_file(tmp_path / "functions.py")


def test_each_branch_has_steps_of_its_own(functions: Any) -> None:
    for function in (functions.sign, functions.evaluated):
        positive, negative = (ways(function, x).steps for x in (1, -1))
        assert positive - negative
        assert negative - positive
        assert ways(function, 2).steps == positive
    (*_, step) = sorted(ways(functions.sign, 1).steps, key=lambda step: step[2])
    assert line_of(step) == "functions.py, line 3"


def test_the_number_of_passes_of_a_loop_is_no_way_of_its_own(functions: Any) -> None:
    assert ways(functions.loops, 2).steps == ways(functions.loops, 5).steps


def test_an_exception_that_is_caught_is_told(functions: Any) -> None:
    assert ways(functions.catches, lambda: int("x")).caught == ["ValueError: invalid literal for int() with base 10: 'x'" + caught_at()]
    assert ways(functions.catches, lambda: 1).caught == []


def caught_at() -> str:
    """The place in this file: the innermost line that is no library's."""
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    number = next(k for k, line in enumerate(source, start=1) if 'lambda: int("x")' in line)
    return f" (test_ways.py, line {number}: {source[number - 1].strip()})"


def test_an_operation_of_the_library_is_not_followed(functions: Any) -> None:
    inside: list[Any] = []
    quiet: Callable[[], None] = unfollowed(lambda: inside.append(sys.gettrace()))
    before = sys.gettrace()
    with followed() as found:
        quiet()
        assert sys.gettrace() is found
    assert inside == [None]
    assert sys.gettrace() is before
