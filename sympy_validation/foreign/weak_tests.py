"""The tests of gradients that projects have, as data, and which mistakes they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from nerva_core.algebra.memory import Array
from sympy_validation.foreign.code import Code
from sympy_validation.foreign.find import find
from sympy_validation.foreign.grammar import Signature, parse
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.trials import RealRun, run_real, sizes_at
from sympy_validation.foreign.values import FloatPoint

PERCENT = 1e-2


@dataclass(frozen=True)
class WeakTest:
    """A test that compares a gradient with the right one, at one point."""

    words: str
    """What it does, for the reader."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    ones: tuple[str, ...] = ()
    """The inputs that are 1, as those of a fresh network are."""
    halves: tuple[str, ...] = ()
    """The inputs whose rows have two equal halves."""
    of_sum: bool = False
    """Whether the loss is the sum of the outputs, so that the gradient of the output is 1."""
    rtol: float = PERCENT
    atol: float = PERCENT

    def sees(self, module: ModuleType, wrong: str, right: str, shapes: str) -> bool:
        """Whether it shows that a gradient is wrong, where another one is proved to be right."""
        signature = parse(shapes)
        found, wanted = (self._gradients(signature, find(module, name)) for name in (wrong, right))
        return any(not self._near(found[name], wanted[name]) for name in wanted)

    def _gradients(self, signature: Signature, code: Code) -> dict[str, Array | None]:
        positive = any(x.positive for x in signature.inputs)
        point = FloatPoint(SymbolicRun(), sizes_at(signature.sizes(), self.sizes, 0), seed=5, positive=positive)
        run_real(code, signature, point)
        for name, values in point.inputs.items():
            if name in self.ones or (self.of_sum and name.startswith("dY")):
                values[...] = 1
            if name in self.halves:
                rows = values.reshape(len(values), 2, -1)
                rows[:, 1] = rows[:, 0]
        outcome: RealRun = run_real(code, signature, point)
        return outcome.found

    def _near(self, found: Array | None, wanted: Array | None) -> bool:
        if found is None or wanted is None or found.size != wanted.size:
            return found is wanted
        return np.allclose(found.reshape(wanted.shape), wanted, rtol=self.rtol, atol=self.atol)


def usual(ones: tuple[str, ...] = ()) -> WeakTest:
    """The usual test: a sum as the loss, the weights of a fresh network, a tolerance of one part in a hundred."""
    return WeakTest("not known here; of the usual kind", ones=ones, of_sum=True)
