"""The directory of a run: its configuration, metrics, checkpoint, model, figures. Nothing that is there is overwritten by another run."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.memory import Array
from nerva_core.training.checkpoints import CHECKPOINT, Checkpoint, json_lines, load_checkpoint, locked
from nerva_core.training.config import Config, load_config
from nerva_core.training.interruption import Interrupted, Interruption, deferred_signals
from nerva_core.training.launching import announce, is_first
from nerva_core.training.models import Model, load_model, save_model, write_atomically
from nerva_core.training.results import Metrics, TrainingResult
from nerva_core.training.trainer import DivergenceError, OnStep, Trainer

CONFIG, METRICS, MODEL, CURVES, CONFUSION = "config.toml", "metrics.jsonl", "model.safetensors", "curves.png", "confusion.png"
RESULT = "result.json"


@dataclass
class Run:
    """A training run and the directory it writes."""

    directory: Path
    trainer: Trainer
    history: list[Metrics] = field(default_factory=list)
    warning: str = ""
    """What the user should know of how the run was resumed."""
    confusion: Array | None = None
    """At the end of a classification: how often each class of the test set is predicted as each."""
    result: TrainingResult | None = None
    """At the end: what it has come to."""
    _saved: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, config: Config, directory: Path | None = None) -> Run:
        """A new run in a new or empty directory, by default a new one in ./runs.

        NervaError if the directory holds something, before anything is written.
        """
        if directory is not None and is_first():
            require_empty(directory)
        trainer = Trainer(config)
        if not is_first():
            return cls(directory or Path(), trainer)
        directory = _make(directory) if directory is not None else _new_directory(Path("runs"), config)
        with locked(directory):
            require_empty(directory)
            write_atomically(directory / CONFIG, config.to_toml().encode())
        return cls(directory, trainer)

    @classmethod
    def resume(cls, directory: Path, epochs: int | None = None) -> Run:
        """The run in ``directory``, from its last checkpoint; ``epochs`` replaces the number of epochs to train in all."""
        if not (directory / CONFIG).is_file():
            raise NervaError(f"{directory} holds no run to resume: there is no {CONFIG} in it")
        if is_first() and not os.access(directory, os.W_OK):
            raise NervaError(f"cannot resume in {directory}: it is not writable")
        config = load_config(directory / CONFIG, {} if epochs is None else {"training.epochs": epochs})
        run = cls(directory, Trainer(config))
        checkpoint, run.warning = load_checkpoint(directory, config, run.trainer.to_numpy())
        if checkpoint is not None:
            if run.trainer.config.training.blocks != config.training.blocks:
                raise NervaError(
                    f"{directory} is a run in one block, which several workers cannot share, as its sums would be rounded otherwise; "
                    "continue it with one worker"
                )
            run.history = checkpoint.history
            if checkpoint.data not in ("", run.trainer.data.fingerprint):
                changed = "the data are not those with which the run has been trained so far: their source has changed"
                run.warning = f"{run.warning}\n{changed}".strip()
            if epochs is not None and epochs < checkpoint.epoch + (len(checkpoint.outputs) > 0):
                begun = " and a part of the next" if len(checkpoint.outputs) else ""
                raise NervaError(
                    f"{directory} has {checkpoint.epoch} whole epochs{begun}, which cannot be taken back; --epochs is the number in all, "
                    f"so it must be at least {checkpoint.epoch + bool(begun)}, got {epochs}"
                )
            losses = [m.validation_loss for m in run.history if m.validation_loss is not None]
            run.trainer.restore(checkpoint.epoch, checkpoint.state, checkpoint.outputs, losses, checkpoint.best)
        return run

    def _repr_html_(self) -> str:
        """What a notebook shows: the network, what it has come to, and the curves."""
        from nerva_core.figures.plots import learning_curves

        trainer = self.trainer
        lines = [trainer.network.summary(trainer.data.inputs), f"{counted(trainer.epoch, 'epoch')}; results in {self.directory}"]
        if self.result is not None and self.result.test_loss is not None:
            accuracy = self.result.test_accuracy
            lines.append(f"test loss {self.result.test_loss:.4g}" if accuracy is None else f"test accuracy {100 * accuracy:.2f} %")
        image = base64.b64encode(learning_curves(self.history, "")).decode() if self.history else ""
        figure = f'<img alt="learning curves" src="data:image/png;base64,{image}">' if image else ""
        return f"<div>{''.join(f'<p>{escape(line)}</p>' for line in lines)}{figure}</div>"

    @property
    def how_to_continue(self) -> str:
        """The command that continues this run."""
        workers = self.trainer.ops.workers.count
        return f"nerva train --resume --output {shlex.quote(str(self.directory))}" + (f" --workers {workers}" if workers > 1 else "")

    def train(
        self,
        on_step: OnStep = lambda epoch, steps, loss: None,
        on_epoch: Callable[[Metrics], None] = lambda metrics: None,
        on_signal: Callable[[int], None] = lambda number: None,
    ) -> None:
        """Train to the last epoch, with checkpoints on the way; at the end the model and the curves are written.

        At SIGINT, SIGTERM or SIGHUP the state is saved after the steps that are being computed, within an epoch too, and
        Interrupted is raised; ``on_signal`` is told of the signal when it comes. NervaError if a file cannot be written: the last
        checkpoint is kept. Of several workers the first writes, and each obeys a signal that any of them has received.
        """
        if self.trainer.ops.workers.count > 1:
            announce(self.directory)
            self.trainer.require_agreement()
        if not is_first():
            with deferred_signals(on_signal) as interruption:
                self._train(on_step, on_epoch, interruption)
            return
        with locked(self.directory), deferred_signals(on_signal) as interruption:
            self._remove_what_is_useless()
            write_atomically(self.directory / CONFIG, self.trainer.config.to_toml().encode())
            try:
                self._train(on_step, on_epoch, interruption)
                self._finish()
            except DivergenceError:
                raise
            except NervaError as error:
                kept = f"; continue with: {self.how_to_continue}" if (self.directory / CHECKPOINT).exists() else ""
                raise type(error)(f"{error}{kept}") from None

    def _train(self, on_step: OnStep, on_epoch: Callable[[Metrics], None], interruption: Interruption) -> None:
        training = self.trainer.config.training

        def stepped(epoch: int, steps: int, loss: float) -> None:
            on_step(epoch, steps, loss)
            interruption.number = self._agreed(interruption.number)
            if interruption.number is not None or time.monotonic() - self._saved > 60 * training.checkpoint_every_minutes:
                self._checkpoint()
            if interruption.number is not None:
                raise Interrupted(interruption.number)

        for metrics in self.trainer.run(stepped):
            self.history.append(metrics)
            if metrics.epoch % training.checkpoint_every == 0 or self.trainer.is_done:
                self._checkpoint()
            if is_first():
                write_atomically(self.directory / METRICS, json_lines(self.history).encode())
            on_epoch(metrics)
        self.result = self.trainer.finish()  # by all workers, as they evaluate together

    def _agreed(self, number: int | None) -> int | None:
        """The signal that any worker has received, if any has."""
        ops = self.trainer.ops
        return number if ops.workers.count == 1 else int(ops.gathered([number or 0]).max()) or None

    def _checkpoint(self) -> None:
        """The metrics go into the checkpoint too, so that one file is the whole state and the two cannot disagree."""
        trainer = self.trainer
        self._saved = time.monotonic()
        if not is_first():
            return
        data, state = trainer.data.fingerprint, trainer.to_numpy()
        Checkpoint(trainer.config, trainer.epoch, trainer.outputs, self.history, state, data, trainer.best).save(self.directory)

    def _finish(self) -> None:
        from nerva_core.figures.plots import confusion_matrix, learning_curves

        assert self.result is not None
        state, config, data = self.trainer.to_numpy(), self.trainer.config, self.trainer.data
        model = Model(config, self.trainer.network, data.inputs, state.params, state.statistics, data.encoding)
        save_model(self.directory / MODEL, model)
        write_atomically(self.directory / METRICS, json_lines(self.history).encode())
        write_atomically(self.directory / RESULT, (json.dumps(asdict(self.result)) + "\n").encode())
        title = f"{type(config.data).__name__}, {config.backend}, {config.dtype}, seed {config.seed}"
        write_atomically(self.directory / CURVES, learning_curves(self.history, title))
        if data.classes is not None and data.positions == 1 and len(data.Xtest):
            self.confusion = self.trainer.confusion()
            write_atomically(self.directory / CONFUSION, confusion_matrix(self.confusion, data.class_names, f"{title}: test set"))

    def _remove_what_is_useless(self) -> None:
        """What a process left that was killed while it wrote, and a damaged checkpoint, which must not take the place of the one before.

        Nobody else writes here: the directory is locked.
        """
        for path in [*self.directory.glob(".*.partial"), *([self.directory / CHECKPOINT] if self.warning else [])]:
            path.unlink(missing_ok=True)


def model_of(path: Path) -> Model:
    """The model in a file, or that of the run in a directory; NervaError if the run has not come to an end."""
    if path.is_dir() and not (path / MODEL).exists():
        raise NervaError(f"{path} has no {MODEL}: its run has not come to an end; continue it with: nerva train --resume --output {path}")
    return load_model(path / MODEL if path.is_dir() else path)


def free_directory(parent: Path, config: Config) -> Path:
    """The first directory ``parent/<data>-<backend>-<number>`` that is not there yet."""
    stem = f"{type(config.data).__name__.lower()}-{config.backend}"
    taken = [int(match[1]) for path in parent.glob(f"{stem}-*") if (match := re.fullmatch(rf"{re.escape(stem)}-(\d+)", path.name))]
    return parent / f"{stem}-{max(taken, default=0) + 1}"


def _new_directory(parent: Path, config: Config) -> Path:
    """A free directory, made; also when several runs start at once."""
    while True:
        directory = free_directory(parent, config)
        try:
            directory.mkdir(parents=True)
        except FileExistsError:  # another run was quicker
            continue
        except OSError as error:
            raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None
        return directory


def _make(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None
    return directory


def require_empty(directory: Path) -> None:
    """NervaError unless the directory is not there, or holds nothing."""
    try:
        empty = not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))
        holds_run = not empty and (directory / CONFIG).exists()
    except OSError as error:
        raise NervaError(f"cannot read the directory {directory}: {error.strerror}") from None
    if not empty and not directory.is_dir():
        raise NervaError(f"{directory} is a file, and --output is a directory; choose another --output")
    if not empty:
        raise NervaError(
            f"{directory} is not empty"
            + (": it holds a run. Continue it with --resume, or choose another --output" if holds_run else "; choose another --output")
        )
