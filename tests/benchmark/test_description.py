from __future__ import annotations

from nerva_core.benchmark.configurations import named_problem
from nerva_core.benchmark.description import Dense, Normalization, blocks, momentum


def test_the_blocks_of_a_network() -> None:
    problem = named_problem("tiny")
    assert [block if isinstance(block, str) else type(block) for block in blocks(problem)] == [Dense, "relu", Dense, "relu", Dense]
    assert momentum(problem) == 0.9
    first = blocks(problem)[0]
    assert isinstance(first, Dense)
    assert (first.W.shape, first.b.shape) == ((8, 8), (8,))
    assert Normalization.__dataclass_fields__.keys() == {"gamma", "beta", "epsilon", "momentum"}
