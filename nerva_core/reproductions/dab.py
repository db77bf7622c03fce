"""Differentiable approximation bridges: sequence sorting (section 5.1), and images with a sort or a signum layer (section 5.3).

The paper prints no depth of its networks and no number of steps. Sorting here: inputs with mean 0 and variance 1, dense 256, tanh,
dense 256, [signum with ε = 1/2 | ELU], dense 256, tanh, dense T²; batches of 256; Adam at a rate that falls to 0 along a cosine, the
best of 10⁻³, 5·10⁻³ and 10⁻² at T = 5 for ELU, and for the bridge and clipped straight-through. The bridge is 256 - 256 - 256 with
tanh and starts near the identity (after 2000 steps at 10⁻³ 83.7 % at T = 5 with seed 0; 70.5 % with the initial values of other
layers), γ = 10 over the mean of all elements, and its penalty does not reach the layers before, which measured better.
Images: 784 - 256 ELU - 128, batch normalization, [hard], 128 ELU, 10, on Fashion-MNIST in place of CIFAR-10 and a Resnet18.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.data.synthetic import SortingSequences
from nerva_core.reproductions.dab_figures import accuracy_by_length, accuracy_by_steps, image_curves
from nerva_core.reproductions.experiment import Bench, Experiment, Trained, values
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.verdicts import Statistic, Verdict, judge

PAPER = {5: ("86.46", "99.3"), 10: ("0", "94.2"), 15: ("0", "79.8")}
"""Table 1: the accuracy of ELU-Dense and of Signum-Dense, by the length T."""
WIDTH = 256

Runs = Mapping[str, Sequence[Trained]]


def bridge_around(hard: str, width: int, **options: Any) -> dict[str, Any]:
    """The layer as a configuration has it, with one hidden tanh layer; the bridge starts near tanh."""
    linear = f"Linear({width}, weights=NearIdentity(1, 0.01))"
    layers = [linear, "Tanh", linear]
    return {"name": "DAB", "hard": hard, "bridge": layers, "gamma": 10, "reduction": "full mean", "conditioning": False, **options}


SORTING: dict[str, Any] = {
    "ELU": "ELU",
    "DAB": bridge_around("Signum", WIDTH),
    "straight-through, clipped": "StraightThrough(Signum, clipped=true)",
    "DAB, conditioning": bridge_around("Signum", WIDTH, conditioning=True),
    "straight-through": "StraightThrough(Signum)",
}
"""What stands in the middle of the network that sorts; the last two in the full budget only."""
RATES = {"ELU": 5e-3}
"""The learning rates of sorting; of the others it is ``HARD_RATE``."""
HARD_RATE = 1e-2

IMAGES: dict[str, Any] = {
    "identity": "Identity",
    "signum, DAB": bridge_around("Signum", 128, conditioning=True),
    "signum, straight-through": "StraightThrough(Signum)",
    "sort, DAB": bridge_around("Sort", 128, conditioning=True),
    "sort, straight-through": "StraightThrough(Sort)",
}
"""What stands in the middle of the network on images."""


def sorting_network(length: int, middle: Any, ponder: int = 1) -> dict[str, Any]:
    """The model; with ``ponder`` > 1 the dense layer before the middle and the middle are repeated, with the same parameters."""
    cell = [f"Linear({WIDTH})", middle]
    inner: list[Any] = cell if ponder == 1 else [{"name": "Repeat", "layers": cell, "times": ponder}]
    return {"layers": [f"Linear({WIDTH})", "Tanh", *inner, f"Linear({WIDTH})", "Tanh", f"Linear({length**2})"]}


def sort_sequences(
    bench: Bench, length: int, kinds: Mapping[str, dict[str, Any]], seeds: Sequence[int], steps: int
) -> dict[str, list[Trained]]:
    """Train networks to sort sequences of one length, for about so many steps, each example used four times."""
    epochs, batch = 4, 256
    n = -(-steps // epochs) * batch

    def falling(rate: float) -> dict[str, Any]:
        return {"name": "Cosine", "eta0": rate, "n": epochs * n // batch}

    return bench.train(
        {f"{kind}, T = {length}": {"model": model, "schedule": falling(RATES.get(kind, HARD_RATE))} for kind, model in kinds.items()},
        seeds,
        SortingSequences(n=n, length=length, standardised=True),
        loss=f"SequenceCrossEntropy({length})",
        optimizer="Adam",
        training={"epochs": epochs, "batch_size": batch, "schedule_by": "step"},
    )


def run(bench: Bench) -> Findings:
    """Sort sequences with each middle, ponder, and classify images."""
    lengths: tuple[int, ...] = bench.choose((5, 10), (5, 10, 15))
    seeds, steps = bench.seeds(), bench.choose(400, 10_000)
    kinds: list[str] = bench.choose(list(SORTING)[:3], list(SORTING))
    sorted_: dict[int, Runs] = {}
    for T in lengths:
        trained = sort_sequences(bench, T, {kind: sorting_network(T, SORTING[kind]) for kind in kinds}, seeds, steps)
        sorted_[T] = {kind: trained[f"{kind}, T = {T}"] for kind in kinds}
    ponder: tuple[int, ...] = bench.choose((1, 2), (1, 2, 3, 5, 7))
    pondered: dict[int, dict[int, Sequence[Trained]]] = {T: {1: sorted_[T]["DAB"]} for T in bench.choose((5,), (5, 10))}
    for T, p in ((T, p) for T in pondered for p in ponder[1:]):
        name = f"DAB, {p} ponder steps"
        (pondered[T][p],) = sort_sequences(bench, T, {name: sorting_network(T, SORTING["DAB"], p)}, seeds, steps).values()
    images = classify_images(bench, seeds)
    return Findings(
        [*sorting_rows(sorted_), *(ponder_row(found, T) for T, found in pondered.items()), *image_rows(images)],
        [*remarks(sorted_), LEFT_OPEN],
        {
            "accuracy_by_length": accuracy_by_length({T: {k: accuracies(r) for k, r in runs.items()} for T, runs in sorted_.items()}),
            "accuracy_by_steps": accuracy_by_steps({p: accuracies(runs) for p, runs in pondered[5].items()}),
            "images": image_curves(images),
        },
        {
            "accuracy_by_length": "All-or-none test accuracy of networks that sort T numbers, mean and range over the seeds (Table 1)",
            "accuracy_by_steps": "All-or-none test accuracy at T = 5 against the number of ponder steps (Figure 3)",
            "images": "Left: test accuracy with a sort layer, bridge and straight-through (Figure 6, right). "
            "Right: earth mover distance between the input and the output of the layer (Figure 6, middle)",
        },
    )


EXPERIMENT = Experiment("dab", "Bridges: sorting sequences, and images through a hard layer", "DAB, sections 5.1 and 5.3", run)

LEFT_OPEN = (
    "The paper's rates (Adam at 10⁻⁴, batches of 1024), its LSTM networks and CIFAR-10 with a Resnet18 are not run here, and its depth, "
    "steps and initial values are not printed: a number that is missed may be missed for these reasons."
)


def classify_images(bench: Bench, seeds: Sequence[int]) -> Runs:
    """The network on images with each middle."""
    source = bench.images(train=15_000)
    _, classes = bench.classes(source)
    before, after = ["Linear(256)", "ELU", "Linear(128)", "BatchNormalization"], ["Linear(128)", "ELU", f"Linear({classes})"]
    return bench.train(
        {f"images: {kind}": {"model": {"layers": [*before, middle, *after]}} for kind, middle in IMAGES.items()},
        seeds,
        source,
        optimizer="Adam",
        schedule="Constant(0.001)",
        training={"epochs": bench.choose(4, 15), "batch_size": 128, "record_distances": True},
    )


def accuracies(runs: Sequence[Trained]) -> Statistic:
    """The test accuracies in percent."""
    return Statistic.of(100 * a for a in values(runs, lambda m: m.test_accuracy))


def sorting_rows(found: Mapping[int, Runs]) -> list[Row]:
    """Table 1: Signum-Dense above ELU-Dense, and how far it gets."""
    rows = []
    for T, runs in found.items():
        elu, dab = accuracies(runs["ELU"]), accuracies(runs["DAB"])
        paper_elu, paper_dab = PAPER[T]
        gap = float(paper_dab) - float(paper_elu)
        measured = {"DAB": dab.values, "ELU": elu.values}
        here = f"{dab.text()} against {elu.text()}"
        paper = f"{paper_dab} against {paper_elu}"
        rows.append(
            Row(f"sorting, T = {T}: Signum-Dense with a bridge against ELU-Dense (%)", paper, here, judge(dab - elu, gap), measured)
        )
        rows.append(
            Row(
                f"sorting, T = {T}: the hard network is as accurate as printed (%)",
                paper_dab,
                dab.text(),
                reaches(dab, paper_dab),
                measured,
            )
        )
    return rows


def reaches(accuracy: Statistic, paper: str) -> Verdict:
    """Whether a network is as accurate as the paper's, to the digits it prints. A lower accuracy has no direction: it is not that."""
    half_a_digit = 0.5 * 10.0 ** -len(paper.partition(".")[2])
    return judge(accuracy - (float(paper) - half_a_digit))


