"""How XLA is to compile for the processor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

OPTION = "xla_cpu_disable_tiled_emitter"
KNOWN_TO = {"jax": "0.10.", "tensorflow": "2.21."}
"""The versions that are known to have it: an option that XLA does not know ends the process."""


@contextlib.contextmanager
def loops_for_sums(package: str, version: str) -> Iterator[None]:
    """What is compiled first must be compiled in here: XLA reads its flags from the environment, once. Those of the user stay.

    By its default, XLA computes a sum of two matrices five times as slowly as the product of a matrix and a number. With this option it
    does not, and a training step takes a tenth less.
    """
    given = os.environ.get("XLA_FLAGS")
    if not version.startswith(KNOWN_TO[package]) or "xla_backend_extra_options" in (given or ""):
        yield
        return
    os.environ["XLA_FLAGS"] = f"{given or ''} --xla_backend_extra_options={OPTION}".strip()
    try:
        yield
    finally:
        if given is None:
            del os.environ["XLA_FLAGS"]
        else:
            os.environ["XLA_FLAGS"] = given
