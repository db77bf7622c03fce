"""Memory: what would not fit is refused before it is made, as the system would end the process, or all others; and where arrays begin."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from nerva_core.algebra.errors import NervaError

Array: TypeAlias = np.ndarray[Any, Any]
"""A NumPy array of any shape and dtype."""


def physical_memory() -> int | None:
    """Bytes of this machine's memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def require_memory(size: int, what: str) -> None:
    """NervaError if so many bytes are more than the machine has."""
    available = physical_memory()
    if available is not None and size > available:
        raise NervaError(f"{what} would need {_readable(size)} of memory, but this machine has {_readable(available)}")


def on_cache_line(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array of zeros that begins on a cache line of 64 bytes. JAX reads such arrays where they lie, and copies others."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    result: Array = memory[start : start + size].view(dtype).reshape(shape)
    return result


def _readable(size: int) -> str:
    power = min(max(0, (size.bit_length() - 1) // 10), 6)
    amount = size // 1024**power if size >= 1024 ** (power + 1) else round(size / 1024**power, 1)
    return f"{amount:,} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[power]}"


def archive(arrays: Mapping[str, Array]) -> bytes:
    """The bytes of an .npz archive of these arrays."""
    buffer = io.BytesIO()
    given: Any = dict(arrays)
    np.savez(buffer, **given)
    return buffer.getvalue()
