"""The result as a table with the ratios first, as JSON, and as a bar chart."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nerva_core.benchmark.measure import Plan, Spread, Timing, ratio, ratio_at_equal_products

MEASURED = "measured"


def groups(timings: Sequence[Timing]) -> Iterator[tuple[Timing, list[Timing]]]:
    """(ours, the others) for every configuration and backend, in the order in which they were measured."""
    for ours in timings:
        if ours.kind == "ours":
            same = (ours.configuration, ours.backend)
            yield ours, [other for other in timings if (other.configuration, other.backend) == same and other is not ours]


def ratios(timings: Sequence[Timing]) -> Iterator[tuple[Timing, Timing, Spread]]:
    """(ours, other, how many times as fast ours is) for all that was measured."""
    for ours, others in groups(timings):
        for other in others:
            if other.status == MEASURED:
                yield ours, other, ratio(ours, other)


def geometric_mean(values: Sequence[float]) -> float:
    """The n-th root of the product."""
    return math.exp(sum(map(math.log, values)) / len(values))


def print_results(timings: Sequence[Timing], machine: dict[str, Any], plan: Plan, console: Console) -> None:
    """A table a backend; the means of the ratios; the machine."""
    for backend in dict.fromkeys(timing.backend for timing in timings):
        title = f"{backend}: how many times as fast as the others our step is"
        headings = "", "against", "ratio", "quartiles", "equal products", "step", "quartiles", "samples/s", "compilation", "memory"
        table = Table(*headings, title=title, title_justify="left")
        for column in table.columns[2:]:
            column.justify = "right"
        for ours, others in groups([timing for timing in timings if timing.backend == backend]):
            for timing in [*others, ours]:
                table.add_row(*_row(ours, timing, products(others)))
            table.add_section()
        console.print(table)
    console.print(_means(timings), highlight=False)
    console.print(describe(machine, plan), highlight=False)


def products(others: Sequence[Timing]) -> Timing | None:
    """The matrix products alone, if the framework's own layers do not multiply in the fastest way."""
    return next((other for other in others if other.kind == "floor" and other.status == MEASURED and other.usual_products > 1), None)


def _row(ours: Timing, timing: Timing, floor: Timing | None) -> list[str | Text]:
    label = timing.contender + (f" ({timing.note})" if timing.note and timing.status == MEASURED else "")
    if timing.status != MEASURED:
        return [timing.configuration, label, "-", "", "", f"{timing.status}: {timing.note}"]
    quotient = ratio(ours, timing) if timing is not ours else None
    equal = f"{ratio_at_equal_products(ours, timing, floor).median:.2f}" if floor and timing.kind == "opponent" else ""
    first = [f"{quotient.median:.2f}", _range(quotient, 1, ".2f"), equal] if quotient else ["", "", ""]
    unit, scale = ("ms", 1e3) if timing.step.median >= 1e-3 else ("µs", 1e6)
    rest = [f"{scale * timing.step.median:.4g} {unit}", _range(timing.step, scale, ".4g"), f"{timing.samples_per_second:,.0f}"]
    last = [f"{timing.compilation:.2f} s", f"{timing.peak_memory / 2**20:.0f} MiB"]
    return [timing.configuration, Text(label, style="bold" if timing is ours else ""), *first, *rest, *last]


def _range(spread: Spread, scale: float, form: str) -> str:
    return f"{scale * spread.low:{form}} - {scale * spread.high:{form}}"


def _means(timings: Sequence[Timing]) -> str:
    lines = []
    found = list(ratios(timings))
    for backend, contender in dict.fromkeys((other.backend, other.contender) for _, other, _ in found):
        of = [
            (ours.configuration, quotient.median)
            for ours, other, quotient in found
            if (other.backend, other.contender) == (backend, contender)
        ]
        names = ", ".join(name for name, _ in of)
        lines.append(f"{backend}: {geometric_mean([value for _, value in of]):.2f} x {contender}, geometric mean of {names}")
    return "\n".join(lines)


def describe(machine: dict[str, Any], plan: Plan) -> str:
    """The machine and how it was measured, in a few lines."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    seconds = f"{plan.seconds:g} s of processor time" if plan.processor_time else f"{plan.seconds:g} s"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {plan.threads} used; {machine['system']}; Python {machine['python']}\n"
        f"{versions}\n"
        f"{machine['date']}; {plan.rounds} rounds of at least {seconds} each, every contender in turn; medians and quartiles"
    )


def to_json(timings: Sequence[Timing], machine: dict[str, Any], plan: Plan) -> str:
    """Everything that was measured. ``ratio`` is how many times as fast ours is; seconds and bytes."""
    quotients = {id(other): quotient for _, other, quotient in ratios(timings)}
    results = []
    for timing in timings:
        entry = dataclasses.asdict(timing)
        if timing.status == MEASURED:
            entry |= {"step": dataclasses.asdict(timing.step), "samples_per_second": timing.samples_per_second}
            entry["ratio"] = dataclasses.asdict(quotients[id(timing)]) if id(timing) in quotients else None
        results.append(entry)
    return json.dumps({"machine": machine, "plan": dataclasses.asdict(plan), "results": results}, indent=1, allow_nan=False) + "\n"


def bar_chart(timings: Sequence[Timing], machine: dict[str, Any]) -> bytes:
    """The ratios with their quartiles, a panel a backend, as a PNG."""
    from matplotlib.figure import Figure

    found = list(ratios(timings))
    backends = list(dict.fromkeys(ours.backend for ours, _, _ in found))
    counts = [sum(ours.backend == backend for ours, _, _ in found) for backend in backends]
    figure = Figure(figsize=(8, 1.2 + 0.24 * sum(counts) + 0.5 * len(backends)), layout="constrained")
    panels: Any = figure.subplots(len(backends), 1, sharex=True, squeeze=False, height_ratios=counts)[:, 0]
    colors = {"opponent": "#0072b2", "floor": "#999999"}
    for axes, backend in zip(panels, backends, strict=True):
        bars = [(ours, other, quotient) for ours, other, quotient in found if ours.backend == backend]
        places = range(len(bars))
        errors = [[q.median - q.low for _, _, q in bars], [q.high - q.median for _, _, q in bars]]
        axes.barh(places, [q.median for _, _, q in bars], xerr=errors, color=[colors[other.kind] for _, other, _ in bars], height=0.7)
        axes.set_yticks(places, [f"{ours.configuration}  {other.contender}" for ours, other, _ in bars], fontsize=8)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_title(backend, fontsize=9, loc="left")
        axes.set_xscale("log")
        axes.invert_yaxis()
    panels[-1].set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    panels[-1].set_xlabel("how many times as fast our step is (grey: as its matrix products alone)")
    figure.suptitle(f"{machine['processor']}, {machine['date'][:10]}", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()
