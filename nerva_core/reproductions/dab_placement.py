"""Differentiable approximation bridges: where in a network the hard layer stands (section 5.3.1, Figure 6, left).

Four blocks of 128, batch normalization and ELU stand for the residual ones of a Resnet18; the images and the training are those of
``dab_images``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.reproductions.dab_bridge import accuracies
from nerva_core.reproductions.dab_figures import placement_curves
from nerva_core.reproductions.dab_images import IMAGES, LEFT_OPEN, WIDTH, classify, images_of
from nerva_core.reproductions.experiment import Bench, Experiment, Parts, Results
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained
from nerva_core.reproductions.verdicts import every, judge

BLOCKS = 4


def placed(block: int, classes: int) -> list[Any]:
    """The layers of four blocks, with a signum at the output of one of them, or of none for 0."""
    layers: list[Any] = []
    for b in range(1, BLOCKS + 1):
        layers += [f"Linear({WIDTH})", "BatchNormalization", "ELU", *[IMAGES["signum, DAB"]] * (b == block)]
    return [*layers, f"Linear({classes})"]


def blocks(bench: Bench) -> range:
    """The blocks after which there is a signum; in the full budget without one too, as block 0."""
    return range(bench.choose(1, 0), BLOCKS + 1)


def parts(bench: Bench) -> Parts:
    """Networks that classify images with a signum after each block."""
    source = images_of(bench)
    _, classes = bench.classes(source)
    return {"images": classify(bench, {f"signum after block {b}": placed(b, classes) for b in blocks(bench)}, source)}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the places."""
    placement = dict(zip(blocks(bench), results["images"].values(), strict=True))
    without = [f"Four blocks without a signum reach {accuracies(runs).text()} %." for block, runs in placement.items() if not block]
    return Findings(
        [placement_row(placement)],
        [*without, LEFT_OPEN],
        {"placement": placement_curves(placement)},
        {"placement": "Test accuracy by the place of the signum, mean and range over the seeds (Figure 6, left)"},
    )


EXPERIMENT = Experiment("dab-placement", "Bridges: the place of a hard layer", "DAB, section 5.3.1, Figure 6, left", parts, findings)


def placement_row(found: Mapping[int, Sequence[Trained]]) -> Row:
    """Figure 6, left: the last block is the place for a hard function."""
    by_block = {block: accuracies(runs) for block, runs in found.items() if block}
    last = by_block[BLOCKS]
    others = [statistic for block, statistic in by_block.items() if block != BLOCKS]
    return Row(
        f"images: a signum after the last of {BLOCKS} blocks is more accurate than after any other (%)",
        "stable after the fourth",
        ", ".join(f"{block}: {statistic.text()}" for block, statistic in by_block.items()),
        every([judge(last - other, comparisons=len(others)) for other in others]),
        {f"block {block}": statistic.values for block, statistic in by_block.items()},
    )
