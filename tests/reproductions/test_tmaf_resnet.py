from __future__ import annotations

from nerva_core.data import Digits
from nerva_core.layers import parse_layers
from nerva_core.reproductions import Bench, perform
from nerva_core.reproductions.networks import ResNet
from nerva_core.reproductions.tmaf_resnet import EXPERIMENT, TABLE3, parts


def test_a_report_on_few_digits() -> None:
    report = perform(EXPERIMENT, Bench(source=Digits(train=32, test=20), given_seeds=(0,), backend="numpy"))
    (row,) = report.findings.rows
    assert row.paper == "TMAF 80.2, PReLU 78.1, ReLU 77.5 (CIFAR-10)"
    assert set(report.findings.figures) == set(report.findings.captions)
    assert "ten times" in report.findings.remarks[1]


def test_the_full_budget_is_the_papers() -> None:
    (part,) = parts(Bench("full", source=Digits())).values()
    assert list(part.kinds) == list(TABLE3)
    assert part.common["training"] == {"epochs": 100, "batch_size": 500}
    assert part.common["schedule"] == "MultiStep(0.0001, milestones=[50], gamma=0.1)"
    assert part.kinds["ReLU"]["model"]["layers"] == ResNet().layers(10)
    network = parse_layers(["Images(8, 8)", *part.kinds["TMAF"]["model"]["layers"]])
    assert repr(network).count("DiagonalTMAF(") == 17  # one after each convolution of 3 x 3
    assert "ActivationLayer" not in repr(network)
