from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.training.sweeps import parse_seeds, sweep_points


def test_every_choice_with_every_seed() -> None:
    points = sweep_points(["optimizer=Adam | Momentum(mu=0.5)", "training.epochs = 3", "schedule.eta0=0.1|0.2"], [0, 7])
    assert len(points) == 8
    assert points[1].name == "optimizer-Adam_eta0-0.1_seed-7"
    assert points[1].settings == ("optimizer=Adam", "training.epochs=3", "schedule.eta0=0.1")
    assert points[-1].name == "optimizer-Momentum-mu-0.5_eta0-0.2_seed-7"
    assert len({point.name for point in points}) == 8
    assert [point.name for point in sweep_points([], [3])] == ["seed-3"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["epochs"], "a setting is written name=value"),
        (["seed=1|2"], "seeds are given by --seeds"),
        (["a=1", "a=2"], r"a is given twice; write 'a=a \| b'"),
        (["a=1|"], "a value on both sides"),
        (["a=Adam(1)|Adam-1"], "two runs of the sweep would be called 'a-Adam-1_seed-0'"),
        (["a=1|1"], "two runs of the sweep"),
        ([f"a{k}=1|2" for k in range(14)], "10,000 runs at most, got 16,384"),
    ],
)
def test_mistakes(given: list[str], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        sweep_points(given, [0])


def test_seeds() -> None:
    assert parse_seeds("3") == [0, 1, 2]
    assert parse_seeds("3, 7") == [3, 7]
    for text in ("0", "", "a", "1,1", "-1", "1.5", "9999999999"):
        with pytest.raises(NervaError, match="--seeds is a number of seeds"):
            parse_seeds(text)
