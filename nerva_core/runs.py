"""The directory of a run: its configuration, metrics, checkpoint, model and figure. Nothing that is there is overwritten by another run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nerva_core.config import Config, load_config
from nerva_core.errors import NervaError
from nerva_core.models import Model, pack, read_safetensors, save_model, unpack, write_atomically
from nerva_core.training import Metrics, Trainer, TrainingState

CONFIG, METRICS, CHECKPOINT, MODEL, CURVES = "config.toml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors", "curves.png"


@dataclass
class Run:
    """A training run and the directory it writes."""

    directory: Path
    trainer: Trainer
    history: list[Metrics] = field(default_factory=list)

    @classmethod
    def start(cls, config: Config, directory: Path) -> Run:
        """A new run in a new or empty directory; NervaError if the directory holds something, before anything is written."""
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            holds_run = (directory / CONFIG).exists()
            raise NervaError(
                f"{directory} is not empty"
                + (": it holds a run. Continue it with --resume, or choose another --output" if holds_run else "; choose another --output")
            )
        run = cls(directory, Trainer(config))
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None
        write_atomically(directory / CONFIG, config.to_toml().encode())
        return run

    @classmethod
    def resume(cls, directory: Path, epochs: int | None = None) -> Run:
        """The run in ``directory``, after its last complete epoch; ``epochs`` replaces the number of epochs to train in all."""
        if not (directory / CONFIG).is_file():
            raise NervaError(f"{directory} holds no run to resume: there is no {CONFIG} in it")
        config = load_config(directory / CONFIG, {} if epochs is None else {"training.epochs": epochs})
        run = cls(directory, Trainer(config))
        if epochs is not None:
            write_atomically(directory / CONFIG, config.to_toml().encode())
        if (directory / CHECKPOINT).exists():
            run._restore()
        return run

    def train(
        self, on_step: Callable[[int, int], None] = lambda epoch, steps: None, on_epoch: Callable[[Metrics], None] = lambda metrics: None
    ) -> None:
        """Train to the last epoch; after each the checkpoint and the metrics are written, at the end the model and the curves."""
        for metrics in self.trainer.run(on_step):
            self.history.append(metrics)
            self._checkpoint()
            on_epoch(metrics)
        state, config = self.trainer.to_numpy(), self.trainer.config
        model = Model(config, self.trainer.network, self.trainer.data.inputs, state.params, state.statistics, self.trainer.data.encoding)
        save_model(self.directory / MODEL, model)
        from nerva_core.plots import learning_curves

        title = f"{type(config.data).__name__}, {config.backend}, {config.dtype}, seed {config.seed}"
        write_atomically(self.directory / CURVES, learning_curves(self.history, title))

    def _checkpoint(self) -> None:
        """The metrics go into the checkpoint too, so that one file is the whole state and the two cannot disagree."""
        history = "".join(json.dumps(asdict(metrics)) + "\n" for metrics in self.history)
        content = pack(self.trainer.to_numpy()._asdict(), {"epoch": str(self.trainer.epoch), "history": history})
        write_atomically(self.directory / CHECKPOINT, content)
        write_atomically(self.directory / METRICS, history.encode())

    def _restore(self) -> None:
        path = self.directory / CHECKPOINT
        _, metadata = read_safetensors(path)
        try:
            epoch = int(metadata["epoch"])
            self.history = [Metrics(**json.loads(line)) for line in metadata["history"].splitlines()]
        except (KeyError, ValueError, TypeError):
            raise NervaError(f"{path} is damaged: it does not say how far the run had come") from None
        self.trainer.restore(epoch, TrainingState(**unpack(path, self.trainer.to_numpy()._asdict())))


def free_directory(parent: Path, config: Config) -> Path:
    """The first directory ``parent/<data>-<backend>-<number>`` that is not there yet."""
    stem = f"{type(config.data).__name__.lower()}-{config.backend}"
    taken = [int(match[1]) for path in parent.glob(f"{stem}-*") if (match := re.fullmatch(rf"{re.escape(stem)}-(\d+)", path.name))]
    return parent / f"{stem}-{max(taken, default=0) + 1}"
