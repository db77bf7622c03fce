"""The proof that captured gradients are those of the captured code, with some sizes as numbers and all others as symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign import gradients
from sympy_validation.foreign.code import Code
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.exact import element
from sympy_validation.foreign.gradient_verdict import Difference
from sympy_validation.foreign.gradients import Captured
from sympy_validation.foreign.grammar import Input, Signature
from sympy_validation.foreign.reasons import readable
from sympy_validation.foreign.sizes import dim, undim
from sympy_validation.foreign.trials import CLOSE, NARROW, RealRun, as_numbers, close, point_of
from sympy_validation.foreign.values import FloatPoint
from sympy_validation.spaces.numbers import Interval, Real, differ
from sympy_validation.spaces.numbers import text as exact_text

TRIALS = 3
"""The number of points at which each verdict is looked at."""
MOST_DOUBTFUL = 12
"""So many elements are looked at exactly."""
ROUNDING = 1e-9
"""A difference of this part of the largest element may be a rounding: it only counts if exact numbers show it."""


class Refuted(Exception):  # noqa: N818
    """A gradient is certainly wrong: which, where, and the theorem if a repair can be searched for."""

    def __init__(self, wrong: Sequence[str], difference: Difference | None, reason: str = "", theorem: Captured | None = None) -> None:
        self.wrong, self.difference, self.reason, self.theorem = tuple(wrong), difference, reason, theorem


class Disagreement(Exception):  # noqa: N818
    """What was captured is not what the code does."""


class Doubtful(Exception):  # noqa: N818
    """Floats differ at a point, and exact numbers would take too long: smaller ones, whose terms cancel less, are looked at."""


class Open(Exception):  # noqa: N818
    """Neither proved nor refuted; with the sizes that may be numbers instead."""

    def __init__(self, words: str, names: Sequence[str], conditions: tuple[str, ...]) -> None:
        self.names, self.conditions = tuple(names), conditions
        super().__init__(words)


def prove_at(code: Code, signature: Signature, sizes: Mapping[str, int]) -> Captured:
    """The theorem with these sizes as numbers, proved; else an exception that says why not."""
    theorem = gradients.capture(code, signature, sizes)
    _check_outputs(theorem, signature, sizes)
    points = _agreeing_points(code, signature, theorem, sizes)
    L = gradients.loss(theorem)
    theorem.run.conditions.off_kinks(L)
    wrong, unsure = list[tuple[str, Difference]](), list[str]()
    for name, found in theorem.found.items():
        wanted = gradients.want(theorem, name, L)
        if found is None:
            if any(P.terms for _, P in wanted.elements_in_order()):
                raise Refuted(
                    [name],
                    None,
                    f"no gradient is given for {name} (None), and the output depends on it: if that is meant, state '{name}: ... const'",
                )
            continue
        found = gradients.fitted(found, wanted.dims, code.style)
        theorem.found[name] = found
        if _lengths(found) != _lengths(wanted):
            raise Refuted([name], None, f"d{name} has the shape {_shape(found)}, and {name} has {_shape(wanted)}", theorem)
        difference = _difference(theorem, name, wanted, found, points)
        if not difference and all(point.at_kink for point, _ in points):
            difference = _difference(theorem, name, wanted, found, _off_kinks(code, signature, theorem, sizes))
        if difference:
            wrong.append((name, difference))
        elif not wrong and not gradients.equal(wanted, found, theorem.run):
            unsure.append(name)
    if wrong:
        raise Refuted([name for name, _ in wrong], wrong[0][1], "", theorem)
    if unsure:
        parts = {s for size in theorem.run.sums.values() for s in dim(size).names()}
        names = sorted(parts & set(signature.sizes()))
        words = f"no counterexample in {len(points)} exact trials for d{', d'.join(unsure)}"
        raise Open(words, names, tuple(readable(t) for t in theorem.run.conditions.texts))
    return theorem


def _lengths(x: Any) -> list[Any]:
    """The lengths of the axes, in whichever order their factors count."""
    return [dim(undim(factors)).form for factors in x.dims]


def _shape(x: Any) -> str:
    return "(" + ", ".join(map(str, x.shape)) + ")"


def _check_outputs(theorem: Captured, signature: Signature, sizes: Mapping[str, int]) -> None:
    """The shapes of the outputs, where they are stated."""
    for k, axes in enumerate(signature.outputs):
        stated = [undim(d) for d in Input("", axes).dims(sizes)]
        if k >= len(theorem.outputs) or list(theorem.outputs[k].shape) != stated:
            is_now = _shape(theorem.outputs[k]) if k < len(theorem.outputs) else "nothing"
            raise NervaError(f"the output is stated to have the shape ({', '.join(map(str, stated))}), and has {is_now}")


def _agreeing_points(code: Code, signature: Signature, theorem: Captured, sizes: Mapping[str, int]) -> list[tuple[FloatPoint, RealRun]]:
    """Points at which the code gives what was captured of it; a disagreement is an error."""
    points = []
    problem = ""
    for number in range(TRIALS):
        found = point_of(code, signature, theorem.run, sizes, number)
        if isinstance(found, str):
            problem = found
            continue
        try:
            difference = _disagreement(theorem, *found, code.style)
        except Doubtful:
            found = point_of(code, signature, theorem.run, sizes, number, small=True)
            if isinstance(found, str):
                problem = found
                continue
            difference = _disagreement(theorem, *found, code.style)
        if difference and _has_no_value(theorem, found[0]):
            problem = "where a whole row is masked, it has no value"
            continue
        if difference:
            raise Disagreement(difference)
        points.append(found)
    if not points:
        raise NotCaptured(f"the code does not run in 64 bits: {problem}")
    return points


def _off_kinks(code: Code, signature: Signature, theorem: Captured, sizes: Mapping[str, int]) -> list[tuple[FloatPoint, RealRun]]:
    """Points of longer numbers, no two of which are equal: where maxima of many short ones would be ties."""
    found = [point_of(code, signature, theorem.run, sizes, number, rough=True) for number in range(TRIALS)]
    return [x for x in found if not isinstance(x, str) and not _disagreement(theorem, *x, code.style)]


def _has_no_value(theorem: Captured, point: FloatPoint) -> bool:
    """Whether a huge number that stands for ∞ leaves no value here: a row that is masked as a whole is 0/0, and in the code a mean."""
    if not any("∞" in text for text in theorem.run.conditions.texts):
        return False
    return any(np.isnan(point.tensor(y)).any() for y in theorem.outputs)


def _disagreement(theorem: Captured, point: FloatPoint, outcome: RealRun, style: str) -> str:
    tolerance = NARROW if theorem.run.narrow else CLOSE
    with np.errstate(all="ignore"):
        if len(outcome.outputs) != len(theorem.outputs):
            return f"the code gives {len(outcome.outputs)} outputs, and {len(theorem.outputs)} were captured"
        for k, (real, captured) in enumerate(zip(outcome.outputs, theorem.outputs, strict=True)):
            if not _agrees(captured, real, point, tolerance):
                return f"the captured output {k + 1} is not what the code gives at {point.sizes}: this is a defect of the capture"
        for name, captured in theorem.found.items():
            real = outcome.found.get(name)
            if captured is None or real is None:
                if (captured is None) != (real is None):
                    return f"d{name} is given either by the code or by what was captured"
                continue
            own = gradients.fitted(captured, theorem.values[name].dims, style)
            if not _agrees(own, as_numbers(real), point, tolerance):
                return f"the captured d{name} is not what the code gives at {point.sizes}: this is a defect of the capture"
    return ""


def _agrees(captured: Any, real: Any, point: FloatPoint, tolerance: float) -> bool:
    """Whether what was captured has the values that the code gives: in floats or, where these cancel, exactly."""
    values = point.tensor(captured)
    if close(values, real, tolerance):
        return True
    if values.size != real.size:
        return False
    real = np.asarray(real, dtype=float).reshape(values.shape)
    scale = max(1.0, _largest(real))
    doubtful = np.argwhere(~(np.abs(values - real) <= tolerance * scale))
    exacts = [_exact(captured, at, point) for at in doubtful[:MOST_DOUBTFUL]]
    if not point.small and (None in exacts or len(doubtful) > MOST_DOUBTFUL):
        raise Doubtful
    for at, exact in zip(doubtful, exacts, strict=False):
        if exact is None or not abs(float(Interval.of(exact).x.mid) - real[tuple(at)]) <= tolerance * scale:
            return False
    point.cancels = True
    return len(doubtful) <= MOST_DOUBTFUL


def _difference(theorem: Captured, name: str, wanted: Any, found: Any, points: Sequence[tuple[FloatPoint, RealRun]]) -> Difference | None:
    """The clearest element that is certainly wrong."""
    for point, _ in points:
        with np.errstate(all="ignore"):
            right, wrong = point.tensor(wanted), point.tensor(found)
        if point.at_kink:
            continue
        gap = np.abs(right - wrong) / (1e-12 + np.abs(right) + np.abs(wrong))
        gap = np.where(np.isfinite(gap), gap, 0)
        if gap.size and gap.max() > 1e-6:
            large = np.abs(right - wrong) > ROUNDING * max(1.0, _largest(right), _largest(wrong))
            clear = (gap > 1e-2) & (np.abs(right) > 1e-2) & (np.abs(right) < 1e3) & large
            at = np.unravel_index(int(np.argmax(clear if clear.any() else np.where(large, gap, 0) if large.any() else gap)), gap.shape)
            texts = _exact_texts(wanted, found, at, point)
            if texts is None and (point.cancels or not large.any()):
                continue  # what is left of terms that cancel
            texts = texts or (f"{right[at]:.8g}...", f"{wrong[at]:.8g}...")
            return Difference(name, dict(point.sizes), tuple(int(k) for k in at), *texts)
    return None


def _largest(values: Any) -> float:
    """The largest of the values that are finite."""
    return float(np.max(np.abs(values), initial=0, where=np.isfinite(values)))


def _exact(x: Any, at: Sequence[Any], point: FloatPoint) -> Real | None:
    """One element, exactly; None if that takes too long."""
    symbolic, numbers, place = list[Any](), list[int](), list[int]()
    for factors, own, k in zip(x.dims, x.indices(), at, strict=True):
        lengths, digits, rest = point.shape(factors), list[int](), int(k)
        for n in reversed(lengths):
            digits.insert(0, rest % n)
            rest //= n
        free = iter(own)
        for factor, digit in zip(factors, digits, strict=True):
            if isinstance(factor, int):
                place.append(digit)
            else:
                symbolic.append(next(free))
                numbers.append(digit)
    return element(x.array[tuple(place)], symbolic, numbers, point)


def _exact_texts(wanted: Any, found: Any, at: Sequence[Any], point: FloatPoint) -> tuple[str, str] | None:
    """The two numbers, exactly, where they are shown to differ."""
    right, wrong = (_exact(x, at, point) for x in (wanted, found))
    if right is None or wrong is None or not differ(right, wrong):
        return None
    return exact_text(right), exact_text(wrong)
