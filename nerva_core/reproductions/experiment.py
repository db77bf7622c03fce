"""What an experiment is, and the bench it works on: the budget, the data, and runs of the ordinary trainer over several seeds."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal, TypeVar

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.data import Dataset, DataSource, Digits, FashionMNIST
from nerva_core.reproductions.report import Findings, Report
from nerva_core.reproductions.verdicts import FEWEST_SEEDS
from nerva_core.training.config import Config, describe, make_config, override
from nerva_core.training.results import Metrics
from nerva_core.training.step import TrainingState
from nerva_core.training.trainer import DivergenceError, Trainer

Budget = Literal["quick", "full"]
T = TypeVar("T")

FASTEST_FIRST = ("jax", "torch", "numpy", "tensorflow")
"""The backends in the order of the time that networks of this size take on one core."""


def fastest_backend() -> str:
    """The first of ``FASTEST_FIRST`` that is installed."""
    classes = backend_classes()
    return next(name for name in FASTEST_FIRST if name in classes and find_spec(classes[name].requires))


@dataclass(frozen=True)
class Experiment:
    """The experiments of one paper."""

    name: str
    """As it is given to ``nerva reproduce``."""
    title: str
    paper: str
    run: Callable[[Bench], Findings]


@dataclass(frozen=True)
class Trained:
    """One run: its configuration, the metrics of its epochs, and how it ended."""

    config: Config
    history: tuple[Metrics, ...]
    state: TrainingState
    """The last state, as NumPy arrays."""
    diverged: bool

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


@dataclass
class Bench:
    """What an experiment is given."""

    budget: Budget = "quick"
    backend: str = "numpy"
    source: DataSource | None = None
    """The images to use; by default Fashion-MNIST where Debian's package puts it, else the digits of scikit-learn."""
    given_seeds: tuple[int, ...] | None = None
    """The seeds to use in place of those of the experiment."""
    progress: Callable[[str, float], None] = lambda text, fraction: None
    """Told what is being done, and how much of that is done, from 0 to 1."""
    configurations: dict[str, str] = field(default_factory=dict)
    """The configuration of every kind of run, as TOML: what ``train`` was given, completed."""
    used: dict[str, Any] = field(default_factory=dict)
    """What ``train`` used, for the settings of the report."""
    _loaded: dict[str, Dataset] = field(default_factory=dict)

    def choose(self, quick: T, full: T) -> T:
        """What goes with the budget."""
        return quick if self.budget == "quick" else full

    def seeds(self) -> tuple[int, ...]:
        """The seeds the user gave, else 0, 1, 2, ..., the fewest from which a verdict is given."""
        return self.given_seeds if self.given_seeds is not None else tuple(range(FEWEST_SEEDS))

    def images(self, train: int | None = None, test: int | None = None) -> DataSource:
        """Images in classes, the first so many of them: what the user gave (with the user's own limits), or what is at hand.

        All that there are, if they are fewer.
        """
        source = self.source
        if source is None:
            source = FashionMNIST() if os.path.isdir(FashionMNIST().path) else Digits()
        data = self.load(source)

        train = train if train is not None and train < len(data.Xtrain) else None
        test = test if test is not None and test < len(data.Xtest) else None
        return dataclasses.replace(source, train=source.train or train, test=source.test or test)

    def load(self, source: DataSource) -> Dataset:
        """The data of a source, read once."""
        key = repr(source)
        if key not in self._loaded:
            self._loaded[key] = source.load()
        return self._loaded[key]

    def classes(self, source: DataSource) -> tuple[int, int]:
        """(features, classes) of a source; NervaError for a regression."""
        data = self.load(source)
        if data.classes is None:
            raise NervaError(f"this experiment needs images in classes, but {type(source).__name__} is a regression")
        return data.inputs, data.classes

    def train(
        self, kinds: Mapping[str, Mapping[str, Any]], seeds: Sequence[int], source: DataSource, **common: Any
    ) -> dict[str, list[Trained]]:
        """Train each configuration with each seed; ``common`` are values of all, as a configuration file has them.

        A run that diverges is a result too. NervaError for a configuration that is not sound.
        """
        settings = {"backend": self.backend, "data": source, **common}
        results: dict[str, list[Trained]] = {}
        for k, (kind, given) in enumerate(kinds.items()):
            config = make_config(override(settings, {**given, "seed": seeds[0]}), kind)
            self.configurations.setdefault(kind, config.to_toml())
            trainer = Trainer(config, self.load(config.data))
            for n, seed in enumerate(seeds):
                if n:
                    trainer.restart(seed)  # to compile the steps again for each seed would take most of the time
                done, total = k * len(seeds) + n, len(kinds) * len(seeds)
                results.setdefault(kind, []).append(self._run(trainer, f"{kind}, seed {seed}", done / total, 1 / total))
        self.progress("trained", 1.0)
        self.used.update(data=_written(source), backend=self.backend, seeds=" ".join(map(str, seeds)))
        return results

    def _run(self, trainer: Trainer, text: str, before: float, share: float) -> Trained:
        config, history, diverged = trainer.config, [], False
        self.progress(text, before)
        try:
            for metrics in trainer.run():
                history.append(metrics)
                self.progress(text, before + share * trainer.epoch / config.training.epochs)
        except DivergenceError:
            diverged = True
        return Trained(config, tuple(history), trainer.to_numpy(), diverged)


def perform(experiment: Experiment, bench: Bench) -> Report:
    """Run an experiment on a bench of its own."""
    from nerva_core import __version__

    started, processor = time.perf_counter(), time.process_time()
    findings = experiment.run(bench)
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    settings = {"budget": bench.budget, **bench.used, "nerva": __version__, "machine": machine}
    settings["processor seconds"] = round(time.process_time() - processor)
    return Report(
        experiment.name, experiment.title, experiment.paper, findings, settings, time.perf_counter() - started, bench.configurations
    )


def _written(source: DataSource) -> str:
    """A source as a user writes it, with what differs from its defaults and was chosen here."""
    defaults = {field.name: field.default for field in dataclasses.fields(source)}
    chosen = {key: value for key, value in describe(source).items() if key in ("path", "train", "test") and value != defaults[key]}
    fields = {key: repr(value) for key, value in chosen.items()}
    if isinstance(inner := getattr(source, "source", None), DataSource):
        fields["source"] = _written(inner)
    parameters = ", ".join(f"{key}={value}" for key, value in fields.items())
    return f"{type(source).__name__}({parameters})" if parameters else type(source).__name__
