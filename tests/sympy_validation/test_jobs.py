"""The verdicts of several processes are those of one."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.claims import Equality
from sympy_validation.jobs import verdicts
from sympy_validation.table import select
from sympy_validation.theorem import Theorem

pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
"""JAX, which other tests of the process have loaded, warns of every fork; these processes use none of it."""


def theorem(tested: Any) -> Theorem:
    return Theorem("test", "Z", "Z = 2X", Equality(("Z",), {"X": ("N", "D")}, tested, lambda space, X: 2 * X), "all sizes")


def only_concrete(ops: Any, X: Any) -> Any:
    return X + X if isinstance(ops.shape(X)[0], int) else X.nothing


def test_the_same_verdicts_in_the_same_order() -> None:
    theorems = select(["layers.Linear", "layers.Softmax", "errata.004-43"])
    own = [theorem(only_concrete), theorem(lambda ops, X: X), theorem(lambda ops, X: X + X)]
    one, two = (list(verdicts(theorems, own, jobs=jobs)) for jobs in (1, 2))
    assert [(v.theorem.id, v.words, v.conditions) for v in one] == [(v.theorem.id, v.words, v.conditions) for v in two]
    assert [v.status for v in two[-3:]] == ["proved", "refuted", "proved"]
    assert two[-3].theorem.method == "entries"


def test_a_process_that_is_killed_is_a_message() -> None:
    def killed(ops: Any, X: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(NervaError, match="has been killed"):
        list(verdicts([theorem(killed), theorem(lambda ops, X: X + X)], jobs=2))


def test_at_least_one_job() -> None:
    with pytest.raises(NervaError, match="at least 1, got 0"):
        list(verdicts([], jobs=0))
