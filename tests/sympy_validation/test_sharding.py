"""Sharded = unsharded, for all sizes: proved of losses and of layers that are not made of others; wrong interpreters are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.operation import OperationRule, Way
from nerva_core.equations.hard_functions import Binary, Signum
from nerva_core.equations.losses import LOSSES
from nerva_core.interpreters.sharded import CutSize
from nerva_core.interpreters.traced import OPERATIONS, RULES
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
from nerva_core.layers.recurrent import Recurrent
from nerva_core.layers.transformer import MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock
from sympy_validation.sharding import OperandShape, ProvedOps, sharded_layer, sharded_loss, sharded_operation
from sympy_validation.symbols import symbolic
from sympy_validation.theorems.layers import layer_of
from tests.interpreters.test_sharded import MIX_ROWS
from tests.matrix_cases import example

MADE_OF_OTHERS = {
    *(Sequential, Add, Multiply, Concatenate, MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock),
    *(DAB, StraightThrough, Padded, Tied, WeightNorm),
    *(entry for entry in LAYERS if issubclass(entry, Around) and any(field.name == "layers" for field in dataclasses.fields(entry))),
}
NOT_PROVED = {SparseLinear}
"""Which has a pattern. For it, recurrent layers, ``SequenceCrossEntropy`` and what is made of other layers the theorem of every operation
stands, from which theirs follows; the local test compares them all."""
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


# Operations ----------------------------------------------------------------------

SHAPES: dict[str, Callable[[Any, Any, Any, Any, Any], tuple[Any, ...]]] = {
    "apply": lambda N, D, K, V, G: (lambda ops, X: ops.columns_mean(X), OperandShape(N, D)),
    "matmul": lambda N, D, K, V, G: (OperandShape(N, D), OperandShape(D, K)),
    "join_columns": lambda N, D, K, V, G: (OperandShape(N, D), OperandShape(N, K)),
    "transpose_columns": lambda N, D, K, V, G: (OperandShape(N, 3 * D), 3),
    "split": lambda N, D, K, V, G: (OperandShape(N * 2, 3 * D), 2, D),
    "member": lambda N, D, K, V, G: (OperandShape(N, D, 6), 1),
    "members_sum": lambda N, D, K, V, G: (OperandShape(N, D, 6),),
    "join": lambda N, D, K, V, G: (OperandShape(N, D, 6), 1),
    "windows": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), G),
    "fold": lambda N, D, K, V, G: (OperandShape(N * G.places, G.offsets * D), G),
    "convolve": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), OperandShape(G.offsets * D, K), G),
    "convolve_weights": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), OperandShape(N * G.places, K), G),
    "convolve_inputs": lambda N, D, K, V, G: (OperandShape(N * G.places, K), OperandShape(G.offsets * D, K), G),
    "channel_windows": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), G),
    "channel_fold": lambda N, D, K, V, G: (OperandShape(N * G.places * D, G.offsets), D, G),
    "pool_max": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), G),
    "pool_max_inputs": lambda N, D, K, V, G: (OperandShape(N * G.positions, D), OperandShape(N * G.places, D), G),
    "one_hot": lambda N, D, K, V, G: (OperandShape(N, 1), V),
    "rows_at": lambda N, D, K, V, G: (OperandShape(V, D), OperandShape(N, 1)),
    "sums_at_rows": lambda N, D, K, V, G: (OperandShape(N, D), OperandShape(N, 1), V),
}
"""Arguments of operations whose sizes the prover must know as products."""
COMPARED = {
    "sort_rows": "a row's permutation has a name of its own",
    "take_columns": "columns have numbers, which symbolic sizes have not",
    "unit": "of a size that is a number",
}
"""Operations that are compared on numbers alone, and why; ``MIX_ROWS`` are those that are refused."""


def arguments(name: str, space: Any) -> tuple[Any, ...]:
    N, D, K, V = (space.size(size) for size in "NDKV")
    if name in SHAPES:
        return SHAPES[name](N, D, K, V, space.geometry("S"))
    return tuple(example(name, N, D, OperandShape))


def operation_is_proved(name: str, interpreter: type[ProvedOps] = ProvedOps) -> bool:
    try:
        return sharded_operation(name, lambda space: arguments(name, space), interpreter)
    except (NervaError, ArithmeticError, LookupError, TypeError, ValueError):  # it is refused, or its sizes do not fit
        return False


PROVED = [name for name in OPERATIONS if name not in MIX_ROWS and name not in COMPARED]


def test_an_operation_on_parts_of_the_rows_is_the_operation_on_all() -> None:
    assert [name for name in PROVED if not operation_is_proved(name)] == []
    assert [name for name in (*COMPARED, *MIX_ROWS) if operation_is_proved(name)] == []


class Asked(tuple[Way, ...]):
    """Ways to cut operands, of which is known afterwards whether anybody has asked for them."""

    asked = False

    def __contains__(self, way: object) -> bool:
        self.asked = True
        return super().__contains__(way)


def wrong_statements(name: str) -> Iterator[OperationRule]:
    """What might be stated of an operation in the place of its rule: that a row is a sum, or a sum a row."""
    rule = RULES[name]
    if "rows" not in rule.adds:
        yield dataclasses.replace(rule, by=(), adds=("rows",))
    if "rows" not in rule.by:
        yield dataclasses.replace(rule, by=("rows",), adds=())


def test_the_audit_of_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wrong statement of an operation is proved, if the interpreter asks for it."""
    refused, proved = 0, []
    for name in PROVED:
        asked = Asked(RULES[name].by)
        with monkeypatch.context() as patched:
            patched.setitem(RULES, name, dataclasses.replace(RULES[name], by=asked))
            assert operation_is_proved(name)
        for wrong in wrong_statements(name) if asked.asked else ():
            with monkeypatch.context() as patched:
                patched.setitem(RULES, name, wrong)
                right = operation_is_proved(name)
            refused += not right
            proved += [(name, wrong.by, wrong.adds)] if right else []
    assert proved == []
    assert refused > 60


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
