"""Differentiable approximation bridges: codes of few bits, learned without classes (section 5.2, Figure 4).

A dense autoencoder on Fashion-MNIST, where the paper's is like a U-Net: 784 - 128 ELU - B, batch normalization, [hard], 128 ELU, 784
sigmoid, the mean squared error, Adam at 10⁻³, batches of 128. The B bits are 0.1 a pixel: 78 columns of 0 and 1, and of signum, whose
column has log₂ 3 bits, 49. The baseline is the image itself, scaled down bilinearly to as many pixels and compared with τ, the
best of several. The discrete variational autoencoders of the figure are not run here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.data import Dataset, DataSource
from nerva_core.data.sources import Reconstruction
from nerva_core.equations.hard_functions import HARD_FUNCTIONS, Threshold
from nerva_core.reproductions.dab_bridge import bridge_around
from nerva_core.reproductions.dab_figures import codes
from nerva_core.reproductions.experiment import Bench, Experiment, Part, Parts, Results
from nerva_core.reproductions.report import Findings, Row
from nerva_core.reproductions.runs import Trained
from nerva_core.reproductions.verdicts import Statistic, either, judge
from nerva_core.training.metrics import SSIM_WINDOW, bits_per_pixel, linear_probe, ms_ssim

Array = np.ndarray[Any, Any]

WIDTH = 128
KINDS = {"dab-signum": "Signum", "dab-binary": "Binary", "dab-bernoulli": "Bernoulli"}
"""The hard functions of the codes."""
THRESHOLD = "threshold"
THRESHOLDS = (0.1, 0.2, 0.3, 0.5)
"""The values of τ of which the baseline takes the best."""
RATES = {"quick": (0.1,), "full": (0.05, 0.1, 0.2)}
"""Bits per pixel."""
COMPARED = 500
"""Test images that are compared with their reconstructions."""
PROBED = 2000
"""Training examples of the linear probe, and as many for its test."""


@dataclass(frozen=True)
class Measured:
    """What is measured of a kind of code at a number of bits per pixel: values by seed."""

    bits: float
    """The bits per pixel that it has; a column is whole."""
    similarity: Statistic | None
    """The mean MS-SSIM of test images and their reconstructions; None if there are none, or for images too small for it."""
    probe: Statistic
    """The test accuracy (%) of a linear classifier on the codes."""


def autoencoder(kind: str, columns: int, pixels: int) -> list[Any]:
    """The layers; what is drawn with a probability has a sigmoid before it (erratum 003-26)."""
    probability = ["Sigmoid"] * (kind == "dab-bernoulli")
    code = [f"Linear({columns})", "BatchNormalization", *probability, bridge_around(KINDS[kind], columns)]
    return [f"Linear({WIDTH})", "ELU", *code, f"Linear({WIDTH})", "ELU", f"Linear({pixels})", "Sigmoid"]


def columns_for(kind: str, rate: float, pixels: int) -> int:
    """The columns of a code with so many bits per pixel."""
    return max(1, round(rate / bits_per_pixel(HARD_FUNCTIONS.parse(KINDS[kind]), 1, pixels)))


def images_of(bench: Bench) -> DataSource:
    """The images of the budget."""
    return bench.images(train=bench.choose(5_000, 15_000), test=PROBED)


def parts(bench: Bench) -> Parts:
    """At each number of bits per pixel an autoencoder with each kind of code."""
    images = images_of(bench)
    pixels, _ = bench.classes(images)  # NervaError if there are none to probe for
    common = {
        "loss": "MeanSquaredError",
        "optimizer": "Adam",
        "schedule": "Constant(0.001)",
        "training": {"epochs": bench.length(8, 30), "batch_size": 128},
    }

    def model(kind: str, rate: float) -> dict[str, Any]:
        return {"model": {"layers": autoencoder(kind, columns_for(kind, rate, pixels), pixels)}}

    return {
        f"{rate:g}": Part({f"{kind}, {rate:g} bits per pixel": model(kind, rate) for kind in KINDS}, Reconstruction(source=images), common)
        for rate in RATES[bench.budget]
    }


def findings(bench: Bench, results: Results) -> Findings:
    """Compare the reconstructions, and classify the codes."""
    data = bench.load(images_of(bench))
    found: dict[str, dict[float, Measured]] = {THRESHOLD: {rate: downscaled(data, rate) for rate in RATES[bench.budget]}}
    for rate in RATES[bench.budget]:
        for kind, runs in zip(KINDS, results[f"{rate:g}"].values(), strict=True):
            columns = columns_for(kind, rate, data.inputs)
            bits = bits_per_pixel(HARD_FUNCTIONS.parse(KINDS[kind]), columns, data.inputs)
            found.setdefault(kind, {})[rate] = measure(runs, data, bits)
    figure = codes({kind: {m.bits: (m.similarity, m.probe) for m in by_rate.values()} for kind, by_rate in found.items()})
    return Findings(
        [row for rate in RATES[bench.budget] for row in rows({kind: by_rate[rate] for kind, by_rate in found.items()}, rate)],
        REMARKS,
        {"codes": figure},
        {"codes": "Left: similarity of test images and their reconstructions. Right: a linear probe of the codes (Figure 4)"},
    )


EXPERIMENT = Experiment("dab-autoencoder", "Bridges: codes of few bits", "DAB, section 5.2, Figure 4", parts, findings)

REMARKS = (
    f"MS-SSIM of {COMPARED} test images with as many scales as fit into the image, of equal weight: the five of Wang et al. need 176 "
    "pixels. Codes and reconstructions without noise, the probe a logistic regression.",
    "The bernoulli and discrete (Gumbel) variational autoencoders, which are the paper's main comparison, are not run here.",
)


def measure(runs: Sequence[Trained], data: Dataset, bits: float) -> Measured:
    """The similarity and the probe of each run; NaN of one that diverged."""
    pairs = [(math.nan, math.nan) if run.diverged else _measure(run, data) for run in runs]
    similarity = Statistic.of(s for s, _ in pairs) if scales(data.inputs) else None
    return Measured(bits, similarity, Statistic.of(p for _, p in pairs))


def _measure(run: Trained, data: Dataset) -> tuple[float, float]:
    code_train, _ = encode(run, data.Xtrain[:PROBED])
    code_test, reconstructed = encode(run, data.Xtest[:PROBED])
    probe = 100 * linear_probe(code_train, data.Ttrain[:PROBED], code_test, data.Ttest[:PROBED])
    return similarity(data.Xtest[:COMPARED], reconstructed[:COMPARED]), probe


def encode(run: Trained, X: Array) -> tuple[Array, Array]:
    """The codes and the reconstructions of examples, without noise."""
    ops, network = backend("numpy", "float32"), run.config.model.build()
    steps = list(network.evaluations(ops, ops.matrices(run.state.params), ops.matrices(run.state.statistics), ops.matrix(X)))
    (code,) = (after for layer, _, after in steps if layer.hard_layers())
    return ops.to_numpy(code), ops.to_numpy(steps[-1][2])


def side(pixels: int) -> int:
    """The side of a square image; NervaError if it is none."""
    root = math.isqrt(pixels)
    if root * root != pixels:
        raise NervaError(f"this experiment needs square images of one channel, but an example has {pixels} numbers")
    return root


def scales(pixels: int) -> int:
    """How many scales of MS-SSIM fit into an image, at most five."""
    fitting = [s for s in range(1, 6) if side(pixels) >= SSIM_WINDOW * 2 ** (s - 1)]
    return max(fitting, default=0)


def similarity(A: Array, B: Array) -> float:
    """The mean MS-SSIM of the images in the rows of A and B, pixels from 0 to 1; NaN where no scale fits."""
    n, m = side(A.shape[1]), scales(A.shape[1])
    if not m:
        return math.nan
    return float(np.mean([ms_ssim(a.reshape(n, n), b.reshape(n, n), weights=(1 / m,) * m) for a, b in zip(A, B, strict=True)]))


def downscaled(data: Dataset, rate: float) -> Measured:
    """The baseline: images scaled down to so many pixels, 1 where one is above τ, classified for the best τ (on the test set)."""
    n = side(data.inputs)
    small = max(2, round(math.sqrt(rate) * n))
    Xtrain, Xtest = (bilinear(X[:PROBED], n, small) for X in (data.Xtrain, data.Xtest))
    ops = backend("numpy", "float64")
    accuracies = []
    for tau in THRESHOLDS:
        codes_of = [Threshold(tau).value(ops, X) for X in (Xtrain, Xtest)]
        accuracies.append(100 * linear_probe(codes_of[0], data.Ttrain[:PROBED], codes_of[1], data.Ttest[:PROBED]))
    return Measured(small * small / data.inputs, None, Statistic.of([max(accuracies)]))


def bilinear(X: Array, n: int, m: int) -> Array:
    """Images of n x n pixels, a row each, at the centres of m x m pixels."""
    position = (np.arange(m) + 0.5) * n / m - 0.5
    low = np.clip(np.floor(position).astype(int), 0, n - 2)
    weight = position - low
    A = np.zeros((m, n))
    A[np.arange(m), low], A[np.arange(m), low + 1] = 1 - weight, weight
    result: Array = np.einsum("in,knl,jl->kij", A, X.reshape(-1, n, n), A).reshape(len(X), m * m)
    return result


def rows(found: Mapping[str, Measured], rate: float) -> list[Row]:
    """Figure 4: that signum or binary is better than the other code, in both measures, and than the baseline."""
    title = f"codes of {rate:g} bits per pixel: dab-signum or dab-binary better than"
    best, other, baseline = ("dab-signum", "dab-binary"), found["dab-bernoulli"], found[THRESHOLD]
    constant = baseline.probe.mean  # it has no seed
    results = [_row(f"{title} threshold, linear probe (%)", {k: found[k].probe for k in best}, constant, f"{constant:.2f}", 2)]
    results.append(_row(f"{title} dab-bernoulli, linear probe (%)", {k: found[k].probe for k in best}, other.probe, other.probe.text(), 2))
    similarities = {k: s for k in best if (s := found[k].similarity) is not None}
    if other.similarity is not None:
        text = other.similarity.text(4)
        results.append(_row(f"{title} dab-bernoulli, MS-SSIM of reconstructions", similarities, other.similarity, text, 4))
    return results


def _row(title: str, found: Mapping[str, Statistic], other: Statistic | float, text: str, digits: int) -> Row:
    """Either is enough, as the paper says "either": the level is divided by two."""
    here = ", ".join(f"{kind} {statistic.text(digits)}" for kind, statistic in found.items())
    values = {kind: statistic.values for kind, statistic in found.items()}
    verdict = either([judge(statistic - other, comparisons=len(found)) for statistic in found.values()])
    return Row(title, "better", f"{here} against {text}", verdict, values | ({} if isinstance(other, float) else {"other": other.values}))
