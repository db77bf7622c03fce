"""Several workers: how this process finds that it is one of them, and how they are started on this machine.

Workers are started by the launchers of their engines, ``mpiexec`` for NumPy and PyTorch's elastic launcher (that of ``torchrun``) for
PyTorch, and as plain processes for JAX and TensorFlow, which have none. Whatever else starts them, on other machines too, is recognised
by the variables that it sets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.workers import NEEDED, time_out
from nerva_core.training.interruption import SIGNALS

RANKS = {
    "WORLD_SIZE": "RANK",
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "PMI_SIZE": "PMI_RANK",
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",
}
"""The variables with the number of workers, and with the number of this one: of torchrun, Open MPI, MPICH and srun."""

LAUNCHED = "NERVA_LAUNCHED"
"""Set by ``nerva train --workers``: the file in which the first worker says who it is. The command that started it reports what fails."""

LOST = 75
"""The exit status of a worker that has lost another one: it may be tried again."""

PATIENCE = 1.0
"""Seconds for which a worker that fails lets the first one speak."""

MONITORED = 0.05
"""Seconds between two looks whether a worker has ended."""

LOGGED = re.compile(
    r"[IWEF]\d{4} \d|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |WARNING: All log messages before absl|\*\*\* Check failure|    @ "
)
"""How lines begin that C++ code logs, and the stack with which it ends a process."""

SPOKEN = ("error: ", "warning: ", "interrupted ", "Traceback ")
"""How lines begin that follow what C++ code logs and are none of it."""

NOT_FOUND = 14
"""SIGALRM: by this signal a worker ends that MPI keeps waiting for others which do not start."""

BANNER = re.compile(r"^=+$")
"""With such a line mpiexec begins to say that a worker has ended."""


def workers_in(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """(the number of this worker, the number of all), by the variables of a launcher; (0, 1) if there are none."""
    for count, rank in RANKS.items():
        if environment.get(count, "1") != "1":
            try:
                return int(environment[rank]), int(environment[count])
            except (KeyError, ValueError):
                raise NervaError(f"the environment has {count}={environment[count]!r}, but {rank}={environment.get(rank)!r}") from None
    return 0, 1


def is_first() -> bool:
    """Whether this process is the first worker, or the only one: the one that writes and reports."""
    return workers_in()[0] == 0


def announce(directory: Path) -> None:
    """Say who the first worker is, and where its run is, to the command that has started the workers."""
    if is_first() and LAUNCHED in os.environ:
        Path(os.environ[LAUNCHED]).write_text(f"{os.getpid()}\n{directory}\n")


def end_worker(message: str, status: int, lost: bool) -> None:
    """End this process, if it is one of several workers, with a message; at once, as the others may not be there to say good-bye to.

    The first worker speaks for all. Another one speaks only if the first does not fail in the same way, which would end this one.
    """
    rank, count = workers_in()
    if count == 1:
        return
    if rank > 0:
        time.sleep(PATIENCE)
    if not (lost and LAUNCHED in os.environ):
        print(f"error: {message}" if rank == 0 else f"error: worker {rank}: {message}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(LOST if lost else status)


@dataclass(frozen=True)
class Ended:
    """How the workers have ended."""

    status: int
    """The exit status of the first that failed, or 0."""
    reason: str = ""
    """What is not said by a worker: that one was ended by a signal."""
    directory: str = ""
    """Where the run is, if it had begun."""


def launch(backend: str, workers: int, arguments: list[str]) -> Ended:
    """Run ``nerva`` with the arguments as so many workers on this machine, each with its share of the cores, and wait for them."""
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    environment = {"OMP_NUM_THREADS": threads, **os.environ}
    launchers = {"numpy": _by_mpiexec, "torch": _by_torch, "jax": _by_processes, "tensorflow": _by_processes}
    if backend not in launchers:
        raise NervaError(f"--workers needs the backend {' or '.join(map(repr, launchers))}, got {backend!r}")
    with tempfile.TemporaryDirectory(prefix="nerva-") as folder:
        first = Path(folder) / "first"
        environment[LAUNCHED] = str(first)
        ended = launchers[backend](workers, arguments, environment)
        lines = first.read_text().splitlines() if first.exists() else []
        return replace(ended, directory=lines[1] if len(lines) > 1 else "")


def _by_mpiexec(workers: int, arguments: list[str], environment: dict[str, str]) -> Ended:
    require("mpi4py", "mpi")
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None:
        raise NervaError("--workers with NumPy needs mpiexec, of any MPI; install one with: pip install mpich")
    command = [mpiexec, "-n", str(workers), sys.executable, "-m", "nerva_core", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    with _signals_to_first(Path(environment[LAUNCHED])):
        try:
            assert process.stdout is not None
            said = _pass_on(process.stdout)
            status = process.wait()
        finally:
            process.terminate()
    killed = re.search(r"EXIT CODE: (\d+)", said)
    if not killed:
        return Ended(status)
    if int(killed[1]) == NOT_FOUND:
        return Ended(LOST, f"a worker that did not find the others within {time_out():g} seconds has ended")
    return Ended(LOST, f"a worker was ended by {_signal(int(killed[1]))}")


def _pass_on(lines: Iterable[str]) -> str:
    """Print what the workers print, as it comes; what mpiexec says at the end of one that was ended."""
    blank, said = "", ""
    for line in lines:
        if said or BANNER.match(line):
            said += line
        elif line == "\n":
            blank += line  # mpiexec begins with one
        else:
            print(blank + line, end="", flush=True)
            blank = ""
    return said


@contextlib.contextmanager
def _signals_to_first(path: Path) -> Iterator[None]:
    """Within this block signals are handed to the first worker, which tells the others."""

    def hand_on(number: int, _: Any) -> None:
        try:
            os.kill(int(path.read_text().split()[0]), number)
        except (OSError, IndexError):  # it is not there yet, or not any more
            raise KeyboardInterrupt from None

    before = {number: signal.signal(number, hand_on) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _by_processes(workers: int, arguments: list[str], environment: dict[str, str]) -> Ended:
    """Processes that find each other by the variables of torchrun, or by TF_CONFIG: JAX and TensorFlow bring no launcher."""
    ports = _free_ports(workers)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "nerva_core", *arguments],
            env=environment | _variables(rank, ports),
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        for rank in range(workers)
    ]
    speakers = [threading.Thread(target=_pass_on_errors, args=(process.stderr,), daemon=True) for process in processes]
    for speaker in speakers:
        speaker.start()
    with _signals_to_first(Path(environment[LAUNCHED])):
        try:
            statuses = _statuses(processes)
        finally:
            for process in processes:
                process.kill()  # of one that has ended it does nothing
                process.wait()
    for speaker in speakers:
        speaker.join(PATIENCE)
    return _ended(statuses)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


def _variables(rank: int, ports: list[int]) -> dict[str, str]:
    """What tells a worker of the others."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    values = rank, len(ports), "127.0.0.1", ports[0]
    return dict(zip(NEEDED, map(str, values), strict=True)) | {
        "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": rank}})
    }


