"""What the playground runs in the browser: the library's own prover on the text of a visitor, told as a sequence of events.

NumPy is not there: what runs a user's code on numbers besides (``sympy_validation.numeric_check``) is left out, and the page says so.
SymPy is loaded when it is first imported, which only code that does not run with symbols needs.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry, EntryCall
from nerva_core.algebra.user_files import load_file, own_description
from nerva_core.equations.activations import Activation
from nerva_core.interpreters.costs import costs
from nerva_core.interpreters.description import by_shape
from nerva_core.interpreters.latex import equations
from nerva_core.interpreters.subjects import find, kind_of, symbolic
from sympy_validation import numeric_check, user_layers
from sympy_validation.faults import fault
from sympy_validation.spaces.grids import Domain, GridOps
from sympy_validation.theorem import Theorem, Verdict, prove, prove_or_try_entries

numpy.loading = False
numeric_check.check = lambda *arguments: numeric_check.NumericFindings(defined=True)

Post = Callable[[dict[str, Any]], None]
LOW, HIGH, POINTS = -5.0, 5.0, 201
"""Where an activation is plotted."""


def examine(text: str, post: Callable[[str], None]) -> None:
    """Examine a Python file with layers, activations, losses, ..., or a name of the library; each event is an object as JSON."""
    start = time.perf_counter()

    def tell(event: dict[str, Any]) -> None:
        post(json.dumps(event | {"since": time.perf_counter() - start}, ensure_ascii=False))

    try:
        name = text.strip()
        if re.fullmatch(r"[\w.]+(\([^\n]*\))?", name):
            _examine_named(name, tell)
        else:
            _examine_file(text, tell)
    except NervaError as error:
        tell({"kind": "note", "text": str(error)})
    except Exception as error:
        tell({"kind": "note", "text": f"this does not run: {fault(error)}"})
    tell({"kind": "done"})


def _examine_named(name: str, tell: Post) -> None:
    """What is in the library: its equations, and its theorems for all sizes."""
    from sympy_validation.table import select

    entry, _ = find(name)
    _show(type(entry), lambda: entry, tell)
    subject = type(entry).__name__
    theorems = [theorem for theorem in select([subject]) if theorem.method == "all sizes"]
    _verdicts(subject, prove(theorems), tell)


def _examine_file(text: str, tell: Post) -> None:
    """Every class in the text that can be proved."""
    path = Path("playground/my_layer.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    classes = user_layers.own_classes(load_file(path))
    if not classes:
        raise NervaError("there is nothing to prove: write a class derived from Layer or Activation, or a name such as LayerNorm")
    for entry in classes:
        _show(entry, lambda entry=entry: symbolic(own_description(f"{path}:{entry.__name__}")[0], EntryCall(entry.__name__)), tell)
        try:
            theorems: list[Theorem] = user_layers.user_theorems(f"{path}:{entry.__name__}")
            _verdicts(entry.__name__, prove_or_try_entries(theorems), tell)
        except NervaError as error:
            tell({"kind": "note", "name": entry.__name__, "text": str(error)})


def _show(entry: type[Entry], make: Callable[[], Any], tell: Post) -> None:
    """Its equations with shapes and costs, and if it is an activation its curve."""
    name = entry.__name__
    base = next(base.__name__ for base in entry.__mro__ if base in user_layers.KINDS)
    tell({"kind": "class", "name": name, "type": base.lower(), "about": (entry.__doc__ or "").partition("\n\n")[0]})
    try:
        tell({"kind": "equations", "name": name, **_typeset(make())})
    except Exception as error:
        tell({"kind": "note", "name": name, "text": f"its equations cannot be read: {fault(error)}"})
    if issubclass(entry, Activation):
        with suppress(TypeError):  # of parameters without default values
            tell({"kind": "plot", "name": name, **_curves(entry())})


def _typeset(entry: Any) -> dict[str, Any]:
    found, (_, _, forward, backward) = equations(entry), kind_of(entry)
    parts = {forward: found.forward, backward: found.backward, "Where": found.where}
    lines = [line for part in parts.values() for line in part]
    count = costs(entry)
    return {
        "parts": [{"title": title, "lines": [line.mathml() for line in part]} for title, part in parts.items() if part],
        "latex": " \\\\\n".join(f"{line.left.latex()} &= {line.right.latex()}" for line in lines),
        "shapes": list(by_shape(found).items()),
        "costs": [str(count.forward), str(count.backward)],
    }


def _verdicts(name: str, verdicts: Iterator[Verdict], tell: Post) -> None:
    for verdict in verdicts:
        theorem = verdict.theorem
        tell(
            {
                "kind": "verdict",
                "name": name,
                "quantity": theorem.quantity,
                "statement": theorem.statement,
                "case": theorem.name if theorem.numbers else "",
                "sizes": theorem.sizes,
                "status": verdict.status,
                "expected": theorem.expected,
                "words": verdict.words,
                "counterexample": str(verdict.counterexample or ""),
                "advice": verdict.advice,
                "conditions": list(verdict.conditions),
                "seconds": verdict.seconds,
            }
        )


class FloatDomain(Domain):
    """Floating-point numbers, for a plot."""

    def number(self, c: Any) -> float:
        return float(c)

    def exp(self, x: float) -> float:
        return math.exp(x)

    def log(self, x: float) -> float:
        return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan

    def sqrt(self, x: float) -> float:
        return math.sqrt(x)

    def arctan(self, x: float) -> float:
        return math.atan(x)

    def normal_cdf(self, x: float) -> float:
        return (1 + math.erf(x / math.sqrt(2))) / 2

    def normal_pdf(self, x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    def less(self, x: float, y: float) -> float:
        return float(x < y)

    def maximum(self, row: Sequence[float]) -> float:
        return max(row)

    def unknown(self, name: str, order: int, x: float) -> float:
        raise NotImplementedError(name)


def _curves(activation: Activation) -> dict[str, Any]:
    """The function and what is stated as its derivative; None where there is no value."""
    ops = GridOps(FloatDomain())
    xs = [LOW + (HIGH - LOW) * k / (POINTS - 1) for k in range(POINTS)]

    def at(function: Callable[..., Any], x: float) -> float | None:
        try:
            y = float(function(ops, ops.constant([[Fraction(str(round(x, 6)))]]))[0, 0])
        except Exception:
            return None
        return y if math.isfinite(y) else None

    return {"x": xs, "curves": [{"label": of.__name__, "y": [at(of, x) for x in xs]} for of in (activation.value, activation.gradient)]}
