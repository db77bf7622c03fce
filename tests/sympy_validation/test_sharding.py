"""Sharded = unsharded, for all sizes: proved of losses and of layers that are not made of others; wrong interpreters are refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nerva_core.equations.hard_functions import Binary, Signum
from nerva_core.equations.losses import LOSSES
from nerva_core.interpreters.sharded import CutSize
from nerva_core.layers import (
    DAB,
    LAYERS,
    Add,
    Concatenate,
    Linear,
    Multiply,
    Padded,
    Sequential,
    SparseLinear,
    StraightThrough,
    Tied,
    WeightNorm,
)
from nerva_core.layers.around import Around
from nerva_core.layers.embedding import Embedding
from nerva_core.layers.recurrent import Recurrent
from nerva_core.layers.transformer import MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock
from sympy_validation.sharding import ProvedOps, sharded_layer, sharded_loss
from sympy_validation.symbols import symbolic
from sympy_validation.theorems.layers import layer_of

MADE_OF_OTHERS = {
    *(Sequential, Add, Multiply, Concatenate, MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock),
    *(DAB, StraightThrough, Padded, Tied, WeightNorm),
    *(entry for entry in LAYERS if issubclass(entry, Around) and any(field.name == "layers" for field in dataclasses.fields(entry))),
}
NOT_PROVED = {Embedding, SparseLinear}
"""Whose rows are numbers; which has a pattern. The local test compares them, and recurrent layers and ``SequenceCrossEntropy``, whose rows
are read as several."""
PARTS: dict[str, Any] = {entry.__name__: layer_of(entry) for entry in LAYERS if entry not in MADE_OF_OTHERS | NOT_PROVED}
PARTS = {name: make for name, make in PARTS.items() if not issubclass(LAYERS.entries[name], Recurrent)}
PARTS |= {
    "DAB(Signum)": lambda space: DAB(Signum(), Sequential((Linear(space.size("D")),))),
    "StraightThrough(Binary by batch)": lambda space: StraightThrough(Binary(mean="batch")),
    "StraightThrough(Binary by feature)": lambda space: StraightThrough(Binary(mean="feature")),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_layer_on_parts_of_the_rows_is_the_layer_on_all(name: str) -> None:
    verdicts = sharded_layer(PARTS[name])
    assert {"Y", "DX"} <= verdicts.keys()
    assert all(verdicts.values()), verdicts


@pytest.mark.parametrize(
    "entry", [entry for entry in LOSSES if entry.__name__ not in ("CTC", "SequenceCrossEntropy")], ids=lambda entry: entry.__name__
)
def test_a_loss_on_parts_of_the_rows_is_the_loss_on_all(entry: Any) -> None:
    assert sharded_loss(lambda space: symbolic(entry, space)) == {"L": True, "DY": True}


class FirstCount(ProvedOps):
    """Wrong: the number of rows of the first part for that of all."""

    def number(self, size: CutSize) -> Any:
        return self.inner.size_power(size.blocks[0], 1)


class LostPart(ProvedOps):
    """Wrong: sums over the first part alone."""

    def _sum(self, parts: tuple[Any, ...]) -> Any:
        return super()._sum(parts[:1])


def test_wrong_sums_are_not_proved() -> None:
    def mean(wrong: type[ProvedOps]) -> dict[str, bool]:
        return sharded_loss(lambda space: symbolic(LOSSES.lookup("MeanSquaredError"), space), wrong)

    assert mean(ProvedOps) == {"L": True, "DY": True}
    assert mean(FirstCount) == {"L": False, "DY": False}
    assert mean(LostPart) == {"L": False, "DY": True}
    assert sharded_layer(layer_of(Linear), LostPart) == {"Y": True, "DX": True, "DW": False, "Db": False}
