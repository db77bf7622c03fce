from __future__ import annotations

import contextlib
import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import nerva_core as nc
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.registry import Count, Entry, EntryCall, Fraction, Positive, Table, parse_call, user_fields
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.layers import Sequential

for _module in nc.__all__:
    getattr(nc, _module)  # fills the tables

TABLES = list(Table.of.values())
ENTRIES = [pytest.param(table, entry, id=f"{table.kind} {entry.__name__}") for table in TABLES for entry in table]
every_entry = pytest.mark.parametrize(("table", "entry"), ENTRIES)


# Text and values of every entry ----------------------------------------------------------------------


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values that a field's type allows."""
    bounds: tuple[Any, ...] = ()
    if typing.get_origin(hint) is typing.Annotated:
        hint, bounds = hint.__origin__, hint.__metadata__
    low = next((getattr(b, "ge", getattr(b, "gt", None)) for b in bounds if isinstance(b, (Ge, Gt))), None)
    high = next((getattr(b, "le", getattr(b, "lt", None)) for b in bounds if isinstance(b, (Le, Lt))), None)
    if hint is bool:
        return st.booleans()
    if hint is str:
        return st.text(st.sampled_from("aZ09 _-./é"), max_size=8)
    if hint is int:
        return st.integers(-1000 if low is None else low, 1000)
    if hint is float:
        exclude = {"exclude_min": any(isinstance(b, Gt) for b in bounds), "exclude_max": any(isinstance(b, Lt) for b in bounds)}
        return st.floats(low, high, allow_nan=False, allow_infinity=False, **exclude)
    if typing.get_origin(hint) is Literal:
        return st.sampled_from(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return st.lists(values(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if typing.get_origin(hint) is types.UnionType or typing.get_origin(hint) is typing.Union:
        return st.none() | values(next(kind for kind in typing.get_args(hint) if kind is not type(None)))
    if hint is Sequential:
        return instances(Sequential)
    if hint in Table.of:
        return st.sampled_from(list(Table.of[hint])).flatmap(instances)
    raise AssertionError(f"a strategy for fields of type {hint} is missing")


def instances(entry: type[Any]) -> st.SearchStrategy[Any]:
    """Entries with any allowed parameters; None where the parameters do not go together."""
    hints = typing.get_type_hints(entry, include_extras=True)
    fields = {name: values(hints[name]) for name in user_fields(entry)}

    def make(parameters: dict[str, Any]) -> Any:
        try:
            return entry(**parameters)
        except NervaError:
            return None

    return st.deferred(lambda: st.fixed_dictionaries(fields).map(make).filter(lambda made: made is not None))


@every_entry
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_the_repr_of_an_entry_is_text_that_builds_it(table: Table[Any], entry: type[Any], data: st.DataObject) -> None:
    made = data.draw(instances(entry))
    assume(made is not None)
    assert table.parse(repr(made)) == made
    assert table.parse(made) is made


@every_entry
def test_an_entry_is_found_by_its_names_however_they_are_written(table: Table[Any], entry: type[Any]) -> None:
    for name in (entry.__name__, *vars(entry).get("aliases", ())):
        spaced = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")
        for written in (name, name.lower(), name.upper(), f" {name} ", spaced):
            assert written in table
            assert table.lookup(written) is entry


@every_entry
def test_a_misspelt_name_is_corrected(table: Table[Any], entry: type[Any]) -> None:
    with pytest.raises(NervaError, match=rf"unknown {table.kind} .*; (did you mean .*)?(known|nearest of \d+): .*{entry.__name__}"):
        table.parse(f"{entry.__name__}xq")


@every_entry
def test_an_entry_is_frozen_and_says_what_it_is(table: Table[Any], entry: type[Any]) -> None:
    assert dataclasses.is_dataclass(entry)
    assert entry.__dataclass_params__.frozen
    assert entry.__doc__
    assert not entry.__doc__.startswith(f"{entry.__name__}(")


# The grammar ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ReLU", EntryCall("ReLU")),
        ("  ReLU ( )  ", EntryCall("ReLU")),
        ("Leaky ReLU(0.1)", EntryCall("Leaky ReLU", (0.1,))),
        ("all-relu(.5)", EntryCall("all-relu", (0.5,))),
        ("F(1, -2, +3, 4.5, 1e3, 1.e-2, -.5)", EntryCall("F", (1, -2, 3, 4.5, 1000.0, 0.01, -0.5))),
        ("F(inf, -inf)", EntryCall("F", (float("inf"), float("-inf")))),
        ("F(true, False, none)", EntryCall("F", (True, False, None))),
        ("F('a b', \"c,d\", e)", EntryCall("F", ("a b", "c,d", "e"))),
        ("F(a=1, b='x', c=y)", EntryCall("F", (), {"a": 1, "b": "x", "c": "y"})),
        ("F(1, a=2)", EntryCall("F", (1,), {"a": 2})),
        ("F([1, 2], (3,), [])", EntryCall("F", ((1, 2), (3,), ()))),
        ("F(G(1), h=H(a=K(2)))", EntryCall("F", (EntryCall("G", (1,)),), {"h": EntryCall("H", (), {"a": EntryCall("K", (2,))})})),
        ("F([G, H(1)])", EntryCall("F", (("G", EntryCall("H", (1,))),))),
        ("F(a=1,)", EntryCall("F", (), {"a": 1})),
    ],
)
def test_calls_are_read(text: str, expected: EntryCall) -> None:
    call = parse_call(text)
    assert call == expected
    assert [type(a) for a in call.arguments] == [type(a) for a in expected.arguments]
    assert parse_call(repr(call)) == call


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name"),
        ("''", "expected a name"),
        ("3", "expected a name, got '3'"),
        ("[1, 2]", "expected a name"),
        ("F(", "the end"),
        ("F(1", "expected ',' or '\\)'"),
        ("F(1 2)", "expected"),
        ("F)", "unexpected '\\)'"),
        ("F(1))", "unexpected '\\)' after 'F'"),
        ("F(1)G", "unexpected 'G' after 'F'"),
        ("F(,)", "expected a name, a number or a list"),
        ("F(a=)", "expected a name, a number or a list"),
        ("torch.nn.F(2)", r"names stand without their module: write 'F\(2\)' in place of 'torch.nn.F\(2\)'"),
        ("F(nn.G)", "write 'G\\)' in place of"),
        ("F(a=1, a=2)", "parameter 'a' is given twice"),
        ("F(a=1, 2)", "without a name follows one with a name"),
        ("F([1, 2)", "expected ',' or '\\]'"),
        ("F(1 + 1)", "expected"),
        ("F('a)", "expected"),
        ("F(" * 5000, "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_not_a_call_is_refused(text: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_call(text)


@pytest.mark.parametrize(
    "text", ["__import__('os').system('exit 3')", "ReLU(__import__('os'))", "ReLU(1).__class__", "lambda: 1", "ReLU(x := 1)"]
)
def test_nothing_is_evaluated(text: str) -> None:
    with pytest.raises(NervaError):
        nc.activations.ACTIVATIONS.parse(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ReLU aF_09.,=()[]'\"+-e;\\\n\té∞"), max_size=30))
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    with contextlib.suppress(NervaError):
        assert parse_call(text).name


# Building: parameters, bounds, conversions ----------------------------------------------------------------------


@dataclass(frozen=True)
class Shape(Entry):
    """Base of a table of this test."""


@dataclass(frozen=True)
class Circle(Shape):
    aliases = ("Disc",)
    radius: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class Ellipse(Shape):
    """Its radii must be named, and its mistakes end with a hint."""

    hint = "an Ellipse has two"
    a: Positive = 2.0
    b: Positive = 1.0


@dataclass(frozen=True)
class Polygon(Shape):
    corners: Count
    lambda_: float = 0.0
    style: Literal["plain", "dotted"] = "plain"
    filled: bool = False
    label: str | None = None
    hole: Shape | None = None
    weights: tuple[float, ...] = ()
    p: Fraction = 0.5


@pytest.fixture
def shapes() -> Iterator[Table[Shape]]:
    table: Table[Shape] = Table("shape", Shape)
    for entry in (Circle, Ellipse, Polygon):
        table.add(entry)
    yield table
    del Table.of[Shape]


def test_parameters_are_converted_to_the_types_of_the_fields(shapes: Table[Shape]) -> None:
    polygon: Any = shapes.parse("Polygon(3, lambda=2, style=dotted, filled=true, label=hi, hole=Disc(radius=2), weights=[1, 2.5], p=0)")
    assert dataclasses.astuple(polygon) == (3, 2.0, "dotted", True, "hi", (2.0,), (1.0, 2.5), 0.0)
    assert isinstance(polygon.lambda_, float)
    assert type(polygon.hole).__name__ == "Circle"
    assert shapes.parse(repr(polygon)) == polygon


def test_text_and_a_toml_table_give_the_same_entry(shapes: Table[Shape]) -> None:
    table = {"name": "polygon", "corners": 4, "hole": {"name": "Circle", "radius": 2.0}, "weights": [1, 2], "filled": True}
    assert shapes.parse(table) == shapes.parse("Polygon(4, hole=Circle(2), weights=(1, 2), filled=True)")
    assert table["name"] == "polygon"


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("Circel", "unknown shape 'Circel'; did you mean 'Circle'"),
        ("Circle(1, 2)", "Circle takes at most 1 parameters, got 2"),
        ("Circle(1, radius=2)", "'radius' is given twice"),
        ("Circle(raduis=2)", "Circle has no parameter 'raduis'; did you mean 'radius'"),
        ("Circle(0)", "Circle: radius must be > 0, got 0"),
        ("Circle(nan)", "Circle: radius must be > 0, got nan"),
        ("Circle(red)", "Circle: radius must be a number, got 'red'"),
        ("Circle(true)", "Circle: radius must be a number, got 'True'"),
        ("Ellipse(3)", "Ellipse: a must be named: Ellipse\\(a=3\\); an Ellipse has two"),
        ("Ellipse(c=3)", "Ellipse has no parameter 'c'; known: a, b; an Ellipse has two"),
        ("Polygon", "Polygon needs the parameter 'corners', for example Polygon\\(corners=...\\)"),
        ("Polygon(0)", "corners must be >= 1, got 0"),
        ("Polygon(2.5)", "corners must be an integer, got '2.5'"),
        ("Polygon(3, style=dashed)", "style must be one of 'plain', 'dotted', got 'dashed'"),
        ("Polygon(3, filled=1)", "filled must be true or false, got '1'"),
        ("Polygon(3, label=4)", "label must be text, got '4'"),
        ("Polygon(3, p=1)", "p must be >= 0 and < 1, got 1"),
        ("Polygon(3, hole=Square)", "unknown shape 'Square'"),
        ("Polygon(3, weights=[1, a])", "weights must be a number, got 'a'"),
        ("Circle(", "cannot read the shape 'Circle\\('"),
        ({"radius": 1}, "the table of the shape needs a name"),
        ({"name": 3}, "the table of the shape needs a name"),
        (3, "the shape must be text such as 'Circle', got 3"),
        (None, "the shape must be text"),
    ],
)
def test_mistakes_are_explained(shapes: Table[Shape], description: Any, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        shapes.parse(description)


def test_an_entry_of_another_table_is_refused(shapes: Table[Shape]) -> None:
    with pytest.raises(NervaError, match="expected one of the table of shapes, got ReLU"):
        shapes.parse(nc.activations.ReLU())


def test_bounds_hold_for_direct_construction_too(shapes: Table[Shape]) -> None:
    with pytest.raises(NervaError, match="radius must be > 0"):
        shapes.lookup("Circle")(radius=-1)


def test_a_name_is_taken_once(shapes: Table[Shape]) -> None:
    @dataclass(frozen=True)
    class Disc(Shape):
        pass

    with pytest.raises(NervaError, match="shape 'Disc' is defined twice"):
        shapes.add(Disc)


def test_a_field_may_hold_a_symbol(shapes: Table[Shape]) -> None:
    """Only numbers are checked, so that the equations can be proved for any parameter."""
    marker = object()
    assert shapes.lookup("Circle")(radius=marker).radius is marker


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Momentum(name=[])", "Momentum has no parameter 'name'"),
        ("Momentum(self=1)", "Momentum has no parameter 'self'"),
        ("Momentum(" + "9" * 500 + ")", "a number with 500 digits is too long"),
        ("Momentum(" + "9" * 30 + ")", r"integers must be below 2⁶³"),
        ("Momentum" + " " * 20_000 + "!", "it is too long: 20009 characters"),
        ("WeightDecay(" * 60, "nested too deeply"),
    ],
)
def test_extremes_that_fuzzing_found(text: str, message: str) -> None:
    from nerva_core.equations.optimizers import OPTIMIZERS

    with pytest.raises(NervaError, match=message):
        OPTIMIZERS.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Adam(0.01)", r"Adam: beta1 must be named: Adam\(beta1=0.01\)"),
        ("Adam(lr=0.01)", "Adam has no parameter 'lr'"),
        ("RMSProp(0.01)", r"RMSProp: rho must be named: RMSProp\(rho=0.01\)"),
        ("GAF(Adam(0.01), arctan)", r"Adam: beta1 must be named"),
        ("SGD(0.01)", r"SGD: momentum must be named: SGD\(momentum=0.01\)"),
        ("Momentum(0.01, 0.9)", "Momentum takes at most 1 parameters, got 2"),
    ],
)
def test_a_learning_rate_is_not_taken_for_a_coefficient_of_the_optimizer(text: str, message: str) -> None:
    from nerva_core.equations.optimizers import OPTIMIZERS

    with pytest.raises(NervaError, match=message + r".*; the learning rate is that of the schedule, such as Constant\(0.01\)"):
        OPTIMIZERS.parse(text)


def test_numbers_of_numpy_are_numbers() -> None:
    assert ACTIVATIONS.build("LeakyReLU", np.float64(0.25)).alpha == 0.25
