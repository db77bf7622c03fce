"""Matrix operations on expressions: the step of a loop stands for all."""

from __future__ import annotations

from typing import Any

from nerva_core.algebra.matrix import Shape
from nerva_core.equations.softmax import softmax
from nerva_core.interpreters.expressions import markup, symbol
from nerva_core.interpreters.latex_ops import LatexOps, activation_name, function_name
from nerva_core.interpreters.polynomial import size
from nerva_core.interpreters.traced import Traced


def step(state: Any, X: Any) -> Any:
    (H,) = state
    return (H + X,), (H,)


def scanned(reverse: bool) -> tuple[LatexOps, Any, Any]:
    ops, L = LatexOps({}), size("L")
    F: Traced[Any] = Traced(ops, symbol("F", (size("N"), size("K"), L)))
    zero = ops.zeros(size("N"), size("K"))
    state, (before,) = ops.scan(step, (zero,), (F,), L, reverse, ("H",))
    return ops, state, before


def test_a_loop_of_an_unknown_number_of_steps_runs_once() -> None:
    ops, (H,), before = scanned(False)
    assert markup(H.value).text() == "H_l"
    assert [markup(e).text() for e in ops.bound] == ["H_l"]
    assert markup(before.value).text() == "(H_(l − 1))_l"
    assert before.value.shape == Shape(size("N"), size("K"), size("L"))


def test_backwards_the_state_goes_to_the_step_before() -> None:
    _, (H,), before = scanned(True)
    assert markup(H.value).text() == "H_(l − 1)"
    assert markup(before.value).text() == "(H_l)_l"


def test_names_of_functions() -> None:
    from nerva_core.equations.activations import LeakyReLU, Sigmoid

    assert [activation_name(f).text() for f in (LeakyReLU(0.1), Sigmoid())] == ["leaky-relu", "σ"]
    assert function_name(softmax).text() == "softmax"
