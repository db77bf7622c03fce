"""TMAF: ReLU, PReLU and trainable matrix activations on a smooth function, an oscillatory one, and images in classes (section 3).

The error of Tables 1 and 2 is the mean squared error: the ReLU network's 0.48 for n = 6 is the variance of the function. The paper prints
neither the numbers of epochs nor the initial values. Here the step values start like ReLU, weights and biases are uniform in ±1/√D
(PyTorch's default, the paper's framework), and batch normalization stands in 3.1 only: with it, the networks of 3.2 learn nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerva_core.data import DataSource
from nerva_core.data.synthetic import SineOfSum, ThreeFrequencies
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained, values
from nerva_core.reproductions.tmaf_figures import approximations, class_curves, errors, learned
from nerva_core.reproductions.verdicts import Statistic, Verdict, every, judge
from nerva_core.training.results import Metrics

Runs = Mapping[str, Sequence[Trained]]

KINDS = {"ReLU": "ReLU", "PReLU": "PReLU", "TMAF": "DiagonalTMAF"}
"""The activations of sections 3.1 and 3.3."""
OSCILLATORY: dict[str, tuple[str, int]] = {
    "ReLU": ("ReLU", 400),
    "PReLU": ("PReLU", 400),
    "diagonal TMAF": ("DiagonalTMAF(grid=Alpha)", 400),
    "tri-diagonal TMAF": ("TridiagonalTMAF", 300),
}
"""The activations of section 3.2, and the neurons of each hidden layer."""

TABLE1 = {1: ("0.09", "0.0?", "0.01"), 2: ("0.34", "?", "0.05"), 5: ("0.14", "0.09", "0.0?"), 6: ("0.48", "0.47", "0.13")}
"""What Table 1 prints of ReLU, PReLU and TMAF, as far as it can be read."""
TABLE2 = {"ReLU": "1.00", "PReLU": "1.00", "diagonal TMAF": "0.0645", "tri-diagonal TMAF": "0.0581"}
TABLE3 = {"ReLU": 91.8, "PReLU": 91.5, "TMAF": 92.2}


def network(activation: str, hidden: Sequence[int], outputs: int, batch_normalization: bool = False) -> dict[str, Any]:
    """The layers of a network, as a configuration has them."""
    layers: list[str] = []
    for width in hidden:
        layers += [linear(width), *["BatchNormalization"] * batch_normalization, activation]
    return {"model": {"layers": [*layers, linear(outputs)]}}


def linear(outputs: int) -> str:
    """A linear layer with the initial values of PyTorch, which "Xavier" names."""
    return f"Linear({outputs}, weights=Xavier, bias=Xavier)"


def training(epochs: int, rate: float) -> dict[str, Any]:
    """Adam, batches of 500, and a tenth of the rate in the second half."""
    return {
        "optimizer": "Adam",
        "schedule": f"MultiStep({rate}, milestones=[{epochs // 2}], gamma=0.1)",
        "training": {"epochs": epochs, "batch_size": 500},
    }


def parts(bench: Bench) -> Parts:
    """Tables 1 and 2, and the row of Table 3 that needs no convolutions."""
    smooth = {f"n={n}": _smooth(bench, n) for n in dimensions(bench)}
    return {**smooth, "oscillatory": _oscillatory(bench), "classes": _classes(bench)}


def dimensions(bench: Bench) -> Sequence[int]:
    """The n of Table 1."""
    return bench.choose((1, 2), (1, 2, 5, 6))


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the activations."""
    smooth = {n: _by_activation(results[f"n={n}"]) for n in dimensions(bench)}
    oscillatory, classes = (_by_activation(results[name]) for name in ("oscillatory", "classes"))
    rows = [*(row for n, runs in smooth.items() for row in _rows1(n, runs)), *_rows2(oscillatory)]
    rows += accuracy_rows("images in classes, two hidden layers of 10", TABLE3, "MNIST", classes)
    tmaf = {f"sin(πx₁ + ... + πxₙ), n = {n}": runs["TMAF"][0] for n, runs in smooth.items()}
    return Findings(
        rows,
        _remarks(bench),
        {
            "learned_activations": learned({**tmaf, "three frequencies": oscillatory["diagonal TMAF"][0]}),
            "training_errors": errors({**{f"n = {n}": runs for n, runs in smooth.items()}, "three frequencies": oscillatory}),
            "approximations": approximations(oscillatory),
            "class_curves": class_curves(classes),
        },
        {
            "learned_activations": "The activations α(y) y that the networks learned (as Figure 1), of the first seed",
            "training_errors": "Training errors, mean and range over the seeds (Figures 2, 3 and 4b)",
            "approximations": "The function of three frequencies and its approximations by the first seed (Figures 4a, 5 and 6)",
            "class_curves": "Training loss and test accuracy on images in classes, mean and range over the seeds (Figure 7)",
        },
    )


