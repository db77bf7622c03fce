import math
import re

import pytest

from nerva_core.data import Digits
from nerva_core.equations.optimizers import GAF, OPTIMIZERS, GlobalNormClipping, WeightDecay
from nerva_core.reproductions import Bench, Statistic, Verdict, gaf, perform
from nerva_core.reproductions.gaf import ARCTAN, EXPERIMENT, FULL, KINDS, QUICK, RATES, network_rows, toy_rows

NAN = float("nan")


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_is_what_its_name_says(kind: str) -> None:
    optimizer = OPTIMIZERS.parse(KINDS[kind])
    if kind in ("printed", "momentum buffer"):
        assert isinstance(optimizer, WeightDecay)
        assert isinstance(optimizer.optimizer, GAF)
        assert optimizer.optimizer.variant == kind.replace(" ", "-")
    elif kind == "norm clipping":
        assert isinstance(optimizer, GlobalNormClipping)
    elif kind != "none":
        assert isinstance(optimizer, GAF)
        assert type(optimizer.activation).__name__.casefold().startswith(kind.partition(" ")[0])
        assert isinstance(optimizer.optimizer, WeightDecay)
        if "(" in kind:
            assert f"({optimizer.activation.alpha:g}, {optimizer.activation.beta:g})" in kind


def test_the_budgets() -> None:
    for budget in (QUICK, FULL):
        assert all("none" in kinds and set(kinds) <= set(KINDS) for kinds in budget.values())
    assert set(FULL) == set(RATES)


def test_a_report_on_few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaf, "QUICK", {0.1: ("none", ARCTAN, "momentum buffer", "norm clipping"), 0.2: ("none", ARCTAN)})
    monkeypatch.setattr(gaf, "equivalent_surfaces", lambda: b"\x89PNG")  # drawn in the test of the figures
    report = perform(EXPERIMENT, Bench(source=Digits(train=40, test=20), given_seeds=(0, 1)))
    titles = [row.experiment for row in report.findings.rows]
    assert any(title.startswith(f"{ARCTAN} against none") for title in titles)
    assert any(title.startswith("the largest gradient") for title in titles)
    assert set(report.findings.figures) == set(report.findings.captions)
    assert any("suggests α = " in remark for remark in report.findings.remarks)
    assert any(re.search(r"takes \d+\.\d\d times as long as one without", remark) for remark in report.findings.remarks)
    assert all(png.startswith(b"\x89PNG") for png in report.findings.figures.values())
    assert len(report.configurations) == 6


def of(*values: float) -> Statistic:
    return Statistic.of(values)


def test_the_verdicts_on_networks() -> None:
    table = {
        "none": {0.005: of(84.0, 84.2, 84.1, 84.1, 84.1), 0.1: of(86.0, 86.1, 86.2, 86.1, 86.1), 0.2: of(*[NAN] * 5)},
        ARCTAN: {0.005: of(85.0, 85.1, 85.2, 85.1, 85.1), 0.1: of(86.1, 86.0, 86.3, 86.1, 86.1), 0.2: of(70, 60, 80, 70, 70)},
        "printed": {0.1: of(10.0, NAN, 10.0, NAN, 10.0)},
        "norm clipping": {0.2: of(85.0, 85.1, 85.2, 85.1, 85.1)},
    }
    rows = {row.experiment: row for row in network_rows(table)}
    gains = rows[f"{ARCTAN} against none: gain in test accuracy (points) by rate"]
    assert gains.verdict is Verdict.DIRECTION
    assert gains.here == "+1.00 ± 0.07 at 0.005, +0.02 ± 0.08 at 0.1"
    assert "+0.16 to +1.04" in gains.paper
    printed = rows["Algorithm 1 as printed against none: gain in test accuracy (points) by rate"]
    assert printed.verdict is Verdict.DOES_NOT
    assert printed.here == "-76.10 ± 0.07 at 0.1"
    assert rows[f"{ARCTAN} against norm clipping at rate 0.2: test accuracy (%)"].verdict is Verdict.DOES_NOT
    at_high_rate = "more accurate at rate 0.2 than momentum alone, which may diverge"
    assert rows[at_high_rate].verdict is Verdict.REPRODUCES
    table["none"][0.2] = of(80.0, NAN, 80.0, 80.0, 80.0)
    assert network_rows(table)[-1].verdict is Verdict.UNKNOWN


def test_a_gain_at_one_of_several_rates_is_corrected_for() -> None:
    gain = (0.2, 1.0, 1.8, 1.0, 1.0)

    def verdict(rates: int) -> Verdict:
        none = {0.01 * (k + 1): of(*[80.0] * 5) for k in range(rates)}
        found = {rate: of(*(80 + g * (rate == 0.01) for g in gain)) for rate in none}
        return gaf._against_none(ARCTAN, {"none": none, ARCTAN: found}, "", 0.0).verdict

    assert verdict(1) is Verdict.REPRODUCES
    assert verdict(5) is Verdict.UNKNOWN


def test_one_seed_says_nothing_of_the_largest_gradient() -> None:
    bench = Bench(source=Digits(train=40, test=20))
    settings = {"model": {"layers": "Linear", "sizes": [64, 10]}, "training": {"epochs": 1, "batch_size": 20, "record_gradients": True}}
    (runs,) = bench.train({"k": {}}, [0], bench.images(), **settings).values()
    assert gaf.largest_gradient_row(runs).verdict is Verdict.UNKNOWN
    assert gaf.largest_gradient_row(runs * 5).verdict is Verdict.REPRODUCES


def test_the_best_rates_are_compared_if_all_were_tried() -> None:
    none = {rate: of(*(80 + 10 * rate + 0.1 * k for k in range(5))) for rate in RATES}
    table = {"none": none, ARCTAN: {rate: of(*(82.1 - rate + 0.1 * k for k in range(5))) for rate in RATES}}
    row = network_rows(table)[-1]
    assert "0.005 and 0.2" in row.experiment
    assert row.verdict is Verdict.DIRECTION
    assert math.isclose(row.values["none"][0], 82.0)


def test_the_toys() -> None:
    descent, condition, saddle = toy_rows()
    assert "121 → 59" in descent.here
    assert descent.verdict is Verdict.DIRECTION
    assert condition.here.startswith("5 → 5, 5, 5,")
    assert condition.verdict is Verdict.DOES_NOT
    assert saddle.here.startswith(
        "none 60, arctan 34, tanh 34, log 35, value clipping 60, norm clipping 139; until |w₂| > 1: none 76, arctan 98"
    )
    assert saddle.verdict is Verdict.REPRODUCES
