"""Differentiable approximation bridges: sequence sorting (section 5.1).

The paper prints no depth of its networks and no number of steps. Inputs have mean 0 and variance 1; dense 256, tanh, dense 256,
[signum with ε = 1/2 | ELU], dense 256, tanh, dense T²; batches of 128; Adam at a rate that falls to 0 along a cosine, for ELU, for the
bridge and for clipped straight-through the best of 10⁻³, 5·10⁻³ and 10⁻² at T = 5 with batches of 256. The bridge is 256 - 256 - 256
with tanh and starts near the identity (after 2000 steps at 10⁻³ 83.7 % at T = 5 with seed 0; 70.5 % with the initial values of other
layers), γ = 10 over the mean of all elements, and its penalty does not reach the layers before, which measured better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.data.synthetic import SortingSequences
from nerva_core.reproductions.dab_bridge import Runs, accuracies, bridge_around
from nerva_core.reproductions.dab_figures import accuracy_by_length, accuracy_by_steps
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.files import Budget
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained
from nerva_core.reproductions.verdicts import judge, reaches

PAPER = {5: ("86.46", "99.3"), 10: ("0", "94.2"), 15: ("0", "79.8")}
"""Table 1: the accuracy of ELU-Dense and of Signum-Dense, by the length T."""
WIDTH = 256

SORTING: dict[str, Any] = {
    "ELU": "ELU",
    "DAB": bridge_around("Signum", WIDTH, conditioning=False),
    "straight-through, clipped": "StraightThrough(Signum, clipped=true)",
    "DAB, conditioning": bridge_around("Signum", WIDTH),
    "straight-through": "StraightThrough(Signum)",
}
"""What stands in the middle of the network that sorts."""
RATES = {"ELU": 5e-3}
"""The learning rates of sorting; of the others it is ``HARD_RATE``."""
HARD_RATE = 1e-2
LENGTHS: Mapping[Budget, Sequence[int]] = {"quick": (5, 10), "full": (5, 10, 15)}
BATCH = 128
STEPS: Mapping[Budget, int] = {"quick": 1000, "full": 1500}
PONDERED: Mapping[Budget, Mapping[int, Sequence[int]]] = {"quick": {5: (2,)}, "full": {5: (2, 5), 10: (2, 5)}}
"""The numbers of ponder steps beside 1, by length."""
PONDER_STEPS: Mapping[Budget, int] = {"quick": 1000, "full": 750}
"""The training steps of networks that ponder; those that do not are trained as long for the comparison."""


def middles(budget: Budget, length: int) -> list[str]:
    """Those of a budget at a length: the first two of ``SORTING``; in the full budget at T = 5 all of them."""
    return list(SORTING)[: 2 if budget == "quick" or length > 5 else None]


def sorting_network(length: int, middle: Any, ponder: int = 1) -> dict[str, Any]:
    """The model; with ``ponder`` > 1 the dense layer before the middle and the middle are repeated, with the same parameters."""
    cell = [f"Linear({WIDTH})", middle]
    inner: list[Any] = cell if ponder == 1 else [{"name": "Repeat", "layers": cell, "times": ponder}]
    return {"layers": [f"Linear({WIDTH})", "Tanh", *inner, f"Linear({WIDTH})", "Tanh", f"Linear({length**2})"]}


def sort_sequences(length: int, kinds: Mapping[str, dict[str, Any]], steps: int, optimizer: str = "Adam") -> Part:
    """Networks that sort sequences of one length, trained for about so many steps, each example used four times."""
    epochs = 4
    n = -(-steps // epochs) * BATCH

    def falling(rate: float) -> dict[str, Any]:
        return {"name": "Cosine", "eta0": rate, "n": epochs * n // BATCH}

    return Part(
        {f"{kind}, T = {length}": {"model": model, "schedule": falling(RATES.get(kind, HARD_RATE))} for kind, model in kinds.items()},
        SortingSequences(n=n, length=length, standardised=True),
        {
            "loss": f"SequenceCrossEntropy({length})",
            "optimizer": optimizer,
            "training": {"epochs": epochs, "batch_size": BATCH, "schedule_by": "step"},
        },
    )


def parts(bench: Bench) -> Parts:
    """Sequences of several lengths, sorted with each middle, and with pondering."""
    steps = bench.length(STEPS["quick"], STEPS["full"])
    found = {}
    for T in LENGTHS[bench.budget]:
        found[f"T = {T}"] = sort_sequences(T, {kind: sorting_network(T, SORTING[kind]) for kind in middles(bench.budget, T)}, steps)
    for T, pondered in PONDERED[bench.budget].items():
        found[f"pondering, T = {T}"] = ponder(bench, T, pondered)
    return found


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the middles at every length, and the numbers of ponder steps."""
    sorted_: dict[int, Runs] = {}
    for T in LENGTHS[bench.budget]:
        sorted_[T] = dict(zip(middles(bench.budget, T), results[f"T = {T}"].values(), strict=True))
    pondered = {}
    for T, numbers in PONDERED[bench.budget].items():
        trained = ponder_steps(bench.budget, numbers)
        once = {} if 1 in trained else {1: sorted_[T]["DAB"]}
        pondered[T] = once | dict(zip(trained, results[f"pondering, T = {T}"].values(), strict=True))
    return Findings(
        [*sorting_rows(sorted_), *(ponder_row(found, T) for T, found in pondered.items())],
        [*remarks(sorted_), LEFT_OPEN],
        {
            "accuracy_by_length": accuracy_by_length({T: {k: accuracies(r) for k, r in runs.items()} for T, runs in sorted_.items()}),
            "accuracy_by_steps": accuracy_by_steps({T: {p: accuracies(r) for p, r in found.items()} for T, found in pondered.items()}),
        },
        {
            "accuracy_by_length": "All-or-none test accuracy of networks that sort T numbers, mean and range over the seeds (Table 1)",
            "accuracy_by_steps": "All-or-none test accuracy against the number of ponder steps, mean and range over the seeds (Figure 3)",
        },
    )


