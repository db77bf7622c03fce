"""Steps on blocks of the rows: the results of one block, whatever the number of blocks and the order in which they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.training.config import Config, make_config, override
from nerva_core.training.results import Metrics
from nerva_core.training.sharing import in_turn, with_blocks
from nerva_core.training.trainer import Trainer

MLP = "ReLU;Dropout(0.2);Linear"
CONVOLUTIONS = "Conv(2,3,padding=1);BatchNorm;ReLU;MaxPool(2);Flatten;Linear(8);q-elu(lambda=0.02,evaluation='noise');Linear"


def config(layers: str, **settings: Any) -> Config:
    given = {
        "data": "Digits(train=100, test=30)",
        "dtype": "float64",
        "training.epochs": 2,
        "training.batch_size": 32,
        "model.layers": layers,
    }
    given |= {"model.sizes": [64, 8, 10]} if layers == MLP else {}
    return make_config(override({}, {**given, **settings}), "here")


def trained(layers: str, **settings: Any) -> tuple[np.ndarray[Any, Any], Metrics]:
    trainer = Trainer(config(layers, **settings))
    *_, last = trainer.run()
    return np.concatenate([np.ravel(leaf) for leaf in leaves(trainer.to_numpy())]), last


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_blocks_give_what_one_block_gives(name: str) -> None:
    pytest.importorskip(name)
    one, metrics = trained(CONVOLUTIONS, backend=name)
    three, others = trained(CONVOLUTIONS, backend=name, **{"training.blocks": 3})
    np.testing.assert_allclose(three, one, rtol=1e-9, atol=1e-11)
    assert others.test_loss == pytest.approx(metrics.test_loss, rel=1e-11)
    assert others.test_accuracy == metrics.test_accuracy


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_blocks_that_are_compiled(name: str) -> None:
    pytest.importorskip(name)
    small = {"data": "Digits(train=12, test=12)", "training.batch_size": 12, "training.epochs": 1, "model.sizes": [64, 10]}
    three, _ = trained("Linear", backend=name, **small, **{"training.blocks": 3})
    np.testing.assert_allclose(three, trained("Linear", **small)[0], rtol=1e-9, atol=1e-11)


def test_blocks_are_computed_as_they_are_written_or_as_plans() -> None:
    np.testing.assert_allclose(
        trained(CONVOLUTIONS, **{"training.blocks": 4, "compile": False})[0],
        trained(CONVOLUTIONS, **{"training.blocks": 4})[0],
        rtol=1e-9,
        atol=1e-11,
    )


def test_parts_in_turn_give_the_bits_of_blocks() -> None:
    at_once, _ = trained(MLP, **{"training.blocks": 4})
    in_turn, _ = trained(MLP, **{"training.micro_batches": 4})
    np.testing.assert_array_equal(in_turn, at_once)
    assert (trained(MLP)[0] != at_once).any()


def test_a_layer_that_needs_the_whole_batch_is_not_computed_in_turn() -> None:
    with pytest.raises(NervaError, match="needs sums over the whole batch before its gradients, as batch normalization does"):
        trained(CONVOLUTIONS, **{"training.micro_batches": 2})


def test_a_batch_smaller_than_the_blocks_is_computed_as_a_whole() -> None:
    settings = {"data": "Digits(train=33, test=30)", "training.batch_size": 16}  # the last batch has one row
    np.testing.assert_allclose(trained(MLP, **settings, **{"training.blocks": 5})[0], trained(MLP, **settings)[0], rtol=1e-9, atol=1e-12)


def test_the_number_of_blocks() -> None:
    def blocks(workers: int = 1, **settings: Any) -> int | None:
        return with_blocks(config(MLP, **settings), workers).training.blocks

    assert blocks() is None
    assert blocks(4) == 4
    assert blocks(2, **{"training.micro_batches": 3}) == 6
    assert blocks(2, **{"training.blocks": 8}) == 8
    with pytest.raises(NervaError, match="multiple of the number of workers, got 4 and 3"):
        blocks(3, **{"training.blocks": 4})
    with pytest.raises(NervaError, match=r"multiple of training\.micro_batches, got 4 and 3"):
        blocks(1, **{"training.blocks": 4, "training.micro_batches": 3})
    with pytest.raises(NervaError, match="a batch of 32 rows cannot be cut into 33 blocks"):
        blocks(33)


def test_in_turn_adds_up_what_all_parts_have_found() -> None:
    seen = []

    def compute(part: int, add: Any) -> Any:
        seen.append(part)
        (total,) = add([(part,)])
        return total, part

    assert in_turn(compute, [1, 2, 3], lambda sums: [sum(parts) for parts in sums]) == (6, 3)
    assert seen == [1, 2, 3]
    assert in_turn(compute, [5], lambda sums: [sum(parts) for parts in sums]) == (5, 5)
