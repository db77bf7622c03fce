import sys

import pytest

import nerva_core as nc
from nerva_core.algebra.errors import NervaError


def test_without_sympy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(NervaError, match="proofs"):
        nc.prove("Linear")


def test_the_time_of_a_proof_is_limited() -> None:
    with pytest.raises(NervaError, match="limit must be more than 0"):
        nc.prove("Linear", seconds=0)