EXPERIMENT = Experiment("dab", "Bridges: sorting sequences", "DAB, section 5.1, Table 1 and Figure 3", parts, findings)

LEFT_OPEN = (
    "The paper's rates (Adam at 10⁻⁴, batches of 1024) are not run here, and its depth, steps and initial values are not printed: a number "
    "that is missed may be missed for these reasons. Its LSTM networks: nerva reproduce dab-rnn."
)


def ponder(bench: Bench, length: int, numbers: Sequence[int]) -> Part:
    """Networks with several numbers of ponder steps."""
    steps = bench.length(PONDER_STEPS["quick"], PONDER_STEPS["full"])
    networks = {f"DAB, {p} ponder steps": sorting_network(length, SORTING["DAB"], p) for p in ponder_steps(bench.budget, numbers)}
    return sort_sequences(length, networks, steps)


def ponder_steps(budget: Budget, numbers: Sequence[int]) -> Sequence[int]:
    """The numbers of ponder steps that are trained: 1 too, unless the networks without pondering were trained for as many steps."""
    return numbers if PONDER_STEPS[budget] == STEPS[budget] else (1, *numbers)


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


def ponder_row(found: Mapping[int, Sequence[Trained]], length: int) -> Row:
    """Figure 3: pondering helps."""
    statistics = {p: accuracies(runs) for p, runs in found.items()}
    more = [p for p in statistics if p > 1]
    here = ", ".join(f"{p}: {statistic.text(1)}" for p, statistic in statistics.items())
    best = max(more, key=lambda p: statistics[p].mean)
    verdict = judge(statistics[best] - statistics[1], comparisons=len(more))
    measured = {f"{p} steps": statistic.values for p, statistic in statistics.items()}
    return Row(f"sorting, T = {length}: more ponder steps help (%)", "helps, less after 5", here, verdict, measured)


def remarks(found: Mapping[int, Runs]) -> list[str]:
    """What the paper does not compare."""
    others = {T: [f"{kind} {accuracies(r).text()}" for kind, r in runs.items() if kind not in ("ELU", "DAB")] for T, runs in found.items()}
    return [f"Sorting, T = {T}, the same network with another middle: {'; '.join(texts)} %." for T, texts in others.items() if texts]
