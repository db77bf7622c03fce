"""The usual test of a gradient, and which mistakes it would have seen: a sum as the loss, fresh weights, a tolerance of 1 %."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from sympy_validation.foreign.find import find
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.trials import difference_quotient, run_real, sizes_at
from sympy_validation.foreign.values import FloatPoint

TOLERANCE = 1e-2


def seen_by_a_sum(module: ModuleType, name: str, shapes: str, ones: tuple[str, ...] = ()) -> bool:
    """Whether the difference quotient of the sum of the outputs shows that a gradient is wrong; some inputs are 1."""
    signature, code = parse(shapes), find(module, name)
    point = FloatPoint(SymbolicRun(), sizes_at(signature.sizes(), {}, 0), seed=5, positive=any(x.positive for x in signature.inputs))
    first = run_real(code, signature, point)
    for key in point.inputs:
        if key.startswith("dY") or key in ones:
            point.inputs[key] = np.ones_like(point.inputs[key])
    outcome = run_real(code, signature, point)
    assert len(first.outputs) == len(outcome.outputs)
    for key, found in outcome.found.items():
        right = difference_quotient(code, signature, point, key, 1e-3)
        if found is None or found.size != right.size:
            return True
        if not np.allclose(found.reshape(right.shape), right, rtol=TOLERANCE, atol=TOLERANCE):
            return True
    return False
