"""q-neurons: the multilayer perceptron of section 3, with f, its q-activations and their deterministic limit f'(x) x.

MNIST-MLP: [dense 256, activation, batch normalization, (dropout 0.2)] twice, dense 10; gradient descent without momentum at 0.05, which is
multiplied by 1 - 10⁻⁶ after each batch of 64. On Fashion-MNIST unless the user has MNIST. The ε and the momentum of batch normalization are
not printed; they are Keras's here, but for the momentum of short runs, 0.9.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.layers import QActivation, parse_layers
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.q_figures import density_of_q, density_of_q_activation, learning_curves
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained, values
from nerva_core.reproductions.verdicts import Statistic, judge
from nerva_core.training.trainer import Trainer

MODES = {
    "plain": "{f}",
    "limit": "q-limit({f})",
    "c0.02": "q-{f}(lambda=0.02)",
    "c0.1": "q-{f}(lambda=0.1)",
    "a1": "q-{f}(lambda=1, gamma=0.5)",
    "a5": "q-{f}(lambda=5, gamma=0.5)",
    "a9": "q-{f}(lambda=9, gamma=0.5)",
}
"""The paper's names: c for a constant λ, a for one that is annealed; "limit" is f'(x) x, which the paper states and does not train."""

DROPOUT = ", dropout"
"""Ends the name of a network with dropout, as on the right of Figure 4."""
QUICK = {
    "ELU": ("plain", "c0.02", "limit"),
    "Softplus": ("plain", "c0.02", "limit"),
    "ReLU": ("plain", "c0.02"),
    "ELU" + DROPOUT: ("plain", "c0.02"),
}
FULL = {f: tuple(mode for mode in MODES if f != "ReLU" or mode != "limit") for f in ("ELU", "Softplus", "Tanh", "ReLU")}
"""The limit of ReLU is ReLU."""
FULL |= {f + DROPOUT: ("plain", "c0.02", "a1") for f in ("ELU", "Softplus")}

Runs = Mapping[str, Mapping[str, Sequence[Trained]]]


STEPS_FOR_MOMENTUM = 600
"""At Keras's momentum so many steps leave 0.24 % of the first statistics, but the 230 of ten epochs on the digits of scikit-learn 10 %."""


def momentum_for(steps: int) -> float:
    """The momentum of batch normalization: Keras's 0.99, or 0.9 in runs so short that the test accuracy would judge the beginning."""
    return 0.99 if steps >= STEPS_FOR_MOMENTUM else 0.9


def network(f: str, mode: str, dropout: bool = False, momentum: float = 0.99) -> str:
    """The layers of the paper's MNIST-MLP, for the activation f in one of ``MODES``; a name that ends in ``DROPOUT`` has it too."""
    dropout, f = dropout or f.endswith(DROPOUT), f.removesuffix(DROPOUT)
    block = f"{MODES[mode].format(f=f)};BatchNormalization(epsilon=0.001, momentum={momentum});" + "Dropout(0.2);" * dropout
    return 2 * block + "Linear"


