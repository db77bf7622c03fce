"""What is stated of an operation is what interpreters derive from."""

import pytest

from nerva_core.algebra.matrix import Shape
from nerva_core.algebra.operation import Misfit, OperationRule, fit, operation
from nerva_core.interpreters.traced import OPERATIONS, RULES


def test_operands_of_one_shape_are_asked_for_unless_something_else_is_stated() -> None:
    OperationRule().check((Shape(2, 3), Shape(2, 3, 7)))
    with pytest.raises(Misfit, match=r"shapes \(2, 3\) and \(3, 2\) differ"):
        OperationRule().check((Shape(2, 3), Shape(3, 2)))
    OperationRule(shape="definition").check((Shape(2, 3), Shape(3, 2)))


def test_what_an_operation_expects_is_said_in_words() -> None:
    rule = OperationRule(expects=("a row vector", lambda x: x.rows == 1))
    rule.check((Shape(1, 4),))
    with pytest.raises(Misfit, match=r"expected a row vector, got shape \(2, 4\)"):
        rule.check((Shape(2, 4),))


def test_a_condition_that_does_not_hold_is_a_misfit() -> None:
    fit(True, "never")
    with pytest.raises(Misfit, match="4 columns"):
        fit(False, "4 columns")


def test_the_statement_stands_with_the_method() -> None:
    @operation(work="free")
    def move(self: object, X: object) -> object:
        return X

    assert move.rule == OperationRule(work="free")
    assert RULES.keys() == OPERATIONS.keys()
    assert RULES["transpose"].work == "free"
    assert RULES["hadamard"] == OperationRule()
