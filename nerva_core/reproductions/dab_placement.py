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
from nerva_core.reproductions.experiment import Bench, Experiment, Trained
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.verdicts import every, judge

BLOCKS = 4


def placed(block: int, classes: int) -> list[Any]:
    """The layers of four blocks, with a signum at the output of one of them, or of none for 0."""
    layers: list[Any] = []
    for b in range(1, BLOCKS + 1):
        layers += [f"Linear({WIDTH})", "BatchNormalization", "ELU", *[IMAGES["signum, DAB"]] * (b == block)]
    return [*layers, f"Linear({classes})"]


def run(bench: Bench) -> Findings:
    """Classify images with a signum after each block; in the full budget without one too, as block 0."""
    source = images_of(bench)
    _, classes = bench.classes(source)
    blocks = range(bench.choose(1, 0), BLOCKS + 1)
    places = classify(bench, {f"signum after block {b}": placed(b, classes) for b in blocks}, source)
    placement = dict(zip(blocks, places.values(), strict=True))
    without = [f"Four blocks without a signum reach {accuracies(runs).text()} %." for block, runs in placement.items() if not block]
    return Findings(
        [placement_row(placement)],
        [*without, LEFT_OPEN],
        {"placement": placement_curves(placement)},
        {"placement": "Test accuracy by the place of the signum, mean and range over the seeds (Figure 6, left)"},
    )


EXPERIMENT = Experiment("dab-placement", "Bridges: the place of a hard layer", "DAB, section 5.3.1, Figure 6, left", run)


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
