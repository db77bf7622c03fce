"""The stated bounds: one table, with the reason of every bound that is not the default.

Elementwise operations, and the activations in ``IN_ULP``, are measured in units in the last place (ulp) of the exact value. All
other quantities add terms, which may cancel, or pass through numbers below the normal ones; they are measured in units of their
running error (``running``), in which every elementary operation contributes one ulp, and a sum of n terms n - 1 ulp of the sum of
their absolute values. Arithmetic that rounds correctly contributes half of that; the functions of the frameworks contribute up to
2 ulp, so 2 is accepted. A training run is measured as a whole, relative to the largest parameter.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nerva_core.comparison.subject import Subject

Measure = Literal["ulp", "terms", "relative"]


@dataclass(frozen=True)
class Bound:
    """The largest accepted error, and its measure."""

    measure: Measure
    value: float
    reason: str = ""
    flushes: bool = False
    """Whether results below the normal numbers may be 0."""


DEFAULT: dict[Measure, float] = {"ulp": 4.0, "terms": 2.0}
IN_ULP = frozenset({"Identity", "ReLU", "LeakyReLU", "AllReLU", "SReLU", "Tanh", "Sigmoid", "ELU", "Softplus"})
"""Activations whose value and gradient are, on each side of a kink, one function or one product; every other one may add terms."""
SUM = 1.0
"""A sum or product stays within its classical bound."""
TRAINING = {"float64": 1e-12, "float32": 1e-5}
"""The largest relative error of a whole training run."""


@dataclass(frozen=True)
class Rule:
    """An exception: where backend, dtype and quantity (patterns) match, another measure or value."""

    quantity: str
    reason: str
    backend: str = "*"
    dtype: str = "*"
    measure: Measure | None = None
    value: float | None = None
    flushes: bool = False

    def matches(self, quantity: str, backend: str, dtype: str) -> bool:
        """Whether the rule is about this."""
        pairs = ((quantity, self.quantity), (backend, self.backend), (dtype, self.dtype))
        return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in pairs)


UNDERFLOW = "torch's sigmoid is 0 where e^-x overflows, instead of subnormal"

RULES: tuple[Rule, ...] = (
    Rule("interval_sums: *", "sums of terms that may cancel", measure="terms"),
    Rule("[sS]igmoid: *", UNDERFLOW, backend="torch", flushes=True),
    Rule("apply: *", UNDERFLOW, backend="torch", flushes=True),
    Rule("Softplus: gradient", UNDERFLOW, backend="torch", flushes=True),
    Rule("Tanh: gradient", UNDERFLOW, backend="torch", flushes=True),
)

FLUSHING = {
    "jax": "XLA computes with 0 instead of subnormal numbers on CPUs",
    "tensorflow": "TensorFlow's threads compute with 0 instead of subnormal numbers",
}
"""Backends that compute with 0 instead of subnormal numbers, with the reason."""


def bound_of(backend: str, dtype: str, subject: Subject, output: str) -> Bound:
    """The bound for an output of a subject: the default, changed by the rules that match, in their order."""
    of_one_term = subject.kind == "activation" and type(subject.entry).__name__ in IN_ULP
    in_ulp = of_one_term or (subject.kind == "operation" and not subject.is_sum)
    measure: Measure = "ulp" if in_ulp else "terms"
    value, reasons, flushes = SUM if subject.is_sum else DEFAULT[measure], [], backend in FLUSHING
    for rule in RULES:
        if rule.matches(f"{subject.name}: {output}", backend, dtype):
            measure = rule.measure or measure
            value = DEFAULT[measure] if rule.value is None else rule.value
            flushes = flushes or rule.flushes
            reasons.append(rule.reason)
    return Bound(measure, value, "; ".join(reasons), flushes)
