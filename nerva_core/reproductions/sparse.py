"""Truly sparse networks: accuracy by density, with places that stay (static), and that move (SET, RigL).

The networks have the Erdős–Rényi densities of SET, and initial values by the weights that are there; weights move at the start of each
epoch, a fraction ζ = 0.3 that falls as a cosine, as RigL has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.reproductions.dab_bridge import accuracies
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained, values
from nerva_core.reproductions.verdicts import Statistic, judge

HIDDEN = 512
DENSITIES = (0.1, 0.02, 0.005)
ZETA = 0.3
METHODS = ("static", "SET", "RigL")


def moves(method: str, epochs: int) -> dict[str, Any]:
    """The settings of a method; of those that move weights ζ reaches 0 after three quarters of the epochs."""
    if method == "static":
        return {}
    pruner = "SET" if method == "SET" else "Magnitude"
    return {
        "training.prune": {"name": pruner, "zeta": ZETA, "n": 0.75 * epochs + 1},
        "training.grow": "Random" if method == "SET" else "RigL",
    }


def parts(bench: Bench) -> Parts:
    """A dense network, and a sparse one of each density by each method."""
    source, epochs = bench.images(bench.choose(6_000, 60_000), bench.choose(4_000, 10_000)), bench.length(6, 20)
    inputs, classes = bench.classes(source)
    kinds: dict[str, dict[str, Any]] = {"dense": {}}
    for density in DENSITIES:
        kinds |= {kind(density, method): {"model.overall_density": density, **moves(method, epochs)} for method in METHODS}
    common = {
        "model": {"layers": "ReLU;ReLU;Linear", "sizes": [inputs, HIDDEN, HIDDEN, classes], "weights": "He"},
        "optimizer": "WeightDecay(Momentum(mu=0.9), 5e-4)",
        "schedule": {"name": "Cosine", "eta0": 0.05, "n": epochs},
        "training": {"epochs": epochs, "batch_size": 100},
    }
    return {"networks": Part(kinds, source, common)}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the methods at each density."""
    found = results["networks"]
    return Findings([*accuracy_rows(found), *moving_rows(found), *gradient_rows(found)], [time_remark(found), SMALLER])


PAPERS = "Nerva (Wesselink et al. 2024), SET (Mocanu et al. 2018), RigL (Evci et al. 2020)"
EXPERIMENT = Experiment("sparse", "Truly sparse networks", PAPERS, parts, findings)

SMALLER = (
    "The papers train on CIFAR-10 and ImageNet, longer, and with larger networks. A sparse layer computes what a masked dense one does, by "
    "a theorem, and exactly so on integers: their accuracies differ by rounding alone."
)


def kind(density: float, method: str) -> str:
    """The name of the runs of a method at a density."""
    return f"{method} at {density:g}"


def accuracy_rows(found: Mapping[str, Sequence[Trained]]) -> list[Row]:
    """Nerva: at high sparsity an MLP is about as accurate as the dense one. The margin is ours."""
    dense, sparse = accuracies(found["dense"]), accuracies(found[kind(DENSITIES[0], "static")])
    claim = f"static at a density of {DENSITIES[0]:g} costs no more than 1.5 points (%)"
    text, numbers = f"{sparse.text()} against {dense.text()}", {"sparse": sparse.values, "dense": dense.values}
    return [Row(claim, "equivalent", text, judge(sparse - dense, -1.5), numbers)]


def moving_rows(found: Mapping[str, Sequence[Trained]]) -> list[Row]:
    """SET: weights that move are better than those that stay."""
    return [_better(found, density, "SET", "static", "moving beats static") for density in DENSITIES]


def gradient_rows(found: Mapping[str, Sequence[Trained]]) -> list[Row]:
    """RigL: places by the gradient are better than random ones."""
    return [_better(found, density, "RigL", "SET", "RigL beats SET") for density in DENSITIES]


def _better(found: Mapping[str, Sequence[Trained]], density: float, method: str, other: str, paper: str) -> Row:
    first, second = (accuracies(found[kind(density, each)]) for each in (method, other))
    text = f"{first.text()} against {second.text()}"
    return Row(
        f"density {density:g}: {method} is more accurate than {other} (%)",
        paper,
        text,
        judge(first - second),
        {method: first.values, other: second.values},
    )


def time_remark(found: Mapping[str, Sequence[Trained]]) -> str:
    """How long the steps of the last epoch took, which depends on the backend and the machine."""
    shown = {name: runs for name, runs in found.items() if name == "dense" or name.startswith("static")}
    seconds = {name: Statistic.of(values(runs, lambda m: m.seconds)) for name, runs in shown.items()}
    return "Seconds of the steps of an epoch: " + ", ".join(f"{name} {statistic.text()}" for name, statistic in seconds.items()) + "."
