"""Experiments, and the bench they work on: the budget, the data, and runs of the ordinary trainer over several seeds."""

from __future__ import annotations

import dataclasses
import functools
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend_classes
from nerva_core.data import Dataset, DataSource, Digits, FashionMNIST
from nerva_core.reproductions.files import Budget
from nerva_core.reproductions.parallel import complete_in_parallel
from nerva_core.reproductions.report import Findings, Report
from nerva_core.reproductions.runs import Trained, complete, folder_of
from nerva_core.reproductions.verdicts import FEWEST_SEEDS
from nerva_core.reproductions.watch import PlannedRun, Progress, Watch
from nerva_core.training.config import Config, describe, make_config, override
from nerva_core.training.trainer import Trainer

T = TypeVar("T")

FASTEST_FIRST = ("jax", "torch", "numpy", "tensorflow")
"""The backends in the order of the time that networks of this size take on one core."""


def fastest_backend() -> str:
    """The first of ``FASTEST_FIRST`` that is installed."""
    classes = backend_classes()
    return next(name for name in FASTEST_FIRST if name in classes and find_spec(classes[name].requires))


@dataclass(frozen=True)
class Part:
    """Runs to be trained: each of some configurations with each seed."""

    kinds: Mapping[str, Mapping[str, Any]]
    """The configurations by name, as a configuration file has them."""
    source: DataSource
    common: Mapping[str, Any] = field(default_factory=dict)
    """What all of them have."""


Parts = Mapping[str, Part]
Results = Mapping[str, Mapping[str, list[Trained]]]
"""By the name of a part and of a kind, the runs, one a seed."""


@dataclass(frozen=True)
class Experiment:
    """The experiments of one paper: what is trained, and what is found."""

    name: str
    """As it is given to ``nerva reproduce``."""
    title: str
    paper: str
    parts: Callable[[Bench], Parts]
    findings: Callable[[Bench, Results], Findings]


@dataclass
class Bench:
    """What an experiment is given."""

    budget: Budget = "quick"
    backend: str = "numpy"
    source: DataSource | None = None
    """The images to use; by default Fashion-MNIST where Debian's package puts it, else the digits of scikit-learn."""
    given_seeds: tuple[int, ...] | None = None
    """The seeds to use in place of those of the experiment."""
    fraction: float = 1.0
    """The part of the full budget's epochs and steps that is trained."""
    jobs: int = 1
    """The number of processes that train."""
    kept: Path | None = None
    """The folder where runs are kept, and found again; None to keep none, with one process only."""
    progress: Progress = lambda text, fraction, left: None
    configurations: dict[str, str] = field(default_factory=dict)
    """The configuration of every kind of run, as TOML: what ``train`` was given, completed."""
    used: dict[str, Any] = field(default_factory=dict)
    """What ``train`` used, for the settings of the report."""
    processor: float = 0.0
    """The processor seconds of all runs."""
    _loaded: dict[str, Dataset] = field(default_factory=dict)

    def choose(self, quick: T, full: T) -> T:
        """What goes with the budget."""
        return quick if self.budget == "quick" else full

    def length(self, quick: int, full: int) -> int:
        """So many epochs or steps as go with the budget: of the full one the fraction that was asked for, and one at least."""
        return quick if self.budget == "quick" else max(1, round(full * self.fraction))

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
        """Train each configuration with each seed, as ``run`` does with the seeds of the bench."""
        return self._run([("", Part(kinds, source, common))], seeds)[""]

    def run(self, parts: Parts) -> Results:
        """Train every configuration with every seed; by part and kind, the runs.

        A run that diverges is a result too. NervaError for a configuration that is not sound.
        """
        return self._run(list(parts.items()), self.seeds())

    def configurations_of(self, parts: Parts) -> dict[tuple[str, str], Config]:
        """The configurations by part and kind, with the first seed."""
        return self._configurations(list(parts.items()), self.seeds()[0])

    def _configurations(self, parts: Sequence[tuple[str, Part]], seed: int) -> dict[tuple[str, str], Config]:
        found = {}
        for name, part in parts:
            settings = {"backend": self.backend, "data": part.source, **part.common}
            for kind, given in part.kinds.items():
                found[name, kind] = make_config(override(settings, {**given, "seed": seed}), kind)
        return found

    def _run(self, parts: Sequence[tuple[str, Part]], seeds: Sequence[int]) -> dict[str, dict[str, list[Trained]]]:
        if self.jobs > 1 and self.kept is None:
            raise NervaError(f"{self.jobs} processes keep their runs in a folder: Bench(kept=...) must say which")
        configurations = self._configurations(parts, seeds[0])
        works, configs = [], []
        for (name, kind), config in configurations.items():
            config = config.completed(self.load(config.data))
            self.configurations.setdefault(kind, config.to_toml())
            amount = config.training.epochs * len(self.load(config.data).Xtrain)
            works += [PlannedRun(f"{kind}, seed {seed}", f"{name} {kind}", amount) for seed in seeds]
            configs += [config.model_copy(update={"seed": seed}) for seed in seeds]
        watch = Watch(works, self.jobs, self.progress)
        if self.jobs > 1 and self.kept is not None:
            complete_in_parallel(configs, self.jobs, self.kept, watch.tell)
            watch = Watch(works, self.jobs, lambda text, fraction, left: None)
        results: dict[str, dict[str, list[Trained]]] = {name: {} for name, _ in parts}
        for k, (name, kind) in enumerate(configurations):
            results[name][kind] = self._runs(configs[k * len(seeds) : (k + 1) * len(seeds)], k * len(seeds), watch)
        self.progress("trained", 1.0, 0.0)
        sources = dict.fromkeys(_written(part.source) for _, part in parts)
        self.used.update(data=", ".join(sources), backend=self.backend, seeds=" ".join(map(str, seeds)))
        return results

    def _runs(self, configs: Sequence[Config], first: int, watch: Watch) -> list[Trained]:
        """The runs of a configuration with several seeds."""
        trainer = Trainer(configs[0], self.load(configs[0].data))
        found = []
        for n, config in enumerate(configs):
            if n:
                trainer.restart(config.seed)  # to compile the steps again for each seed would take most of the time
            found.append(complete(trainer, folder_of(self.kept, trainer), functools.partial(watch.tell, first + n)))
        self.processor += sum(run.processor for run in found)
        return found


def perform(experiment: Experiment, bench: Bench) -> Report:
    """Run an experiment on a bench of its own."""
    from nerva_core import __version__

    started = time.perf_counter()
    results = bench.run(experiment.parts(bench))
    processor = time.process_time()
    findings = experiment.findings(bench, results)
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    fraction: dict[str, Any] = {} if bench.fraction == 1 else {"fraction": bench.fraction}
    settings = {"budget": bench.budget, **fraction, **bench.used, "nerva": __version__, "machine": machine}
    settings["processor seconds"] = round(bench.processor + time.process_time() - processor)
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
