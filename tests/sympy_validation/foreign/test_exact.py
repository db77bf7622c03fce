from fractions import Fraction

from sympy_validation.foreign.exact import element
from sympy_validation.foreign.gradients import input_tensor
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.trials import inputs_at
from sympy_validation.foreign.values import FloatPoint


def test_an_element_is_the_exact_number() -> None:
    run = Current.start()
    signature = parse("x: N D")
    x = input_tensor(signature.inputs[0], {})
    point = FloatPoint(run, {"N": 2, "D": 3}, 1)
    numbers = inputs_at(signature, point)["x"]
    y = (x * x).sum(1)
    found = element(y.array[()], [i for axis in y.indices() for i in axis], [1], point)
    assert found == sum(Fraction(v) ** 2 for v in numbers[1])
