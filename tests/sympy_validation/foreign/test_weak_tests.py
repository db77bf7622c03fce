from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.weak_tests import seen_by_a_sum

ZOO = Path(__file__).parents[3] / "examples" / "zoo"


def test_a_sum_with_fresh_weights_does_not_see_a_lost_scale() -> None:
    module = load_file(ZOO / "numpy_zoo.py")
    assert not seen_by_a_sum(module, "batch_norm/batch_norm_without_scale", "x: N D, g: D, b: D", ("g",))
    assert seen_by_a_sum(module, "dense/dense_mean_of_bias", "x: N D, w: D K, b: K")