def _statuses(processes: list[subprocess.Popen[str]]) -> list[int | None]:
    """The exit statuses when all have ended, or one has not ended well, and the first has had the time to say why; None of the others."""
    while True:
        statuses = [process.poll() for process in processes]
        if any(statuses) or None not in statuses:
            break
        time.sleep(MONITORED)
    interrupted = all(status is None or status > 128 for status in statuses)  # the first worker writes its state
    end = time.monotonic() + (time_out() if interrupted else PATIENCE)
    while any(statuses) and processes[0].poll() is None and time.monotonic() < end:
        time.sleep(MONITORED)
    return [process.poll() for process in processes]


def _ended(statuses: list[int | None]) -> Ended:
    """How workers with these exit statuses have ended. One that has lost the engine's service is aborted by the engine."""
    lost = LOST, -signal.SIGABRT
    for rank, status in enumerate(statuses):
        if status is not None and status < 0 and status not in lost:
            return Ended(LOST, f"worker {rank} was ended by {_signal(-status)}")
    if any(status in lost for status in statuses):
        return Ended(LOST)
    return Ended(next((status for status in statuses if status), 0))


def _pass_on_errors(lines: Iterable[str]) -> None:
    """Print what a worker says, but what the C++ code of its framework logs, in one line or in several."""
    logged = False
    for line in lines:
        logged = bool(LOGGED.match(line)) or (logged and not line.startswith(SPOKEN))
        if not logged:
            print(line, end="", file=sys.stderr, flush=True)


def _by_torch(workers: int, arguments: list[str], environment: dict[str, str]) -> Ended:
    require("torch", "torch")
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in [*logging.root.manager.loggerDict]:
        if name.startswith("torch.distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it logs is said in one message
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), None)
    # The workers are on this machine: its name need not be known to any resolver.
    os.environ |= environment | ({"GLOO_SOCKET_IFNAME": loopback} if loopback and "GLOO_SOCKET_IFNAME" not in os.environ else {})
    config = LaunchConfig(
        run_id="nerva",
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=workers,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "nerva_core", *arguments)
    except ChildFailedError as error:
        first, failure = error.get_first_failure()
        # One that is killed and one that has lost it may be seen in the same second; the launcher ends the others by SIGTERM.
        seen = [(rank, f.exitcode) for rank, f in error.failures.items() if f.timestamp == failure.timestamp]
        statuses = {rank: status for rank, status in seen if rank == first or status != -signal.SIGTERM}
        return _ended([statuses.get(rank) for rank in range(workers)])
    except SignalException as error:
        return Ended(128 + int(error.sigval))
    return Ended(0)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
