"""Differentiable approximation bridges: a Resnet18 with hard functions before its last layer, and after each stage (section 5.3, Table 2).

The images, and Adam along a cosine, are those of ``dab_images``; CIFAR-10 if the user has it. With --quick the network has a
sixteenth of the channels, and images of half the size.
"""

from __future__ import annotations

from typing import Any

from nerva_core.reproductions.dab_figures import placement_curves
from nerva_core.reproductions.dab_images import ROWS_AND_COLUMNS, classify, hard_layers, table_rows
from nerva_core.reproductions.dab_placement import placement_row
from nerva_core.reproductions.experiment import Bench, Experiment, Parts, Results
from nerva_core.reproductions.networks import HALVED, QUICK_REMARK, QUICK_WIDTH, ResNet
from nerva_core.reproductions.report import Findings
from nerva_core.reproductions.tmaf_figures import class_curves

STAGES = 4
QUICK = ("identity", "signum, DAB", f"{ROWS_AND_COLUMNS}, DAB")


def parts(bench: Bench) -> Parts:
    """A network with each hard function before the last layer, and with a signum after each stage."""
    source = bench.images(train=bench.choose(640, None), test=bench.choose(1_000, None))
    _, classes = bench.classes(source)
    first, width, rows = bench.choose([HALVED], []), bench.choose(QUICK_WIDTH, 64), bench.choose(4, 16)

    def layers(after: int, inserted: Any) -> list[Any]:
        return first + ResNet(width=width, after=after, inserted=inserted).layers(classes)

    hard = hard_layers(rows, ResNet(width=width).features // rows)
    if bench.budget == "quick":
        hard = {kind: hard[kind] for kind in QUICK}
    stages = {f"signum after stage {s}": layers(s, hard_layers(1, width << s - 1)["signum, DAB"]) for s in range(1, STAGES + 1)}
    networks = {"table": {kind: layers(STAGES + 1, layer) for kind, layer in hard.items()}}
    if bench.budget == "full":
        networks["stages"] = stages
    batch = bench.choose(32, 128)
    return {name: classify(bench, kinds, source, batch, distances=False) for name, kinds in networks.items()}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the hard functions, and the places."""
    places = dict(enumerate(results.get("stages", {}).values(), 1))
    shown = {"places": placement_curves(places)} if places else {"curves": class_curves(results["table"])}
    return Findings(
        [*table_rows(results["table"]), *([placement_row(places)] if places else [])],
        [f"{QUICK_REMARK} Top-k, k-means and the places are compared by --full only."] * (bench.budget == "quick"),
        shown,
        {
            "places": "Test accuracy by the stage after which the signum stands, mean and range over the seeds (Figure 6, left)",
            "curves": "Training loss and test accuracy with each hard function, mean and range over the seeds",
        },
    )


EXPERIMENT = Experiment("dab-resnet", "Bridges: a residual network", "DAB, section 5.3, Table 2 and Figure 6, left", parts, findings)
