"""Checkpoints: the whole state of a run in one file, the one before it, and a lock against a second process in the same directory."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.training.config import Config, parse_config
from nerva_core.training.evaluation import EvaluatedState
from nerva_core.training.models import Arrays, fill, pack, read_safetensors, write_atomically
from nerva_core.training.results import Metrics
from nerva_core.training.step import TrainingState

CHECKPOINT, PREVIOUS = "checkpoint.safetensors", "checkpoint.previous.safetensors"
OUTPUTS = "outputs/"
"""The name of the array of outputs in the file."""

BEST = "best"
"""The tree of the parameters and statistics of the best epoch."""

MAY_CHANGE = ("epochs", "checkpoint_every", "checkpoint_every_minutes")
"""The settings of [training] with which a run may be continued differently."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a run needs to continue as if it had never stopped."""

    config: Config
    epoch: int
    """The number of complete epochs."""
    outputs: Array
    """What the steps of the next epoch that are done have reported, one row a step; without rows between two epochs."""
    history: list[Metrics]
    state: TrainingState
    """NumPy arrays."""
    data: str = ""
    """The fingerprint of the data."""
    best: EvaluatedState | None = None
    """What the best epoch had learned, if that is kept, as NumPy arrays."""

    def save(self, directory: Path) -> None:
        """Write the file atomically, and keep the one that was there as the previous one."""
        metadata = {"epoch": str(self.epoch), "history": json_lines(self.history), "config": self.config.to_toml(), "data": self.data}
        best = {} if self.best is None else {BEST: self.best}
        content = pack({**self.state._asdict(), "outputs": self.outputs, **best}, metadata)
        write_atomically(directory / CHECKPOINT, content, previous=directory / PREVIOUS)


def load_checkpoint(directory: Path, config: Config, template: TrainingState) -> tuple[Checkpoint | None, str]:
    """The last sound checkpoint, None if there is none yet; and a warning if it is not the last one.

    NervaError if no checkpoint can be read, or if it does not belong to this configuration and a state of the form of the
    template.
    """
    paths = [path for path in (directory / CHECKPOINT, directory / PREVIOUS) if path.exists()]
    problems: list[str] = []
    for path in paths:
        try:
            parts = _read(path)
        except NervaError as error:
            problems.append(str(error))
            continue
        checkpoint = _fit(path, config, template, *parts)
        return checkpoint, f"{problems[0]}; continuing from {path.name}, after epoch {checkpoint.epoch}" if problems else ""
    if problems:
        raise NervaError("\n".join(problems))
    return None, ""


def _read(path: Path) -> tuple[Arrays, int, list[Metrics], Config, str]:
    arrays, metadata = read_safetensors(path)
    try:
        history = [Metrics(**json.loads(line)) for line in metadata["history"].splitlines()]
        return (
            arrays,
            int(metadata["epoch"]),
            history,
            parse_config(metadata["config"], f"the configuration in {path}"),
            metadata.get("data", ""),
        )
    except (KeyError, ValueError, TypeError, RecursionError):
        raise NervaError(f"{path} is damaged: it does not say how far the run had come") from None


def _fit(
    path: Path, config: Config, template: TrainingState, arrays: Arrays, epoch: int, history: list[Metrics], written: Config, data: str
) -> Checkpoint:
    before, now = _lasting(written), _lasting(config)
    changed = [key for key in now if before.get(key) != now[key]]
    if changed:
        raise NervaError(f"{path} is of a run with another {changed[0]}: {before.get(changed[0])!r}, not {now[changed[0]]!r}")
    if len(history) != epoch or arrays.get(OUTPUTS, np.zeros(0)).ndim != 2:
        raise NervaError(f"{path} is damaged: it does not hold the metrics of {epoch} epochs and of the steps after them")
    state = TrainingState(**{name: fill(path, name, part, arrays) for name, part in template._asdict().items()})
    best = EvaluatedState(state.params, state.statistics)
    kept = fill(path, BEST, best, arrays) if any(name.startswith(f"{BEST}/") for name in arrays) else None
    return Checkpoint(written, epoch, arrays[OUTPUTS], history, state, data, kept)


def _lasting(config: Config) -> dict[str, Any]:
    """What must not change while a run lasts."""
    values = config.model_dump()
    training = {f"training.{key}": value for key, value in values.pop("training").items() if key not in MAY_CHANGE}
    return {**values, **training}


LISTED_IF_THERE = ("hard_distance", "validation_loss", "validation_accuracy", "top_accuracy")


def json_lines(history: list[Metrics]) -> str:
    """One JSON object a line for every epoch."""
    lines = [{name: value for name, value in asdict(m).items() if name not in LISTED_IF_THERE or value is not None} for m in history]
    return "".join(json.dumps(line) + "\n" for line in lines)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Within this block no other process works in the directory: NervaError if one does. A process that is killed leaves no lock."""
    try:
        import fcntl
    except ImportError:  # not on this system
        yield
        return
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError as error:
        raise NervaError(f"cannot read the directory {directory}: {error.strerror}") from None
    try:
        with contextlib.suppress(OSError):  # on a file system that has no locks
            _lock(fcntl, descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _lock(fcntl: Any, descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NervaError(f"another process is training in {directory}; wait for its end, or choose another --output") from None
