"""Errors of a backend, measured against exact values: the subjects run on it, eagerly and compiled, and every element is compared."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NotInstalledError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.comparison.bounds import FLUSHING, Bound, bound_of
from nerva_core.comparison.rounding import PRECISIONS, Value, correctly_rounded
from nerva_core.comparison.running import RunningNumbers, RunningOps, error_of
from nerva_core.comparison.subject import Inputs, Subject
from nerva_core.interpreters.exact import ExactMatrix, ExactOps, exactly
from nerva_core.interpreters.exact_numbers import Balls, Decimals


@dataclass(frozen=True)
class Expected:
    """The exact outputs of a subject on inputs, those without a representable output left out, and what errors are measured with."""

    inputs: Inputs
    values: dict[str, Value]
    running: dict[str, Array]
    sizes: Array | None
    """For a sum: the sum of the absolute values of its terms, |X| · |Z|."""


@dataclass(frozen=True)
class Result:
    """The worst that was found for one quantity on one backend, in one mode."""

    backend: str
    dtype: str
    mode: str
    """eager or compiled."""
    kind: str
    subject: str
    quantity: str
    ulp: float
    """The largest error in units in the last place of the exact value."""
    bound: Bound
    case: str
    """The inputs with the largest error."""
    problem: str = ""
    """A NaN, an infinity or a warning where there is a representable value."""
    terms: float | None = None
    """The largest error in units of the running error."""
    relative: float | None = None
    """The largest error relative to the largest element."""
    norm: float | None = None
    """For a sum or product: the largest error relative to the largest of |X| · |Z|, in eps; its classical bound is ``count``."""
    count: int | None = None
    """The largest number of terms of a sum."""

    @property
    def error(self) -> float:
        """The error in the measure of the bound; infinite if that was not measured."""
        measured: float | None = getattr(self, self.bound.measure)
        return math.inf if measured is None else measured

    @property
    def within(self) -> bool:
        """Whether the bound holds and nothing else went wrong."""
        return self.error <= self.bound.value and not self.problem


@functools.cache
def expectations(subject: Subject, seed: int, dtype: str, flushes: bool = False) -> dict[str, Expected]:
    """What is expected of a subject, by case; cases in which it has no representable value are left out."""
    prepare = _flushed if flushes else lambda X: X
    cases = {case: {name: prepare(X) for name, X in given.items()} for case, given in subject.inputs(seed, dtype).items()}
    found = {case: expected for case, given in cases.items() if (expected := expect(subject, given, dtype))}
    if not found:
        raise AssertionError(f"{subject.kind} {subject.name} has a representable value in no case")
    return found


def _flushed(X: Array) -> Array:
    """X with 0 instead of subnormal numbers."""
    return np.where(np.abs(X) < np.finfo(X.dtype).smallest_normal, np.zeros_like(X), X)


def expect(subject: Subject, given: Inputs, dtype: str) -> Expected | None:
    """The exact outputs for the inputs; for an elementwise subject where they are representable, otherwise None if one is not."""
    values = exact_values(subject, given, dtype)
    good = np.all([value.representable.all(axis=(0, 1)) for value in values.values()])
    if not good and not subject.elementwise:
        return None
    if not good:
        keep = np.logical_and.reduce([value.representable for value in values.values()])
        axis = 0 if keep.shape[1] == 1 else 1
        columns = np.where(keep.ravel(), np.arange(keep.size), np.flatnonzero(keep)[0])  # the shape stays, as shapes are compiled
        given = {name: np.take(array, columns, axis=axis) for name, array in given.items()}
        values = {name: Value(*(np.take(part, columns, axis=axis) for part in (v.rounded, v.rest))) for name, v in values.items()}
    atomic = subject.kind == "operation" and subject.elementwise  # a single rounding: nothing to analyse
    running = {} if atomic else running_errors(subject, given, dtype)
    if not all(np.isfinite(errors).all() for errors in running.values()):
        raise AssertionError(f"{subject.kind} {subject.name} has a value but no running error")
    sizes = exact_values(subject, {name: np.abs(X) for name, X in given.items()}, dtype)["value"].rounded if subject.is_sum else None
    return Expected(given, values, running, sizes)


def exact_values(subject: Subject, given: Inputs, dtype: str) -> dict[str, Value]:
    """The outputs of a subject, each element rounded once."""
    names: list[str] = []

    def compute(ops: ExactOps) -> Sequence[ExactMatrix]:
        outputs = subject.function(ops, exactly(subject.entry, ops.numbers), {name: ops.matrix(X) for name, X in given.items()})
        names[:] = outputs
        return list(outputs.values())

    values = correctly_rounded(compute, dtype)
    return dict(zip(names, values, strict=True))


def running_errors(subject: Subject, given: Inputs, dtype: str) -> dict[str, Array]:
    """The running error of every element of the outputs."""
    numbers = _numbers()
    with numbers.precision():
        ops = RunningOps(RunningNumbers(numbers, dtype))
        outputs = subject.function(ops, exactly(subject.entry, ops.numbers), {name: ops.matrix(X) for name, X in given.items()})
        return {name: np.array([[error_of(x) for x in row] for row in Y.rows]) for name, Y in outputs.items()}


def _numbers() -> Balls | Decimals:
    try:
        return Balls(PRECISIONS[1])
    except NotInstalledError:
        return Decimals(PRECISIONS[1])


def measure(subject: Subject, ops: Backend, seed: int) -> Iterator[Result]:
    """The results of all outputs of a subject on a backend, eager, and compiled if the backend compiles."""
    cases = expectations(subject, seed, ops.dtype, ops.name in FLUSHING)

    def function(*matrices: Any) -> dict[str, Any]:
        return subject.function(ops, subject.entry, dict(zip(names, matrices, strict=True)))

    names = list(next(iter(cases.values())).inputs)
    modes = {"eager": function, "compiled": ops.compile(function)}
    if modes["compiled"] is function:
        del modes["compiled"]
    for mode, run in modes.items():
        worst: dict[str, Result] = {}
        for case, expected in cases.items():
            computed, problem = _run(ops, run, expected)
            for name in expected.values:
                result = _compare(subject, ops, name, computed.get(name), expected)
                problems = "; ".join(filter(None, [problem, result.problem]))
                result = dataclasses.replace(result, mode=mode, case=case, problem=problems)
                worst[name] = _worse(worst[name], result) if name in worst else result
        yield from worst.values()


def _run(ops: Backend, run: Callable[..., Any], expected: Expected) -> tuple[dict[str, Array], str]:
    """The outputs as float64 arrays, and what went wrong besides."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outputs = run(*(ops.matrix(X) for X in expected.inputs.values()))
        computed = {name: np.asarray(ops.to_numpy(Y)) for name, Y in outputs.items()}
    problems = sorted({f"warning: {warning.message}" for warning in caught if issubclass(warning.category, RuntimeWarning)})
    wrong = [f"{name} has dtype {Y.dtype}" for name, Y in computed.items() if str(Y.dtype) != ops.dtype]
    return {name: Y.astype(np.float64) for name, Y in computed.items()}, "; ".join(problems + wrong)


