"""The networks, what is measured of them, and what the rows say."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import Digits
from nerva_core.layers import DAB, parse_layers
from nerva_core.reproductions import Bench, Statistic, Verdict, perform
from nerva_core.reproductions.dab_autoencoder import (
    EXPERIMENT,
    KINDS,
    Measured,
    autoencoder,
    bilinear,
    columns_for,
    downscaled,
    encode,
    measure,
    rows,
    scales,
    side,
    similarity,
)
from nerva_core.training.metrics import ms_ssim


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_has_the_bits_that_it_should(kind: str) -> None:
    columns = columns_for(kind, 0.1, 784)
    network = parse_layers(autoencoder(kind, columns, 784))
    assert network.outputs_for(784) == 784
    (code,) = network.hard_layers()
    assert isinstance(code, DAB)
    assert type(code.hard).__name__ == KINDS[kind]
    assert columns == (49 if kind == "dab-signum" else 78)  # log2(3) bits a column


def test_a_report_on_few_digits_has_no_similarity() -> None:
    report = perform(EXPERIMENT, Bench("quick", "numpy", Digits(train=60, test=40), (0,)))
    assert len(report.findings.rows) == 2  # 8 x 8 pixels are too few for MS-SSIM
    assert report.findings.figures["codes"].startswith(b"\x89PNG")
    assert report.settings["data"] == "Reconstruction(source=Digits(train=60, test=40))"


def test_codes_are_read_where_the_hard_layer_is() -> None:
    source = Digits(train=60, test=40)
    bench = Bench("quick", "numpy", given_seeds=(0,))
    data = bench.load(source)
    model = {"layers": autoencoder("dab-binary", 6, 64)}
    loss = {"loss": "MeanSquaredError", "training": {"epochs": 1, "batch_size": 30}}
    from nerva_core.data.sources import Reconstruction

    (runs,) = bench.train({"k": {"model": model}}, [0], Reconstruction(source=source), **loss).values()
    code, reconstructed = encode(runs[0], data.Xtest)
    assert code.shape == (40, 6)
    assert set(np.unique(code)) <= {0.0, 1.0}
    assert reconstructed.shape == data.Xtest.shape
    assert reconstructed.min() > 0
    assert reconstructed.max() < 1
    measured = measure([runs[0], dataclasses.replace(runs[0], diverged=True)], data, 0.1)
    assert measured.similarity is None
    assert math.isnan(measured.probe.values[1])
    assert measured.probe.values[0] > 15


def test_the_similarity_is_that_of_the_images(rng: np.random.Generator) -> None:
    A, B = rng.random((2, 784)), rng.random((2, 784))
    assert (scales(784), scales(64), scales(11 * 11), scales(176**2)) == (2, 0, 1, 5)
    each = [ms_ssim(a.reshape(28, 28), b.reshape(28, 28), weights=(0.5, 0.5)) for a, b in zip(A, B, strict=True)]
    assert similarity(A, B) == pytest.approx(np.mean(each))
    assert similarity(A, A) == pytest.approx(1)
    with pytest.raises(NervaError, match="square images of one channel"):
        side(3072)


def test_scaling_down_is_bilinear() -> None:
    ramp = np.add.outer(np.arange(6.0), 10 * np.arange(6.0)).reshape(1, 36)
    small = bilinear(ramp, 6, 3).reshape(3, 3)
    np.testing.assert_allclose(small, np.add.outer(np.array([0.5, 2.5, 4.5]), 10 * np.array([0.5, 2.5, 4.5])))
    np.testing.assert_allclose(bilinear(ramp, 6, 6), ramp)


def test_the_baseline_is_the_best_threshold() -> None:
    found = downscaled(Digits().load(), 0.25)
    assert found.bits == 0.25
    assert found.probe.values[0] > 50
    assert found.similarity is None


def test_either_code_is_enough() -> None:
    def of(probe: float, similar: float | None) -> Measured:
        spread = np.array([0.0, 0.1, -0.1, 0.0, 0.05])
        return Measured(0.1, None if similar is None else Statistic.of(similar + spread / 100), Statistic.of(probe + spread))

    found = {"dab-signum": of(75, 0.5), "dab-binary": of(70, 0.4), "dab-bernoulli": of(72, 0.6), "threshold": of(74.0, None)}
    found["threshold"] = Measured(0.1, None, Statistic.of([74.0]))
    assert [row.verdict for row in rows(found, 0.1)] == [Verdict.REPRODUCES, Verdict.REPRODUCES, Verdict.DOES_NOT]
    small = {kind: dataclasses.replace(m, similarity=None) for kind, m in found.items()}
    assert len(rows(small, 0.1)) == 2
