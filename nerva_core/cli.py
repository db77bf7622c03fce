"""The command ``nerva``. What a command needs is imported when it runs, so that ``nerva --help`` is quick."""

from __future__ import annotations

import io
import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError
from nerva_core.commands.bench import bench
from nerva_core.commands.compare import compare, vectors
from nerva_core.commands.data import data
from nerva_core.commands.export import export
from nerva_core.commands.find_rate import find_rate
from nerva_core.commands.generate import generate
from nerva_core.commands.help_texts import epilog
from nerva_core.commands.landscape import landscape
from nerva_core.commands.plot import plot
from nerva_core.commands.predict import predict
from nerva_core.commands.prove import prove
from nerva_core.commands.reproduce import reproduce
from nerva_core.commands.runs import compare_runs, runs
from nerva_core.commands.show import show
from nerva_core.commands.sweep import sweep
from nerva_core.commands.trace import trace
from nerva_core.commands.train import train

app = typer.Typer(
    name="nerva",
    help="Neural networks with explicit backpropagation: every equation written once, run by NumPy, JAX, PyTorch and TensorFlow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line. A user's mistake is one message on stderr and exit status 2; a diverged run is status 1."""
    _prepare_streams()
    os.environ["MPLBACKEND"] = "agg"  # figures go into files; matplotlib cannot be imported where this names what it does not know
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns that several functions are compiled
    try:
        app()
    except NervaError as error:
        from nerva_core.algebra.workers import WorkerLostError
        from nerva_core.training.launching import end_worker
        from nerva_core.training.trainer import DivergenceError

        status = 1 if isinstance(error, DivergenceError) else 2
        end_worker(str(error), status, lost=isinstance(error, WorkerLostError))
        print(f"error: {error}", file=sys.stderr)
        sys.exit(status)
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # such as a full disk under a redirected output
        print(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"error: the memory does not suffice: {str(error) or 'no more can be had'}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        print(f"error: {_report_defect(error)}", file=sys.stderr)
        sys.exit(1)


def _prepare_streams() -> None:
    """Standard streams that can be written to: a closed one is None, and the next file that is opened would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # on a terminal that does not know σ or →


def _report_defect(error: Exception) -> str:
    """What is said of an exception that nothing expected; the traceback goes into a file."""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    try:
        with tempfile.NamedTemporaryFile("w", prefix="nerva-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(f"nerva {' '.join(sys.argv[1:])}\n\n{''.join(traceback.format_exception(error))}")
    except OSError:
        return f"{what}; this is a defect of nerva"
    return f"{what}; this is a defect of nerva, please report it with the traceback in {file.name}"


@app.command(epilog=epilog("backends"))
def backends() -> None:
    """Show which backends are installed, their versions and devices, and how to install the others."""
    from rich.table import Table

    from nerva_core.algebra.numeric_backend import statuses
    from nerva_core.figures.terminal import console

    table = Table("backend", "version", "devices", "note")
    for status in statuses():
        table.add_row(status.name, status.version or "not installed", ", ".join(status.devices), status.hint)
    console(soft_wrap=True).print(table)


@app.command(name="list", epilog=epilog("list"))
def list_names(kinds: Annotated[list[str] | None, typer.Argument(help="Which: layers, losses, ...", show_default=False)] = None) -> None:
    """Print the names that configurations and options understand, with their parameters and what they are."""
    from nerva_core.figures.terminal import console
    from nerva_core.training.catalogue import chosen_tables, description, signature

    terminal = console(highlight=False, soft_wrap=True)
    for title, table in chosen_tables(kinds or []).items():
        terminal.print(title, style="bold")
        for entry in table:
            terminal.print(f"  {signature(entry):<34}  {description(entry)}")


app.command(epilog=epilog("train"))(train)
app.command(epilog=epilog("sweep"))(sweep)
app.command(epilog=epilog("runs"))(runs)
app.command(name="compare-runs", epilog=epilog("compare-runs"))(compare_runs)
app.command(epilog=epilog("trace"))(trace)
app.command(name="find-rate", epilog=epilog("find-rate"))(find_rate)
app.command(epilog=epilog("data"))(data)
app.command(epilog=epilog("predict"))(predict)
app.command(epilog=epilog("generate"))(generate)
app.command(epilog=epilog("export"))(export)
app.command(epilog=epilog("show"))(show)
app.command(epilog=epilog("prove"))(prove)
app.command(epilog=epilog("compare"))(compare)
app.command(epilog=epilog("vectors"))(vectors)
app.command(epilog=epilog("reproduce"))(reproduce)
app.command(epilog=epilog("bench"))(bench)
app.command(epilog=epilog("landscape"))(landscape)
app.command(epilog=epilog("plot"))(plot)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    man: Annotated[bool, typer.Option("--man", help="Print the manual page: nerva --man | man -l -")] = False,
    import_: Annotated[
        list[Path] | None,
        typer.Option("--import", metavar="FILE.py", help="Run a file of your own first, so that its layers and activations are known."),
    ] = None,
) -> None:
    """Neural networks with explicit backpropagation: every equation written once, run by NumPy, JAX, PyTorch and TensorFlow."""
    for path in import_ or []:
        from nerva_core.algebra.user_files import load_file

        load_file(path)
    if version:
        from nerva_core import __version__

        print(__version__)
        raise typer.Exit
    if man:
        from nerva_core import __version__
        from nerva_core.commands.manual import manual

        print(manual(context.command, __version__), end="")
        raise typer.Exit


if __name__ == "__main__":
    main()
