from __future__ import annotations

from nerva_core.data import Digits
from nerva_core.layers import parse_layers
from nerva_core.reproductions import Bench, perform
from nerva_core.reproductions.dab_images import hard_layers
from nerva_core.reproductions.dab_resnet import EXPERIMENT, parts


def test_a_report_on_few_digits() -> None:
    report = perform(EXPERIMENT, Bench(source=Digits(train=32, test=20), given_seeds=(0,), backend="numpy"))
    assert [row.experiment.split()[1] for row in report.findings.rows] == ["signum", "sort-row"]
    assert list(report.findings.figures) == ["curves"]
    assert set(report.findings.figures) <= set(report.findings.captions)


def test_the_full_budget_has_the_table_and_the_places() -> None:
    found = parts(Bench("full", source=Digits()))
    assert list(found["table"].kinds) == list(hard_layers(16, 32))
    assert list(found["stages"].kinds) == [f"signum after stage {s}" for s in (1, 2, 3, 4)]
    for part in found.values():
        for given in part.kinds.values():
            network = parse_layers(["Images(8, 8)", *given["model"]["layers"]])
            assert network.outputs_for(64) == 10


def test_a_bridge_has_the_outputs_of_its_hard_function() -> None:
    for name, layer in hard_layers(4, 8).items():
        expected = {"identity": 32, "signum": 32, "k-means": 32, "top-k": 48}.get(name.removesuffix(", DAB"), 64)
        assert parse_layers([layer]).outputs_for(32) == expected
