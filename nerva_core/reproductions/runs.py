"""One run of an experiment: trained by the ordinary trainer, kept in a folder, and continued where it was left."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nerva_core.algebra.errors import NervaError
from nerva_core.training.checkpoints import Checkpoint, load_checkpoint
from nerva_core.training.config import Config
from nerva_core.training.models import write_atomically
from nerva_core.training.results import Metrics
from nerva_core.training.selection import is_enough
from nerva_core.training.step import TrainingState
from nerva_core.training.trainer import NO_OUTPUTS, DivergenceError, Trainer

SAVED_EVERY = 30.0
"""After how many seconds of training the state of a run is saved: what an interruption loses at most."""
BEGUN, FINISHED, PROCESSOR = "begun", "finished", "processor-seconds"
"""In the folder of a run: the state of one that is not finished, that of one that is, and the processor time that it took."""


@dataclass(frozen=True)
class Trained:
    """One run: its configuration, the metrics of its epochs, and how it ended."""

    config: Config
    history: tuple[Metrics, ...]
    state: TrainingState
    """The last state, as NumPy arrays, without that of the optimizer."""
    diverged: bool
    processor: float = 0.0
    """The processor time of the whole run in seconds, with that of the parts before an interruption."""

    @property
    def last(self) -> Metrics | None:
        """The metrics of the last epoch; None if the run diverged, however many epochs it had done."""
        return None if self.diverged else self.history[-1]


def values(runs: Sequence[Trained], quantity: Callable[[Metrics], float | None]) -> list[float]:
    """A quantity after the last epoch, one a run; NaN of a run that diverged."""
    found = [None if run.last is None else quantity(run.last) for run in runs]
    return [float("nan") if value is None else float(value) for value in found]


def curves(runs: Sequence[Trained], quantity: Callable[[Metrics], float | None]) -> list[list[float]]:
    """A quantity over the epochs, one list a run; a run that diverged gives a shorter one."""
    return [[float("nan") if (value := quantity(m)) is None else float(value) for m in run.history] for run in runs]


def folder_of(runs: Path | None, trainer: Trainer) -> Path | None:
    """The folder of a run among others, named by all that determines it; None if nothing is kept."""
    if runs is None:
        return None
    from nerva_core import __version__

    determined = "\n".join((trainer.config.to_toml(), trainer.data.fingerprint, __version__))
    return runs / hashlib.sha256(determined.encode()).hexdigest()[:16]


def complete(trainer: Trainer, folder: Path | None = None, progress: Callable[[float], None] = lambda fraction: None) -> Trained:
    """Train to the end, from where the run in the folder was left, and keep it there; one that is finished is read.

    ``progress`` is told the fraction of the epochs that are done. A run that diverges is a result too.
    """
    found = None if folder is None else finished(trainer, folder)
    if found is not None:
        progress(1.0)
        return found
    history, before = _continue(trainer, folder)
    started, saved, diverged = time.process_time() - before, time.monotonic(), False

    def told(epoch: int, steps: int = 0, loss: float = 0.0) -> None:
        nonlocal saved
        if folder is not None and time.monotonic() - saved > SAVED_EVERY:
            _save(trainer, folder, history, time.process_time() - started)
            saved = time.monotonic()
        progress((epoch + steps / trainer.steps_per_epoch) / trainer.config.training.epochs)

    progress(trainer.epoch / trainer.config.training.epochs)
    try:
        for metrics in trainer.run(told):
            history.append(metrics)
            told(trainer.epoch)
    except DivergenceError:
        diverged = True
    state = trainer.to_numpy()._replace(optimizer=())
    run = Trained(trainer.config, tuple(history), state, diverged, time.process_time() - started)
    if folder is not None:
        _keep(run, folder, trainer.data.fingerprint)
    return run


def finished(trainer: Trainer, folder: Path) -> Trained | None:
    """The run in the folder, if it is finished. NervaError if its file is damaged."""
    checkpoint, _ = load_checkpoint(folder / FINISHED, trainer.config, trainer.to_numpy()._replace(optimizer=()))
    if checkpoint is None:
        return None
    training = trainer.config.training
    losses = [m.validation_loss for m in checkpoint.history if m.validation_loss is not None]
    diverged = checkpoint.epoch < training.epochs and not is_enough(losses, training.patience)
    return Trained(trainer.config, tuple(checkpoint.history), checkpoint.state, diverged, _processor(folder))


def _continue(trainer: Trainer, folder: Path | None) -> tuple[list[Metrics], float]:
    """The metrics so far and the processor seconds they took; the trainer is put where the run was left."""
    if folder is None:
        return [], 0.0
    checkpoint, _ = load_checkpoint(folder / BEGUN, trainer.config, trainer.to_numpy())
    if checkpoint is None:
        return [], 0.0
    trainer.restore(checkpoint.epoch, checkpoint.state, checkpoint.outputs)
    return list(checkpoint.history), _processor(folder)


def _save(trainer: Trainer, folder: Path, history: Sequence[Metrics], processor: float) -> None:
    state, data = trainer.to_numpy(), trainer.data.fingerprint
    _write(folder / BEGUN, Checkpoint(trainer.config, trainer.epoch, trainer.outputs, list(history), state, data), processor)


def _keep(run: Trained, folder: Path, data: str) -> None:
    checkpoint = Checkpoint(run.config, len(run.history), NO_OUTPUTS, list(run.history), run.state, data)
    _write(folder / FINISHED, checkpoint, run.processor)
    shutil.rmtree(folder / BEGUN, ignore_errors=True)


def _write(directory: Path, checkpoint: Checkpoint, processor: float) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None
    checkpoint.save(directory)
    write_atomically(directory.parent / PROCESSOR, f"{processor:.3f}\n".encode())


def _processor(folder: Path) -> float:
    try:
        return float((folder / PROCESSOR).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0
