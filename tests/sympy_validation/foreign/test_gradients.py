from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.all_sizes.text import text
from sympy_validation.foreign import gradients
from sympy_validation.foreign.find import find
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.reasons import readable

HERE = Path(__file__).parent


def test_the_gradient_that_is_right_is_the_derivative() -> None:
    code = find(load_file(HERE / "foreign_numpy.py"), "Linear")
    theorem = gradients.capture(code, parse("W: D K, b: K, x: N D"), {})
    L = gradients.loss(theorem)
    assert readable(text(gradients.want(theorem, "b", L).array[()])) == "Σ_k(dY[k,i])"
    assert gradients.equal(gradients.want(theorem, "x", L), theorem.found["x"], theorem.run)
    assert not gradients.equal(gradients.want(theorem, "x", L), 2 * theorem.found["x"], theorem.run)


def test_digits_of_constants() -> None:
    from sympy_validation.foreign.constants import constant_of

    assert gradients.almost(constant_of(0.1070322243), constant_of(0.10703222432))
    assert not gradients.almost(constant_of(0.107), constant_of(0.108))
