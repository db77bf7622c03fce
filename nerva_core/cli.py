"""The command ``nerva``. What a command needs is imported when it runs, so that ``nerva --help`` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nerva_core.benchmark.command import bench
from nerva_core.comparison.command import compare, vectors
from nerva_core.errors import NervaError
from nerva_core.interpreters.command import show
from nerva_core.landscape_command import landscape
from nerva_core.predict_command import EPILOG as PREDICT_EPILOG
from nerva_core.predict_command import predict
from nerva_core.reproductions.command import reproduce
from sympy_validation.command import prove

if TYPE_CHECKING:
    from nerva_core.config import Config
    from nerva_core.runs import Run

app = typer.Typer(
    name="nerva",
    help="Neural networks with explicit backpropagation: every equation written once, run by NumPy, JAX, PyTorch and TensorFlow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EPILOG = "Names are text such as [bold]Momentum(mu=0.9)[/bold]; [bold]nerva list[/bold] prints all of them."


def main() -> None:
    """Run the command line. A user's mistake is one message on stderr and exit status 2; a diverged run is status 1."""
    try:
        app()
    except NervaError as error:
        from nerva_core.training import DivergenceError

        print(f"error: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, DivergenceError) else 2)
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stderr.close()
        sys.exit(1)


def _sizes(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(size) for size in text.replace(",", ";").split(";")]
    except ValueError:
        raise NervaError(f"--sizes must be numbers separated by ';' such as '64;128;10', got {text!r}") from None


@app.command(epilog=EPILOG)
def train(
    config: Annotated[Path | None, typer.Argument(help="A TOML file; without it, scikit-learn's digits.", show_default=False)] = None,
    backend: Annotated[str | None, typer.Option(help="numpy, jax, torch or tensorflow.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, or a device of the backend such as cuda:0.")] = None,
    epochs: Annotated[int | None, typer.Option(help="The number of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples in a batch.")] = None,
    seed: Annotated[int | None, typer.Option(help="Determines initial values, order and noise.")] = None,
    data: Annotated[str | None, typer.Option(help="A data source, such as FashionMNIST or Spirals(arms=3).")] = None,
    layers: Annotated[str | None, typer.Option(help="Nerva's notation: 'ReLU;BatchNormalization;Linear'.")] = None,
    sizes: Annotated[str | None, typer.Option(help="The inputs, then the outputs of each layer that has them: '64;128;10'.")] = None,
    loss: Annotated[str | None, typer.Option(help="A loss, such as SoftmaxCrossEntropy.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="An optimizer, such as Adam or Nesterov(mu=0.9).")] = None,
    schedule: Annotated[str | None, typer.Option(help="A learning rate, such as Constant(0.01) or Cosine(0.1, n=20).")] = None,
    load_weights: Annotated[str | None, typer.Option(help="Start from these weights: Nerva's .npz, or a model.safetensors.")] = None,
    output: Annotated[Path | None, typer.Option(help="A new directory for the results; by default one in ./runs.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --output after its last complete epoch.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Print every matrix of the first step, and do not train.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train a network with hand-written backpropagation."""
    given = {
        "backend": backend,
        "dtype": dtype,
        "device": device,
        "seed": seed,
        "data": data,
        "loss": loss,
        "optimizer": optimizer,
        "schedule": schedule,
        "model.layers": layers,
        "model.sizes": _sizes(sizes),
        "model.load_weights": load_weights,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
    }
    overrides = {name: value for name, value in given.items() if value is not None}
    if trace:
        return _trace(config, overrides)
    run = _resumed(output, config, overrides) if resume else _started(output, config, overrides)
    try:
        _train_with_progress(run, quiet)
    except KeyboardInterrupt:
        done = f"after {run.trainer.epoch} of {run.trainer.config.training.epochs} epochs"
        print(f"interrupted {done}; continue with: nerva train --resume --output {run.directory}", file=sys.stderr)
        raise typer.Exit(130) from None


def _config(config_file: Path | None, overrides: dict[str, Any]) -> Config:
    from nerva_core.config import load_config, make_config, override

    return load_config(config_file, overrides) if config_file else make_config(override({}, overrides), "command line")


def _started(output: Path | None, config_file: Path | None, overrides: dict[str, Any]) -> Run:
    from nerva_core.runs import Run, free_directory

    config = _config(config_file, overrides)
    return Run.start(config, output or free_directory(Path("runs"), config))


def _trace(config_file: Path | None, overrides: dict[str, Any]) -> None:
    from nerva_core.trace import print_trace, trace_run

    print_trace(trace_run(_config(config_file, overrides)))


def _resumed(output: Path | None, config_file: Path | None, overrides: dict[str, Any]) -> Run:
    from nerva_core.runs import Run

    if output is None:
        raise NervaError("--resume needs --output DIR, the directory of the run to continue")
    other = sorted(overrides.keys() - {"training.epochs"}) + ([str(config_file)] if config_file else [])
    if other:
        raise NervaError(f"--resume continues a run with its own configuration; only --epochs may be given, got {', '.join(other)}")
    return Run.resume(output, overrides.get("training.epochs"))


def _train_with_progress(run: Run, quiet: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    trainer, config = run.trainer, run.trainer.config
    console = Console(quiet=quiet, highlight=False, soft_wrap=True)
    console.print(
        f"{type(config.data).__name__}: {trainer.examples} training and {len(trainer.data.Xtest)} test examples, "
        f"{trainer.data.inputs} features" + (f", {trainer.data.classes} classes" if trainer.data.classes else "")
    )
    console.print(f"{trainer.network.summary(trainer.data.inputs)}")
    console.print(f"{trainer.ops!r}, {type(config.loss).__name__}, {config.optimizer}, {config.schedule}, seed {config.seed}\n")
    columns = [("epoch", 5), ("lr", 9), ("train loss", 10), ("test loss", 10), ("train acc", 9), ("test acc", 9), ("seconds", 7)]
    columns += [("q lambda", 8)] * (trainer.network.noise_scale() is not None) + [("max |grad|", 10)] * config.training.record_gradients
    console.print("  ".join(f"{name:>{width}}" for name, width in columns))
    for metrics in run.history:
        console.print(_row(metrics))
    parts = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeRemainingColumn()
    with Progress(*parts, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        total = config.training.epochs * trainer.steps_per_epoch
        task = progress.add_task("training", total=total, completed=trainer.epoch * trainer.steps_per_epoch)
        run.train(
            on_step=lambda epoch, steps: progress.update(
                task, completed=epoch * trainer.steps_per_epoch + steps, description=f"epoch {epoch + 1}"
            ),
            on_epoch=lambda metrics: console.print(_row(metrics)),
        )
    if run.history:
        last = run.history[-1]
        result = f"test loss {last.test_loss:.4g}" if last.test_accuracy is None else f"test accuracy {100 * last.test_accuracy:.2f} %"
        console.print(f"\n[bold]{result}[/bold] after {last.epoch} epochs; results in {run.directory}")


def _row(m: Any) -> str:
    accuracies = [f"{100 * a:8.2f}%" if a is not None else f"{'-':>9}" for a in (m.train_accuracy, m.test_accuracy)]
    more = [f"  {value:{width}.4g}" for value, width in ((m.q_lambda, 8), (m.largest_gradient, 10)) if value is not None]
    row = f"{m.epoch:5}  {m.lr:9.3g}  {m.train_loss:10.5f}  {m.test_loss:10.5f}  {'  '.join(accuracies)}  {m.seconds:7.2f}"
    return row + "".join(more)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="A model.safetensors of a run.")],
    file: Annotated[Path, typer.Argument(help="The new file: weights.npz in Nerva's format (W1, b1, W2, ...).")],
) -> None:
    """Write the weights of a trained network in Nerva's format."""
    from nerva_core.models import load_model, save_npz

    if file.suffix != ".npz":
        raise NervaError(f"the format is known by its suffix, and only .npz is written; got {file.name!r}")
    if file.exists():
        raise NervaError(f"{file} is already there")
    trained = load_model(model)
    save_npz(file, trained.network, trained.params)


@app.command()
def backends() -> None:
    """Show which backends are installed, their versions and devices, and how to install the others."""
    from rich.console import Console
    from rich.table import Table

    from nerva_core.numeric_backend import statuses

    table = Table("backend", "version", "devices", "note")
    for status in statuses():
        table.add_row(status.name, status.version or "not installed", ", ".join(status.devices), status.hint.replace("[", r"\["))
    Console(soft_wrap=True).print(table)


@app.command(name="list")
def list_names() -> None:
    """Print the names that configurations and options understand, with their parameters."""
    from rich.console import Console

    from nerva_core.catalogue import TABLES, signature

    console = Console(highlight=False, soft_wrap=True)
    for title, table in TABLES.items():
        console.print(f"[bold]{title}[/bold]")
        for entry in table:
            console.print(f"  {signature(entry)}", markup=False)


app.command(epilog=PREDICT_EPILOG)(predict)
app.command()(show)
app.command()(prove)
app.command()(compare)
app.command()(vectors)
app.command()(bench)
app.command()(reproduce)
app.command()(landscape)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Neural networks with explicit backpropagation: every equation written once, run by NumPy, JAX, PyTorch and TensorFlow."""
    if version:
        from nerva_core import __version__

        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