def ponder_row(found: Mapping[int, Sequence[Trained]], length: int = 5) -> Row:
    """Figure 3: pondering helps."""
    statistics = {p: accuracies(runs) for p, runs in found.items()}
    more = [p for p in statistics if p > 1]
    here = ", ".join(f"{p}: {statistic.text(1)}" for p, statistic in statistics.items())
    best = max(more, key=lambda p: statistics[p].mean)
    verdict = judge(statistics[best] - statistics[1], comparisons=len(more))
    measured = {f"{p} steps": statistic.values for p, statistic in statistics.items()}
    return Row(f"sorting, T = {length}: more ponder steps help (%)", "helps, less after 5", here, verdict, measured)


def image_rows(found: Runs) -> list[Row]:
    """Table 2 and Figure 6."""
    a = {kind.removeprefix("images: "): accuracies(runs) for kind, runs in found.items()}
    rows = []
    for kind, paper, stated in (("signum, DAB", "91.95 against 92.87", -0.92), ("sort, DAB", "92.93 against 92.87", 0.06)):
        verdict = judge(a[kind] - a["identity"], stated)
        here = f"{a[kind].text()} against {a['identity'].text()}"
        rows.append(
            Row(
                f"images: {kind.split(',')[0]} layer costs no more than printed (%)",
                paper,
                here,
                verdict,
                {k: a[k].values for k in (kind, "identity")},
            )
        )
    for hard, paper, enough in (("sort", "25 points more", 25.0), ("signum", "(not stated)", 0.0)):
        bridge, through = a[f"{hard}, DAB"], a[f"{hard}, straight-through"]
        here = f"{bridge.text()} against {through.text()}"
        measured = {"DAB": bridge.values, "straight-through": through.values}
        rows.append(Row(f"images, {hard}: bridge above straight-through (%)", paper, here, judge(bridge - through, enough), measured))
    distances = [[float(m.hard_distance or 0.0) for m in r.history] for r in found["images: sort, DAB"]]
    first, last = Statistic.of(d[0] for d in distances), Statistic.of(d[-1] for d in distances)
    here = f"{first.text()} after the first epoch, {last.text()} after the last"
    measured = {"first": first.values, "last": last.values}
    rows.append(
        Row(
            "images, sort: the penalty brings input and output together (earth mover distance)",
            "falls",
            here,
            judge(first - last),
            measured,
        )
    )
    return rows


def remarks(found: Mapping[int, Runs]) -> list[str]:
    """What the paper does not compare."""
    texts = []
    for T, runs in found.items():
        others = [f"{kind} {accuracies(r).text()}" for kind, r in runs.items() if kind not in ("ELU", "DAB")]
        texts.append(f"Sorting, T = {T}, the same network with another middle: {'; '.join(others)} %.")
    return texts
