"""Sharded = unsharded, in one process: every activation, loss, hard function and layer on its rows in two and three blocks."""

from __future__ import annotations

import dataclasses
import itertools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.operation import OperationRule
from nerva_core.algebra.trees import map_shapes, named_leaves
from nerva_core.algebra.workers import block_sizes
from nerva_core.comparison.subject import Subject
from nerva_core.comparison.subjects import subjects
from nerva_core.interpreters.examples import ExampleSizes
from nerva_core.interpreters.sharded import CutSize, ShardedOps, sums_of
from nerva_core.interpreters.traced import OPERATIONS, RULES
from tests.matrix_cases import NUMBERS, example

OPS = backend("numpy", "float64")
KINDS = ("activation", "loss", "hard function", "layer", "gradient activation")
SUBJECTS = [subject for subject in subjects() if subject.kind in KINDS]


ROUNDING = {"offset": 1e-9}
"""What rounding amounts to in a case, relative to the largest element; in the others 1e-12."""


def sizes_of_rows(subject: Subject, inputs: dict[str, Any], blocks: int) -> dict[str, CutSize]:
    """The number of rows of the inputs that have a row, or several, for each example."""
    if subject.kind != "layer":
        N = len(next(iter(inputs.values())))
        return {name: CutSize(N, block_sizes(N, blocks)) for name in inputs}
    rows, D = len(inputs["X"]), inputs["X"].shape[1]
    of_example = subject.entry.shape_of_input(ExampleSizes(1))[0]
    N = CutSize(rows // of_example, block_sizes(rows // of_example, blocks)) * of_example
    noise = map_shapes(lambda shape: shape[0], subject.entry.noise_shapes(N, D))
    found = {"X": N, "DY": subject.entry.rows_for(N), **dict(named_leaves(noise, "noise"))}
    return {name: size for name, size in found.items() if isinstance(size, CutSize)}


def cut(ops: ShardedOps, values: Any, size: CutSize) -> Any:
    at = np.cumsum([0, *size.blocks])
    return ops.cut([OPS.matrix(values[a:b]) for a, b in itertools.pairwise(at)], size)


def whole(value: Any) -> Any:
    return np.concatenate([*map(OPS.to_numpy, value)]) if isinstance(value, tuple) else OPS.to_numpy(value)


def both(subject: Subject, inputs: dict[str, Any], blocks: int) -> Any:
    """The outputs of a subject on whole inputs, and on inputs in blocks."""
    plain = subject.function(OPS, subject.entry, {name: OPS.matrix(values) for name, values in inputs.items()})
    ops, sizes = ShardedOps(OPS, sums_of(OPS)), sizes_of_rows(subject, inputs, blocks)
    given = {name: cut(ops, values, sizes[name]) if name in sizes else ops.whole(OPS.matrix(values)) for name, values in inputs.items()}
    found = {name: ops.results(value) for name, value in subject.function(ops, subject.entry, given).items()}
    return plain, {name: whole(value) for name, value in found.items()}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: f"{subject.kind} {subject.name}")
def test_sharded_is_unsharded(subject: Subject) -> None:
    compared = 0
    for case, inputs in subject.inputs(0, "float64").items():
        for blocks in (2, 3):
            with np.errstate(all="ignore"):
                examples = len(next(iter(inputs.values())))
                if subject.kind == "layer":
                    examples //= subject.entry.shape_of_input(ExampleSizes(1))[0]
                if examples < blocks:
                    continue
                plain, found = both(subject, inputs, blocks)
            assert plain.keys() == found.keys()
            for name, expected in plain.items():
                scale = max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0))
                rounding = ROUNDING.get(case.partition(",")[0], 1e-12)
                np.testing.assert_allclose(found[name], expected, rtol=rounding, atol=rounding * scale, err_msg=f"{case}: {name}")
                compared += 1
    assert compared or all(len(next(iter(inputs.values()))) < 2 for inputs in subject.inputs(0, "float64").values())


# Operations ----------------------------------------------------------------------


class Drawn:
    """Random matrices by number, the same for whole sizes and for sizes that are cut."""

    def __init__(self, name: str, ops: ShardedOps | None) -> None:
        self.random, self.ops, self.vocabulary = np.random.default_rng(zlib.crc32(name.encode())), ops, 3
        self.numbers = name in ("one_hot", "rows_at", "sums_at_rows")

    def __call__(self, m: Any, n: Any, members: int = 1) -> Any:
        shape = [size.total if isinstance(size, CutSize) else size for size in (m, n)]
        values = self.random.uniform(0.1, 2, size=(members, *shape) if members > 1 else shape)
        if self.numbers and shape[1] == 1:
            values = np.floor(values)
        if self.ops is None:
            return values
        if isinstance(m, CutSize) and isinstance(n, CutSize):
            raise NervaError("cut both ways")
        for size, way, axis in ((m, "rows", -2), (n, "columns", -1)):
            if isinstance(size, CutSize):
                at = np.cumsum(size.blocks)[:-1]
                return self.ops.cut(np.split(values, at, axis=axis), size, way)
        return self.ops.whole(values)


