"""Sums over workers: the order is that of the binary tree over all blocks, whatever the number of workers is."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.workers import TIME_OUT, Alone, Workers, block_sizes, fold, is_power_of_two, rendezvous, time_out


class Threads(Workers):
    """Workers that are threads, and lay what they give on a table."""

    def __init__(self, rank: int, table: list[Any], barrier: threading.Barrier) -> None:
        self.rank, self.count, self.table, self.barrier = rank, len(table), table, barrier

    def gather(self, X: Any) -> list[Any]:
        self.table[self.rank] = X
        self.barrier.wait(10)
        found = list(self.table)
        self.barrier.wait(10)
        return found

    def exchange(self, X: Any, other: int) -> Any:
        return self.gather(X)[other]

    def stop(self) -> None:
        pass


def sums_of_threads(blocks: list[Any], count: int) -> list[Any]:
    """What each of so many workers finds for the sum of the blocks."""
    table, barrier, found = [None] * count, threading.Barrier(count), [None] * count
    each = len(blocks) // count

    def work(rank: int) -> None:
        found[rank] = Threads(rank, table, barrier).sum(blocks[rank * each : (rank + 1) * each])

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return found


@pytest.mark.parametrize(("blocks", "counts"), [(4, (1, 2, 4)), (8, (1, 2, 4, 8)), (6, (1, 2, 3, 6)), (12, (1, 2, 3, 4, 6, 12))])
def test_all_workers_find_the_bits_of_the_tree(blocks: int, counts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    given = [(rng.normal(size=(1, 200)) * 10.0 ** rng.integers(-6, 6)).astype("float32") for _ in range(blocks)]
    expected = fold(given, lambda a, b: a + b)
    in_order = sum(given)
    assert (expected != in_order).any()  # so that another order would be seen
    for count in counts:
        for found in sums_of_threads(given, count):
            np.testing.assert_array_equal(found, expected)


def test_neighbours_are_added_first() -> None:
    assert fold(["a"], lambda x, y: f"({x}{y})") == "a"
    assert fold(list("abcde"), lambda x, y: f"({x}{y})") == "(((ab)(cd))e)"
    assert [n for n in range(1, 20) if is_power_of_two(n)] == [1, 2, 4, 8, 16]


def test_blocks_are_as_equal_as_may_be() -> None:
    assert block_sizes(10, 4) == (2, 3, 2, 3)
    assert block_sizes(8, 4) == (2, 2, 2, 2)
    assert all(
        sum(block_sizes(N, B)) == N and max(block_sizes(N, B)) - min(block_sizes(N, B)) < 2 for N in range(1, 30) for B in range(1, N + 1)
    )


def test_the_only_worker_has_all_there_is() -> None:
    alone = Alone()
    assert (alone.rank, alone.count, alone.gather(3), alone.exchange(4, 0), alone.sum([1, 2])) == (0, 1, [3], 4, 3)


def test_the_time_out_is_a_number_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TIME_OUT, raising=False)
    assert time_out() == 300
    monkeypatch.setenv(TIME_OUT, "2.5")
    assert time_out() == 2.5
    for wrong in ("soon", "0", "-1", "inf", "nan"):
        monkeypatch.setenv(TIME_OUT, wrong)
        with pytest.raises(NervaError, match="must be a number of seconds"):
            time_out()


def test_workers_meet_where_the_variables_of_torchrun_say() -> None:
    given = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a.b", "MASTER_PORT": "7"}
    assert rendezvous(given) == (1, 2, "a.b:7")
    for name in given:
        with pytest.raises(NervaError, match=f"as torchrun sets them; missing: {name}"):
            rendezvous({key: value for key, value in given.items() if key != name})
