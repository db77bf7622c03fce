"""Reports of a run while it trains: a table with a progress bar, JSON for scripts, event files for TensorBoard, or nothing."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nerva_core.algebra.errors import NotInstalledError, counted
from nerva_core.figures.terminal import console
from nerva_core.training.checkpoints import json_lines
from nerva_core.training.results import Metrics, TrainingResult

if TYPE_CHECKING:
    from nerva_core.data import Dataset
    from nerva_core.training.runs import Run

PROGRESS = ("{task.description}", "{task.fields[step]}", "loss {task.fields[loss]:.4f}", "{task.fields[rate]:,.0f} examples/s")


class Reporter(Protocol):
    """Receives the events of a run, in this order."""

    def start(self, run: Run) -> None:
        """The run is about to train; it may have a history."""

    def step(self, epoch: int, steps: int, loss: float) -> None:
        """So many steps after so many epochs are done; the last few batches had this mean loss."""

    def epoch(self, metrics: Metrics) -> None:
        """An epoch is complete."""

    def signal(self, number: int) -> None:
        """A signal asks the run to end."""

    def finish(self, run: Run) -> None:
        """All files are written."""

    def close(self) -> None:
        """The run has ended, one way or another."""


class Silent:
    """Says nothing, but how to stop at once when someone at a terminal asks to stop."""

    def start(self, run: Run) -> None:
        pass

    def step(self, epoch: int, steps: int, loss: float) -> None:
        pass

    def epoch(self, metrics: Metrics) -> None:
        pass

    def signal(self, number: int) -> None:
        if sys.stderr.isatty():
            print(f"\n{signal.Signals(number).name}: saving the state after the present steps; once more stops at once", file=sys.stderr)

    def finish(self, run: Run) -> None:
        pass

    def close(self) -> None:
        pass


class JSONLines(Silent):
    """JSON objects on stdout, one a line: of the start, of each epoch as in metrics.jsonl, and of the end.

    Those of the start and the end have an ``event``, "start" and "end"; the status of the end is "complete" or "stopped".
    """

    def __init__(self) -> None:
        self.end: dict[str, Any] | None = None

    def start(self, run: Run) -> None:
        trainer, config, data = run.trainer, run.trainer.config, run.trainer.data
        sizes = {"training": trainer.examples, "validation": 0 if data.Xvalidation is None else len(data.Xvalidation)}
        self._print(
            event="start",
            directory=str(run.directory),
            data=type(config.data).__name__,
            examples={**sizes, "test": len(data.Xtest)},
            features=data.inputs,
            classes=data.classes,
            parameters=trainer.parameters,
            backend=config.backend,
            dtype=config.dtype,
            seed=config.seed,
            epochs_done=trainer.epoch,
            epochs=config.training.epochs,
        )
        self.end = {"status": "stopped", "directory": str(run.directory)}

    def epoch(self, metrics: Metrics) -> None:
        print(json_lines([metrics]), end="", flush=True)

    def finish(self, run: Run) -> None:
        if self.end is not None and run.result is not None:
            self.end |= {"status": "complete", **asdict(run.result)}

    def close(self) -> None:
        if self.end is not None:
            self._print(event="end", **self.end)
            self.end = None

    def _print(self, **record: Any) -> None:
        print(json.dumps(record), flush=True)


class Heartbeat:
    """A line on stderr now and then, where no progress bar shows that a long epoch goes on."""

    SECONDS = 30.0

    def __init__(self, done: int, total: int) -> None:
        self.first, self.total = done, total
        self.started = self.last = time.monotonic()

    def step(self, what: str, done: int) -> None:
        """So many steps are done; ``what`` says it."""
        now = time.monotonic()
        if now - self.last < self.SECONDS:
            return
        self.last = now
        left = (now - self.started) * (self.total - done) / max(1, done - self.first)
        print(f"{what}, {time_left(left)} left", file=sys.stderr, flush=True)


def time_left(seconds: float) -> str:
    """Hours, minutes and seconds: 1:05:00, or 0:42."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class EpochTable(Silent):
    """A table of the epochs, on a terminal with a progress bar, loss and rate; at the end, if asked for, curves and confusions as text."""

    def __init__(self, plot: bool = False) -> None:
        self.console = console(highlight=False, soft_wrap=True)
        self.plot = plot
        first, *others = (TextColumn(text, markup=False) for text in PROGRESS)
        columns = [first, BarColumn(bar_width=20), *others, TimeRemainingColumn()]
        self.progress = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self.task = TaskID(0)
        self.heartbeat: Heartbeat | None = None

    def start(self, run: Run) -> None:
        self.run, trainer, config = run, run.trainer, run.trainer.config
        self.top_k = config.training.top_k
        classes = f", {counted(trainer.data.classes, 'class')}" if trainer.data.classes else ""
        features, held = trainer.data.inputs, trainer.data.Xvalidation
        categories = [
            f"{column.name}: {len(column.categories)} categories" for column in trainer.data.encoding.columns if column.categories
        ]
        listed = f" ({', '.join(categories)})" if categories else ""
        validation = "" if held is None else f", {len(held)} validation"
        test = counted(len(trainer.data.Xtest), "test example")
        self._print(
            f"{type(config.data).__name__}: {trainer.examples} training{validation} and {test}, {counted(features, 'feature')}"
            f"{listed}{classes}\n"
            f"{trainer.network.summary(features)}\n"
            f"{trainer.ops!r}, {type(config.loss).__name__}, {config.optimizer}, {config.schedule}, seed {config.seed}\n\n"
            f"{header(trainer.network.noise_scale() is not None, config.training.record_gradients, watched(trainer.data), self.top_k)}"
        )
        for metrics in run.history:
            self._print(row(metrics))
        self.per_epoch = trainer.steps_per_epoch
        done = trainer.epoch * self.per_epoch + len(trainer.outputs)
        total = config.training.epochs * self.per_epoch
        self.task = self.progress.add_task(
            f"epoch {trainer.epoch + 1}", total=total, completed=done, step="starting", loss=float("nan"), rate=0.0
        )
        self.progress.start()
        self.heartbeat = None if self.console.is_terminal else Heartbeat(done, total)
        self._before = done, time.perf_counter()

    def step(self, epoch: int, steps: int, loss: float) -> None:
        done, now = epoch * self.per_epoch + steps, time.perf_counter()
        before, then = self._before
        rate = (done - before) * self.run.trainer.config.training.batch_size / max(now - then, 1e-9)
        self._before = done, now
        step = f"step {steps}/{self.per_epoch}"
        self.progress.update(self.task, completed=done, description=f"epoch {epoch + 1}", step=step, loss=loss, rate=rate)
        if self.heartbeat is not None:
            self.heartbeat.step(f"epoch {epoch + 1}, {step}, loss {loss:.4f}, {rate:,.0f} examples/s", done)

    def epoch(self, metrics: Metrics) -> None:
        self._print(row(metrics))
        self._before = metrics.epoch * self.per_epoch, time.perf_counter()  # the time of evaluation is not that of steps

    def finish(self, run: Run) -> None:
        self.progress.stop()
        if self.plot:
            self._print_plots(run)
        if run.result is not None:
            self.console.print(f"\n{outcome(run.result, self.top_k)}", style="bold", end="")
            self._print(f" after {duration(run.result)}; results in {run.directory}")

    def close(self) -> None:
        self.progress.stop()

    def _print_plots(self, run: Run) -> None:
        from nerva_core.figures.terminal import confusion_table, curves

        losses = {"training loss": [m.train_loss for m in run.history]}
        name = run.history[0].held_out[0]
        if all(m.held_out[1] is not None for m in run.history):
            losses[f"{name} loss"] = [m.held_out[1] or 0.0 for m in run.history]
        self._print("\n" + curves(losses, run.history[0].epoch, "epoch"))
        if run.confusion is not None:
            self._print("\n" + confusion_table(run.confusion, run.trainer.data.class_names))

    def _print(self, text: str) -> None:
        self.console.print(text)


