"""The machine of a measurement: the processor and the versions, without which a time says nothing."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

DISTRIBUTIONS = ("numpy", "scikit-learn", "torch", "jax", "jaxlib", "optax", "tensorflow-cpu", "tensorflow", "keras")


def machine() -> dict[str, Any]:
    """The processor, its cores, the system, the versions of what is compared, and the date."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }


def processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of the packages that are compared, as far as they are installed."""
    installed = {}
    for name in DISTRIBUTIONS:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed
