from __future__ import annotations

import math
import time
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    Geometric,
    InverseTime,
    LinearDecay,
    MultiStep,
    Schedule,
    StepBased,
    TimeBased,
    as_schedule,
)
from tests.helpers import examples

each_schedule = pytest.mark.parametrize("schedule", [*examples(SCHEDULES), Cosine(n=20, w=5), MultiStep(milestones=(3, 7))], ids=repr)


@each_schedule
def test_rates_are_finite_and_not_negative(schedule: Schedule) -> None:
    for i in (0, 1, 9, 10, 99, 100, 1000):
        assert 0 <= schedule(i) <= schedule.eta0
        assert math.isfinite(schedule(i))


@pytest.mark.parametrize("description", [0.25, "0.25", " 25e-2 ", "Constant(0.25)", {"name": "Constant", "eta0": 0.25}, Constant(0.25)])
def test_a_number_is_a_rate_that_stays_as_it_is(description: Any) -> None:
    assert as_schedule(description) == Constant(0.25)


@pytest.mark.parametrize("description", [-1, "-1", "nan", "inf", True, None, "0.1 0.2", "1_0"])
def test_what_is_no_rate_is_refused(description: Any) -> None:
    with pytest.raises(NervaError, match=r"eta0|schedule"):
        as_schedule(description)


@each_schedule
def test_a_schedule_has_no_state(schedule: Schedule) -> None:
    forwards = [schedule(i) for i in range(30)]
    assert [schedule(i) for i in reversed(range(30))] == forwards[::-1]


@each_schedule
def test_rates_are_in_proportion_to_the_initial_rate(schedule: Schedule) -> None:
    fields = {name: getattr(schedule, name) for name in schedule.__dataclass_fields__}
    double = type(schedule)(**{**fields, "eta0": 2 * schedule.eta0})
    for i in range(25):
        assert double(i) == pytest.approx(2 * schedule(i), rel=1e-14)


def test_constant() -> None:
    assert {Constant(0.3)(i) for i in range(10)} == {0.3}


def test_time_based_is_the_printed_recurrence() -> None:
    schedule = TimeBased(0.5, d=0.1)
    assert schedule(0) == 0.5
    for i in range(20):
        assert schedule(i + 1) == pytest.approx(schedule(i) / (1 + 0.1 * i), rel=1e-14)


def test_inverse_time_is_the_usual_rule() -> None:
    assert [InverseTime(0.5, d=0.25)(i) for i in (0, 4, 12)] == [0.5, 0.25, 0.125]


def test_step_based_first_drops_one_step_before_r() -> None:
    schedule = StepBased(1.0, d=0.5, r=3)
    assert [schedule(i) for i in range(9)] == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_exponential_has_a_constant_ratio() -> None:
    schedule = Exponential(0.2, d=0.3)
    assert schedule(0) == 0.2
    for i in range(20):
        assert schedule(i + 1) / schedule(i) == pytest.approx(math.exp(-0.3), rel=1e-13)


def test_geometric_multiplies_by_r_every_time() -> None:
    """The paper's rule is r = 1 - 10⁻⁶ a batch: in 100 epochs of 938 batches the rate falls by 9 %."""
    schedule = Geometric(0.05, r=1 - 1e-6)
    assert schedule(0) == 0.05
    assert schedule(1) == 0.05 * (1 - 1e-6)
    assert schedule(93_800) == pytest.approx(0.05 * math.exp(-0.0938), rel=1e-7)


def test_multi_step_drops_once_at_every_milestone() -> None:
    schedule = MultiStep(1.0, milestones=(2, 5), gamma=0.5)
    assert [schedule(i) for i in range(8)] == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    assert schedule(10**6) == 0.25


def test_multi_step_is_torch_s() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    theirs = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 5, 6], gamma=0.3)
    ours = MultiStep(0.4, milestones=(2, 5, 6), gamma=0.3)
    for i in range(10):
        assert theirs.get_last_lr()[0] == pytest.approx(ours(i), rel=1e-14)
        optimizer.step()
        theirs.step()


def test_cosine_warms_up_then_falls_to_zero() -> None:
    schedule = Cosine(0.8, n=12, w=4)
    assert [schedule(i) for i in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8], rel=1e-15)
    assert schedule(8) == pytest.approx(0.4)
    assert [schedule(i) for i in (12, 13, 100)] == [0.0, 0.0, 0.0]
    rates = [schedule(i) for i in range(4, 13)]
    assert rates == sorted(rates, reverse=True)


def test_cosine_is_torch_s_without_warm_up() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    for i in range(11):
        assert theirs.get_last_lr()[0] == pytest.approx(Cosine(0.4, n=10)(i), abs=1e-15)
        optimizer.step()
        theirs.step()


def test_linear_decay_is_that_of_torch() -> None:
    """A warm-up from η_0 / w and a decay to 0 after it, in sequence; and the decay alone by its other name."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    rates = torch.optim.lr_scheduler
    rise = rates.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    fall = rates.PolynomialLR(optimizer, total_iters=8)
    theirs = rates.SequentialLR(optimizer, [rise, fall], milestones=[4])
    for i in range(15):
        assert theirs.get_last_lr()[0] == pytest.approx(LinearDecay(0.4, n=12, w=4)(i), abs=1e-15)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0.0), "eta0 must be > 0"),
        (lambda: Constant(-1.0), "eta0 must be > 0"),
        (lambda: Constant(math.inf), "eta0 must be finite"),
        (lambda: Constant(math.nan), "eta0 must be"),
        (lambda: TimeBased(d=-0.1), "d must be >= 0"),
        (lambda: StepBased(d=0.0), "d must be > 0 and <= 1"),
        (lambda: StepBased(d=1.5), "d must be > 0 and <= 1"),
        (lambda: Geometric(r=1.1), "r must be > 0 and <= 1"),
        (lambda: StepBased(r=0), "r must be >= 1"),
        (lambda: MultiStep(milestones=(5, 2)), "increasing order, got \\[5, 2\\]"),
        (lambda: MultiStep(milestones=(2, 2)), "increasing order"),
        (lambda: MultiStep(milestones=(0, 2)), "positive integers"),
        (lambda: MultiStep(gamma=0.0), "gamma must be > 0"),
        (lambda: Cosine(n=5, w=5), "warm-up w must be shorter than n, got w=5, n=5"),
        (lambda: LinearDecay(n=5, w=5), "LinearDecay: the warm-up w must be shorter than n, got w=5, n=5"),
        (lambda: Cosine(n=5, w=-1), "w must be >= 0"),
        (lambda: Cosine(n=0), "n must be >= 1"),
    ],
)
def test_bounds(make: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        make()


@pytest.mark.parametrize("text", ["MultiStep(milestones=[2, 5], gamma=0.5)", "Cosine(0.1, 50, 5)", "step_based(d=0.5, r=3)"])
def test_schedules_are_parsed(text: str) -> None:
    schedule = SCHEDULES.parse(text)
    assert SCHEDULES.parse(repr(schedule)) == schedule


def test_the_time_based_rate_of_many_steps_takes_no_time() -> None:
    """Each call multiplied all factors again: 20,000 steps took 2·10⁸ products, half a minute."""
    schedule, product, started = TimeBased(0.1, d=1e-7), 1.0, time.process_time()
    for i in range(20_000):
        assert schedule(i) == 0.1 / product  # the same bits as the product from left to right
        product *= 1 + 1e-7 * i
    assert time.process_time() - started < 2
    assert TimeBased(0.1, d=10.0)(10**6) == 0.0  # the product overflows
