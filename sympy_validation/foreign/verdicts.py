"""From code and shapes to a verdict: proved for all sizes, proved for some, not proved, refuted, not captured, or an error."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from types import ModuleType

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.calculus import NotDifferentiable
from sympy_validation.all_sizes.terms import Undefined
from sympy_validation.faults import fault
from sympy_validation.foreign import gradients
from sympy_validation.foreign.code import Code
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.find import find
from sympy_validation.foreign.gradient_verdict import GradientVerdict, Rung
from sympy_validation.foreign.grammar import Signature, other_orders, parse
from sympy_validation.foreign.proof import Disagreement, Open, Refuted, prove_at
from sympy_validation.foreign.quotients import tried_in_numbers
from sympy_validation.foreign.reasons import line_of, readable, where
from sympy_validation.foreign.repair import advice
from sympy_validation.foreign.run import Current
from sympy_validation.limits import Limits, NoVerdict

REPAIR_SECONDS, AT_LEAST = 4.0, 0.5
"""How long the proof and the search of a repair may take, what is missing included, and how long at least the search."""
NUMERIC_SECONDS = 4.0
"""How long numbers are tried where the code is not captured."""


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
    start = time.process_time()
    limits = limits or Limits(30.0)
    try:
        with limits.held():
            verdict = _climb(code, signature)
    except NervaError:
        raise
    except (NoVerdict, MemoryError) as error:
        verdict = GradientVerdict(code.name, Rung.NOT_PROVED, reason=limits.words(error))
    except Disagreement as error:
        verdict = GradientVerdict(code.name, Rung.ERROR, reason=str(error))
    except Refuted as found:
        verdict = GradientVerdict(code.name, Rung.REFUTED, wrong=found.wrong, counterexample=found.difference, reason=found.reason)
        if repair and found.theorem and not expected:
            with suppress(NoVerdict), Limits(max(AT_LEAST, REPAIR_SECONDS - (time.process_time() - start))).held():
                verdict.advice = advice(code, found.theorem, found.wrong)
    except Exception as error:
        verdict = _without_symbols(code, signature, error, limits)
    verdict.seconds, verdict.expected = time.process_time() - start, expected
    verdict.gradients = tuple(x.name for x in signature.inputs if x.differentiable)
    verdict.line = where(code)
    return verdict


def _climb(code: Code, signature: Signature) -> GradientVerdict:
    """All sizes first; where the code needs a size as a number, some."""
    named, why = dict(signature.numbers), ""
    try:
        return _prove(code, signature, named, why)
    except (NotCaptured, ShapesDiffer, Open):
        for other in other_orders(signature):
            with suppress(NotCaptured, ShapesDiffer, Open):
                return _prove(code, other, named, why)
    for _ in range(4):
        try:
            return _prove(code, signature, named, why)
        except (SizeNeeded, ShapesDiffer) as error:
            needed = error.names if isinstance(error, SizeNeeded) else Current.run.rounded
            if not needed:
                raise
            new = [n for n in needed if n not in named and n in signature.sizes()]
            if not new:
                raise
            named |= dict.fromkeys(new, _range(len(named) + len(new)))
            why = why or f"{error}{line_of(error, code)}"
        except Open as error:
            new = [n for n in error.names if n not in named]
            if not new:
                return GradientVerdict(code.name, Rung.NOT_PROVED, reason=str(error), conditions=error.conditions)
            named |= dict.fromkeys(new, _range(len(named) + len(new)))
            why = why or "a part of an axis is not followed for all its sizes"
    raise NotCaptured(why)


def _range(n: int) -> tuple[int, ...]:
    return (1, 2, 3, 4) if n == 1 else (1, 2, 3)


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
            theorem = prove_at(code, signature, sizes)
        except (SizeNeeded, NervaError, Refuted, Open, Disagreement):
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


# Code that does not run on symbols -------------------------------------------------------------------------------------


def _without_symbols(code: Code, signature: Signature, error: Exception, limits: Limits) -> GradientVerdict:
    """What numbers say of code that is not captured: the real code against difference quotients."""
    reason = _reason(error, code)
    verdict = GradientVerdict(code.name, Rung.NOT_CAPTURED, reason=reason)
    try:
        with Limits(min(limits.seconds, NUMERIC_SECONDS)).held():
            trials, difference = tried_in_numbers(code, signature)
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
        return f"{error}{line_of(error, code)}"
    return fault(error)
