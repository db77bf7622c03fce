"""Steps on batches whose rows are shared out: among blocks of one process, among workers, or among parts that are computed in turn.

A batch of N rows is cut into ``training.blocks`` blocks, of which every worker has as many. Sums over the batch are added up block by
block, as a binary tree over all blocks, so that a result does not depend on how many workers there are. A batch with fewer rows than
blocks is computed as a whole, by every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.algebra.workers import block_sizes
from nerva_core.data.streamed import ahead
from nerva_core.interpreters.sharded import Add, CutSize, ShardedOps, SumOfWorkers, sums_of
from nerva_core.training.config import Config
from nerva_core.training.reading import BatchReader, BatchRows

Step = Callable[..., tuple[Any, Any]]


def with_blocks(config: Config, workers: int = 1) -> Config:
    """The configuration with its number of blocks, by default one for each part of each worker; NervaError if these cannot share them."""
    training = config.training
    blocks = training.blocks or workers * training.micro_batches
    for count, what in ((workers, "the number of workers"), (training.micro_batches, "training.micro_batches")):
        if blocks % count:
            raise NervaError(
                f"training.blocks must be a multiple of {what}, got {blocks} and {count}; "
                "a run keeps its number of blocks, as its sums are rounded block by block"
            )
    if blocks > training.batch_size:
        raise NervaError(f"a batch of {training.batch_size} rows cannot be cut into {blocks} blocks; make batch_size at least {blocks}")
    return config if blocks == 1 else config.model_copy(update={"training": training.model_copy(update={"blocks": blocks})})


@dataclass(eq=False)
class Sharing:
    """Runs steps with ``run_steps``, on the blocks of every batch that are this worker's."""

    ops: Backend
    run_steps: Callable[..., tuple[Any, Array]]
    blocks: int = 1
    in_turn: bool = False
    """Whether the blocks of a worker are computed one after the other, each in the memory of the one before."""
    _steps: dict[Any, Step] = field(default_factory=dict)

    def read(self, groups: Iterator[tuple[Any, ...]], data: Any) -> Iterator[tuple[Any, ...]]:
        """The inputs of steps; where the data are read from files, with X and T in place of the numbers of rows, one group ahead."""
        if not isinstance(data, BatchReader):
            return groups
        return ahead((*data.rows(group[0], self._slices(group[0].shape[1])), *group[1:]) for group in groups)

    def _slices(self, N: int) -> list[slice]:
        """What this worker needs of N rows."""
        return [slice(0, N)] if self.blocks == 1 or self.blocks > N else self._mine(N)[1]

    def run(self, step: Step, state: Tree, data: tuple[Any, ...], inputs: tuple[Any, ...], of_one: Callable[[], Any]) -> tuple[Any, Array]:
        """As ``Backend.run_steps``, for ``step(ops, state, *data, *batch, noise, *rest)``.

        ``inputs`` are a batch, its noise, and the rest. A batch is the numbers of rows of the data, or if there are no data, the rows X
        and T themselves; ``of_one`` draws the noise of a batch of one row.
        """
        count = 1 if data else 2
        batch, noise, rest = inputs[:count], inputs[count], inputs[count + 1 :]
        N = int(batch[0].shape[1])
        if self.blocks == 1 or self.blocks > N:
            return self.run_steps(step, state, data, (*(_plain(b) for b in batch), noise, *rest))
        size, slices = self._mine(N)
        drawn = list(leaves(noise))
        sizes = [_size(a.shape[1], one.shape[0], size) for a, one in zip(drawn, leaves(of_one()) if drawn else (), strict=True)]
        if (step, N) not in self._steps:
            self._steps[step, N] = self._shared(step, noise, size, sizes)
        cut_noise = tuple(a if n is None else _cut(a, slices, n.total // N) for a, n in zip(drawn, sizes, strict=True))
        given = tuple(_cut(a, slices) for a in batch), cut_noise, rest
        return self.run_steps(self._steps[step, N], state, data, given)

    def _mine(self, N: int) -> tuple[CutSize, list[slice]]:
        """The sizes of the blocks of this worker, and where they are among N rows."""
        sizes, ends = block_sizes(N, self.blocks), np.cumsum(block_sizes(N, self.blocks))
        rank, count = self._sharers(sizes)
        each = self.blocks // count
        mine = range(rank * each, (rank + 1) * each)
        return CutSize(N, tuple(sizes[b] for b in mine)), [slice(int(ends[b]) - sizes[b], int(ends[b])) for b in mine]

    def _sharers(self, sizes: tuple[int, ...]) -> tuple[int, int]:
        """(The number of this worker, the number of all) that share blocks of these sizes; (0, 1) if each computes all of them.

        Workers that run one program must have as many rows.
        """
        workers = self.ops.workers
        each = self.blocks // workers.count
        uneven = workers.alike and any(sizes[k] != sizes[k % each] for k in range(self.blocks))
        return (0, 1) if uneven else (workers.rank, workers.count)

    def _shared(self, step: Step, template: Tree, size: CutSize, sizes: list[CutSize | None]) -> Step:
        """The step on the blocks of this worker; ``template`` has the form of the noise, and ``sizes`` are its numbers of rows."""

        def on_blocks(chosen: slice, add: Add, ops: Backend, state: Tree, data: Any, batch: Any, noise: Tree, rest: Any) -> Any:
            sharded = ShardedOps(ops, add)

            def cut(blocks: Any, n: CutSize) -> Any:
                return sharded.cut(blocks[chosen], n.part(chosen))

            rows = [(size.part(chosen), b[chosen]) if data else cut(b, size) for b in batch]
            drawn = [sharded.whole(a) if n is None else cut(a, n) for a, n in zip(noise, sizes, strict=True)]
            whole = sharded.whole((state, *data))
            state, outputs = step(sharded, *whole, *rows, with_leaves(template, drawn), *rest)
            return sharded.results((state, outputs))

        def shared(ops: Backend, state: Tree, *given: Any) -> tuple[Any, Any]:
            *data, batch, noise, rest = given
            workers = self._sharers(block_sizes(size.total, self.blocks))[1]
            add: Add = SumOfWorkers(ops, workers) if workers > 1 else sums_of(ops)
            chosen = [slice(b, b + 1) for b in range(len(size.blocks))] if self.in_turn else [slice(None)]
            result: tuple[Any, Any] = in_turn(lambda part, add: on_blocks(part, add, ops, state, data, batch, noise, rest), chosen, add)
            return result

        return shared


class _FoundSums(Exception):  # noqa: N818
    """A part of a batch has come to where the sums of the others are needed."""

    def __init__(self, sums: list[tuple[Any, ...]]) -> None:
        super().__init__()
        self.sums = sums


def in_turn(compute: Callable[[Any, Add], Any], parts: Sequence[Any], add: Add) -> Any:
    """What ``compute`` finds for all parts: each is computed up to where its sums are needed, and the last one, with those of all, on.

    NervaError if the sums of all parts are needed twice, as a part would then have to be kept, or computed again.
    """
    if len(parts) == 1:
        return compute(parts[0], add)
    found: list[list[tuple[Any, ...]]] = []

    def stop(sums: list[tuple[Any, ...]]) -> list[Any]:
        raise _FoundSums(sums)

    def add_all(sums: list[tuple[Any, ...]]) -> list[Any]:
        if len(found) == len(parts):
            raise NervaError(
                "training.micro_batches computes a batch part by part, but this network or loss needs sums over the whole batch before "
                "its gradients, as batch normalization does; leave micro_batches out, and make batch_size smaller"
            )
        found.append(sums)
        return add([tuple(part for of_part in each for part in of_part) for each in zip(*found, strict=True)])

    for part in parts[:-1]:
        try:
            compute(part, stop)
        except _FoundSums as sums:
            found.append(sums.sums)
    return compute(parts[-1], add_all)


def _size(rows: int, of_one: int, size: CutSize) -> CutSize | None:
    """That of a noise matrix, if it has as many rows for each example; None if it is the same for all."""
    return size * of_one if rows == of_one * size.total else None


def _plain(batch: Any) -> Array:
    whole: Array = batch[:, :] if isinstance(batch, BatchRows) else batch
    return whole


def _cut(array: Any, slices: list[slice], rows: int = 1) -> tuple[Array, ...]:
    """The blocks of the second axis, in which each example has so many rows."""
    return tuple(np.ascontiguousarray(array[:, at.start * rows : at.stop * rows]) for at in slices)
