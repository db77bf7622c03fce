import numpy as np

from sympy_validation.foreign.run import Current
from sympy_validation.foreign.values import FloatPoint
from tests.sympy_validation.foreign.points import agree, both


def test_a_point_at_a_kink_is_known() -> None:
    from sympy_validation.foreign.gradients import input_tensor
    from sympy_validation.foreign.grammar import parse
    from sympy_validation.foreign.proxies import use

    run = Current.start()
    use("numpy")
    x = input_tensor(parse("x: N").inputs[0], {})
    point = FloatPoint(run, {"N": 2}, 0)
    point.inputs["x"] = np.array([0.0, 1.0])
    point.tensor(x * (x > 0))
    assert point.at_kink


def test_sums_over_many_indices() -> None:
    agree(lambda x, y, z: ((x @ y) @ z).sum() * x, "x: N D, y: D K, z: K N")
    assert both(lambda x: x, "x: N D")[0].shape == (2, 3)
