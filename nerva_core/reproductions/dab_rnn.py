"""Differentiable approximation bridges: recurrent networks that sort (section 5.1, Table 1, Signum-RNN).

An LSTM reads the T numbers one by one; what it has read goes through [signum with ε = 1/2 | ELU], dense 256, tanh, dense T². Gradients are
clipped at norm 5. The paper prints neither the width of the LSTM, 128 here, nor the number of steps. Inputs, Adam's rate and the bridge
are those of ``dab``. The pointer network and read-process-write of the table are not run here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.reproductions.dab import sort_sequences
from nerva_core.reproductions.dab_bridge import Runs, accuracies, bridge_around
from nerva_core.reproductions.dab_figures import accuracy_by_length
from nerva_core.reproductions.experiment import Bench, Experiment, Parts, Results
from nerva_core.reproductions.files import Budget
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.tmaf_figures import class_curves
from nerva_core.reproductions.verdicts import judge, reaches

PAPER = {5: "99.3", 10: "92.4", 15: "87.2"}
"""Table 1: the accuracy of Signum-RNN, by the length T."""
WIDTH: Mapping[Budget, int] = {"quick": 64, "full": 128}
LENGTHS: Mapping[Budget, Sequence[int]] = {"quick": (5,), "full": (5, 10, 15)}
STEPS: Mapping[Budget, int] = {"quick": 800, "full": 20_000}
KINDS = ("ELU-RNN", "Signum-RNN")


def network(kind: str, length: int, width: int) -> dict[str, Any]:
    """The model."""
    middle: Any = "ELU" if kind == "ELU-RNN" else bridge_around("Signum", width, conditioning=False)
    return {"layers": [f"Sequences({length})", f"LSTM({width})", "Last", middle, "Linear(256)", "Tanh", f"Linear({length**2})"]}


def parts(bench: Bench) -> Parts:
    """Sequences of several lengths, sorted with and without a hard function."""
    steps = bench.length(STEPS["quick"], STEPS["full"])
    return {
        f"T = {T}": sort_sequences(T, {kind: network(kind, T, WIDTH[bench.budget]) for kind in KINDS}, steps, "GlobalNormClipping(Adam, 5)")
        for T in LENGTHS[bench.budget]
    }


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the two at every length."""
    runs = {T: dict(zip(KINDS, results[f"T = {T}"].values(), strict=True)) for T in LENGTHS[bench.budget]}
    by_length = {T: {kind: accuracies(trained) for kind, trained in found.items()} for T, found in runs.items()}
    shown = {"accuracy_by_length": accuracy_by_length(by_length)} if len(runs) > 1 else {"curves": class_curves(*runs.values())}
    return Findings(
        rows(runs),
        ["The paper has no ELU-RNN: it is the same network without the hard function."],
        shown,
        {
            "accuracy_by_length": "All-or-none test accuracy of LSTMs that sort T numbers, mean and range over the seeds (Table 1)",
            "curves": "Training loss and all-or-none test accuracy of LSTMs that sort, mean and range over the seeds",
        },
    )


EXPERIMENT = Experiment("dab-rnn", "Bridges: recurrent networks that sort", "DAB, section 5.1, Table 1", parts, findings)


def rows(found: Mapping[int, Runs]) -> list[Row]:
    """Table 1: how far Signum-RNN gets, and that the hard function is no worse than ELU."""
    result = []
    for T, runs in found.items():
        elu, signum = (accuracies(runs[kind]) for kind in KINDS)
        measured = {"Signum-RNN": signum.values, "ELU-RNN": elu.values}
        title = f"sorting, T = {T}: Signum-RNN"
        result += [
            Row(f"{title} is as accurate as printed (%)", PAPER[T], signum.text(), reaches(signum, PAPER[T]), measured),
            Row(f"{title} above ELU-RNN (%)", "(not stated)", f"{signum.text()} against {elu.text()}", judge(signum - elu), measured),
        ]
    return result
