"""Activated Gradients: gradient activations against plain momentum and clipping, on a deep network without batch normalization.

784-128x6-10, ReLU, He's initial values, momentum 0.9, decay 5·10⁻⁴, a cosine learning rate by epoch, batches of 256, on Fashion-MNIST: the
paper's residual networks on CIFAR and ImageNet are out of reach of a CPU, so this has its optimizer and not its networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.equations.gradient_activations import Arctan, Identity, Log, Tanh
from nerva_core.figures.plots import loss_along_directions
from nerva_core.inspection.landscape import LossCurve, loss_curve, on_examples, suggest
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.gaf_figures import accuracies, equivalent_surfaces, gradient_activations, largest_gradients, left_out, saddle
from nerva_core.reproductions.gaf_toys import OPTIMIZERS, descend, escape
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained, values
from nerva_core.reproductions.verdicts import Statistic, exactly, judge, summarize
from nerva_core.theory.gradient_theory import box, constants
from nerva_core.training.trainer import Trainer

DECAYED = "WeightDecay(Momentum, 5e-4)"

KINDS = {
    "none": DECAYED,
    "arctan (0.1, 20)": f"GAF({DECAYED}, arctan, alpha=0.1, beta=20)",
    "tanh (0.1, 20)": f"GAF({DECAYED}, tanh, alpha=0.1, beta=20)",
    "log (0.1, 20)": f"GAF({DECAYED}, log, alpha=0.1, beta=20)",
    "arctan (0.2, 10)": f"GAF({DECAYED}, arctan, alpha=0.2, beta=10)",
    "tanh (0.2, 10)": f"GAF({DECAYED}, tanh, alpha=0.2, beta=10)",
    "log (0.2, 10)": f"GAF({DECAYED}, log, alpha=0.2, beta=10)",
    "printed": "WeightDecay(GAF(Momentum, arctan, alpha=0.1, beta=20, variant=printed), 5e-4)",
    "momentum buffer": "WeightDecay(GAF(Momentum, arctan, alpha=0.1, beta=20, variant='momentum-buffer'), 5e-4)",
    "value clipping": f"GAF({DECAYED}, value_clipping(0.1))",
    "norm clipping": f"GlobalNormClipping({DECAYED}, 0.1)",
}
"""The optimizers; all but two have G on the gradient, before decay and momentum, as the released code has it (erratum 001-46)."""

ARCTAN, PAPER_RATE = "arctan (0.1, 20)", 0.1
RATES = (0.005, 0.01, 0.02, 0.05, PAPER_RATE, 0.2)
QUICK: Mapping[float, Sequence[str]] = {
    0.005: ("none", ARCTAN),
    0.01: ("none",),
    PAPER_RATE: ("none", ARCTAN, "printed", "momentum buffer"),
    0.2: ("none", ARCTAN, "norm clipping"),
}
FULL: Mapping[float, Sequence[str]] = dict.fromkeys(RATES, tuple(KINDS))

PRINTED_GAIN, LEAST_GAIN = "+0.16 to +1.04 (Table I), −0.22 to +0.99 (Table II), both at 0.1", 0.16
"""What the paper prints, and the least gain of Table I; the sign of Table II's least is erratum 001-52."""

Table = Mapping[str, Mapping[float, Statistic]]
"""The test accuracy (%) by optimizer and learning rate."""