EXPERIMENT = Experiment(
    "tmaf", "TMAF: trainable matrix activations against ReLU and PReLU", "TMAF, section 3, Tables 1 to 3", parts, findings
)


def _smooth(bench: Bench, n: int) -> Part:
    """Section 3.1: one hidden layer of 20 for n = 1 and 2, two for n = 5 and 6."""
    hidden = [20] * (1 if n <= 2 else 2)
    kinds = {f"n={n} {kind}": network(activation, hidden, 1, batch_normalization=True) for kind, activation in KINDS.items()}
    epochs = bench.length(80, 1000 if n <= 2 else 4000)
    return _part(kinds, SineOfSum(d=n), epochs, bench.choose(2.5e-3, 1e-4), "MeanSquaredError")


def _oscillatory(bench: Bench) -> Part:
    """Section 3.2: three hidden layers."""
    chosen = bench.choose(("ReLU", "diagonal TMAF"), tuple(OSCILLATORY))
    kinds = {f"oscillatory {kind}": network(OSCILLATORY[kind][0], [OSCILLATORY[kind][1]] * 3, 1) for kind in chosen}
    epochs, rate = bench.length(16, 300), bench.choose(2e-3, 1e-4)
    return _part(kinds, ThreeFrequencies(), epochs, rate, "MeanSquaredError")


def _classes(bench: Bench) -> Part:
    """Section 3.3: two hidden layers of 10 neurons."""
    source = bench.images(train=bench.choose(8_000, None))
    _, outputs = bench.classes(source)
    kinds = {f"classes {kind}": network(activation, [10, 10], outputs) for kind, activation in KINDS.items()}
    return _part(kinds, source, bench.length(20, 100), 1e-3, "SoftmaxCrossEntropyOneHot")


def _part(kinds: Mapping[str, Any], source: DataSource, epochs: int, rate: float, loss: str) -> Part:
    return Part(kinds, source, {"loss": loss, **training(epochs, rate)})


def _by_activation(trained: Runs) -> Runs:
    """The runs by kind, without the word that tells the experiments apart."""
    return {kind.partition(" ")[2]: runs for kind, runs in trained.items()}


def statistic(runs: Sequence[Trained], quantity: Any) -> Statistic:
    """A quantity after the last epoch."""
    return Statistic.of(values(runs, quantity))


def train_loss(metrics: Metrics) -> float:
    """The error on the training set, in evaluation mode."""
    return metrics.train_loss


def lowest(found: Statistic, *others: Statistic, stated: float = 0.0) -> Verdict:
    """The verdict on "it is below each of the others by what is stated". The least of the others is no statistic to compare with: it is
    below each of them by the noise alone."""
    return every([judge(other - found, stated, comparisons=len(others)) for other in others])


def stated_margin(n: int) -> float:
    """By how much TMAF is below the others in Table 1; 0 if a number cannot be read."""
    if any("?" in number for number in TABLE1[n]):
        return 0.0
    relu, prelu, tmaf = map(float, TABLE1[n])
    return min(relu, prelu) - tmaf


