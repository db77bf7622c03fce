"""Every theorem has the status that it should have, and everything public has a theorem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.equations.activations import ACTIVATIONS, Activation
from nerva_core.equations.initializers import INITIALIZERS
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.equations.schedules import SCHEDULES
from nerva_core.layers import LAYERS
from sympy_validation.attempt import Attempt
from sympy_validation.table import select, table
from sympy_validation.theorem import Theorem, decide, prove
from sympy_validation.theorems.activations import activation_theorems
from sympy_validation.theorems.losses import ENTRIES_ONLY

TABLES = {
    "layers": LAYERS,
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initializers": INITIALIZERS,
}


ATTEMPTS: dict[tuple[int, str], Attempt] = {}
"""One for the theorems that share a claim and a method, which share the setting up."""


def of_the_table() -> Iterator[Any]:
    """All theorems; of those entry by entry that say at a few sizes what another says for all, a sample."""
    for_all = {(theorem.subject, theorem.quantity) for theorem in table() if theorem.method == "all sizes"}
    for theorem in table():
        twin = theorem.method == "entries" and (theorem.subject, theorem.quantity) in for_all
        yield pytest.param(theorem, id=theorem.id, marks=pytest.mark.sampled(3) if twin else ())


@pytest.mark.parametrize("theorem", of_the_table())
def test_theorem(theorem: Theorem) -> None:
    attempt = Attempt(theorem.claim, theorem.method, theorem.entry_sizes)
    verdict = decide(theorem, ATTEMPTS.setdefault((id(theorem.claim), theorem.method), attempt))
    assert verdict.status == theorem.expected, verdict.words


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(theorem.id for theorem in table()).items() if count > 1] == []


def test_statements_are_one_line() -> None:
    for theorem in table():
        assert theorem.statement
        assert "\n" not in theorem.statement
        assert theorem.sizes


WITHOUT_ENTRIES = {
    *("MaxPool", "Attention", "GroupedQueryAttention", "MultiHeadAttention", "TransformerBlock", "SparseLinear", "LAMB"),
    *("AttentionDropout", "CrossAttention", "MultiHeadCrossAttention", "SinusoidalPositions", "RotaryPositions"),
    *("SqueezeExcitation", "RandomCrop", "RandomFlip", "Recompute", "CTC", "Adafactor", "EMA", "Lookahead", "SGD"),
}
"""Proved for all sizes alone: SymPy takes too long for their elements, or they are compositions of any layers, or have any pattern, or any
optimizer inside."""


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, entries in TABLES.items() for name in entries.entries])
def test_everything_public_has_a_theorem(part: str, name: str) -> None:
    subject = f"{part}.{name}"
    found = [t for t in table() if t.subject == subject or t.subject.startswith(f"{subject}(")]
    methods = {t.method for t in found if t.expected == "proved"}
    matrices = part in ("layers", "activations", "losses", "optimizers") and name not in ENTRIES_ONLY
    assert methods == ({"entries"} if not matrices else {"all sizes"} if name in WITHOUT_ENTRIES else {"all sizes", "entries"})


def test_every_gradient_of_a_layer_has_a_theorem() -> None:
    gradients = {t.quantity for t in table() if t.subject == "layers.BatchNormalization" and t.method == "all sizes"}
    assert {"DX", "Dgamma", "Dbeta"} <= gradients


@dataclass(frozen=True)
class Cube(Activation):
    """x³ + c."""

    c: float = 1.0
    factor: int = 3

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = ops.hadamard(X, ops.hadamard(X, X)) + self.c * ops.ones(*ops.shape(X))
        return result

    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        result: M = self.factor * ops.hadamard(X, X)
        return result


@dataclass(frozen=True)
class WrongCube(Cube):
    factor: int = 2


@pytest.mark.parametrize(("entry", "status"), [(Cube, "proved"), (WrongCube, "refuted")])
def test_a_new_activation_gets_its_theorems(entry: type[Activation], status: str) -> None:
    verdicts = list(prove(activation_theorems(entry)))
    assert [v.status for v in verdicts] == [status, status]


@pytest.mark.parametrize(
    ("name", "subjects"),
    [
        ("linear", {"layers.Linear"}),
        ("layers.Linear", {"layers.Linear"}),
        ("SReLU", {"layers.SReLU", "activations.SReLU"}),
        ("errata.004-16", {"errata.004-16"}),
        ("layers.Linear.DW", {"layers.Linear"}),
        ("(25)", set()),
    ],
)
def test_select(name: str, subjects: set[str]) -> None:
    if not subjects:
        with pytest.raises(NervaError, match="no theorem is called"):
            select([name])
    else:
        assert {theorem.subject for theorem in select([name])} == subjects


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(NervaError, match="did you mean 'BatchNormalization'"):
        select(["BatchNormalisation"])


def test_selection_keeps_the_order_of_the_table_and_repeats_nothing() -> None:
    chosen = select(["Softmax", "Linear", "Linear"])
    assert [t.id for t in chosen] == [t.id for t in table() if t.subject in ("layers.Linear", "layers.Softmax")]
