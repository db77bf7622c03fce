import os
from typing import Any

import pytest

from nerva_core.errors import NervaError
from nerva_core.memory import physical_memory, require_memory


def test_what_fits_is_allowed_and_what_does_not_is_refused() -> None:
    available = physical_memory()
    assert available is not None
    require_memory(available, "this")
    with pytest.raises(NervaError, match=r"that would need .* of memory, but this machine has .*iB"):
        require_memory(available + 1, "that")
    with pytest.raises(NervaError, match=r"would need 2\.0 TiB"):
        require_memory(2**41, "a network")
    with pytest.raises(NervaError, match=r"would need \d[\d,]+ EiB"):
        require_memory(10**60, "a network")


def test_where_the_system_does_not_say_all_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: Any) -> int:
        raise ValueError

    monkeypatch.setattr(os, "sysconf", unknown)
    assert physical_memory() is None
    require_memory(10**60, "a network")
