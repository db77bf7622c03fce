"""What takes too long, or too much memory, is open, and the next theorem is tried."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.claims import Equality
from sympy_validation.limits import Limits, NoVerdict
from sympy_validation.theorem import Theorem, prove, prove_or_try_entries


def spin(seconds: float = 20) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def theorem(tested: Any) -> Theorem:
    return Theorem("test", "Z", "Z = 2X", Equality(("Z",), {"X": ("N", "D")}, tested, lambda space, X: 2 * X), "all sizes")


def is_symbolic(ops: Any, X: Any) -> bool:
    return not isinstance(ops.shape(X)[0], int)


def test_time() -> None:
    before, start = signal.getsignal(signal.SIGALRM), time.process_time()
    with pytest.raises(NoVerdict), Limits(seconds=0.2).held():
        spin()
    assert time.process_time() - start < 5
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with Limits(seconds=0.2).held():
        pass
    spin(0.4)  # nothing is raised once the limit is not held


def test_what_waits_is_limited_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    with Limits(seconds=0.05).held():
        time.sleep(0.1)  # no time of the processor
    monkeypatch.setattr("sympy_validation.limits.WAITING_LEAST", 0.1)
    with pytest.raises(NoVerdict), Limits(seconds=0.005).held():
        time.sleep(30)
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


def test_code_that_swallows_every_exception_is_stopped_again() -> None:
    def stubborn() -> None:
        try:
            spin()
        except:  # noqa: E722
            spin()

    start = time.process_time()
    with pytest.raises(NoVerdict), Limits(seconds=0.1).held():
        stubborn()
    assert time.process_time() - start < 5


def test_memory() -> None:
    with pytest.raises(MemoryError), Limits(gibibytes=0.25).held():
        bytearray(2**30)
    assert len(bytearray(2**20)) == 2**20


def test_another_thread_has_no_limit_of_time() -> None:
    found: list[str] = []

    def run() -> None:
        with Limits(seconds=0.05).held():
            spin(0.2)
        found.append("done")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == ["done"]


@pytest.mark.parametrize(("seconds", "gibibytes"), [(0, 1), (1, 0), (-1, 1), (float("nan"), 1)])
def test_a_limit_is_positive(seconds: float, gibibytes: float) -> None:
    with pytest.raises(NervaError, match="a limit must be more than 0"):
        Limits(seconds, gibibytes)


def slow_on_symbols(ops: Any, X: Any) -> Any:
    if is_symbolic(ops, X):
        spin()
    return X + X


def wrong_and_slow(ops: Any, X: Any) -> Any:
    return slow_on_symbols(ops, X) + X


def greedy(ops: Any, X: Any) -> Any:
    if is_symbolic(ops, X):
        bytearray(2**31)
    return X + X


def test_past_the_limit_a_theorem_is_open_and_refuted_if_it_is_wrong() -> None:
    quick = theorem(lambda ops, X: X + X)
    limits = Limits(seconds=0.3, gibibytes=1)
    found = list(prove([theorem(slow_on_symbols), theorem(wrong_and_slow), theorem(greedy), quick], limits))
    assert [v.status for v in found] == ["open", "refuted", "open", "proved"]
    assert [found[k].words for k in (0, 2)] == ["open: no verdict within 0.3 s", "open: no verdict within 1 GiB"]


def test_past_the_limit_the_concrete_sizes_are_tried() -> None:
    (verdict,) = prove_or_try_entries([theorem(slow_on_symbols)], Limits(seconds=0.3))
    assert (verdict.status, verdict.theorem.method, verdict.note) == ("proved", "entries", "no verdict within 0.3 s")


def test_an_import_is_not_stopped_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_module.py").write_text(
        "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def import_and_spin() -> None:
        importlib.import_module("slow_module")
        spin()

    with pytest.raises(NoVerdict), Limits(seconds=0.1).held():
        import_and_spin()
    assert sys.modules["slow_module"].whole
