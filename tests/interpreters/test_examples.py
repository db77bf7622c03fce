from __future__ import annotations

from dataclasses import dataclass

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Entry, Table
from nerva_core.equations.activations import ACTIVATIONS, LeakyReLU
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS, WeightDecay
from nerva_core.interpreters.examples import describe, examples
from nerva_core.layers import LAYERS


@pytest.mark.parametrize("table", [ACTIVATIONS, LOSSES, LAYERS, OPTIMIZERS], ids=lambda table: table.kind)
def test_every_entry_has_an_example_with_a_name_of_its_own(table):
    found = list(examples(table, variants=True))
    assert {type(example) for example in found} == set(table)
    assert len({describe(example) for example in found}) == len(found)


def test_switches_take_both_values_and_numbers_another():
    assert {example.decoupled for example in examples(OPTIMIZERS) if isinstance(example, WeightDecay)} == {False, True}
    assert {example.alpha for example in examples(ACTIVATIONS, variants=True) if isinstance(example, LeakyReLU)} == {0.01, 0.25}


def test_a_parameter_without_example_is_named():
    class Thing(Entry):
        pass

    table = Table("thing", Thing)

    @table.add
    @dataclass(frozen=True)
    class Strange(Thing):
        shape: dict

    with pytest.raises(NervaError, match=r"Strange.*'shape'"):
        list(examples(table))
