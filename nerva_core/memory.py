"""What would not fit in memory is refused before it is made: the system would end the process, or all others, instead."""

from __future__ import annotations

import os

from nerva_core.errors import NervaError


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


def _readable(size: int) -> str:
    power = min(max(0, (size.bit_length() - 1) // 10), 6)
    amount = size // 1024**power if size >= 1024 ** (power + 1) else round(size / 1024**power, 1)
    return f"{amount:,} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[power]}"
