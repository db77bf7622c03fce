"""The last word has a number: a user's layer or update rule on NumPy in float64, at many sizes and hyper-parameters.

A proof is about what the code does with symbols; here the same code runs as it does when it trains. Its gradients are compared
with differences, and what no theorem is about is looked at too: that nothing that is given is changed, that calls do not depend
on one another, and that the shapes and ``evaluate`` are those of ``feedforward``. An update rule is compared with what it states of
itself. A contradiction refuses what was proved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from sympy_validation.faults import fault
from sympy_validation.hyperparameters import Choice
from sympy_validation.inference import ROWS, otherwise
from sympy_validation.layer_run import ContradictionError, LayerRun, NumericSizes, OtherLayerError, Sample
from sympy_validation.mentioned import mentioned, sizes_beside
from sympy_validation.ways import Step, Ways, line_of

LARGE = ((300, 2, 3), (2, 300, 3), (2, 3, 300))
SIZES = ((3, 4, 2), (4, 3, 3), (3, 3, 3), (1, 3, 2), (4, 1, 2), (1, 1, 1), (4, 3, 1), (2, 2, 2), (40, 2, 3), (2, 40, 3), (2, 3, 40), *LARGE)
"""(N, D, K): the first is an ordinary one; then each that is 1, those that are equal, and each that is large."""
FEW = SIZES[:5]
SAMPLES: tuple[Sample, ...] = (
    lambda rng, shape: rng.normal(size=shape),
    lambda rng, shape: rng.uniform(-0.9, 0.9, size=shape),
    lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    lambda rng, shape: rng.uniform(1.5, 9, size=shape),
    lambda rng, shape: -rng.uniform(0.5, 3, size=shape),
)
"""Where the elements lie: functions such as log are defined for some only, and piecewise ones have a piece for each."""


class NumericRun(Protocol):
    """One run of an entry on numbers: of (entry, sizes, sample, rng)."""

    ways: Ways
    kept: str

    def check(self) -> bool:
        """Whether everything has a value there; a ContradictionError if something is not what it should be."""


@dataclass(frozen=True)
class NumericRuns:
    """How an entry is run on numbers."""

    run: Callable[..., NumericRun] = LayerRun
    any_sizes: bool = True
    """Whether there are matrices in it, of sizes that vary."""


LAYERS = NumericRuns()


@dataclass
class NumericFindings:
    """The contradictions to the claims, and the inputs on which the code did not run."""

    general: str = ""
    gradients: dict[str, str] = field(default_factory=dict)
    stops: str = ""
    """The first size at which the code raises an exception."""
    defined: bool = False
    """Whether there was a point at which everything has a value."""
    steps: dict[Step, str] = field(default_factory=dict)
    """Where the code has first taken each of its steps."""
    outside: str = ""
    """What the code asks for that is none of its arguments, or keeps outside of its cache."""

    def about(self, quantity: str) -> str:
        """What contradicts the theorem about the quantity; empty if nothing does."""
        return self.general or self.gradients.get(quantity, "")


@dataclass
class NumericCheck:
    """The check of one entry, made when it is first asked for."""

    choices: Sequence[Choice]
    gradient: str = ""
    """For an activation, what the DX of its layer is called."""
    ways: Ways | None = None
    """Those that the code takes on symbols, if they are known."""
    followed: int = 1
    """With so many of the choices it goes the same ways."""
    runs: NumericRuns = LAYERS

    @cached_property
    def findings(self) -> NumericFindings:
        """What the numbers say."""
        return check(self.choices, self.gradient, self.followed, self.runs)

    def contradiction(self, quantity: str) -> str:
        """What contradicts the theorem about the quantity; empty if nothing does."""
        return self.findings.about(quantity)

    def objection(self, all_sizes: bool) -> str:
        """Why what is not contradicted is not called proved either; empty if there is no reason."""
        if all_sizes and self.findings.stops:
            return self.findings.stops
        if all_sizes and self.ways:
            for step in self.findings.steps.keys() - self.ways.steps:
                where = f"{self.findings.steps[step]} the code goes another way than on symbols ({line_of(step)})"
                return f"{where}: it decides by something that is not the same there"
        if self.findings.outside:
            return self.findings.outside
        return "it has a value at none of the points tried" if self.choices and not self.findings.defined else ""


def check(choices: Sequence[Choice], gradient: str = "", followed: int = 0, runs: NumericRuns = LAYERS) -> NumericFindings:
    """The entries that the choices make, at all sizes; the steps are those with the first choices."""
    found = NumericFindings()
    steps: dict[Step, str] = {}
    with np.errstate(all="ignore"):
        for number, choice in enumerate(choices):
            beside = sizes_beside(mentioned(choice.entry)) if number == 0 else []
            sizes = [*SIZES, *beside] if number == 0 else FEW
            for N, D, K in sizes if runs.any_sizes else FEW[:1]:
                shape = [f"N={N}, D={D}", *([f"K={K}"] * choice.has_outputs)] if runs.any_sizes else []
                where = " at " * bool(shape or choice.words) + ", ".join([*shape, *choice.words])
                try:
                    entry = choice.make(D, K)
                except Exception:
                    continue  # values that the entry does not take
                run, columns = partial(runs.run, entry), getattr(entry, "columns", None)
                required = choice.ordinary and columns in (None, D)
                samples = SAMPLES[:1] if (N, D, K) in beside or not runs.any_sizes else SAMPLES
                _at(found, run, NumericSizes(N, D, K), where, required, gradient, samples)
                if columns and columns != D:
                    there = where.replace(f"D={D}", f"D={columns}")
                    _at(found, run, NumericSizes(N, columns, K), there, choice.ordinary, gradient, samples)
            if number == 0 and runs is LAYERS and not found.stops:
                found.outside = found.outside or _at_inference(choice)
            if number + 1 == followed:
                steps = {**found.steps}
    return replace(found, steps=steps)


def _at(
    found: NumericFindings,
    make: Callable[..., NumericRun],
    sizes: NumericSizes,
    where: str,
    required: bool,
    gradient: str,
    samples: Sequence[Sample],
) -> None:
    for number, sample in enumerate(samples):
        try:
            run = make(sizes, sample, np.random.default_rng(number))
            found.defined |= run.check()
            for step in run.ways.steps:
                found.steps.setdefault(step, f"on NumPy{where}")
            found.outside = found.outside or _outside(run)
        except ContradictionError as wrong:
            found.defined = True
            text = f"on NumPy{where}: {wrong}"
            name = gradient if wrong.quantity == "DX" and gradient else wrong.quantity
            if wrong.quantity:
                found.gradients.setdefault(name, text)
            elif required:
                found.general = found.general or text
        except OtherLayerError as other:
            found.outside = found.outside or str(other)
            return
        except Exception as error:
            if required:
                found.stops = found.stops or f"on NumPy{where}: {fault(error)}"
            return


def _at_inference(choice: Choice) -> str:
    """What the entry does otherwise at inference, with its ordinary values."""
    N, D, K = SIZES[0]
    D = getattr(choice.entry, "columns", None) or D
    try:
        layer = choice.make(D, K)
        rows = N if layer.noise_shapes(N, D) else ROWS
        return otherwise(LayerRun(layer, NumericSizes(rows, D, K), SAMPLES[2], np.random.default_rng(0)))
    except Exception as error:
        return f"evaluate does not run: {fault(error)}"


def _outside(run: NumericRun) -> str:
    if run.ways.outside:
        return f"the code asks for what is none of its arguments, and may be something else elsewhere: {run.ways.outside[0]}"
    return f"the code keeps something between its calls outside of the cache: {run.kept}" if run.kept else ""
