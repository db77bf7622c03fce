"""Code that asks for something else than its arguments, or keeps something between its calls, is not proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerva_core.algebra.user_files import load_file
from sympy_validation.outside import KeptOutside
from sympy_validation.theorem import Verdict, prove_or_try_entries
from sympy_validation.user_layers import user_theorems

HEAD = """
import itertools
import os
import sys
from dataclasses import dataclass
from time import time

import numpy as np

from nerva_core.layers import Layer

COUNT = [0]
SCALES = itertools.chain(itertools.repeat(1, 10**9), itertools.repeat(2))


class Memory:
    calls = 0


def _counter():
    n = 0

    def count():
        nonlocal n
        n += 1
        return n

    return count


count = _counter()
"""
OWN = """

@dataclass(frozen=True)
class Own(Layer):
    def feedforward(self, ops, params, X, seen=[]):
        return X, ()

    def backpropagate(self, ops, params, cache, DY, seen=[]):
        BODY
        return c * DY, ()
"""
ASKS = {
    "the system": "c = 1 + ('WRONG' in os.environ)",
    "the program": "c = 1 + (sys.getsizeof(DY) > 10**9)",
    "the modules": "c = {True: 1, False: 2}['sympy_validation' in sys.modules]",
    "the clock": "c = 1 + int(time() < 0)",
    "an iterator": "c = next(SCALES)",
    "another module": "import platform; c = 1 + (platform.machine() == 'none')",
    "where the operations come from": "c = 1 + ops.__module__.startswith('torch')",
    "the class": "c = 1 + ('Torch' in int.__class__(ops).__name__)",
    "what an object is called": "c = 1 + (id(DY) == 0)",
}
KEEPS = {
    "COUNT[0]": "COUNT[0] += 1; c = 1 + COUNT[0] // 10**9",
    "Memory.calls": "Memory.calls = Memory.calls + 1; c = 1 + Memory.calls // 10**9",
    "seen": "seen.append(1); c = 1 + len(seen) // 10**9",
    "count.n": "c = 1 + count() // 10**9",
}


def verdict(tmp_path: Path, body: str) -> Verdict:
    (tmp_path / "own.py").write_text(HEAD + OWN.replace("BODY", body), encoding="utf-8")
    (found,) = prove_or_try_entries(user_theorems(f"{tmp_path / 'own.py'}:Own"))
    return found


@pytest.mark.parametrize("kind", ASKS)
def test_what_is_no_argument_may_be_something_else_elsewhere(tmp_path: Path, kind: str) -> None:
    found = verdict(tmp_path, ASKS[kind])
    assert found.status == "open"
    assert "asks for what is none of its arguments" in found.note


@pytest.mark.parametrize("kind", KEEPS)
def test_what_is_kept_may_matter_later(tmp_path: Path, kind: str) -> None:
    found = verdict(tmp_path, KEEPS[kind])
    assert found.status == "open"
    assert "keeps something between its calls" in found.note


def test_code_that_depends_on_its_arguments_is_proved(tmp_path: Path) -> None:
    found = verdict(tmp_path, "c = int(np.sqrt(float(sum(itertools.islice([1, 5], 1)))))")
    assert found.status == "proved", found.note
    assert found.all_sizes


def test_what_is_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(HEAD + OWN.replace("BODY", "c = 1"), encoding="utf-8")
    module = load_file(tmp_path / "kept.py")
    kept = KeptOutside(module.Own())
    assert kept.changed() == ""
    module.COUNT.append(5)
    assert kept.changed() == "COUNT[...]"