def parts(bench: Bench) -> Parts:
    """Networks with f and its q-activations, alike but for the activation."""
    source = bench.images(train=bench.choose(5_000, None), test=bench.choose(2_500, None))
    inputs, classes = bench.classes(source)
    modes: Mapping[str, Sequence[str]] = bench.choose(QUICK, FULL)
    common: dict[str, Any] = {
        "optimizer": "GradientDescent",
        "schedule": "Geometric(0.05, r=0.999999)",
        "training": {"epochs": bench.length(8, 100), "batch_size": 64, "schedule_by": "step"},
    }
    model = {"sizes": [inputs, 256, 256, classes], "weights": "NormalizedXavier"}
    epochs, batch = common["training"]["epochs"], common["training"]["batch_size"]
    momentum = momentum_for(epochs * len(bench.load(source).Xtrain) // batch)
    kinds = {f"{f} {mode}": {"model": {"layers": network(f, mode, momentum=momentum), **model}} for f in modes for mode in modes[f]}
    return {"networks": Part(kinds, source, common)}


def modes_of(trained: Mapping[str, Sequence[Trained]], modes: Mapping[str, Sequence[str]]) -> Runs:
    """The runs by f and mode."""
    return {f: {mode: trained[f"{f} {mode}"] for mode in modes[f]} for f in modes}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare f with its q-activations."""
    modes: Mapping[str, Sequence[str]] = bench.choose(QUICK, FULL)
    runs = modes_of(results["networks"], modes)
    found = [row for f in runs for row in rows(f, runs[f])]
    evaluated = {f: _noise_at_evaluation(bench, runs[f]["c0.02"]) for f in ("ELU",)}
    activations = {f.lower(): ACTIVATIONS.parse(f) for f in ("ELU", "Softplus", "Tanh", "ReLU")}
    return Findings(
        found,
        [
            *(_limit_remark(f, runs[f]) for f in runs if "limit" in runs[f]),
            *(_evaluation_remark(f, difference) for f, difference in evaluated.items()),
            "q-ReLU at λ = 0.02 is ReLU in exact arithmetic, because q > 0 (erratum 000-18): that it cannot improve is a theorem, and what "
            "it differs by is rounding, the noise floor of these runs.",
            "The paper's 0.35 % error on MNIST and 82.9 % on CIFAR-10 are of its convolutional networks: nerva reproduce q-neurons-cnn.",
        ],
        {
            "density_of_q": density_of_q(),
            "density_of_q_activation": density_of_q_activation(activations),
            "learning_curves": learning_curves({f"{f} and q-{f}": runs[f] for f in runs}),
        },
        {
            "density_of_q": "The density of q (Figure 1, on its correct domain |q − 1| ≥ φ)",
            "density_of_q_activation": "The density of the q-activation at every x, from draws of q (Figure 2); for small λ it is f′(x) x",
            "learning_curves": "Training loss and test accuracy, mean and range over the seeds (Figure 4)",
        },
        {
            f"{f} {mode}": {"train_loss": values(found, lambda m: m.train_loss), "test_accuracy": values(found, lambda m: m.test_accuracy)}
            for f, kinds_of in runs.items()
            for mode, found in kinds_of.items()
        },
    )


EXPERIMENT = Experiment("q-neurons", "q-neurons: f against its q-activation", "q-neurons, section 3 and Figure 4", parts, findings)


def rows(f: str, runs: Mapping[str, Sequence[Trained]]) -> list[Row]:
    """What the paper states of each mode but the limit: a lower training loss and a higher test accuracy; of ReLU, no improvement."""
    result = []
    loss = {mode: Statistic.of(values(trained, lambda m: m.train_loss)) for mode, trained in runs.items()}
    accuracy = {mode: Statistic.of(100 * a for a in values(trained, lambda m: m.test_accuracy)) for mode, trained in runs.items()}
    for mode in (mode for mode in runs if mode not in ("plain", "limit")):
        for what, better, statistic, digits in (
            ("training loss", loss["plain"] - loss[mode], loss, 3),
            ("test accuracy (%)", accuracy[mode] - accuracy["plain"], accuracy, 2),
        ):
            worse = Statistic.of(-value for value in better.values)
            verdict = judge(worse if f == "ReLU" else better)  # the paper: "q-relu cannot improve over relu activation"
            result.append(
                Row(
                    f"q-{f} {mode} against {f}: {what}",
                    "no improvement" if f == "ReLU" else "lower" if what == "training loss" else "higher",
                    f"{statistic[mode].text(digits)} against {statistic['plain'].text(digits)}",
                    verdict,
                    {mode: statistic[mode].values, "plain": statistic["plain"].values},
                )
            )
    return result


def _limit_remark(f: str, runs: Mapping[str, Sequence[Trained]]) -> str:
    limit, noisy = (Statistic.of(values(runs[mode], lambda m: m.train_loss)) for mode in ("limit", "c0.02"))
    return (
        f"{f}: the deterministic limit f′(x) x reaches a training loss of {limit.text(3)}, q-{f} c0.02 {noisy.text(3)}: "
        "what changes is the shape of the activation, not the noise."
    )


def _evaluation_remark(f: str, difference: Statistic) -> str:
    return f"q-{f} c0.02 evaluated with noise in place of the limit: {difference.text()} points of test accuracy."


def _noise_at_evaluation(bench: Bench, trained: Sequence[Trained]) -> Statistic:
    """The test accuracy with noise less that at the limit, in points, of each trained network."""
    differences = []
    for run in trained:
        if run.last is None or run.last.test_accuracy is None:
            differences.append(float("nan"))
            continue
        noisy = [
            dataclasses.replace(layer, evaluation="noise") if isinstance(layer, QActivation) else layer
            for layer in run.config.model.build().layers
        ]
        trainer = Trainer(run.config, bench.load(run.config.data), network=parse_layers(noisy))
        trainer.restore(run.config.training.epochs, run.state)
        _, accuracy = trainer.evaluate()
        differences.append(100 * (np.nan if accuracy is None else accuracy - run.last.test_accuracy))
    return Statistic.of(differences)
