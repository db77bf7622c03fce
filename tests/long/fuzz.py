"""Inputs that are wrong in every way: each must be taken, or refused with one clear message. Never a traceback, a hang, a flood of memory,
a write outside the output directory, an unpickled object or a started process.

    python -m tests.long.fuzz                        # 12,000 inputs, a few minutes
    python -m tests.long.fuzz --examples 50 --targets archives,models

Hypothesis makes the inputs and shrinks what fails. Limits hold for every input: twenty seconds of processor time, ten minutes in
all, and three GiB more of address space than the process has when it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from nerva_core.algebra.errors import NervaError
from tests.long.fuzz_targets import targets

SECONDS, WAIT, MEMORY, MESSAGE = 20, 600, 3 * 2**30, 4000
"""Limits for one input: seconds of processor time, which other programs do not lengthen, and by the clock; the characters of a message."""


SETTINGS = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])


class HangError(BaseException):
    """An input took too long; no Exception, which the command would report as a defect."""


# What an input must not do -----------------------------------------------------------------

WRITES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "shutil.rmtree"}
FORBIDDEN = {"pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect"}


class Watch:
    """Sees what Python does while an input is tried (PEP 578)."""

    def __init__(self) -> None:
        self.allowed: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event} {arguments!r}")
        elif event in WRITES or (event == "open" and _writes(arguments)):
            paths = arguments[:1] if event == "open" else arguments[:2]  # the second of a renaming is a path too
            self.seen += [f"{event} {path}" for path in paths if isinstance(path, (str, bytes)) and not self._inside(path)]

    def _inside(self, path: str | bytes) -> bool:
        return path == os.devnull or Path(os.path.realpath(os.fsdecode(path))).is_relative_to(str(self.allowed))

    @contextlib.contextmanager
    def over(self, folder: Path) -> Iterator[None]:
        """Within this block only the folder may be written to."""
        self.allowed, self.seen = Path(os.path.realpath(folder)), []
        try:
            yield
        finally:
            self.allowed = None
        if self.seen:
            raise AssertionError(f"forbidden: {self.seen}")


def _writes(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = arguments
    if not isinstance(path, (str, bytes)):
        return False
    return any(c in mode for c in "wxa+") if mode else bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@contextlib.contextmanager
def limited_time() -> Iterator[None]:
    """HangError if the block takes too long, at work or waiting."""

    def ring(number: int, _: Any) -> None:
        raise HangError(f"more than {SECONDS} s of processor time" if number == signal.SIGPROF else f"more than {WAIT} s")

    timers = {signal.ITIMER_PROF: (signal.SIGPROF, SECONDS), signal.ITIMER_REAL: (signal.SIGALRM, WAIT)}
    for timer, (number, seconds) in timers.items():
        signal.signal(number, ring)
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)


def limit_memory() -> None:
    """What an input makes must fit into MEMORY more than there is now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def verdict(work: Callable[[], object]) -> str:
    """ "taken", or "refused" with one clear message; anything else is raised."""
    try:
        with np.errstate(all="ignore"):
            work()
    except NervaError as error:
        message = str(error)
        assert message.strip(), "a message that says nothing"
        assert len(message) <= MESSAGE, f"a message of {len(message)} characters: {message[:200]}"
        return "refused"
    return "taken"


def fuzz(name: str, examples: int, number: int, watch: Watch) -> dict[str, Any]:
    """Try one target: how many inputs were taken and refused, the longest time, and what failed."""
    strategy, work = targets()[name]
    count: Counter[str] = Counter()
    longest = (0.0, "")
    home = Path.cwd()

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
    )
    @given(strategy)
    def trial(given: Any) -> None:
        nonlocal longest
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            start = time.perf_counter()
            try:
                with watch.over(Path(folder)), limited_time():
                    count[verdict(lambda: work(Path(folder), given))] += 1
            finally:
                os.chdir(home)
                longest = max(longest, (time.perf_counter() - start, repr(given)[:200]))

    failures: list[str] = []
    try:
        trial()
    except BaseExceptionGroup as group:
        failures = [explained(error) for error in group.exceptions]
    except (Exception, HangError) as error:
        failures = [explained(error)]
    return {
        "target": name,
        "inputs": sum(count.values()),
        **dict(count),
        "longest_seconds": round(longest[0], 2),
        "longest_input": longest[1],
        "failures": failures,
    }


def explained(error: BaseException) -> str:
    """What failed, where, and for which input."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    notes = " ".join(getattr(error, "__notes__", []))
    return f"{type(error).__name__}: {str(error)[:300]} ({place.filename}:{place.lineno}) {notes[:1000]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a JSON object a target and the sum; status 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1000, help="of each target")
    parser.add_argument("--targets", default=",".join(targets()))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    limit_memory()
    warnings.simplefilter("ignore")  # of Hypothesis about long inputs, of NumPy about strange ones
    watch = Watch()
    results = []
    for name in options.targets.split(","):
        results.append(fuzz(name, options.examples, options.seed, watch))
        print(json.dumps(results[-1]), flush=True)
    failed = [result["target"] for result in results if result["failures"]]
    print(json.dumps({"inputs": sum(result["inputs"] for result in results), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
