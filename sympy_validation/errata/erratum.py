"""An erratum: a printed formula, which is refuted, and its corrected form, which is proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nerva_core.algebra.matrix_ops import MatrixOps
from sympy_validation.theorem import Theorem

Ops = MatrixOps


@dataclass(frozen=True)
class Erratum:
    """A formula of the specification that is wrong, or only right under a condition that is not stated."""

    number: str
    where: str
    printed: str
    corrected: str
    theorems: tuple[Theorem, ...]
    """The printed form, which is refuted, and the corrected form, which is proved by each method."""


def erratum(number: str, *, where: str, printed: str, corrected: str, wrong: Iterator[Theorem], right: Iterator[Theorem]) -> Erratum:
    """The pair of theorems, under the erratum's number."""
    subject = f"errata.{number}"
    refuted = next(wrong)  # one method is enough to refute
    first = Theorem(
        subject=subject,
        quantity=refuted.quantity,
        statement=f"printed: {printed}",
        claim=refuted.claim,
        method="entries",
        expected="refuted",
        name="printed",
        range=refuted.range,
    )
    others = (
        Theorem(
            subject=subject,
            quantity=proved.quantity,
            statement=f"corrected: {corrected}",
            claim=proved.claim,
            method=proved.method,
            conditions=proved.conditions,
            name="corrected",
            range=proved.range,
        )
        for proved in right
    )
    return Erratum(number, where, printed, corrected, (first, *others))
