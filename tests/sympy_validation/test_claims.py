"""Claims are stated about the code itself, with symbols for everything continuous."""

from __future__ import annotations

import sympy as sp

from nerva_core.equations.losses import SquaredError
from sympy_validation.claims import LossGradient
from sympy_validation.spaces.entries import EntriesSpace


def test_the_gradient_of_a_loss_is_that_of_its_value() -> None:
    space = EntriesSpace({"N": 3, "K": 2})
    problem = LossGradient(lambda space: SquaredError()).problem(space)
    y, t = sp.Symbol("Y[0,1]", real=True), space.constant("T", 3, 2)[0, 1]
    assert sp.expand(problem.expected["DY"]()[0, 1] - 2 * (y - t)) == 0
