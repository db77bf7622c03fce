import os
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import on_cache_line, physical_memory, require_memory


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


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", bool])
def test_arrays_begin_on_a_cache_line(dtype: Any) -> None:
    for shape in ((), (0, 3), (1,), (3, 5), (2, 3, 4)):
        array = on_cache_line(shape, dtype)
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        assert array.ctypes.data % 64 == 0 or array.size == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert not array.any()


def test_where_the_system_does_not_say_all_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: Any) -> int:
        raise ValueError

    monkeypatch.setattr(os, "sysconf", unknown)
    assert physical_memory() is None
    require_memory(10**60, "a network")
