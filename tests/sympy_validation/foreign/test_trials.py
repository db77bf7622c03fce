from pathlib import Path

import numpy as np

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.find import find
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.trials import close, difference_quotient, point_of, run_real
from sympy_validation.foreign.values import FloatPoint

HERE = Path(__file__).parent


def test_difference_quotients_are_the_gradient() -> None:
    code, signature = find(load_file(HERE / "foreign_torch.py"), "Swish"), parse("i: N D")
    point = FloatPoint(SymbolicRun(), {"N": 2, "D": 3}, 1)
    outcome = run_real(code, signature, point)
    assert close(outcome.found["i"], difference_quotient(code, signature, point, "i", 1e-3), 1e-8)


def test_code_that_does_not_run_is_told() -> None:
    code = find(load_file(HERE / "foreign_torch.py"), "LinearFunction")
    found = point_of(code, parse("input: N D, weight: D K, bias: K"), SymbolicRun(), {}, 0)
    assert isinstance(found, str)
    assert "Error" in found
    assert not close(np.array([1.0, np.nan]), np.array([1.0, np.nan]), 1.0)
