from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.benchmark.contenders import Contender, Ours
from nerva_core.benchmark.measure import Plan, Spread, Timing, Worker, disagreement, environment_of, measure_backend, missing, ratio
from nerva_core.benchmark.opponents import KerasJax, ScikitLearn


def timing(name: str, steps: list[float], kind: str = "opponent") -> Timing:
    return Timing("A", "numpy", name, kind, "measured", steps=steps, samples_per_step=100)


def test_median_and_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(median=3.0, low=2.0, high=4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_the_ratio_is_of_the_rounds_so_that_a_slow_round_counts_for_both() -> None:
    """The machine is ten times as slow in the second round; the other is always twice as slow."""
    assert ratio(timing("nerva", [1.0, 10.0, 1.0]), timing("other", [2.0, 20.0, 2.0])) == Spread(2.0, 2.0, 2.0)


def test_samples_per_second() -> None:
    assert timing("nerva", [0.5, 0.25, 0.125]).samples_per_second == 400


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        ([2.3, 2.2], None),
        ([2.3 * (1 + 5e-5), 2.2], None),
        ([2.3, 2.2011], "the loss of step 2 is 2.2011, ours 2.2"),
        ([2.3], "it reports 1 losses, ours 2"),
        ([2.3, float("nan")], "the loss of step 2 is nan"),
    ],
)
def test_losses_that_disagree(theirs: list[float], message: str | None) -> None:
    found = disagreement([2.3, 2.2], theirs, "float32")
    assert found is None if message is None else message in str(found)


def test_the_environment_of_a_contender() -> None:
    environment = environment_of(KerasJax, 3)
    assert (environment["KERAS_BACKEND"], environment["OMP_NUM_THREADS"]) == ("jax", "3")


def test_a_missing_package_is_named() -> None:
    class Absent(ScikitLearn):
        requires = ("no_such_module",)

    assert missing(Absent) == "no_such_module"
    assert missing(ScikitLearn) is None


def test_a_worker_answers_and_its_mistakes_are_errors() -> None:
    worker = Worker(Ours, 1)
    try:
        answer = worker.ask(start={"name": "tiny", "text": None})
        assert len(answer["losses"]) == 5
        assert 0 < worker.ask(run={"seconds": 0.0})["step"] < 1
        with pytest.raises(NervaError, match="unknown configuration 'A1'"):
            worker.ask(start={"name": "A1", "text": None})
        with pytest.raises(NervaError, match="its process ended: TypeError"):
            worker.ask(start={"nothing": 1})
    finally:
        worker.close()


def test_a_short_run_with_an_opponent_that_is_not_installed() -> None:
    class Absent(ScikitLearn):
        name = "absent"
        requires = ("no_such_module",)

    contenders: list[tuple[str, type[Contender]]] = [("ours", Ours), ("opponent", ScikitLearn), ("opponent", Absent)]
    told: list[str] = []
    found = list(measure_backend(contenders, [("tiny", None)], Plan(2, 0.0, 1), lambda name: "float32", told.append))
    assert [(t.contender, t.status, len(t.steps)) for t in found] == [
        ("nerva", "measured", 2),
        ("scikit-learn", "measured", 2),
        ("absent", "absent", 0),
    ]
    assert found[2].note == "no_such_module is not installed"
    assert found[0].peak_memory > 2**20
    assert told
