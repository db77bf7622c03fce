"""q-neurons: the convolutional networks of section 3, with f and its q-activations.

Gradient descent without momentum: MNIST-CNN at 0.05 in batches of 64, CIFAR-CNN at 0.01 in batches of 32; the rate is multiplied by
1 - 10⁻⁶ after each batch. The data decide which: images of several channels have the CIFAR-CNN, others the MNIST-CNN, Fashion-MNIST
unless the user has MNIST or CIFAR-10. With --quick the networks have an eighth of the channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nerva_core.data import DataSource
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.networks import Layers, cifar_cnn, mnist_cnn
from nerva_core.reproductions.q_figures import learning_curves
from nerva_core.reproductions.q_neurons import DROPOUT, MODES, Runs, modes_of, momentum_for, rows
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import values
from nerva_core.reproductions.verdicts import Statistic, reaches

QUICK: Mapping[str, Sequence[str]] = {"ELU": ("plain", "c0.02"), "Tanh": ("plain", "c0.02")}
ALL_MODES = tuple(mode for mode in MODES if mode != "limit")
FULL: Mapping[str, Sequence[str]] = {
    f + end: ALL_MODES if not end else ("plain", "c0.02", "a5") for end in ("", DROPOUT) for f in ("Tanh", "ReLU", "ELU", "Softplus")
}


@dataclass(frozen=True)
class TrainedAs:
    """How one of the two networks is trained."""

    name: str
    rate: float
    batch: int
    printed: str
    """The best accuracy (%) that the paper prints, on its own data."""
    sources: Sequence[str]
    """The kinds of data sources that may be the paper's."""


MNIST = TrainedAs("MNIST-CNN", 0.05, 64, "99.65", ("IDX",))
CIFAR = TrainedAs("CIFAR-CNN", 0.01, 32, "82.9", ("CIFAR10",))


def setting_for(bench: Bench, source: DataSource) -> TrainedAs:
    """CIFAR's for images with several channels, else MNIST's."""
    data = bench.load(source)
    height, width = data.grid if len(data.grid) == 2 else (1, data.inputs)
    return CIFAR if data.inputs > height * width else MNIST


def images_of(bench: Bench) -> DataSource:
    """The images of the budget."""
    return bench.images(train=bench.choose(800, None), test=bench.choose(500, None))


SMALLEST = 20
"""Images of fewer pixels a side, such as the digits of scikit-learn, are padded: without it nothing would be left of them."""


def network(setting: TrainedAs, f: str, mode: str, classes: int, width: int, momentum: float = 0.99, padding: int = 0) -> Layers:
    """The layers, for the activation f in one of ``MODES``; a name that ends in ``DROPOUT`` has it too."""
    activation, dropout = MODES[mode].format(f=f.removesuffix(DROPOUT)), f.endswith(DROPOUT)
    if setting is CIFAR:
        return cifar_cnn(activation, classes, dropout, width, padding)
    return mnist_cnn(activation, classes, dropout, width, momentum, padding)


def parts(bench: Bench) -> Parts:
    """Networks with f and its q-activations, alike but for the activation."""
    source = images_of(bench)
    setting, (_, classes) = setting_for(bench, source), bench.classes(source)
    epochs, width = bench.length(4, 100), bench.choose(4, 32)
    momentum = momentum_for(epochs * len(bench.load(source).Xtrain) // setting.batch)
    padding = int(min(bench.load(source).grid, default=SMALLEST) < SMALLEST)
    kinds = {
        f"{f} {mode}": {"model": {"layers": network(setting, f, mode, classes, width, momentum, padding)}}
        for f, modes in bench.choose(QUICK, FULL).items()
        for mode in modes
    }
    common: dict[str, Any] = {
        "optimizer": "GradientDescent",
        "schedule": f"Geometric({setting.rate}, r=0.999999)",
        "training": {"epochs": epochs, "batch_size": setting.batch, "schedule_by": "step"},
    }
    return {"networks": Part(kinds, source, common)}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare f with its q-activations."""
    runs = modes_of(results["networks"], bench.choose(QUICK, FULL))
    source = images_of(bench)
    setting, epochs = setting_for(bench, source), bench.length(4, 100)
    smaller = (
        f"An eighth of the channels, and {epochs} epochs on few images: the verdicts are on this small network after a few dozen steps, "
        "and say little of the paper's."
    )
    return Findings(
        [*(row for f in runs for row in rows(f, runs[f])), *printed_rows(setting, source, runs)],
        [
            f"{setting.name} of section 3. The padding and the initial values are not printed; they are Keras's.",
            *[smaller] * (bench.budget == "quick"),
        ],
        {"learning_curves": learning_curves({f"{f} and q-{f}": runs[f] for f in runs})},
        {"learning_curves": "Training loss and test accuracy, mean and range over the seeds (Figures 3 and 5)"},
    )


EXPERIMENT = Experiment("q-neurons-cnn", "q-neurons: convolutional networks", "q-neurons, section 3, Figures 3 and 5", parts, findings)


def printed_rows(setting: TrainedAs, source: DataSource, runs: Runs) -> list[Row]:
    """That q-ELU is as accurate as printed, where the data may be the paper's."""
    if type(source).__name__ not in setting.sources:
        return []
    found = {
        f"{f} {mode}": Statistic.of(100 * a for a in values(trained, lambda m: m.test_accuracy))
        for f in runs
        if f.startswith("ELU")
        for mode, trained in runs[f].items()
        if mode != "plain"
    }
    best = max(found, key=lambda kind: found[kind].mean)
    title = f"{setting.name}: the best q-ELU ({best}) is as accurate as printed (%)"
    return [Row(title, setting.printed, found[best].text(), reaches(found[best], setting.printed, len(found)), {best: found[best].values})]
