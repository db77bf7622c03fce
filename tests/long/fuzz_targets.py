"""What the fuzzer tries: for each target the inputs, and what is done with one."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nerva_core import cli
from nerva_core.algebra.errors import NervaError
from nerva_core.data import CIFAR10, CSV, IDX, NPZ
from nerva_core.layers import multilayer_perceptron, parse_layers
from nerva_core.training.catalogue import TABLES
from nerva_core.training.checkpoints import CHECKPOINT, PREVIOUS, load_checkpoint
from nerva_core.training.config import Config, make_config, parse_config
from nerva_core.training.models import load_model, load_weights
from nerva_core.training.predictions import read_examples
from nerva_core.training.runs import MODEL, Run
from nerva_core.training.trainer import Trainer
from tests.long.garbage import (
    calls,
    damaged,
    environments,
    idx_of_any_shape,
    layer_strings,
    settings_of_a_run,
    shaped,
    table_calls,
    toml_texts,
)


def entries(folder: Path, given: tuple[str, str]) -> None:
    table, text = given
    TABLES[table].parse(text)


def networks(folder: Path, given: tuple[str, list[int], str]) -> None:
    layers, sizes, weights = given
    with contextlib.suppress(NervaError):
        parse_layers(layers.split(";")).summary(sizes[0])
    multilayer_perceptron(layers, sizes, weights).summary(sizes[0])


def configurations(folder: Path, text: str) -> None:
    parse_config(Config.model_validate(parse_config(text)).to_toml())


def runs(folder: Path, given: dict[str, Any]) -> None:
    """A whole run, if it is small."""
    config = make_config(given)
    trainer = Trainer(config)
    if trainer.examples * config.training.epochs <= 3000 and sum(trainer.network.widths(trainer.data.inputs)) < 3000:
        directory = Path(tempfile.mkdtemp(dir=folder)) / "run"
        Run.start(config, directory).train()
        try:
            Run.resume(directory)
            load_model(directory / MODEL)
        except NervaError as error:
            raise AssertionError(f"what a run has written is refused: {error}") from error


def idx(folder: Path, files: tuple[bytes, bytes, bytes, bytes, bool]) -> None:
    suffix = ".gz" if files[4] else ""
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    for name, content in zip(names, files[:4], strict=True):
        (folder / f"{name}{suffix}").write_bytes(content)
    try:
        IDX(path=str(folder)).load()
    finally:
        for name in names:
            (folder / f"{name}{suffix}").unlink()


def archives(folder: Path, content: bytes) -> None:
    (folder / "a.npz").write_bytes(content)
    try:
        NPZ(path=str(folder / "a.npz")).load()
    except NervaError:
        NPZ(path=str(folder / "a.npz"), task="regression").load()


def tables(folder: Path, given: tuple[bytes, str | None, str]) -> None:
    content, target, task = given
    (folder / "a.csv").write_bytes(content)
    CSV(path=str(folder / "a.csv"), target=target, task=task).load()


def cifar(folder: Path, content: bytes) -> None:
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        (folder / name).write_bytes(content)
    CIFAR10(path=str(folder)).load()


def models(folder: Path, content: bytes) -> None:
    (folder / MODEL).write_bytes(content)
    model = load_model(folder / MODEL)
    assert np.asarray(model.predict(np.zeros((1, model.inputs)))).shape[0] == 1


def weights(folder: Path, given: tuple[bytes, bool]) -> None:
    content, archive = given
    path = folder / ("w.npz" if archive else "w.safetensors")
    path.write_bytes(content)
    load_weights(path, TRAINER.network, TRAINER.data.inputs, *TRAINER.to_numpy()[::2])


def checkpoints(folder: Path, given: tuple[bytes, bytes]) -> None:
    for name, content in zip((CHECKPOINT, PREVIOUS), given, strict=True):
        (folder / name).write_bytes(content)
    checkpoint, _ = load_checkpoint(folder, TRAINER.config, TRAINER.to_numpy())
    assert checkpoint is not None
    TRAINER.restore(checkpoint.epoch, checkpoint.state, checkpoint.outputs)


def predictions(folder: Path, given: tuple[bytes, str]) -> None:
    content, name = given
    (folder / name).write_bytes(content)
    read_examples(folder / name, load_model(Path(GOOD["model_path"].decode())))


def command_lines(folder: Path, arguments: list[str]) -> None:
    """The command itself: its status and what it prints."""
    output, before = io.StringIO(), sys.argv
    sys.argv = ["nerva", *arguments]
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            cli.main()
    except SystemExit as stop:
        status = stop.code
    else:
        status = 0
    finally:
        sys.argv = before
    assert status in (None, 0, 1, 2), f"status {status}"
    assert "Traceback" not in output.getvalue()
    assert "this is a defect" not in output.getvalue(), output.getvalue()
    if status == 2:
        raise NervaError("refused")


def surroundings(folder: Path, given: tuple[dict[str, str], list[str], list[str]]) -> None:
    """The command with variables of the environment, and with standard streams that are closed, which Python has as None."""
    environment, closed, arguments = given
    streams, variables = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}, dict(os.environ)
    caught, before = io.StringIO(), sys.argv
    sys.argv = ["nerva", *arguments]
    try:
        os.environ.update(environment)
        for name in streams:
            setattr(sys, name, None if name in closed else caught)
        status: Any = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = stop.code
    finally:
        sys.argv = before
        for name, stream in streams.items():
            setattr(sys, name, stream)
        os.environ.clear()
        os.environ.update(variables)
    assert status in (None, 0, 1, 2), f"status {status}"
    assert "Traceback" not in caught.getvalue()
    assert "this is a defect" not in caught.getvalue(), caught.getvalue()
    if "error" in caught.getvalue().casefold():
        raise NervaError("refused")


def good_files() -> dict[str, bytes]:
    """Sound files of every kind, made by a run: what is damaged."""
    import gzip
    import struct

    folder = Path(tempfile.mkdtemp())
    Run.start(TRAINER.config, folder / "run").train()
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(6, 4)), np.array([0, 1, 0, 1, 0, 1])
    np.savez(folder / "a.npz", Xtrain=X, Ttrain=T, Xtest=X, Ttest=T)
    np.savez_compressed(folder / "b.npz", X=X, Xtrain=X, Ttrain=T, Xtest=X, Ttest=T)
    np.savez_compressed(folder / "x.npz", X=X[:, :2])
    np.savez(folder / "w.npz", W1=np.ones((3, 2)), b1=np.ones(3), W2=np.ones((2, 3)), b2=np.ones(2))
    images, labels = rng.integers(0, 255, (6, 1, 2), dtype=np.uint8), T.astype(np.uint8)
    idx = {
        name: struct.pack(f">HBB{a.ndim}I", 0, 8, a.ndim, *a.shape) + a.tobytes() for name, a in (("images", images), ("labels", labels))
    }
    files = {name: (folder / name).read_bytes() for name in ("a.npz", "b.npz", "w.npz", "x.npz")}
    run = {name: (folder / "run" / name).read_bytes() for name in (MODEL, CHECKPOINT, PREVIOUS)}
    zipped = {f"{name}.gz": gzip.compress(content) for name, content in idx.items()}
    table = b"a,b,class\n" + b"".join(b"%d,%g,%s\n" % (i, i / 3, b"xy"[i % 2 : i % 2 + 1]) for i in range(20))
    csv = {"csv": table, "x.csv": b"1,2\n3,4\n"}
    return {**files, **run, **idx, **zipped, **csv, "cifar": bytes(3073 * 2), "model_path": str(folder / "run" / MODEL).encode()}


TRAINER = Trainer(
    make_config(
        {
            "data": "Checkerboard(n=12)",
            "model": {"layers": "ReLU;BatchNormalization;Linear", "sizes": [2, 3, 2]},
            "optimizer": "Adam",
            "training": {"epochs": 2, "batch_size": 6},
        }
    )
)


GOOD = good_files()


EXAMPLES = (("csv", "x.csv"), ("x.csv", "x.csv"), ("x.npz", "x.npz"), ("images", "x"), ("images.gz", "x.gz"))
"""Files of examples, and names under which they are read."""


def targets() -> dict[str, tuple[st.SearchStrategy[Any], Callable[[Path, Any], object]]]:
    """The name of each target: its inputs, and what is done with one."""
    some = {name: damaged(content) for name, content in GOOD.items()}
    pair = st.one_of(*(st.tuples(*(some[f"{n}{s}"] for n in ("images", "labels") * 2), st.just(bool(s))) for s in ("", ".gz")))
    any_shape = st.tuples(*[idx_of_any_shape()] * 4, st.just(False))
    target = st.sampled_from([None, "class", "a", "nothing", ""])
    closed = st.lists(st.sampled_from(["stdin", "stdout", "stderr"]), max_size=3, unique=True)
    return {
        "entries": (table_calls(), entries),
        "networks": (layer_strings(), networks),
        "configurations": (toml_texts(), configurations),
        "runs": (settings_of_a_run(), runs),
        "idx": (pair | any_shape, idx),
        "archives": (some["a.npz"] | some["b.npz"] | shaped("data"), archives),
        "tables": (st.tuples(some["csv"], target, st.sampled_from(["classification", "regression"])), tables),
        "cifar": (some["cifar"], cifar),
        "models": (some[MODEL], models),
        "weights": (st.tuples(some["w.npz"], st.just(True)) | st.tuples(some[MODEL], st.just(False)), weights),
        "checkpoints": (st.tuples(some[CHECKPOINT], some[PREVIOUS]), checkpoints),
        "predictions": (
            st.one_of(*(st.tuples(some[a], st.just(b)) for a, b in EXAMPLES), st.tuples(shaped("examples"), st.just("x.npz"))),
            predictions,
        ),
        "command_lines": (command_arguments(), command_lines),
        "surroundings": (st.tuples(environments(), closed, short_commands()), surroundings),
    }


OPTIONS = "--data --layers --sizes --loss --optimizer --schedule --backend --dtype --seed --batch-size --output --load-weights --device"


FLAGS = "--resume --json --quiet --plot --tensorboard --trace --help --version"


def command_arguments() -> st.SearchStrategy[list[str]]:
    """Arguments of small runs and of other commands, with wrong ones among them."""
    small = ["train", "--data", "Checkerboard(n=8)", "--layers", "Linear", "--sizes", "2;2", "--epochs", "1"]
    value = (
        st.sampled_from(
            ["", "0", "-1", "nan", "numpy", "float64", "a.toml", ".", "out", "2;2", "1e9", "~nosuchuser/x", "CSV(path='~nosuchuser/x.csv')"]
        )
        | calls()
    )
    option = st.tuples(st.sampled_from([*OPTIONS.split(), "--checkpoint-every", "--epohcs", "-x"]), value)
    flag = st.tuples(st.sampled_from(FLAGS.split()))
    train = st.lists(option | flag, max_size=3).map(lambda parts: [*small, *(word for part in parts for word in part)])
    other = st.tuples(st.sampled_from(["predict", "export", "show", "list", "train", "nothing", "--version"]), st.lists(value, max_size=3))
    return train | other.map(lambda parts: [parts[0], *parts[1]])


def short_commands() -> st.SearchStrategy[list[str]]:
    """Commands that print, that write and that fail."""
    model = Path(GOOD["model_path"].decode())
    train = ["train", "--data", "Checkerboard(n=8)", "--layers", "Linear", "--epochs", "1"]
    commands = [train, [*train, "--plot"], [*train, "--json"], ["show", "Linear"], ["list"], ["export", str(model), "x.npz"], ["nothing"]]
    return st.sampled_from([*commands, [*train, "--optimizer", "nothing"], ["predict", str(model), str(model.parent / "x.csv")], []])
