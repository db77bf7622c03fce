"""Differentiable approximation bridges: images in classes through a hard layer (section 5.3, Table 2 and Figure 6, middle and right).

784 - 256 ELU - 128, batch normalization, [hard], 128 ELU, 10, on Fashion-MNIST in place of CIFAR-10 and a Resnet18; the 128 features are
an image of 8 x 16 where rows and columns are sorted. Adam at 10⁻³, falling to 0 along a cosine, batches of 128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.data import DataSource
from nerva_core.reproductions.dab_bridge import Runs, accuracies, bridge_around
from nerva_core.reproductions.dab_figures import image_curves
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.verdicts import Statistic, judge

WIDTH, HEIGHT_OF, WIDTH_OF = 128, 8, 16
"""The features before the hard layer, and the image that they are."""
SORT_1D = "Sort-1D"
ROWS_AND_COLUMNS = "sort-row ⊕ sort-col"


def hard_layers(height: int, width: int) -> dict[str, Any]:
    """The hard functions of Table 2 on features that are an image of so many rows and columns."""
    features = height * width
    return {
        "identity": "Identity",
        "signum, DAB": bridge_around("Signum", features),
        f"{ROWS_AND_COLUMNS}, DAB": bridge_around(f"ImageSort({height}, {width})", 2 * features),
        "top-k, DAB": bridge_around(f"ImageSort({height}, {width}, descending=true, k=4)", 4 * (height + width)),
        "k-means, DAB": bridge_around("KMeans(k=10, iterations=2)", features),
    }


IMAGES: dict[str, Any] = {
    **hard_layers(HEIGHT_OF, WIDTH_OF),
    "signum, straight-through": "StraightThrough(Signum)",
    f"{SORT_1D}, DAB": bridge_around("Sort", WIDTH),
    f"{SORT_1D}, straight-through": "StraightThrough(Sort)",
}
"""What stands in the middle of the network."""

SORTS = (SORT_1D, ROWS_AND_COLUMNS)
TABLE2 = {"signum, DAB": 91.95, f"{ROWS_AND_COLUMNS}, DAB": 92.93, "top-k, DAB": 92.21, "k-means, DAB": 91.97}
BASELINE = 92.87
"""The accuracy with the identity in Table 2."""
STRAIGHT_THROUGH = {SORT_1D: ("25 points more", 25.0), "signum": ("(not stated)", 0.0)}
"""What the abstract says of the bridge against straight-through estimation."""


def images_of(bench: Bench) -> DataSource:
    """The images of the budget."""
    return bench.images(train=bench.choose(3_500, 15_000), test=bench.choose(1_500, None))


def classify(bench: Bench, kinds: Mapping[str, Sequence[Any]], source: DataSource, batch: int = 128, distances: bool = True) -> Part:
    """Networks of these layers on the images; the rate falls to 0, so that the last epoch is worth judging."""
    epochs = bench.length(4, 15)
    steps = epochs * (len(bench.load(source).Xtrain) // batch)

    def training(kind: str) -> dict[str, Any]:
        """Distances take the cube of the number of samples: of the sorts only."""
        return {"epochs": epochs, "batch_size": batch, "schedule_by": "step", "record_distances": distances and kind.startswith(SORTS)}

    return Part(
        {kind: {"model": {"layers": list(layers)}, "training": training(kind)} for kind, layers in kinds.items()},
        source,
        {"optimizer": "Adam", "schedule": {"name": "Cosine", "eta0": 0.001, "n": max(1, steps)}},
    )


def network(middle: Any, classes: int) -> list[Any]:
    """The layers, with a layer in the middle."""
    return ["Linear(256)", "ELU", f"Linear({WIDTH})", "BatchNormalization", middle, "Linear(128)", "ELU", f"Linear({classes})"]


def parts(bench: Bench) -> Parts:
    """Networks that classify images with each hard function."""
    source = images_of(bench)
    _, classes = bench.classes(source)
    return {"images": classify(bench, {kind: network(middle, classes) for kind, middle in IMAGES.items()}, source)}


def findings(_: Bench, results: Results) -> Findings:
    """Compare the hard functions."""
    images = results["images"]
    sorts = {kind: runs for kind, runs in images.items() if kind.startswith(("identity", *SORTS))}
    return Findings(
        [*table_rows(images), *straight_through_rows(images), *distance_rows(images)],
        [DISTANCES, LEFT_OPEN],
        {"images": image_curves(sorts, SORT_1D)},
        {
            "images": "Left: test accuracy with a sort layer, bridge and straight-through (Figure 6, right). "
            "Right: earth mover distance between the input and the output of the layer (Figure 6, middle)",
        },
    )


EXPERIMENT = Experiment("dab-images", "Bridges: images through a hard layer", "DAB, section 5.3, Table 2 and Figure 6", parts, findings)

DISTANCES = (
    "Sorting the rows and the columns of an image moves none of its numbers out of it: of the numbers in and out the earth mover distance "
    "is 0, in training and before. Measured here is that of the samples, as points: the image, and beside it the image by columns, against "
    "the output. The paper does not say which it measures."
)
LEFT_OPEN = "The paper has CIFAR-10 and a Resnet18: nerva reproduce dab-resnet; here the network and the images are smaller."


def table_rows(found: Runs) -> list[Row]:
    """Table 2: no more than printed is lost, or as much is gained."""
    identity = accuracies(found["identity"])
    rows = []
    for kind, paper in TABLE2.items():
        if kind not in found:
            continue
        hard = accuracies(found[kind])
        stated = round(paper - BASELINE, 2)
        claim = f"costs no more than {-stated:g} points" if stated < 0 else f"gains {stated:g} points"
        rows.append(
            Row(
                f"images: {kind.removesuffix(', DAB')} with a bridge {claim} (%)",
                f"{paper:.2f} against {BASELINE:.2f}",
                f"{hard.text()} against {identity.text()}",
                judge(hard - identity, stated),
                {kind: hard.values, "identity": identity.values},
            )
        )
    return rows


def straight_through_rows(found: Runs) -> list[Row]:
    """Figure 6, right: the bridge above straight-through."""
    rows = []
    for hard, (paper, stated) in STRAIGHT_THROUGH.items():
        bridge, through = accuracies(found[f"{hard}, DAB"]), accuracies(found[f"{hard}, straight-through"])
        rows.append(
            Row(
                f"images, {hard}: bridge above straight-through (%)",
                paper,
                f"{bridge.text()} against {through.text()}",
                judge(bridge - through, stated),
                {"DAB": bridge.values, "straight-through": through.values},
            )
        )
    return rows


def distance_rows(found: Runs) -> list[Row]:
    """Figure 6, middle: the penalty brings the input and the output of a sort together."""
    rows = []
    for kind in reversed(SORTS):
        distances = [[float("nan") if m.hard_distance is None else m.hard_distance for m in run.history] for run in found[f"{kind}, DAB"]]
        first, last = Statistic.of(d[0] for d in distances), Statistic.of(d[-1] for d in distances)
        rows.append(
            Row(
                f"images, {kind}: the penalty brings input and output together (earth mover distance of the samples)",
                "falls",
                f"{first.text()} after the first epoch, {last.text()} after the last",
                judge(first - last),
                {"first": first.values, "last": last.values},
            )
        )
    return rows
