"""Differentiable approximation bridges: a Resnet18 with hard functions before its last layer, and after each stage (section 5.3, Table 2).

The images, and Adam along a cosine, are those of ``dab_images``; CIFAR-10 if the user has it. With --quick the network has an eighth of
the channels.
"""

from __future__ import annotations

from typing import Any

from nerva_core.reproductions.dab_figures import placement_curves
from nerva_core.reproductions.dab_images import classify, hard_layers, table_rows
from nerva_core.reproductions.dab_placement import placement_row
from nerva_core.reproductions.experiment import Bench, Experiment, Parts, Results
from nerva_core.reproductions.networks import ResNet
from nerva_core.reproductions.report import Findings

STAGES = 4


def parts(bench: Bench) -> Parts:
    """A network with each hard function before the last layer, and with a signum after each stage."""
    source = bench.images(train=bench.choose(1_280, None), test=bench.choose(1_000, None))
    _, classes = bench.classes(source)
    width, rows = bench.choose(8, 64), bench.choose(8, 16)

    def layers(after: int, inserted: Any) -> list[Any]:
        return ResNet(width=width, after=after, inserted=inserted).layers(classes)

    hard = hard_layers(rows, ResNet(width=width).features // rows)
    stages = {f"signum after stage {s}": layers(s, hard_layers(1, width << s - 1)["signum, DAB"]) for s in range(1, STAGES + 1)}
    table = classify(bench, {kind: layers(STAGES + 1, layer) for kind, layer in hard.items()}, source)
    return {"table": table} | ({} if bench.budget == "quick" else {"stages": classify(bench, stages, source)})


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the hard functions, and the places."""
    places = dict(enumerate(results["stages"].values(), 1)) if "stages" in results else {}
    small = "8 channels in the first convolution where the paper has 64, few images and epochs; places are compared by --full only."
    return Findings(
        [*table_rows(results["table"]), *([placement_row(places)] if places else [])],
        [small] * (bench.budget == "quick"),
        {"places": placement_curves(places or dict(enumerate(list(results["table"].values())[:2])))},
        {"places": "Test accuracy over the epochs, mean and range over the seeds (Figure 6, left)"},
    )


EXPERIMENT = Experiment("dab-resnet", "Bridges: a residual network", "DAB, section 5.3, Table 2 and Figure 6, left", parts, findings)
