"""Operations are recorded once, in their order, and one of them can be changed."""

from pathlib import Path
from typing import Any

from sympy_validation.foreign.gradients import input_tensor
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.proxies import use
from sympy_validation.foreign.run import Current


def recorded(change: Any = None) -> tuple[Any, list[str]]:
    """tanh x + x, and the names of its operations."""
    run = Current.start()
    use("numpy")
    x = input_tensor(parse("x: N D").inputs[0], {})
    run.recording, run.changes = True, dict([change] if change else [])
    result = x.tanh() + x
    return result - x, [entry.name for entry in run.operations]


def test_an_operation_within_another_is_not_recorded() -> None:
    _, names = recorded()
    assert names == ["tanh", "add", "sub"]


def test_the_line_of_the_code_is_recorded() -> None:
    recorded()
    file, line = Current.run.operations[0].place
    assert file == __file__
    assert "x.tanh() + x" in Path(file).read_text(encoding="utf-8").splitlines()[line - 1]


def test_the_operation_with_a_number_is_changed() -> None:
    plain, _ = recorded()
    changed, names = recorded((0, lambda f, operands, given, result: operands[0]))
    assert names == ["tanh", "add", "sub"]
    (own,), (other,) = ([P for _, P in found.elements_in_order()] for found in (plain, changed))
    assert own.key != other.key
    assert other.key.startswith("{1·Entry(x")