CALLS: dict[str, Callable[[Any, Any], tuple[Any, ...]]] = {
    "matmul": lambda m, matrix: (matrix(m, 4), matrix(4, 3)),
    "join_columns": lambda m, matrix: (matrix(m, 4), matrix(m, 2)),
    "transpose_columns": lambda m, matrix: (matrix(m, 12), 3),
    "split": lambda m, matrix: (matrix(m * 2, 12), 2, 3),
    "join": lambda m, matrix: (matrix(m, 4, 3), 1),
    "convolve": lambda m, matrix: (matrix(m * 9, 3), matrix(12, 2), NUMBERS["G"]),
    "convolve_weights": lambda m, matrix: (matrix(m * 9, 3), matrix(m * 4, 2), NUMBERS["G"]),
    "convolve_inputs": lambda m, matrix: (matrix(m * 4, 2), matrix(12, 2), NUMBERS["G"]),
    "rows_at": lambda m, matrix: (matrix(3, 5), matrix(m, 1)),
}
"""Arguments for those operations of which the small example has rows where columns are too."""
MIX_ROWS = {
    "diag": "cut both ways",
    "columns_max": "rows_max mixes the rows",
    "sines": "cannot be counted one by one",
    "cosines": "cannot be counted one by one",
}
"""The operations that are refused, and what is said."""


def on_cut(name: str, m: Any, n: Any) -> tuple[Any, Any]:
    """The operation on whole operands, and on cut ones."""
    ops = ShardedOps(OPS, sums_of(OPS))
    given = []
    for sizes, chosen in (([getattr(size, "total", size) for size in (m, n)], None), ((m, n), ops)):
        matrix = Drawn(name, chosen)
        given.append(CALLS[name](sizes[0], matrix) if name in CALLS and n == 4 else tuple(example(name, *sizes, matrix)))
    expected, value = getattr(OPS, name)(*given[0]), getattr(ops, name)(*given[1])
    result = ops.results(value)
    if isinstance(result, tuple):
        result = np.concatenate(result, axis={"rows": -2, "columns": -1, "members": 0}[value.value.way])
    return expected, result


SIX = CutSize(6, (2, 4))


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in MIX_ROWS])
def test_an_operation_on_blocks_of_rows(name: str) -> None:
    expected, found = on_cut(name, SIX, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if "columns" in {*rule.by, *rule.adds}])
def test_an_operation_on_blocks_of_columns(name: str) -> None:
    expected, found = on_cut(name, 3, SIX)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", MIX_ROWS)
def test_an_operation_that_mixes_rows_is_refused(name: str) -> None:
    with pytest.raises(NervaError, match=MIX_ROWS[name]):
        on_cut(name, SIX, 4)


def test_what_is_n_by_n_is_refused() -> None:
    ops = ShardedOps(OPS, sums_of(OPS))
    X = ops.cut([np.ones((2, 3)), np.ones((4, 3))], SIX)
    with pytest.raises(NervaError, match="matmul mixes the rows of a batch"):
        X @ ops.transpose(X)
    with pytest.raises(NervaError, match="6 rows are shared out, and cannot be counted one by one"):
        range(ops.shape(X)[0])
    with pytest.raises(NervaError, match="hadamard mixes"):
        ops.hadamard(X, ops.whole(np.ones((6, 3))))


def test_a_wrong_statement_of_an_operation_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the sum of a column one of each block's own, or the softmax of a row a matter of elements."""
    monkeypatch.setitem(RULES, "columns_sum", dataclasses.replace(RULES["columns_sum"], by=("rows",), adds=()))
    with pytest.raises(AssertionError):
        test_an_operation_on_blocks_of_rows("columns_sum")
    monkeypatch.setitem(RULES, "masked_softmax", OperationRule())
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(*on_cut("masked_softmax", 3, SIX))


def test_all_sums_that_have_gathered_are_added_up_at_once() -> None:
    calls = []

    def add(sums: list[Any]) -> list[Any]:
        calls.append(len(sums))
        return sums_of(OPS)(sums)

    ops = ShardedOps(OPS, add)
    X = ops.cut([np.ones((2, 3)), np.ones((4, 3))], SIX)
    mean, total = ops.columns_mean(X), ops.elements_sum(X)
    later = ops.scale(2.0, total)
    assert ops.shape(later) == (1, 1)
    assert calls == []
    assert [float(value[0, 0]) for value in ops.results((mean, later))] == [1.0, 36.0]
    assert calls == [2]
