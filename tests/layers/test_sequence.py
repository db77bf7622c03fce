import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.interpreters.examples import ExampleSizes
from nerva_core.layers import PositionEmbedding


def test_the_length_is_bound() -> None:
    layer, positions = PositionEmbedding().bind((4, 3))
    assert positions == (4, 3)
    assert layer.shapes(2).P == (12, 2)
    assert layer.bind((4, 3))[0] is layer
    assert PositionEmbedding().needs_positions()
    assert not layer.needs_positions()
    assert layer.for_any_data(ExampleSizes()).shape_of_input(ExampleSizes()) == (20, 4)


def test_it_must_be_known() -> None:
    with pytest.raises(NervaError, match="does not know the length of a sequence"):
        PositionEmbedding().shapes(2)
