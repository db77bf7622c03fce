from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.weak_tests import WeakTest, usual

ZOO = load_file(Path(__file__).parents[3] / "examples" / "zoo" / "numpy_zoo.py")
BATCH_NORM = ("batch_norm/batch_norm_without_scale", "batch_norm", "x: N D, g: D, b: D")
ROTARY = ("rotary/rotary_turned_before", "rotary", "x: N (2 A), cos: N (2 A) const, sin: N (2 A) const")
SEQUENCE = ("sequence_norm/sequence_norm_two_axes", "sequence_norm", "x: B T C, w: C, b: C")


def test_a_sum_with_fresh_weights_does_not_see_a_lost_scale() -> None:
    assert not usual(("g",)).sees(ZOO, *BATCH_NORM)
    assert usual().sees(ZOO, "dense/dense_mean_of_bias", "dense", "x: N D, w: D K, b: K")


def test_what_a_test_sees_depends_on_its_inputs_its_sizes_and_its_tolerance() -> None:
    assert WeakTest("any inputs").sees(ZOO, *BATCH_NORM)
    assert not WeakTest("any inputs, no tolerance to speak of", rtol=100.0, atol=100.0).sees(ZOO, *BATCH_NORM)
    assert WeakTest("any inputs").sees(ZOO, *ROTARY)
    assert not WeakTest("equal halves", halves=("cos", "sin")).sees(ZOO, *ROTARY)
    assert WeakTest("any inputs", {"B": 3, "T": 2, "C": 4}).sees(ZOO, *SEQUENCE)
    assert not WeakTest("matrices", {"B": 3, "T": 1, "C": 4}).sees(ZOO, *SEQUENCE)
