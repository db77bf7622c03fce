from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.trees import leaves, map_shapes, map_tree, named_leaves, rebuild, stacked, with_leaves


class Pair(NamedTuple):
    W: Any
    b: Any


TREE = (Pair(1, 2), (), (3, (4,)))


def test_map_keeps_the_types() -> None:
    assert map_tree(lambda x: 10 * x, TREE) == (Pair(10, 20), (), (30, (40,)))
    assert isinstance(map_tree(str, TREE)[0], Pair)


def test_leaves_from_left_to_right() -> None:
    assert list(leaves(TREE)) == [1, 2, 3, 4]
    assert list(leaves(5)) == [5]


def test_with_leaves_is_the_inverse() -> None:
    assert with_leaves(TREE, leaves(TREE)) == TREE
    assert with_leaves(TREE, "abcd") == (Pair("a", "b"), (), ("c", ("d",)))


def test_stacked_trees_have_an_axis_over_them() -> None:
    result = stacked([(Pair(np.array([k, 1]), k), ()) for k in range(3)])
    assert isinstance(result[0], Pair)
    assert result[0].W.tolist() == [[0, 1], [1, 1], [2, 1]]
    assert result[0].b.tolist() == [0, 1, 2]
    assert result[1] == ()
    assert result[0].W.ctypes.data % 64 == result[0].b.ctypes.data % 64 == 0


def test_names_are_paths() -> None:
    assert list(named_leaves(TREE)) == [("0.W", 1), ("0.b", 2), ("2.0", 3), ("2.1.0", 4)]


def test_rebuild_keeps_the_type_of_the_tuple() -> None:
    assert rebuild(Pair(0, 0), [1, 2]) == Pair(1, 2)
    assert type(rebuild(Pair(0, 0), [1, 2])) is Pair
    assert type(rebuild((0, 0), [1, 2])) is tuple


def test_a_shape_is_a_leaf_of_a_tree_of_shapes() -> None:
    shapes = (Pair((4, 3), (1, 4)), (), ((2, 2), (5, 6)), ((7, 8),))
    assert map_shapes(lambda shape: shape[0] * shape[1], shapes) == (Pair(12, 4), (), (4, 30), (56,))
    assert map_shapes(sum, (4, 3)) == 7
