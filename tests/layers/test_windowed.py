from nerva_core.interpreters.examples import ExampleSizes
from nerva_core.layers import MaxPool
from nerva_core.layers.windowed import extents


def test_a_layer_is_bound_once() -> None:
    layer, left = MaxPool(2).bind((4, 6))
    assert left == (2, 3)
    assert layer.bind((4, 6))[0] is layer
    assert layer.bind((8, 6))[1] == (4, 3)
    assert MaxPool(2).bind(None) == (MaxPool(2), None)


def test_it_is_shown_for_any_windows() -> None:
    layer = MaxPool(2).for_any_data(ExampleSizes())
    P = layer.windows.positions
    assert layer.shape_of_input(ExampleSizes()) == (5 * P, 2)


def test_extents() -> None:
    assert extents((28, 28)) == "28 x 28"
