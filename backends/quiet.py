"""Streams that C++ code of a framework writes to, which no setting turns off."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def silent(stream: int) -> Iterator[None]:
    """Within this block nothing is written to stdout, 1, or stderr, 2. Exceptions are raised as ever."""
    (sys.stdout if stream == 1 else sys.stderr).flush()
    kept, null = os.dup(stream), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream)
        yield
    finally:
        os.dup2(kept, stream)
        os.close(kept)
        os.close(null)
