from __future__ import annotations

from backends.plan.graph import CONSTANT, LEAF
from backends.plan.memory import PACK, Buffer, Home, allocate, offsets
from backends.plan.numpy_kernels import NumpyKernels
from backends.plan.packing import packed
from tests.backends.plan.test_graph import recorded


def test_parts_lie_side_by_side_each_on_a_cache_line() -> None:
    assert offsets([(3, 4), (1, 16), (2, 9)]) == ([0, 16, 32], 64)


def test_the_new_state_is_computed_where_the_old_one_was() -> None:
    graph = packed(recorded("ReLU;ReLU;Linear", [4, 5, 5, 3]))
    layout = allocate(graph, NumpyKernels.views, NumpyKernels.elementwise)
    assert layout.copies == []
    assert [layout.place[node] for node in graph.new_state] == [layout.place[leaf] for leaf in graph.state]
    assert all(isinstance(layout.place[node], Home) for node in graph.new_state)


def test_no_two_values_that_live_at_once_share_memory() -> None:
    """Except an elementwise result and the operand of its shape that it replaces."""
    graph = packed(recorded("ReLU;BatchNormalization;SReLU;Linear", [4, 6, 6, 3]))
    layout = allocate(graph, NumpyKernels.views, NumpyKernels.elementwise)
    nodes = layout.nodes
    last = {}
    for i, node in enumerate(nodes):
        for operand in node.operands:
            last[layout.root[operand]] = i
    for result in graph.results:
        last[layout.root.get(result, result)] = len(nodes)
    writer: dict[object, object] = {}
    shared = 0
    for i, node in enumerate(nodes):
        if node.name in (LEAF, CONSTANT, PACK, *NumpyKernels.views) or node in layout.inside:
            continue
        place = layout.place[node]
        before = writer.get(place)
        if before is not None:
            replaced = last[before] == i and node.name in NumpyKernels.elementwise and before in node.operands
            assert last[before] < i or replaced, (before, node)
            shared += 1
        writer[place] = node
    assert shared > 10
    assert len({place for place in layout.place.values() if isinstance(place, Buffer)}) < len(nodes) / 2
