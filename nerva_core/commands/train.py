"""The command ``nerva train``. What it needs is imported when it runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.commands.completion import backend_names, dtype_names, names_of

if TYPE_CHECKING:
    from nerva_core.training.config import Config
    from nerva_core.training.reporting import Reporters
    from nerva_core.training.runs import Run

RATE = ("--schedule", "--learning-rate", "--lr")
MODEL, TRAINING, OUTPUT = "What is trained", "How", "What is shown and written"


def _option(help: str, panel: str, *names: str, complete: Callable[[str], list[str]] | None = None) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, autocompletion=complete)


SETTINGS = {
    "": ("backend", "dtype", "device", "seed", "loss", "optimizer", "schedule", "data"),
    "model.": ("layers", "sizes", "load_weights", "overall_density", "densities"),
    "training.": ("epochs", "patience", "validation", "batch_size", "checkpoint_every", "prune", "grow", "grow_weights", "prune_interval"),
}
"""The flags that are settings of the configuration, by the table in which they stand there."""


def train(
    config: Annotated[Path | None, typer.Argument(help="A TOML file; without it, scikit-learn's digits.", show_default=False)] = None,
    data: Annotated[str | None, _option("Spirals(arms=3), pets.csv, images/, ...", MODEL, complete=names_of("data sources"))] = None,
    target: Annotated[str | None, _option("The column to predict, of a table; by default the last.", MODEL)] = None,
    columns: Annotated[str | None, _option("The columns to predict from: 'age,colour'; by default all others.", MODEL)] = None,
    layers: Annotated[str | None, _option("Nerva's notation: 'ReLU;BatchNormalization;Linear'.", MODEL)] = None,
    sizes: Annotated[str | None, _option("The inputs, then the outputs of each layer that has them: '64;128;10'.", MODEL)] = None,
    overall_density: Annotated[float | None, _option("The part of all weights that are there, by Erdős–Rényi.", MODEL)] = None,
    densities: Annotated[str | None, _option("The part of its weights that each layer has: 0.05;0.05;1.", MODEL)] = None,
    load_weights: Annotated[str | None, _option("Start from these weights: Nerva's .npz, or a model.safetensors.", MODEL)] = None,
    loss: Annotated[str | None, _option("A loss, such as SoftmaxCrossEntropy.", TRAINING, complete=names_of("losses"))] = None,
    optimizer: Annotated[str | None, _option("Such as Adam or Nesterov(mu=0.9).", TRAINING, complete=names_of("optimizers"))] = None,
    schedule: Annotated[str | None, _option("The rate: 0.01, Cosine(0.1, n=20).", TRAINING, *RATE, complete=names_of("schedules"))] = None,
    epochs: Annotated[int | None, _option("The number of epochs.", TRAINING)] = None,
    batch_size: Annotated[int | None, _option("Examples in a batch.", TRAINING)] = None,
    prune: Annotated[str | None, _option("Which weights move: Magnitude(0.3), SET(0.3), Threshold(0.01).", TRAINING)] = None,
    grow: Annotated[str | None, _option("To which places: Random, or RigL.", TRAINING)] = None,
    grow_weights: Annotated[str | None, _option("The values of weights at new places.", TRAINING)] = None,
    prune_interval: Annotated[int | None, _option("Move them every so many steps; by default every epoch.", TRAINING)] = None,
    validation: Annotated[float | None, _option("Hold out this fraction of the training set, to choose by.", TRAINING)] = None,
    patience: Annotated[int | None, _option("Stop after so many epochs without a better one; the best is kept.", TRAINING)] = None,
    set_: Annotated[list[str] | None, _option("Any setting: --set training.class_weights=balanced.", TRAINING, "--set")] = None,
    seed: Annotated[int | None, _option("Determines initial values, order and noise.", TRAINING)] = None,
    backend: Annotated[str | None, _option("numpy, jax, torch or tensorflow.", TRAINING, complete=backend_names)] = None,
    dtype: Annotated[str | None, _option("float32, float64, or bfloat16 (not numpy).", TRAINING, complete=dtype_names)] = None,
    device: Annotated[str | None, _option("cpu, or a device of the backend such as cuda:0.", TRAINING)] = None,
    workers: Annotated[int | None, _option("Processes that share out every batch, of any backend.", TRAINING)] = None,
    output: Annotated[Path | None, _option("A new directory for the results; by default one in ./runs.", OUTPUT)] = None,
    resume: Annotated[bool, _option("Continue the run in --output from its last checkpoint.", OUTPUT, "--resume")] = False,
    checkpoint_every: Annotated[int | None, _option("Save the state every so many epochs.", OUTPUT)] = None,
    trace: Annotated[bool, _option("Print every matrix of the first step, and do not train.", OUTPUT, "--trace")] = False,
    plot: Annotated[bool, _option("At the end, draw the loss and the confusions as text.", OUTPUT, "--plot")] = False,
    tensorboard: Annotated[bool, _option("Write event files for TensorBoard.", OUTPUT, "--tensorboard")] = False,
    profile: Annotated[bool, _option("At the end, show where a step's time goes, by layer and operation.", OUTPUT, "--profile")] = False,
    json: Annotated[bool, _option("Print JSON alone: an object at the start, one an epoch, one at the end.", OUTPUT, "--json")] = False,
    quiet: Annotated[bool, _option("Print nothing but errors.", OUTPUT, "--quiet", "-q")] = False,
) -> None:
    """Train a network with hand-written backpropagation.

    Ctrl-C saves the state and says how to continue; the result is then bit for bit that of a run which was never interrupted.
    """
    overrides = _overrides(locals())
    if trace:
        _trace(config, overrides)
    elif not _launched(workers, output, config, overrides, resume):
        reporters = _reporters(quiet, json, plot, tensorboard)
        run = _resumed(output, config, overrides) if resume else _started(output, config, overrides)
        _train(run, reporters)
        if profile:
            _profile(run, shown=not (quiet or json))


def _overrides(flags: dict[str, Any]) -> dict[str, Any]:
    """The settings that are given, by their names in the configuration. NervaError for flags that cannot stand together."""
    parsed = {
        "data": _data(flags["data"], flags["target"], flags["columns"], flags["loss"]),
        "sizes": _numbers("--sizes", "64;128;10", flags["sizes"], int),
        "densities": _numbers("--densities", "0.05;0.05;1", flags["densities"], float),
    }
    settings = {prefix + name: {**flags, **parsed}[name] for prefix, names in SETTINGS.items() for name in names}
    given = {name: value for name, value in settings.items() if value is not None} | _settings(flags["set_"])
    if flags["trace"] and flags["output"] is not None:
        raise NervaError(f"--trace prints and writes no files, so it takes no --output, got {flags['output']}")
    if flags["workers"] is not None and flags["workers"] < 1:
        raise NervaError(f"--workers must be at least 1, got {flags['workers']}")
    return given


def _launched(workers: int | None, output: Path | None, config_file: Path | None, overrides: dict[str, Any], resume: bool) -> bool:
    """Run this command as so many workers, unless this process is one of them; what they would all complain of is found first."""
    from nerva_core.training.config import load_config
    from nerva_core.training.launching import LOST, launch, workers_in
    from nerva_core.training.runs import CONFIG, require_empty
    from nerva_core.training.sharing import with_blocks

    if workers is None or workers == 1:
        return False
    if (count := workers_in()[1]) > 1:
        if count != workers:
            raise NervaError(f"--workers is {workers}, but the launcher has started {count}; leave --workers out")
        return False
    if resume:
        chosen = load_config(_resumable(output, config_file, overrides) / CONFIG)
    else:
        chosen = _config(config_file, overrides)
        if output is not None:
            require_empty(output)
    with_blocks(chosen, workers)
    ended = launch(chosen.backend, workers, sys.argv[1:])
    if ended.status == LOST:
        reason = ended.reason or "a worker has ended, or did not answer the others in time"
        where = f"; continue with: nerva train --resume --output {shlex.quote(ended.directory)} --workers {workers}"
        print(f"error: {reason}, and the others with it{where if ended.directory else ''}", file=sys.stderr)
    if ended.status:
        raise typer.Exit(ended.status)
    return True


def _data(data: str | None, target: str | None, columns: str | None, loss: str | None) -> Any:
    """The data source of a name with parameters, or of a path."""
    from nerva_core.data.table_file import source_of_path
    from nerva_core.equations.losses import LOSSES

    if data is None and (target or columns):
        raise NervaError(f"{'--target' if target else '--columns'} is for a table in a file: give --data houses.csv, too")
    if data is None:
        return None
    regression = loss is not None and not LOSSES.parse(loss).classification
    names = [name.strip() for name in columns.split(",")] if columns else []
    return source_of_path(data, target, names, regression) or data


def _settings(texts: list[str] | None) -> dict[str, Any]:
    from nerva_core.training.config import parse_settings

    return parse_settings(texts or [])


def _train(run: Run, reporters: Reporters) -> None:
    from nerva_core.training.checks import batch_warning, precision_warning
    from nerva_core.training.interruption import Interrupted
    from nerva_core.training.launching import is_first
    from nerva_core.training.penalties import penalty_warning

    trainer = run.trainer
    warnings = (
        run.warning,
        trainer.data.warning,
        precision_warning(trainer.ops.dtype, trainer.data),
        batch_warning(trainer.config.training.batch_size, trainer.data),
        penalty_warning(trainer),
    )
    for warning in filter(None, warnings) if is_first() else ():
        print(f"warning: {warning}", file=sys.stderr)
    try:
        reporters.start(run)
        run.train(reporters.step, reporters.epoch, reporters.signal)
        reporters.finish(run)
    except KeyboardInterrupt as interrupt:
        reporters.close()
        trainer = run.trainer
        steps = f" and {len(trainer.outputs)} of {trainer.steps_per_epoch} steps" if len(trainer.outputs) else ""
        saved = isinstance(interrupt, Interrupted)
        done = f"after {trainer.epoch} of {counted(trainer.config.training.epochs, 'epoch')}{steps if saved else ''}"
        what = "and saved" if saved else "at once, with the last checkpoint kept"
        if is_first():
            print(f"interrupted {done}, {what}; continue with: {run.how_to_continue}", file=sys.stderr)
        raise typer.Exit(128 + (interrupt.number if isinstance(interrupt, Interrupted) else 2)) from None
    finally:
        reporters.close()


def _profile(run: Run, shown: bool) -> None:
    from nerva_core.inspection.profiling import print_profile, profile_run
    from nerva_core.training.launching import is_first

    if not is_first():
        return
    profile = profile_run(run)
    if shown:
        print_profile(profile)


def _reporters(quiet: bool, json: bool, plot: bool, tensorboard: bool) -> Reporters:
    from nerva_core.training.launching import is_first
    from nerva_core.training.reporting import EpochTable, JSONLines, Reporters, Silent, TensorBoard

    if not is_first():
        return Reporters(Silent())
    if json and plot:
        raise NervaError("--json prints JSON alone, and --plot text; give one of them")
    shown = JSONLines() if json else Silent() if quiet else EpochTable(plot)
    return Reporters(shown, *([TensorBoard()] if tensorboard else []))


def _numbers(option: str, example: str, text: str | None, kind: Callable[[str], Any]) -> list[Any] | None:
    if text is None:
        return None
    try:
        return [kind(number) for number in text.replace(",", ";").split(";")]
    except ValueError:
        raise NervaError(f"{option} must be numbers separated by ';' such as {example!r}, got {text!r}") from None


def _config(config_file: Path | None, overrides: dict[str, Any]) -> Config:
    from nerva_core.training.config import load_config, make_config, override
    from nerva_core.training.runs import CONFIG

    if config_file is not None and (config_file / CONFIG).is_file():
        raise NervaError(
            f"{config_file} is the directory of a run; continue it with: nerva train --resume --output {config_file}, "
            f"or repeat it with: nerva train {config_file / CONFIG}"
        )
    return load_config(config_file, overrides) if config_file else make_config(override({}, overrides), "command line")


def _trace(config_file: Path | None, overrides: dict[str, Any]) -> None:
    from nerva_core.inspection.trace_printing import print_trace
    from nerva_core.inspection.traced_run import trace_run

    print_trace(trace_run(_config(config_file, overrides)))


def _started(output: Path | None, config_file: Path | None, overrides: dict[str, Any]) -> Run:
    from nerva_core.training.runs import Run

    return Run.start(_config(config_file, overrides), output)


def _resumed(output: Path | None, config_file: Path | None, overrides: dict[str, Any]) -> Run:
    from nerva_core.training.runs import Run

    return Run.resume(_resumable(output, config_file, overrides), overrides.get("training.epochs"))


def _resumable(output: Path | None, config_file: Path | None, overrides: dict[str, Any]) -> Path:
    """The directory of the run to continue; NervaError if something is given that belongs to its configuration."""
    if output is None:
        raise NervaError("--resume needs --output DIR, the directory of the run to continue")
    other = sorted(overrides.keys() - {"training.epochs"}) + ([str(config_file)] if config_file else [])
    if other:
        raise NervaError(f"--resume continues a run with its own configuration; only --epochs may be given, got {', '.join(other)}")
    return output
