"""Comparing activations: the same network, the same data and the same seeds, with one word changed.

Writes activations.png: the accuracy on the test set over the epochs, one line an activation.
"""

# %% What is compared, and on what
import sys

from matplotlib.figure import Figure

from nerva_core.training import Trainer
from nerva_core.training.config import make_config

ACTIVATIONS = ("ReLU", "LeakyReLU(alpha=0.1)", "Tanh", "Sigmoid", "SiLU", "GELU", "SReLU(al=0, tl=0, ar=0, tr=1)")
EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 15


def accuracies(activation, seed):
    """The test accuracy after every epoch."""
    config = {
        "data": "Digits",
        "seed": seed,
        "model": {"layers": f"{activation};{activation};Linear", "sizes": [64, 64, 32, 10], "weights": "NormalizedXavier"},
        "optimizer": "Momentum(mu=0.9)",
        "schedule": "Constant(0.02)",
        "training": {"epochs": EPOCHS, "batch_size": 32},
    }
    return [metrics.test_accuracy for metrics in Trainer(make_config(config)).run()]


# %% Train each one with three seeds
SEEDS = range(3)
results = {activation: [accuracies(activation, seed) for seed in SEEDS] for activation in ACTIVATIONS}
print(f"{'activation':32}  accuracy after {EPOCHS} epochs, smallest to largest of {len(SEEDS)} seeds")
for activation, curves in results.items():
    last = [100 * curve[-1] for curve in curves]
    print(f"{activation:32}  {min(last):.1f} % to {max(last):.1f} %")

# %% The figure: the mean of the seeds as a line, smallest to largest as a band
figure = Figure(figsize=(8, 5), layout="constrained")
axes = figure.subplots()
epochs = range(1, EPOCHS + 1)
for activation, curves in results.items():
    by_epoch = [[100 * value for value in values] for values in zip(*curves, strict=True)]
    (line,) = axes.plot(epochs, [sum(values) / len(values) for values in by_epoch], label=activation)
    axes.fill_between(epochs, [min(v) for v in by_epoch], [max(v) for v in by_epoch], color=line.get_color(), alpha=0.12, linewidth=0)
axes.set_xlabel("epoch")
axes.set_ylabel("test accuracy (%)")
axes.grid(alpha=0.3)
figure.legend(frameon=False, loc="outside lower center", ncols=3)  # below the axes, where it covers no data
figure.savefig("activations.png", dpi=150)
print("figure: activations.png")
