"""From the table to Coq: what is exported, and why the rest is not."""

from __future__ import annotations

from collections import Counter

from sympy_validation.coq.export import export, identifier
from sympy_validation.table import select


def test_names_are_identifiers_and_different() -> None:
    theorems = select(["layers.Linear", "layers.Repeat", "errata.003-12", "layers.DAB"])
    names = [e.name for e in export(t for t in theorems if t.method == "all sizes")]
    assert all(name.isidentifier() and name.isascii() for name in names)
    assert Counter(names).most_common(1)[0][1] == 1


def test_what_is_not_exported_has_a_reason() -> None:
    (pooling,) = export(t for t in select(["layers.MaxPool"]) if t.method == "all sizes")
    assert (pooling.text, pooling.reason) == ("", "the derivative of a maximum")


def test_concrete_sizes_are_not_exported() -> None:
    (found,) = export([next(t for t in select(["layers.Linear.DX"]) if t.method == "entries")])
    assert found.reason == "a statement at concrete sizes"


def test_a_jacobian_that_is_computed_with_has_a_theorem_of_its_own() -> None:
    theorem = next(t for t in select(["specification.Lemma 1"]) if t.method == "all sizes")
    (found,) = export([theorem])
    assert f"Theorem {identifier(theorem)}_derivative_1 :" in found.text
