"""In the module of a user, math is that of numbers and of symbols."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
import sympy as sp

from sympy_validation.all_sizes import AllSizesOps
from sympy_validation.all_sizes.rearrangements import SymbolicRange
from sympy_validation.operands import ComparedError
from sympy_validation.own_math import use_symbols


@pytest.fixture
def module() -> ModuleType:
    made = ModuleType("own")
    exec("import math\nfrom math import exp, sqrt as root, pi\nimport math as m\n", vars(made))
    use_symbols(made)
    return made


def test_numbers_are_as_they_were(module: ModuleType) -> None:
    assert (module.exp(1), module.root(2), module.m.tanh(0.5), module.pi) == (math.e, math.sqrt(2), math.tanh(0.5), math.pi)
    assert module.math.isclose(1, 1 + 1e-10, rel_tol=1e-9)
    assert module.math.inf == math.inf
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        module.root(-1)
    assert math.sqrt is not module.root


def test_symbols(module: ModuleType) -> None:
    ops = AllSizesOps()
    c, D = ops.scalar("c", positive=True), ops.own_size("D")
    equal = [
        (module.exp(c) * module.m.exp(-c), 1),
        (module.root(D) ** 2, D),
        (module.math.pow(c, 3), c * c * c),
        (module.math.log(c, 2) * module.math.log(c**0 * 2), module.math.log(c)),
        (module.math.log(c, D), module.math.log(c) / module.math.log(D)),
    ]
    for a, b in equal:
        assert ops.is_zero(ops.full(a - b, 1, 1))
    assert not ops.is_zero(ops.full(module.math.pow(c, 3) - c, 1, 1))
    with pytest.raises(TypeError, match=r"math\.isclose of a hyper-parameter is not known to the prover"):
        module.math.isclose(c, 1)
    for ask in (lambda: module.math.hypot(D, 2), lambda: module.math.isclose(a=c, b=1), lambda: module.math.floor(D)):
        with pytest.raises(ComparedError, match="is not known to the prover"):
            ask()


def test_entries_are_symbols_of_sympy(module: ModuleType) -> None:
    x = sp.Symbol("x")
    assert (module.exp(x), module.math.fabs(x), module.math.pow(x, 2)) == (sp.exp(x), sp.Abs(x), x**2)


def test_a_range_of_sizes(module: ModuleType) -> None:
    D = AllSizesOps().own_size("D")
    assert (module.range(D), module.range(D, 2 * D)) == (SymbolicRange(0, D), SymbolicRange(D, 2 * D))
    assert list(module.range(1, 6, 2)) == [1, 3, 5]
