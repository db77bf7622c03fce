"""From code and shapes to a verdict: proved for all sizes, proved for some, not proved, refuted, not captured, or an error."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.calculus import NotDifferentiable
from sympy_validation.all_sizes.terms import Undefined
from sympy_validation.faults import fault
from sympy_validation.foreign import gradients
from sympy_validation.foreign.code import Code
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.exact import element
from sympy_validation.foreign.find import find
from sympy_validation.foreign.gradients import Captured
from sympy_validation.foreign.grammar import Signature, parse
from sympy_validation.foreign.reasons import readable, where
from sympy_validation.foreign.repair import advice
from sympy_validation.foreign.sizes import dim, undim
from sympy_validation.foreign.trials import CLOSE, NARROW, RealRun, as_numbers, close, difference_quotient, point_of, run_real
from sympy_validation.foreign.values import FloatPoint
from sympy_validation.limits import Limits, NoVerdict
from sympy_validation.spaces.numbers import differ
from sympy_validation.spaces.numbers import text as exact_text

TRIALS = 3
"""The number of points at which each verdict is looked at."""
REPAIR_SECONDS = 2.5
"""How long a repair is searched for, what is missing included."""
NUMERIC_SECONDS = 4.0
"""How long numbers are tried where the code is not captured."""
QUOTIENT = 1e-3
"""The relative difference from a difference quotient that is no rounding."""


class Rung(IntEnum):
    """The verdicts, as the exit status of the command has them; 2 is that of a message about the arguments."""

    PROVED = 0
    REFUTED = 1
    NOT_PROVED = 3
    SOME_SIZES = 4
    NOT_CAPTURED = 5
    ERROR = 6


WORDS = {
    Rung.PROVED: "proved for all sizes",
    Rung.REFUTED: "REFUTED",
    Rung.NOT_PROVED: "not proved",
    Rung.SOME_SIZES: "proved for the sizes named",
    Rung.NOT_CAPTURED: "not captured",
    Rung.ERROR: "ERROR",
}


@dataclass(frozen=True)
class Difference:
    """An element of a gradient that is wrong."""

    gradient: str
    sizes: Mapping[str, int]
    position: tuple[int, ...]
    wanted: str
    found: str

    def __str__(self) -> str:
        at = ", ".join(f"{name}={n}" for name, n in self.sizes.items())
        place = f"[{','.join(map(str, self.position))}]" if self.position else ""
        return f"at {at or 'this point'}: d{self.gradient}{place} should be {self.wanted}, is {self.found}"


@dataclass
class GradientVerdict:
    """What is said of one function."""

    name: str
    rung: Rung
    gradients: tuple[str, ...] = ()
    """The inputs whose gradients it is about."""
    wrong: tuple[str, ...] = ()
    sizes: str = ""
    """The sizes for which it is proved, where these are not all."""
    counterexample: Difference | None = None
    reason: str = ""
    advice: str = ""
    conditions: tuple[str, ...] = ()
    seconds: float = 0
    expected: str = ""
    """Why it is to be different, where that is meant."""
    line: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def as_expected(self) -> bool:
        """Whether it is what it should be: proved or, where it is meant to be different, refuted."""
        return self.rung is Rung.REFUTED if self.expected else self.rung in (Rung.PROVED, Rung.SOME_SIZES)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.expected:
            return 0 if self.rung is Rung.REFUTED else int(Rung.REFUTED if self.rung in (Rung.PROVED, Rung.SOME_SIZES) else self.rung)
        return int(self.rung)

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.expected and self.rung is Rung.REFUTED:
            return f"different, as it is meant to be ({self.expected}): {self.counterexample or self.reason}"
        if self.expected and self.rung in (Rung.PROVED, Rung.SOME_SIZES):
            return f"stated to be different ({self.expected}), but it is the gradient"
        if self.rung is Rung.SOME_SIZES:
            return f"proved for {self.sizes}: other sizes are not proved ({self.reason})"
        if self.rung is Rung.REFUTED:
            shown = str(self.counterexample) if self.counterexample else self.reason
            return f"REFUTED: {shown}{'; ' + self.advice if self.advice else ''}"
        return WORDS[self.rung] + (f": {self.reason}" if self.reason else "")


class _Refuted(Exception):  # noqa: N818
    def __init__(self, wrong: Sequence[str], difference: Difference | None, reason: str = "", theorem: Captured | None = None) -> None:
        self.wrong, self.difference, self.reason, self.theorem = tuple(wrong), difference, reason, theorem


class _Disagreement(Exception):  # noqa: N818
    """What was captured is not what the code does."""


def decide(
    module: ModuleType, name: str, shapes: str, *, expected: str = "", limits: Limits | None = None, repair: bool = True
) -> GradientVerdict:
    """The verdict on a function of a module; NervaError for a mistake in the name or the shapes."""
    signature, code = parse(shapes), find(module, name)
    gradients.check_names(code, signature)
    return decide_code(code, signature, expected=expected, limits=limits, repair=repair)


def decide_code(
    code: Code, signature: Signature, *, expected: str = "", limits: Limits | None = None, repair: bool = True
) -> GradientVerdict:
    """The verdict on code."""
    start = time.perf_counter()
    limits = limits or Limits(30.0)
    try:
        with limits.held():
            verdict = _climb(code, signature)
    except NervaError:
        raise
    except (NoVerdict, MemoryError) as error:
        verdict = GradientVerdict(code.name, Rung.NOT_PROVED, reason=limits.words(error))
    except _Disagreement as error:
        verdict = GradientVerdict(code.name, Rung.ERROR, reason=str(error))
    except _Refuted as found:
        verdict = GradientVerdict(code.name, Rung.REFUTED, wrong=found.wrong, counterexample=found.difference, reason=found.reason)
        if repair and found.theorem and not expected:
            with suppress(NoVerdict), Limits(REPAIR_SECONDS).held():
                verdict.advice = advice(code, found.theorem, found.wrong)
    except Exception as error:
        verdict = _without_symbols(code, signature, error, limits)
    verdict.seconds, verdict.expected = time.perf_counter() - start, expected
    verdict.gradients = tuple(x.name for x in signature.inputs if x.differentiable)
    verdict.line = where(code)
    return verdict


def _climb(code: Code, signature: Signature) -> GradientVerdict:
    """All sizes first; where the code needs a size as a number, some."""
    named, why = dict(signature.numbers), ""
    for _ in range(4):
        try:
            return _prove(code, signature, named, why)
        except SizeNeeded as error:
            new = [n for n in error.names if n not in named and n in signature.sizes()]
            if not new:
                raise
            named |= dict.fromkeys(new, _range(len(named) + len(new)))
            why = why or f"{error}{_line_of(error, code)}"
        except _Open as error:
            new = [n for n in error.names if n not in named]
            if not new:
                return GradientVerdict(code.name, Rung.NOT_PROVED, reason=str(error), conditions=error.conditions)
            named |= dict.fromkeys(new, _range(len(named) + len(new)))
            why = why or "a part of an axis is not followed for all its sizes"
    raise NotCaptured(why)


def _range(n: int) -> tuple[int, ...]:
    return (1, 2, 3, 4) if n == 1 else (1, 2, 3)


class _Open(Exception):  # noqa: N818
    """Neither proved nor refuted; with the sizes that may be numbers instead."""

    def __init__(self, words: str, names: Sequence[str], conditions: tuple[str, ...]) -> None:
        self.names, self.conditions = tuple(names), conditions
        super().__init__(words)


MOST_COMBINATIONS = 6


def _combinations(named: Mapping[str, tuple[int, ...]]) -> list[dict[str, int]]:
    """All combinations of the numbers if these are few; else some in which each number occurs."""
    whole = [dict(zip(named, numbers, strict=True)) for numbers in product(*named.values())]
    if len(whole) <= MOST_COMBINATIONS:
        return whole
    longest = max(map(len, named.values()))
    return [
        {name: numbers[(k + j * (1 + k // longest)) % len(numbers)] for j, (name, numbers) in enumerate(named.items())}
        for k in range(MOST_COMBINATIONS)
    ]


def _prove(code: Code, signature: Signature, named: Mapping[str, tuple[int, ...]], why: str) -> GradientVerdict:
    conditions: dict[str, None] = {}
    done: list[dict[str, int]] = []
    problem: Exception | None = None
    for sizes in _combinations(named):
        try:
            theorem = _prove_at(code, signature, sizes)
        except (SizeNeeded, NervaError, _Refuted, _Open, _Disagreement):
            raise
        except Exception as error:
            if not sizes:
                raise
            problem = error
            continue  # the code is not meant for such sizes, such as an odd one
        conditions.update(dict.fromkeys(theorem.run.conditions.texts))
        done.append(sizes)
    if not done:
        assert problem
        raise problem
    texts = tuple(readable(text) for text in conditions)
    if not named:
        return GradientVerdict(code.name, Rung.PROVED, conditions=texts)
    shown = ", ".join(f"{name} = {_listed(sorted({sizes[name] for sizes in done}))}" for name in named)
    others = [s for s in signature.sizes() if s not in named]
    return GradientVerdict(
        code.name, Rung.SOME_SIZES, sizes=shown + (f" and all {', '.join(others)}" if others else ""), reason=why, conditions=texts
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _prove_at(code: Code, signature: Signature, sizes: Mapping[str, int]) -> Captured:
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
                raise _Refuted(
                    [name],
                    None,
                    f"no gradient is given for {name} (None), and the output depends on it: if that is meant, state '{name}: ... const'",
                )
            continue
        found = gradients.fitted(found, wanted.dims, code.style)
        theorem.found[name] = found
        if found.dims != wanted.dims:
            raise _Refuted([name], None, f"d{name} has the shape {_shape(found)}, and {name} has {_shape(wanted)}", theorem)
        difference = _difference(theorem, name, wanted, found, points)
        if difference:
            wrong.append((name, difference))
        elif not wrong and not gradients.equal(wanted, found, theorem.run):
            unsure.append(name)
    if wrong:
        raise _Refuted([name for name, _ in wrong], wrong[0][1], "", theorem)
    if unsure:
        parts = {s for size in theorem.run.sums.values() for s in dim(size).names()}
        names = sorted(parts & set(signature.sizes()))
        words = f"no counterexample in {len(points)} exact trials for d{', d'.join(unsure)}"
        raise _Open(words, names, tuple(readable(t) for t in theorem.run.conditions.texts))
    return theorem


def _shape(x: Any) -> str:
    return "(" + ", ".join(map(str, x.shape)) + ")"


def _check_outputs(theorem: Captured, signature: Signature, sizes: Mapping[str, int]) -> None:
    """The shapes of the outputs, where they are stated."""
    from sympy_validation.foreign.grammar import Input

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
        point, outcome = found
        difference = _disagreement(theorem, point, outcome, code.style)
        if difference:
            raise _Disagreement(difference)
        points.append(found)
    if not points:
        raise NotCaptured(f"the code does not run in 64 bits: {problem}")
    return points


def _disagreement(theorem: Captured, point: FloatPoint, outcome: RealRun, style: str) -> str:
    tolerance = NARROW if theorem.run.narrow else CLOSE
    with np.errstate(all="ignore"):
        if len(outcome.outputs) != len(theorem.outputs):
            return f"the code gives {len(outcome.outputs)} outputs, and {len(theorem.outputs)} were captured"
        for k, (real, captured) in enumerate(zip(outcome.outputs, theorem.outputs, strict=True)):
            if not close(point.tensor(captured), real, tolerance):
                return f"the captured output {k + 1} is not what the code gives at {point.sizes}: this is a defect of the capture"
        for name, captured in theorem.found.items():
            real = outcome.found.get(name)
            if captured is None or real is None:
                if (captured is None) != (real is None):
                    return f"d{name} is given either by the code or by what was captured"
                continue
            own = gradients.fitted(captured, theorem.values[name].dims, style)
            if not close(point.tensor(own), as_numbers(real), tolerance):
                return f"the captured d{name} is not what the code gives at {point.sizes}: this is a defect of the capture"
    return ""


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
            clear = (gap > 1e-2) & (np.abs(right) > 1e-2) & (np.abs(right) < 1e3)
            at = np.unravel_index(int(np.argmax(clear if clear.any() else gap)), gap.shape)
            texts = _exact_texts(wanted, found, at, point) or (f"{right[at]:.8g}...", f"{wrong[at]:.8g}...")
            return Difference(name, dict(point.sizes), tuple(int(k) for k in at), *texts)
    return None


def _exact_texts(wanted: Any, found: Any, at: Sequence[Any], point: FloatPoint) -> tuple[str, str] | None:
    """The two numbers, exactly, where they are shown to differ."""
    symbolic, numbers, place = list[Any](), list[int](), list[int]()
    for factors, own, k in zip(wanted.dims, wanted.indices(), at, strict=True):
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
    pair = [element(x.array[tuple(place)], symbolic, numbers, point) for x in (wanted, found)]
    if pair[0] is None or pair[1] is None or not differ(pair[0], pair[1]):
        return None
    return exact_text(pair[0]), exact_text(pair[1])


def _line_of(error: BaseException, code: Code) -> str:
    from sympy_validation.foreign.reasons import line_of

    return line_of(error, code)


# Code that does not run on symbols -------------------------------------------------------------------------------------


def _without_symbols(code: Code, signature: Signature, error: Exception, limits: Limits) -> GradientVerdict:
    """What numbers say of code that is not captured: the real code against difference quotients."""
    reason = _reason(error, code)
    verdict = GradientVerdict(code.name, Rung.NOT_CAPTURED, reason=reason)
    if code.style == "jax":
        return verdict  # each difference would be compiled anew
    try:
        with Limits(min(limits.seconds, NUMERIC_SECONDS)).held():
            trials, difference = _numeric(code, signature)
    except (NoVerdict, MemoryError, Exception):
        return verdict
    if difference:
        return GradientVerdict(
            code.name, Rung.REFUTED, wrong=(difference.gradient,), counterexample=difference, notes=[f"seen in numbers; {reason}"]
        )
    if trials:
        verdict.reason += f"; no counterexample in {trials} numeric trials: not proved"
    else:
        verdict.reason += "; it has no value at the points that were tried"
    return verdict


def _reason(error: Exception, code: Code) -> str:
    if isinstance(error, (NotCaptured, ShapesDiffer, NotDifferentiable, Undefined)):
        return f"{error}{_line_of(error, code)}"
    return fault(error)


def _numeric(code: Code, signature: Signature) -> tuple[int, Difference | None]:
    trials, seen = 0, list[Difference]()
    from sympy_validation.foreign.run import SymbolicRun

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
