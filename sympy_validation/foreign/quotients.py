"""Code that does not run on symbols: its gradients against difference quotients."""

from __future__ import annotations

import numpy as np

from sympy_validation.foreign.code import Code
from sympy_validation.foreign.gradient_verdict import Difference
from sympy_validation.foreign.grammar import Signature
from sympy_validation.foreign.proof import TRIALS
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.trials import CLOSE, RealRun, close, difference_quotient, point_of, run_real
from sympy_validation.foreign.values import FloatPoint

QUOTIENT = 1e-3
"""The relative difference from a difference quotient that is no rounding."""


def tried_in_numbers(code: Code, signature: Signature) -> tuple[int, Difference | None]:
    """At how many points the code ran, and an element that differs from the difference quotient at two of them, or at the only one."""
    trials, seen = 0, list[Difference]()
    for number in range(TRIALS):
        found = point_of(code, signature, SymbolicRun(), {n: v[0] for n, v in signature.numbers.items()}, number, rough=True)
        if isinstance(found, str):
            continue
        point, outcome = found
        trials += 1
        difference = _quotients_differ(code, signature, point, outcome)
        if difference:
            seen.append(difference)
    return trials, seen[0] if len(seen) >= min(2, trials) and seen else None


def _quotients_differ(code: Code, signature: Signature, point: FloatPoint, outcome: RealRun) -> Difference | None:
    again = run_real(code, signature, point)
    if not all(close(a, b, CLOSE) for a, b in zip(again.outputs, outcome.outputs, strict=True)):
        return None  # random, so that no quotient says anything
    for name, found in outcome.found.items():
        if found is None or found.size > 300:
            continue
        one, two = (difference_quotient(code, signature, point, name, h) for h in (1e-3, 5e-4))
        sure = np.abs(one - two) <= 1e-6 * (1 + np.abs(one))
        right = two.ravel()
        if found.size != right.size:
            return Difference(name, dict(point.sizes), (), f"of {right.size} elements", f"of {found.size}")
        gap = np.abs(right - found.ravel()) / (1 + np.abs(right))
        wrong = (gap > QUOTIENT) & sure.ravel()
        if wrong.any() and sure.all():
            at = int(np.argmax(wrong))
            shape = found.shape
            return Difference(
                name, dict(point.sizes), tuple(int(k) for k in np.unravel_index(at, shape)), f"{right[at]:.6g}", f"{found.ravel()[at]:.6g}"
            )
    return None
