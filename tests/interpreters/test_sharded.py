"""Sharded = unsharded, in one process: every activation, loss, hard function and layer on its rows in two and three blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import map_shapes, named_leaves
from nerva_core.algebra.workers import block_sizes
from nerva_core.comparison.subject import Subject
from nerva_core.comparison.subjects import subjects
from nerva_core.interpreters.examples import ExampleSizes
from nerva_core.interpreters.sharded import CutSize, ShardedOps, sums_of

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
    return ops.cut([OPS.matrix(values[a:b]) for a, b in zip(at, at[1:], strict=False)], size)


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