def parts(bench: Bench) -> Parts:
    """The network with every optimizer at several rates."""
    source = bench.images(train=bench.choose(12_000, 20_000))
    inputs, classes = bench.classes(source)
    epochs = bench.length(10, 10)
    common: dict[str, Any] = {
        "model": {"layers": "ReLU;" * 6 + "Linear", "sizes": [inputs, *[128] * 6, classes], "weights": "He"},
        "training": {"epochs": epochs, "batch_size": 256, "record_gradients": True},
    }
    chosen = bench.choose(QUICK, FULL)
    kinds = {
        f"{kind} at {rate:g}": {"optimizer": KINDS[kind], "schedule": f"Cosine({rate}, n={epochs})"}
        for rate, members in chosen.items()
        for kind in members
    }
    return {"networks": Part(kinds, source, common)}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the optimizers; and the toys, which take no time."""
    trained, chosen = results["networks"], bench.choose(QUICK, FULL)
    table: Table = {
        kind: {rate: accuracy(trained[f"{kind} at {rate:g}"]) for rate in chosen if kind in chosen[rate]}
        for kind in KINDS
        if any(kind in members for members in chosen.values())
    }
    rows = [*network_rows(table), largest_gradient_row(trained[f"none at {PAPER_RATE:g}"]), *toy_rows()]
    recorded = {kind: trained[f"{kind} at {PAPER_RATE:g}"] for kind in ("none", ARCTAN, "momentum buffer")}
    trained_to_the_end = {kind: recorded[kind][0] for kind in ("none", ARCTAN) if recorded[kind][0].last is not None}
    landscapes = {kind: landscape(bench, found) for kind, found in trained_to_the_end.items()}
    figures = _figures(table, recorded) | ({"loss_curves": loss_along_directions(landscapes)} if landscapes else {})
    remarks = [*_remarks(table), cost(trained[f"none at {PAPER_RATE:g}"], trained[f"{ARCTAN} at {PAPER_RATE:g}"])]
    if "none" in landscapes:
        remarks.append(_suggestion(landscapes["none"], recorded["none"][0]))
    measured = {kind: {f"{rate:g}": list(statistic.values) for rate, statistic in found.items()} for kind, found in table.items()}
    captions = {**CAPTIONS, "accuracies": CAPTIONS["accuracies"] + left_out(table)}
    return Findings(rows, remarks, figures, captions, {"test accuracy (%)": measured})


EXPERIMENT = Experiment(
    "gaf", "Gradient activations against momentum and clipping", "Activated Gradients, sections III and IV", parts, findings
)

CAPTIONS = {
    "loss_curves": "The training loss along three random directions around the trained network, rate 0.1, seed 0 (Figure 3)",
    "accuracies": "Test accuracy by learning rate and optimizer, mean and standard deviation over the seeds",
    "largest_gradients": "The largest gradient of every epoch at the rate 0.1, mean and range over the seeds (Figure 5)",
    "gradient_activations": "The gradient activations and their slopes",
    "equivalent_surfaces": "Equivalent losses of w₁² + 0.2 w₂² (Figure 1); norm clipping has none, but a field with a curl",
    "saddle": "Leaving a saddle from (1, 10⁻⁶) at the rate 0.1 (Figure 2)",
}


def _figures(table: Table, recorded: Mapping[str, Sequence[Trained]]) -> dict[str, bytes]:
    return {
        "accuracies": accuracies(table),
        "largest_gradients": largest_gradients(recorded),
        "gradient_activations": gradient_activations(),
        "equivalent_surfaces": equivalent_surfaces(),
        "saddle": saddle(),
    }


def landscape(bench: Bench, run: Trained) -> LossCurve:
    """The loss around the end of a run, along three directions."""
    trainer = Trainer(run.config, bench.load(run.config.data))
    trainer.restore(run.config.training.epochs, run.state)
    return loss_curve(on_examples(trainer, 2000), np.linspace(-1, 1, 21), directions=3)


def _suggestion(curve: LossCurve, run: Trained) -> str:
    """What section IV-B would choose for this network."""
    found = suggest(curve, [m.largest_gradient or 0.0 for m in run.history])
    return (
        f"Section IV-B on none at rate {PAPER_RATE:g}, seed {run.config.seed}: near the optimum the loss is "
        f"{'flatter' if found.flatter else 'sharper'} than a parabola, and the largest gradient of an epoch is "
        f"{found.typical_gradient:.2f} in the median; this suggests α = {found.alpha:.2g} and β = {found.beta:.2g}."
    )


def accuracy(trained: Sequence[Trained]) -> Statistic:
    """The test accuracies in percent."""
    return Statistic.of(100 * a for a in values(trained, lambda m: m.test_accuracy))


def network_rows(table: Table) -> list[Row]:
    """What the paper states of networks, from the accuracies of the runs."""
    rows = [_against_none(kind, table, PRINTED_GAIN, LEAST_GAIN) for kind in table if "(" in kind]
    rows += [_against_none(kind, table, "better", 0.0, "Algorithm 1 as printed") for kind in table if kind == "printed"]
    rows += [
        _better(f"{ARCTAN} against {clipping} at rate {rate:g}: test accuracy (%)", "better", table, ARCTAN, clipping, rate)
        for clipping in ("value clipping", "norm clipping")
        for rate in table.get(clipping, {})
        if rate >= PAPER_RATE
    ]
    rows.append(_explosion(table))
    if all(len(table[kind]) == len(RATES) for kind in ("none", ARCTAN)):
        rows.append(_at_best_rates(table))
    return rows


def _against_none(kind: str, table: Table, paper: str, enough: float, name: str = "") -> Row:
    """The gain at every rate up to the paper's; the effect has only the direction if it is not there at all of them."""
    rates = [rate for rate in table[kind] if rate in table["none"] and rate <= PAPER_RATE]
    gains = {rate: trained_or_chance(table[kind][rate]) - trained_or_chance(table["none"][rate]) for rate in rates}
    return Row(
        f"{name or kind} against none: gain in test accuracy (points) by rate",
        paper,
        ", ".join(f"{gain.mean:+.2f} ± {gain.deviation:.2f} at {rate:g}" for rate, gain in gains.items()),
        summarize([judge(gain, enough, comparisons=len(gains)) for gain in gains.values()]),
        {f"{rate:g}": gain.values for rate, gain in gains.items()},
    )