def watched(data: Dataset) -> str:
    """The set whose loss is shown while training goes on."""
    return "test" if data.Xvalidation is None else "validation"


def outcome(result: TrainingResult, top_k: int | None = None) -> str:
    """The result on the test set, in words."""
    if result.test_loss is None:
        return "no test set"
    if result.test_accuracy is None:
        return f"test loss {result.test_loss:.4g}"
    top = "" if result.test_top_accuracy is None else f" (top-{top_k} {100 * result.test_top_accuracy:.2f} %)"
    return f"test accuracy {100 * result.test_accuracy:.2f} %{top}"


def duration(result: TrainingResult) -> str:
    """After how many epochs a run has ended, and with which parameters."""
    epochs = f"{result.epochs} epoch{'s' if result.epochs != 1 else ''}"
    early = ", stopped early" if result.stopped_early else ""
    kept = f", with the parameters of epoch {result.kept_epoch}" if result.kept_epoch != result.epochs else ""
    return f"{epochs}{early}{kept}"


def header(noise: bool, gradients: bool, held_out: str = "test", top_k: int | None = None) -> str:
    """The titles of the table: with the columns of the top-k accuracy, of a network with noise, and of recorded gradients."""
    short = {"validation": "valid"}.get(held_out, held_out)
    columns = [("epoch", 5), ("lr", 9), ("train loss", 10), (f"{short} loss", 10), ("train acc", 9), (f"{short} acc", 9), ("seconds", 7)]
    columns += [(f"top-{top_k} acc", 9)] * (top_k is not None) + [("q lambda", 8)] * noise + [("max |grad|", 10)] * gradients
    return "  ".join(f"{name:>{width}}" for name, width in columns)


