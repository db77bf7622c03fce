"""In a user's code what stands for a matrix has no type and no attributes; anything else has those that it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.user_files import load_file
from sympy_validation.operands import ComparedError
from sympy_validation.own_builtins import REPLACED, ask_no_symbols
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace

own: Any = SimpleNamespace(**REPLACED)
SPACE = SymbolicSizesSpace(own=True)
X = SPACE.matrix("X", SPACE.size("N"), SPACE.size("D"))
ASKED: dict[str, Callable[[Any], Any]] = {
    "type": lambda x: own.type(x),
    "isinstance": lambda x: own.isinstance(x, np.ndarray),
    "hasattr": lambda x: own.hasattr(x, "dtype"),
    "getattr": lambda x: own.getattr(x, "dtype", None),
    "vars": lambda x: own.vars(x),
    "dir": lambda x: own.dir(x),
}


@pytest.mark.parametrize("symbol", [X, SPACE.ops, SPACE.size("N"), SPACE.scalar("c")], ids=["matrix", "ops", "size", "scalar"])
@pytest.mark.parametrize("name", ASKED)
def test_symbols_have_no_answers(name: str, symbol: Any) -> None:
    with pytest.raises(ComparedError, match=r"what follows depends on the (type|attributes) of"):
        ASKED[name](symbol)


def test_anything_else_has_its_own() -> None:
    assert own.type(3) is int
    assert own.type("A", (), {}).__name__ == "A"
    assert own.isinstance(3, int)
    assert isinstance(int, own.type)
    assert issubclass(type, own.type)
    assert not isinstance(3, own.type)
    assert own.type[int] == type[int]
    assert own.hasattr([], "append")
    assert own.getattr([], "nothing", 5) == 5
    assert "append" in own.dir([])
    assert own.isinstance(SPACE, SymbolicSizesSpace)
    assert own.vars(SimpleNamespace(a=1)) == {"a": 1}


def test_a_fraction_leaves_its_product_to_the_matrix(tmp_path: Path) -> None:
    (tmp_path / "third.py").write_text("from fractions import Fraction\ndef third(X): return Fraction(1, 3) * X\n", encoding="utf-8")
    assert SPACE.ops.is_zero(3 * load_file(tmp_path / "third.py").third(X) - X)


def test_the_operations_of_the_interface_are_there() -> None:
    assert own.hasattr(SPACE.ops, "exp")
    assert own.getattr(SPACE.ops, "exp")(X).rows == X.rows
    assert not own.hasattr(object(), "exp")
    assert hasattr(MatrixOps, "exp")


def test_a_module_keeps_what_it_has_defined_itself() -> None:
    module: Any = SimpleNamespace(type="its own")
    ask_no_symbols(module)
    assert module.type == "its own"
    assert module.hasattr is REPLACED["hasattr"]
