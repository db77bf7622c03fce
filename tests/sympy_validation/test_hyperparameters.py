"""The values with which a layer is run: all that the annotation allows, where these are few."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Literal

from nerva_core.equations.activations import Activation
from nerva_core.layers import Layer, Linear, Sequential
from sympy_validation.hyperparameters import choices, finite_values, options


@dataclass(frozen=True)
class Example(Layer):
    mode: Literal["a", "b", "c"] = "b"
    flag: bool = True
    power: int = 2

    def feedforward(self, ops: Any, params: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        return X, ()

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return DY, ()


def test_the_default_is_first_and_every_combination_occurs() -> None:
    found = choices(Example, {}, lambda layer: layer)
    assert found[0].make(3, 3) == Example()
    assert found[0].ordinary
    made = [choice.make(3, 3) for choice in found]
    assert {(e.mode, e.flag) for e in made} == {(m, f) for m in "abc" for f in (True, False)}
    assert {1, 2, 3, 4, 5} == {e.power for e in made}


def test_what_is_given_stays() -> None:
    assert finite_values(Example, {"mode": "a"}) == {"flag": (True, False)}
    assert {choice.make(3, 3).mode for choice in choices(Example, {"mode": "a"}, lambda layer: layer)} == {"a"}


def test_outputs_are_the_size_k() -> None:
    (choice, *_) = choices(Linear, {}, lambda layer: layer)
    assert choice.has_outputs
    assert choice.make(3, 5).outputs_for(3) == 5


class Mode(enum.Enum):
    PLAIN = 1
    DOUBLE = 2


@dataclass(frozen=True)
class Unusual(Example):
    kind: Mode = Mode.PLAIN
    maybe: Literal["a"] | None = None
    scale: float | None = None
    extra: tuple[float, ...] = ()
    table: Any = field(default_factory=dict)
    hidden: str = field(default="h", repr=False)
    inner: Layer = Linear(3)
    any_number: float = 1.0
    any_function: Activation | None = None
    any_layers: Sequential = Sequential(())


def test_all_values_of_an_enumeration_and_none_are_tried() -> None:
    found = finite_values(Unusual, {"mode": "a", "flag": True})
    assert found == {"kind": (Mode.PLAIN, Mode.DOUBLE), "maybe": (None, "a")}


def test_what_is_no_symbol_is_a_value_of_which_the_verdict_tells() -> None:
    given = {"mode": "a", "flag": True, "power": 2, "kind": Mode.PLAIN, "maybe": None}
    unasked = options(Unusual, given, {})["unasked"]
    assert {text.partition(" = ")[0] for text in unasked} == {"scale", "extra", "table", "hidden", "inner", "any_function"}
    assert "scale = None" in unasked
