"""Records of runs, read from their directories without loading a model: for tables, comparisons and curves of several runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError, counted, not_there
from nerva_core.training.config import Config, load_config
from nerva_core.training.results import Metrics, TrainingResult
from nerva_core.training.runs import CONFIG, METRICS, MODEL, RESULT

SEED = "seed"


@dataclass(frozen=True)
class Record:
    """One run."""

    directory: Path
    config: Config
    history: list[Metrics]
    result: TrainingResult | None
    """None while the run goes on, or if it was stopped."""

    @property
    def state(self) -> str:
        """How far it has come, in words."""
        if self.result is not None:
            return f"{'stopped early' if self.result.stopped_early else 'complete'}, {counted(self.result.epochs, 'epoch')}"
        return f"{len(self.history)} of {counted(self.config.training.epochs, 'epoch')}"

    @property
    def score(self) -> tuple[str, float | None]:
        """What it has come to: (the name of the measure, its value), on the test set if it has ended."""
        if self.result is not None:
            given = self.result.test_loss, self.result.test_accuracy
            name = "test"
        elif self.history:
            name, *values = self.history[-1].held_out
            given = values[0], values[1]
        else:
            return "", None
        loss, accuracy = given
        return (f"{name} loss", loss) if accuracy is None else (f"{name} accuracy", accuracy)


def records(paths: Iterable[Path], tell: Callable[[str], None] | None = None) -> list[Record]:
    """The runs in these directories, or in the directories in them; NervaError if one has none.

    A run that cannot be read is a NervaError too; with ``tell``, one that was not named itself is told and left out.
    """
    found = []
    for path in paths:
        named = (path / CONFIG).is_file()
        below = [path] if named else sorted(part.parent for part in path.glob(f"*/{CONFIG}"))
        if not below:
            raise NervaError(
                f"{path} holds no run; a run is a directory that nerva train --output has written" if path.exists() else not_there(path)
            )
        for directory in below:
            try:
                found.append(record(directory))
            except NervaError as error:
                if named or tell is None:
                    raise
                tell(f"{directory} is left out: {error}")
    return found


def record(directory: Path) -> Record:
    """The run in a directory."""
    config = load_config(directory / CONFIG)
    try:
        lines = (directory / METRICS).read_text(encoding="utf-8").splitlines() if (directory / METRICS).exists() else []
        history = [Metrics(**json.loads(line)) for line in lines]
        ended = (directory / RESULT).exists() and (directory / MODEL).exists()
        result = TrainingResult(**json.loads((directory / RESULT).read_text(encoding="utf-8"))) if ended else None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise NervaError(f"cannot read the run in {directory}: {error}") from None
    return Record(directory, config, history, result)


def settings(config: Config) -> dict[str, Any]:
    """The settings of a configuration by their dotted names, named parts as their text."""
    values = config.model_dump(exclude_none=True)
    parts = {name: repr(getattr(config, name)) for name in ("data", "loss", "optimizer", "schedule")}
    return dict(_flat({**values, **parts}))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def differences(found: Sequence[Record]) -> dict[str, list[Any]]:
    """The settings in which runs differ, with the value of each run."""
    each = [settings(one.config) for one in found]
    names = dict.fromkeys(name for values in each for name in values)
    rows = {name: [values.get(name) for values in each] for name in names}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}


def groups(found: Sequence[Record]) -> dict[str, list[Record]]:
    """The runs that differ by their seed alone, by what they differ in from the others."""
    differing = [name for name in differences(found) if name != SEED]
    result: dict[str, list[Record]] = {}
    for one in found:
        values = settings(one.config)
        label = ", ".join(f"{name.rpartition('.')[2]} {values.get(name)}" for name in differing) or one.directory.parent.name or "runs"
        result.setdefault(label, []).append(one)
    return result