def _better(title: str, paper: str, table: Table, kind: str, other: str, rate: float) -> Row:
    """That ``kind`` is more accurate than ``other`` at a rate; a run that diverges counts as chance, 10 %."""
    found, against = table[kind][rate], table[other][rate]
    verdict = judge(trained_or_chance(found) - trained_or_chance(against))
    return Row(title, paper, f"{found.text()} against {against.text()}", verdict, {kind: found.values, other: against.values})


def trained_or_chance(statistic: Statistic) -> Statistic:
    """The accuracies, where a run that diverged counts as chance, 10 %."""
    return Statistic.of(value if value == value else 10.0 for value in statistic.values)


def _explosion(table: Table) -> Row:
    """At rate 0.2, where plain momentum diverges with some seeds."""
    none, arctan = table["none"][0.2], table[ARCTAN][0.2]
    return Row(
        "more accurate at rate 0.2 than momentum alone, which may diverge",
        "exploding gradients are alleviated",
        f"none: {none.text()}; {ARCTAN}: {arctan.text()}",
        judge(trained_or_chance(arctan) - trained_or_chance(none)),
        {"none": none.values, ARCTAN: arctan.values},
    )


def _at_best_rates(table: Table) -> Row:
    """Each at the rate that is best for it, on the test set."""
    best = {kind: max(table[kind], key=lambda rate: trained_or_chance(table[kind][rate]).mean) for kind in ("none", ARCTAN)}
    none, arctan = (table[kind][rate] for kind, rate in best.items())
    return Row(
        f"{ARCTAN} against none, each at its best rate ({best[ARCTAN]:g} and {best['none']:g})",
        PRINTED_GAIN,
        f"{arctan.text()} against {none.text()}",
        judge(arctan - none, LEAST_GAIN, comparisons=len(table[ARCTAN]) * len(table["none"])),
        {ARCTAN: arctan.values, "none": none.values},
    )


