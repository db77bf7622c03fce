from __future__ import annotations

from backends.plan.graph import record
from backends.plan.memory import PACK
from backends.plan.packing import packed
from nerva_core.gradient_activations import NormClipping
from nerva_core.layers import multilayer_perceptron
from nerva_core.losses import SquaredError
from nerva_core.optimizers import GAF, Momentum
from tests.backends.plan.test_graph import operations, recorded
from tests.backends.plan.test_planned import Run


def test_the_update_of_all_parameters_is_that_of_one_row() -> None:
    """Momentum: two scalings, a difference and a sum, whatever the number of parameters."""
    for layers, sizes in (("ReLU;Linear", [4, 5, 3]), ("ReLU;ReLU;ReLU;Linear", [4, 5, 5, 5, 3])):
        plain = recorded(layers, sizes)
        graph = packed(plain)
        parameters = 2 * (len(sizes) - 1)
        assert len(plain.state) == 2 * parameters
        assert len(graph.state) == 2
        assert operations(plain)["scale"] - operations(graph)["scale"] == 2 * (parameters - 1)
        assert operations(graph)[PACK] == 1
        assert sorted(graph.parts) == list(range(len(plain.state)))


def test_what_is_not_elementwise_in_an_update_is_not_packed() -> None:
    run = Run("numpy", multilayer_perceptron("ReLU;Linear", [4, 5, 3]), SquaredError(), GAF(Momentum(), NormClipping()), record=False)
    graph = record(run.ops, run.step, run.state(), run.data, run.first())
    assert packed(graph) is graph