def _rows1(n: int, runs: Runs) -> list[Row]:
    """Table 1: that TMAF has the lowest error of the three."""
    error = {kind: statistic(found, train_loss) for kind, found in runs.items()}
    relu, prelu, tmaf = TABLE1[n]
    return [
        Row(
            f"sin(πx₁ + ... + πxₙ), n = {n}: the error of TMAF is the lowest",
            f"TMAF {tmaf}, PReLU {prelu}, ReLU {relu}",
            ", ".join(f"{kind} {error[kind].text(3)}" for kind in ("TMAF", "PReLU", "ReLU")),
            lowest(error["TMAF"], error["ReLU"], error["PReLU"], stated=stated_margin(n)),
            {kind: found.values for kind, found in error.items()},
        )
    ]


def _rows2(runs: Runs) -> list[Row]:
    """Table 2: that TMAF learns the function, an error below 0.1, and ReLU and PReLU only its low frequency, which leaves 1."""
    error = {kind: statistic(found, train_loss) for kind, found in runs.items()}
    rows = []
    for kind in (kind for kind in runs if "TMAF" in kind):
        rows.append(
            Row(
                f"sin(100πx) + cos(50πx) + sin(πx): {kind} against ReLU",
                f"{TABLE2[kind]} against {TABLE2['ReLU']}",
                f"{error[kind].text(4)} against {error['ReLU'].text(3)}",
                judge(error["ReLU"] - error[kind], float(TABLE2["ReLU"]) - float(TABLE2[kind])),
                {kind: error[kind].values, "ReLU": error["ReLU"].values},
            )
        )
    if "PReLU" in runs:
        near = [judge(error["PReLU"] - 0.95), judge(Statistic.of(1.05 - value for value in error["PReLU"].values))]  # both, no correction
        rows.append(
            Row(
                "sin(100πx) + cos(50πx) + sin(πx): PReLU fits the low frequency only",
                TABLE2["PReLU"],
                error["PReLU"].text(3),
                every(near),
                {"PReLU": error["PReLU"].values},
            )
        )
    return rows


def accuracy_rows(title: str, paper: Mapping[str, float], data: str, runs: Runs) -> list[Row]:
    """A row of Table 3: that TMAF is a little better."""
    accuracy = {kind: statistic(found, lambda m: 100 * (m.test_accuracy or 0.0)) for kind, found in runs.items()}
    margin = paper["TMAF"] - max(paper["ReLU"], paper["PReLU"])
    gains = [accuracy["TMAF"] - accuracy[other] for other in ("ReLU", "PReLU")]
    return [
        Row(
            f"{title}: the test accuracy (%) of TMAF is the highest",
            ", ".join(f"{kind} {paper[kind]}" for kind in ("TMAF", "PReLU", "ReLU")) + f" ({data})",
            ", ".join(f"{kind} {accuracy[kind].text()}" for kind in ("TMAF", "PReLU", "ReLU")),
            every([judge(gain, margin, comparisons=len(gains)) for gain in gains]),
            {kind: found.values for kind, found in accuracy.items()},
        )
    ]


def _remarks(bench: Bench) -> list[str]:
    faster = "twenty times the paper's learning rates and more, which need fewer epochs"
    rates = faster if bench.budget == "quick" else "the paper's learning rates"
    return [
        f"Sections 3.1 and 3.2 with {rates}; images with ten times the paper's.",
        "Errors are those of the whole training set in evaluation mode, after the last epoch.",
        "Networks for n = 5 and 6 are bimodal: they stay at an error of 0.49, having learned nothing, until they escape; how many have, "
        "the number of epochs decides, which the paper does not print.",
        "An error of 1 on the function of three frequencies is that of sin(πx) alone: each of the two others leaves 1/2.",
        "Which of the diagonal and the tri-diagonal TMAF is better is not judged: their networks have 400 and 300 neurons a layer.",
        "The CIFAR rows of Table 3 are of residual networks: nerva reproduce tmaf-resnet.",
    ]
