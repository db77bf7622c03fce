"""The steps of an epoch: batches, noise, groups that run in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.trees import leaves
from nerva_core.training.batches import NOISE, ORDER, epoch_inputs, grouped, random_stream
from nerva_core.training.trainer import Trainer
from tests.training.test_trainer import RICH, configure, train


def test_how_many_steps_run_at_once_changes_nothing(ops: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"backend": ops.name, "dtype": "float64", "model": RICH, "training": {"epochs": 2, "batch_size": 32}}
    together = train(**changes)
    monkeypatch.setattr("nerva_core.training.batches.STEPS_AT_ONCE", 4)
    in_groups = train(**changes)
    monkeypatch.setattr("nerva_core.training.batches.BYTES_AT_ONCE", 1)
    one_by_one = train(**changes)
    for other in (in_groups, one_by_one):
        assert [m.test_loss for m in other] == pytest.approx([m.test_loss for m in together], rel=1e-12)


@pytest.mark.parametrize(("limit", "groups"), [(100, [6, 1]), (4, [3, 3, 1]), (5, [3, 3, 1]), (1, [1] * 7)])
def test_steps_go_in_groups_of_equal_size(monkeypatch: pytest.MonkeyPatch, limit: int, groups: list[int]) -> None:
    monkeypatch.setattr("nerva_core.training.batches.STEPS_AT_ONCE", limit)
    trainer = Trainer(configure())
    found = list(trainer._inputs())
    assert [len(group.rows) for group in found] == [len(group.lr) for group in found] == groups
    assert sorted(row for group in found for row in group.rows.flat) == list(range(200))


def test_groups_have_the_noise_of_their_steps_and_no_more_bytes_of_it_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nerva_core.training.batches.BYTES_AT_ONCE", 3 * 2 * 8)
    drawn = iter(range(100))
    found = list(grouped(np.arange(9)[::-1], 2, 1, lambda N: ((), (np.full((N, 1), float(next(drawn))),))))
    assert [rows.tolist() for rows, _ in found] == [[[8, 7], [6, 5]], [[4, 3], [2, 1]], [[0]]]
    assert [noise[1][0][:, 0, 0].tolist() for _, noise in found] == [[0, 1], [2, 3], [4]]
    assert all(noise[1][0].shape == (*rows.shape, 1) for rows, noise in found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_noise_is_kept_in_the_dtype_of_the_network(dtype: str) -> None:
    config = configure(dtype=dtype, model={"layers": "LinearDropout;Linear", "sizes": [64, 6, 10]})
    for group in Trainer(config)._inputs():
        assert {array.dtype for array in leaves(group.noise)} == {np.dtype(dtype)}


@pytest.mark.parametrize("batch", [9, 10, 10**30])
def test_a_batch_has_no_more_rows_than_there_are(batch: int) -> None:
    ((rows, _),) = grouped(np.arange(9), batch, 1, lambda N: ())
    assert rows.tolist() == [list(range(9))]


def test_groups_of_large_networks_have_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can interrupt a group."""
    monkeypatch.setattr("nerva_core.training.batches.WORK_AT_ONCE", 100)
    assert [[len(rows) for rows, _ in grouped(np.arange(80), 10, parameters, lambda N: ())] for parameters in (1, 3, 50)] == [
        [8],
        [3, 3, 2],
        [1] * 8,
    ]


def test_streams_of_random_numbers_are_independent() -> None:
    draws = [random_stream(*key).random() for key in [(0, ORDER, 0), (0, ORDER, 1), (0, NOISE, 0), (1, ORDER, 0)]]
    assert len(set(draws)) == 4
    assert random_stream(0, ORDER, 1).random() == draws[1]


@pytest.mark.parametrize("done", [0, 1, 3, 4, 6, 7])
def test_the_steps_that_remain_are_as_they_would_have_been(done: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nerva_core.training.batches.STEPS_AT_ONCE", 3)
    trainer = Trainer(configure(model=RICH))

    def steps(done: int) -> list[tuple[Any, ...]]:
        groups = epoch_inputs(trainer.config, trainer.network, trainer.data, trainer.ops, 2, done)
        return [step for group in groups for step in zip(group.lr, *leaves((group.rows, group.noise, group.scalars)), strict=True)]

    every = [step for step in steps(0) if len(step[1]) == 32]
    found = [step for step in steps(done) if len(step[1]) == 32]
    assert len(every) == 6
    assert len(found) == max(0, 6 - done)
    for expected, step in zip(every[done:], found, strict=True):
        for a, b in zip(expected, step, strict=True):
            np.testing.assert_array_equal(a, b)