def largest_gradient_row(trained: Sequence[Trained]) -> Row:
    """Figure 5: that the largest gradient of all training exceeds 0.1."""
    largest = Statistic.of(max(m.largest_gradient or 0.0 for m in run.history) if run.history else float("nan") for run in trained)
    return Row(
        f"the largest gradient in training (none, rate {PAPER_RATE:g})",
        "exceeds 0.1 (ResNet-18, Figure 5)",
        largest.text(),
        judge(largest - 0.1),
        {"largest gradient": largest.values},
    )


def toy_rows() -> list[Row]:
    """The statements on the two-dimensional losses, which are deterministic."""
    none, arctan = OPTIMIZERS["none"], OPTIMIZERS["arctan"]
    near, far = ([descend(o, start, tolerance) for o in (none, arctan)] for start, tolerance in (((0.02, 0.03), 1e-8), ((2.0, 3.0), 1e-6)))
    leave, reach = ([escape(o, distance) for o in (none, arctan)] for distance in (0.05, 1.0))
    steps = {name: escape(optimizer) for name, optimizer in OPTIMIZERS.items()}
    zeta = [constants(G, box(0.0)).zeta for G in (Identity(), Arctan(), Tanh(), Log())]
    return [
        Row(
            "w₁² + 0.2 w₂², rate 0.1: steps to the minimum, none → arctan",
            "fewer",
            f"from near it (0.02, 0.03) {near[0]} → {near[1]}, from (2, 3) {far[0]} → {far[1]}",
            exactly([_sooner(*near), _sooner(*far)]),
        ),
        Row(
            "its condition number at the minimum",
            "smaller (Figure 1)",
            f"{zeta[0]:g} → {', '.join(f'{value:g}' for value in zeta[1:])}, for arctan, tanh and log (erratum 001-24)",
            exactly([value < zeta[0] - 1e-9 for value in zeta[1:]]),
        ),
        Row(
            "w₁² − w₂² from (1, 10⁻⁶): steps until |w₂| > 0.05",
            "fewer (Theorem 6)",
            ", ".join(f"{name} {count}" for name, count in steps.items()) + f"; until |w₂| > 1: none {reach[0]}, arctan {reach[1]}",
            exactly([_sooner(*leave)]),
        ),
    ]


def _sooner(none: int | None, activated: int | None) -> bool:
    """Whether fewer steps are needed with the gradient activation; None are more than were tried."""
    return activated is not None and (none is None or activated < none)


def cost(none: Sequence[Trained], activated: Sequence[Trained]) -> str:
    """The time of an epoch with a gradient activation over that of one without, each the median of all but first epochs, which compile."""
    seconds = [[m.seconds for run in runs for m in run.history[1:]] for runs in (none, activated)]
    if not all(seconds):
        return "No run has a second epoch, so the cost of the gradient activation was not measured."
    without, with_it = (float(np.median(found)) for found in seconds)
    times = f"({1000 * with_it:.0f} and {1000 * without:.0f} ms)"
    return f"An epoch with {ARCTAN} takes {with_it / without:.2f} times as long as one without {times}."


def _remarks(table: Table) -> list[str]:
    remarks = ["αβ = 2, so small gradients are doubled: a part of every gain at small rates is that of a doubled learning rate."]
    if 0.005 in table[ARCTAN] and 0.01 in table["none"]:
        remarks.append(
            f"None at rate 0.01 reaches {table['none'][0.01].text()} %, {ARCTAN} at rate 0.005 {table[ARCTAN][0.005].text()} %: "
            "what is left of the gain when the rates are made equal."
        )
    for rate in table.get("printed", {}):
        variants = {kind: table[kind][rate] for kind in (ARCTAN, "momentum buffer", "printed") if rate in table.get(kind, {})}
        named = (f"{'on the gradient' if kind == ARCTAN else kind} {statistic.text()} %" for kind, statistic in variants.items())
        remarks.append(f"Where G acts, at rate {rate:g}: {', '.join(named)}; none {table['none'][rate].text()} %.")
    return [
        *remarks,
        "Norm clipping is by the norm of all gradients, as the paper has it; a run that diverges counts as 10 % in a verdict.",
    ]
