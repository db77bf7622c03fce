from __future__ import annotations

import pytest

from nerva_core.reproductions.watch import PlannedRun, Watch, duration


def test_the_time_left_is_that_of_the_runs_so_far() -> None:
    now = [0.0]
    told: list[tuple[str, float, float | None]] = []
    works = [PlannedRun("a, seed 0", "a", 10), PlannedRun("a, seed 1", "a", 10), PlannedRun("b, seed 0", "b", 20)]
    watch = Watch(works, 1, lambda *values: told.append(values), lambda: now[0])
    watch.tell(0, 0.0)
    assert told[-1] == ("a, seed 0", 0.0, None)
    now[0] = 5.0
    watch.tell(0, 0.5)  # 5 s for 5 of 40
    assert told[-1] == ("a, seed 0", 0.125, 35.0)
    watch.tell(0, 1.0)  # at once: 10 in 5 s
    assert told[-1][2] == pytest.approx(15.0)
    watch.tell(1, 0.0)
    now[0] = 20.0
    watch.tell(1, 1.0)  # 10 in 15 s: on average 1 s each
    assert told[-1] == ("a, seed 1", 0.5, 20.0)
    watch.tell(2, 0.0)
    now[0] = 60.0
    watch.tell(2, 0.5)  # 10 in 40 s
    assert told[-1] == ("b, seed 0", 0.75, 40.0)


def test_what_was_kept_tells_nothing_of_the_time() -> None:
    told: list[float | None] = []
    watch = Watch([PlannedRun("a", "a", 1), PlannedRun("b", "b", 1)], 2, lambda text, fraction, left: told.append(left), lambda: 0.0)
    watch.tell(0, 1.0)
    assert told == [None]


def test_several_processes_share_the_work() -> None:
    now, told = [0.0], []
    watch = Watch([PlannedRun(name, "a", 1) for name in "abcd"], 2, lambda text, fraction, left: told.append(left), lambda: now[0])
    watch.tell(0, 0.0)
    now[0] = 10.0
    watch.tell(0, 1.0)
    assert told[-1] == 15.0


DURATIONS = [(0, "0 s"), (89, "89 s"), (600, "10 min"), (3599, "1 h 0 min"), (3 * 3600 + 300, "3 h 5 min"), (10 * 86400, "10 days")]


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
