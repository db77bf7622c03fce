"""Wrong moments of an initializer are refuted, and every initializer has its theorem."""

from __future__ import annotations

from nerva_core.equations.initializers import INITIALIZERS
from sympy_validation.theorem import prove
from sympy_validation.theorems.initializers import MOMENTS, moments_theorem


def test_the_variance_of_another_initializer_is_refuted() -> None:
    (right,) = prove(list(moments_theorem("He", "variance 2/D", MOMENTS["He"][1])))
    (wrong,) = prove(list(moments_theorem("He", "variance 1/(3D)", MOMENTS["Xavier"][1])))
    assert (right.status, wrong.status) == ("proved", "refuted")


def test_every_initializer_has_a_theorem() -> None:
    assert set(MOMENTS) == {entry.__name__ for entry in INITIALIZERS}
