"""Activated Gradients: residual networks with gradient activations, clipping, and neither (section IV, Tables I to III, Figures 3 and 5).

Momentum 0.9 at 0.1 along a cosine, decay 5·10⁻⁴, batches of 256, 200 epochs, and Adam at 10⁻³; CIFAR-100 or -10 if the user has them, else
Fashion-MNIST. With --quick ResNet-18 has a sixteenth of the channels, images of half the size, and momentum as its only rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.figures.plots import loss_along_directions
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.gaf import ARCTAN, KINDS, LEAST_GAIN, accuracy, cost, landscape, largest_gradient_row, trained_or_chance
from nerva_core.reproductions.gaf_figures import largest_gradients
from nerva_core.reproductions.networks import HALVED, QUICK_REMARK, QUICK_WIDTH, Layers, ResNet, densenet
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained
from nerva_core.reproductions.verdicts import judge

RATE = 0.1
MOMENTUM = tuple(kind for kind in KINDS if kind not in ("printed", "momentum buffer"))
"""The rules with momentum; G is on the gradient, as the released code has it."""
SETTINGS = ((0.1, 20), (0.2, 10))
"""α and β of the paper."""
ADAM = {"Adam": "Adam"} | {
    f"Adam, {G} ({alpha}, {beta})": f"GAF(Adam, {G}, alpha={alpha}, beta={beta})"
    for G in ("arctan", "tanh", "log")
    for alpha, beta in SETTINGS
}
"""Table III."""
QUICK = ("none", ARCTAN, "norm clipping")
PRINTED = "+0.16 to +1.04 (Table I), −0.22 to +0.99 (Table II)"


def networks(bench: Bench, classes: int) -> dict[str, Layers]:
    """The networks of the budget by name."""
    if bench.budget == "quick":
        return {"ResNet-18": [HALVED, *ResNet(width=QUICK_WIDTH).layers(classes)]}
    residual = {
        "ResNet-18": ResNet(),
        "ResNet-50": ResNet((3, 4, 6, 3), bottleneck=True),
        "Pre-Act ResNet-18": ResNet(pre_activation=True),
        "SE-ResNet-18": ResNet(squeeze=16),
    }
    return {name: network.layers(classes) for name, network in residual.items()} | {"DenseNet-CIFAR": densenet(classes)}


def rules(bench: Bench) -> dict[str, dict[str, Any]]:
    """The optimizers of the budget, each with its learning rate."""
    epochs = bench.length(4, 200)

    def along_a_cosine(optimizer: str, rate: float) -> dict[str, Any]:
        return {"optimizer": optimizer, "schedule": {"name": "Cosine", "eta0": rate, "n": epochs}}

    found = {kind: along_a_cosine(KINDS[kind], RATE) for kind in bench.choose(QUICK, MOMENTUM)}
    return found if bench.budget == "quick" else found | {kind: along_a_cosine(rule, 1e-3) for kind, rule in ADAM.items()}


def parts(bench: Bench) -> Parts:
    """Every network with every rule."""
    source = bench.images(train=bench.choose(640, None), test=bench.choose(1_000, None))
    _, classes = bench.classes(source)
    training = {"epochs": bench.length(4, 200), "batch_size": bench.choose(32, 256), "record_gradients": True}
    return {
        name: Part(
            {f"{name}, {rule}": given for rule, given in rules(bench).items()},
            source,
            {"model": {"layers": layers}, "training": training},
        )
        for name, layers in networks(bench, classes).items()
    }


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the rules on each network."""
    runs = {name: dict(zip(rules(bench), found.values(), strict=True)) for name, found in results.items()}
    first = runs["ResNet-18"]
    shown = {kind: first[kind] for kind in ("none", ARCTAN)}
    landscapes = {kind: landscape(bench, found[0]) for kind, found in shown.items() if found[0].last is not None}
    rows = [row for name, by_rule in runs.items() for row in gain_rows(name, by_rule)]
    return Findings(
        [*rows, largest_gradient_row(first["none"])],
        [cost(first["none"], first[ARCTAN]) + " The paper: 1.2 s of 42 s more.", *[QUICK_REMARK] * (bench.budget == "quick")],
        {"largest_gradients": largest_gradients(shown), **({"loss_curves": loss_along_directions(landscapes)} if landscapes else {})},
        {
            "largest_gradients": "The largest gradient of every epoch of ResNet-18, mean and range over the seeds (Figure 5)",
            "loss_curves": "The training loss of ResNet-18 along random directions with filter normalization, seed 0 (Figure 3)",
        },
    )


EXPERIMENT = Experiment("gaf-resnet", "Gradient activations: residual networks", "Activated Gradients, section IV", parts, findings)


def gain_rows(name: str, runs: Mapping[str, Sequence[Trained]]) -> list[Row]:
    """Each gradient activation against its rule alone, and against clipping; a run that diverges counts as chance."""
    found = {kind: accuracy(trained) for kind, trained in runs.items()}
    rows = []
    for kind in (kind for kind in found if "(" in kind):
        others = {"Adam" if kind.startswith("Adam") else "none": LEAST_GAIN}
        others |= {} if kind.startswith("Adam") else {other: 0.0 for other in ("value clipping", "norm clipping") if other in found}
        for other, stated in others.items():
            gain = trained_or_chance(found[kind]) - trained_or_chance(found[other])
            rows.append(
                Row(
                    f"{name}: {kind} against {other}, test accuracy (%)",
                    PRINTED if stated else "better",
                    f"{found[kind].text()} against {found[other].text()}",
                    judge(gain, stated),
                    {kind: found[kind].values, other: found[other].values},
                )
            )
    return rows
