from __future__ import annotations

import pytest

from sympy_validation.errata import dab, gaf, q_neurons, specification, tmaf
from sympy_validation.errata.erratum import erratum
from sympy_validation.errata.statements import less
from sympy_validation.theorem import prove

PAPERS = {"specification": specification, "gaf": gaf, "tmaf": tmaf, "dab": dab, "q_neurons": q_neurons}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_erratum_is_a_refutation_and_a_proof(paper: str) -> None:
    for item in PAPERS[paper].errata():
        printed, *corrected = item.theorems
        assert printed.expected == "refuted"
        assert corrected
        assert {t.expected for t in corrected} == {"proved"}


def test_an_erratum_has_its_number_and_words_in_its_theorems() -> None:
    one, two = lambda ops: ops.full(1.0, 1, 1), lambda ops: ops.full(2.0, 1, 1)
    found = erratum(
        "000-00",
        where="nowhere",
        printed="2 < 1",
        corrected="1 < 2",
        wrong=less(lambda ops: (two(ops), one(ops))),
        right=less(lambda ops: (one(ops), two(ops))),
    )
    assert [theorem.id for theorem in found.theorems] == [
        "errata.000-00.left < right[printed]/entries",
        "errata.000-00.left < right[corrected]/entries",
    ]
    assert [theorem.statement for theorem in found.theorems] == ["printed: 2 < 1", "corrected: 1 < 2"]
    assert [verdict.as_expected for verdict in prove(found.theorems)] == [True, True]
