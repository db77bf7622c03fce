"""TMAF: ResNet-18 with ReLU, PReLU and a diagonal trainable matrix activation (section 3.3, Table 3 and Figure 8).

Adam at 10⁻⁴, a tenth of it in the second half, batches of 500; the paper prints no number of epochs, which is 100 here. Images are
Fashion-MNIST unless the user has CIFAR-10. With --quick the network has a sixteenth of the channels, images of half the size, and ten
times the rate.
"""

from __future__ import annotations

from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.networks import HALVED, QUICK_REMARK, QUICK_WIDTH, ResNet
from nerva_core.reproductions.report import Findings
from nerva_core.reproductions.tmaf import KINDS, accuracy_rows, statistic, train_loss, training
from nerva_core.reproductions.tmaf_figures import class_curves

TABLE3 = {"ReLU": 77.5, "PReLU": 78.1, "TMAF": 80.2}
"""The row of CIFAR-10."""


def parts(bench: Bench) -> Parts:
    """ResNet-18, alike but for the activation."""
    source = bench.images(train=bench.choose(640, None), test=bench.choose(1_000, None))
    _, classes = bench.classes(source)
    first, width = bench.choose([HALVED], []), bench.choose(QUICK_WIDTH, 64)
    kinds = {kind: {"model": {"layers": first + ResNet(width=width, activation=layer).layers(classes)}} for kind, layer in KINDS.items()}
    common = training(bench.length(4, 100), bench.choose(1e-3, 1e-4))
    batch = {**common["training"], "batch_size": bench.choose(32, 500)}
    return {"networks": Part(kinds, source, {**common, "training": batch})}


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the activations."""
    runs = results["networks"]
    losses = ", ".join(f"{kind} {statistic(found, train_loss).text(3)}" for kind, found in runs.items())
    return Findings(
        accuracy_rows("ResNet-18", TABLE3, "CIFAR-10", runs),
        [f"Training losses: {losses}.", *[f"{QUICK_REMARK} The rate is ten times the paper's."] * (bench.budget == "quick")],
        {"class_curves": class_curves(runs)},
        {"class_curves": "Training loss and test accuracy of ResNet-18, mean and range over the seeds (Figure 8)"},
    )


EXPERIMENT = Experiment("tmaf-resnet", "TMAF: residual networks", "TMAF, section 3.3, Table 3 and Figure 8", parts, findings)