def _compare(subject: Subject, ops: Backend, name: str, computed: Array | None, expected: Expected) -> Result:
    """The errors of one output; mode and case are the caller's."""
    value, bound = expected.values[name], bound_of(ops.name, ops.dtype, subject, name)
    quantity = subject.name if subject.kind == "operation" else f"{subject.name}: {name}"
    result = Result(ops.name, ops.dtype, "", subject.kind, subject.name, quantity, math.inf, bound, "")
    if computed is None or computed.shape != value.rounded.shape:
        shape = None if computed is None else computed.shape
        return dataclasses.replace(result, problem=f"shape {shape} instead of {value.rounded.shape}")
    problem = "" if np.isfinite(computed).all() else "NaN" if np.isnan(computed).any() else "infinity"
    with np.errstate(all="ignore"):
        error = np.abs((computed - value.rounded) - value.rest)
        error[~np.isfinite(computed)] = math.inf
        unit = np.spacing(np.abs(value.rounded).astype(ops.dtype)).astype(np.float64)
        floor = float(np.finfo(ops.dtype).smallest_normal) if bound.flushes else 0.0
        ulp = _largest(error, np.maximum(unit, floor))
        terms = _largest(error, expected.running[name]) if expected.running else None
    norm, count = _norm(subject, expected, error)
    return dataclasses.replace(result, ulp=ulp, problem=problem, terms=terms, norm=norm, count=count)


def _largest(error: Array, unit: Array) -> float:
    """The largest quotient; 0/0 is 0."""
    quotient = np.where(error == 0, 0.0, error / np.where(unit == 0, np.finfo(np.float64).smallest_subnormal, unit))
    return float(quotient.max(initial=0.0))


def _norm(subject: Subject, expected: Expected, error: Array) -> tuple[float | None, int | None]:
    """For a sum: the largest error relative to the sum of the absolute values of its terms, in eps, and the number of terms."""
    if expected.sizes is None:
        return None, None
    X = next(iter(expected.inputs.values()))
    info = np.finfo(X.dtype)
    count = {"columns_sum": X.shape[0], "columns_mean": X.shape[0], "elements_sum": X.size}.get(subject.name, X.shape[1])
    unit = info.eps * expected.sizes.max() + float(info.smallest_normal)
    return float(error.max() / unit), count


def _worse(a: Result, b: Result) -> Result:
    worst = a if (bool(a.problem), a.error) >= (bool(b.problem), b.error) else b
    largest: dict[str, Any] = {
        name: max((value for r in (a, b) if (value := getattr(r, name)) is not None), default=None)
        for name in ("ulp", "terms", "norm", "count")
    }
    return dataclasses.replace(worst, **largest)