def row(m: Metrics) -> str:
    """An epoch as a row of the table."""
    _, held_out_loss, held_out_accuracy = m.held_out
    loss = f"{'-':>10}" if held_out_loss is None else _loss(held_out_loss)
    accuracies = [f"{100 * a:8.2f}%" if a is not None else f"{'-':>9}" for a in (m.train_accuracy, held_out_accuracy)]
    top = "" if m.top_accuracy is None else f"  {100 * m.top_accuracy:8.2f}%"
    more = [f"  {value:{width}.4g}" for value, width in ((m.q_lambda, 8), (m.largest_gradient, 10)) if value is not None]
    row = f"{m.epoch:5}  {m.lr:9.3g}  {_loss(m.train_loss)}  {loss}  {'  '.join(accuracies)}  {m.seconds:7.2f}"
    return row + top + "".join(more)


def _loss(loss: float) -> str:
    """In 10 characters, whatever its size."""
    return f"{loss:10.5f}" if abs(loss) < 1e4 else f"{loss:10.4g}"


class TensorBoard(Silent):
    """Event files in the directory ``tensorboard`` of the run, written by TensorBoard's own writer; TensorFlow is not needed."""

    def __init__(self) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise NotInstalledError(
                f"--tensorboard needs tensorboard, which cannot be imported ({error}); install it with: pip install 'nerva[tensorboard]'"
            ) from None
        self._event, self._summary, self._writer = event_pb2.Event, summary_pb2.Summary, RecordWriter
        self._records: Any = None

    def start(self, run: Run) -> None:
        folder: Path = run.directory / "tensorboard"
        folder.mkdir(exist_ok=True)
        self._records = self._writer((folder / f"events.out.tfevents.{time.time_ns()}.nerva").open("xb"))
        self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))

    def epoch(self, metrics: Metrics) -> None:
        values = {name: value for name, value in asdict(metrics).items() if name != "epoch" and value is not None}
        tags = {name: "/".join(reversed(name.rsplit("_", 1))) if name.startswith(("train_", "test_")) else name for name in values}
        summary = self._summary(value=[self._summary.Value(tag=tags[name], simple_value=value) for name, value in values.items()])
        self._write(self._event(wall_time=time.time(), step=metrics.epoch, summary=summary))

    def close(self) -> None:
        if self._records is not None:
            self._records.close()

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()


class Reporters:
    """Several reporters, told in turn."""

    def __init__(self, *reporters: Reporter) -> None:
        self.reporters = reporters

    def start(self, run: Run) -> None:
        for reporter in self.reporters:
            reporter.start(run)

    def step(self, epoch: int, steps: int, loss: float) -> None:
        for reporter in self.reporters:
            reporter.step(epoch, steps, loss)

    def epoch(self, metrics: Metrics) -> None:
        for reporter in self.reporters:
            reporter.epoch(metrics)

    def signal(self, number: int) -> None:
        for reporter in self.reporters[:1]:  # once is enough
            reporter.signal(number)

    def finish(self, run: Run) -> None:
        for reporter in self.reporters:
            reporter.finish(run)

    def close(self) -> None:
        for reporter in self.reporters:
            reporter.close()
