"""Data that stay in files train to the same bits as data in memory; files that are damaged, compressed or no matrices are refused."""

from __future__ import annotations

import gzip
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.data import Digits, streamed
from nerva_core.data.sources import SOURCES
from nerva_core.data.streamed import FileRows, ahead, map_idx, map_member, map_npy
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer

ARRAYS = {
    name: np.asarray(getattr(Digits(scaling="none", train=90, test=20).load(), name)) for name in ("Xtrain", "Ttrain", "Xtest", "Ttest")
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The digits as .npy files, as archives, and as IDX files."""
    monkeypatch.setattr(streamed, "CHUNK", 5000)  # so that there are several
    arrays = {name: array.astype(np.uint8) if name[0] == "X" else array for name, array in ARRAYS.items()}
    np.savez(tmp_path / "stored.npz", **arrays)
    np.savez_compressed(tmp_path / "compressed.npz", **arrays)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        part, kind = ("train", "t10k")[name.endswith("test")], ("labels-idx1", "images-idx3")[name[0] == "X"]
        images = array.astype(np.uint8).reshape(-1, 8, 8) if name[0] == "X" else array.astype(np.uint8)
        header = struct.pack(f">BBBB{images.ndim}I", 0, 0, 8, images.ndim, *images.shape)
        (tmp_path / f"{part}-{kind}-ubyte").write_bytes(header + images.tobytes())
    return tmp_path


def trained(source: str, **settings: Any) -> Any:
    given = {
        "data": source,
        "training.epochs": 2,
        "training.batch_size": 25,
        "model.layers": "ReLU;Dropout(0.2);Linear",
        "model.sizes": [64, 8, 10],
    }
    trainer = Trainer(make_config(override({}, given | settings), "here"))
    *_, last = trainer.run()
    return (
        trainer.data.streamed,
        [leaf.tobytes() for leaf in leaves(trainer.to_numpy())],
        last.train_loss,
        last.test_loss,
        trainer.confusion().tolist(),
    )


@pytest.mark.parametrize("scaling", ["'none'", "unit", "standard"])
def test_the_bits_are_those_of_data_in_memory(folder: Path, scaling: str) -> None:
    in_memory = trained(f"NPZ(path='{folder}/stored.npz', scaling={scaling}, train=80)")
    assert not in_memory[0]
    for source in (
        f"NPZ(path='{folder}/stored.npz', stream=true, scaling={scaling}, train=80)",
        f"NPY(path='{folder}', scaling={scaling}, train=80)",
        f"Cached(source=NPZ(path='{folder}/compressed.npz'), path='{folder}/cache', scaling={scaling}, train=80)",
    ):
        found = trained(source)
        assert found[0]
        assert found[1:] == in_memory[1:]


def test_with_torch(folder: Path) -> None:
    pytest.importorskip("torch")
    assert trained(f"IDX(path='{folder}', stream=true)", backend="torch")[1:] == trained(f"IDX(path='{folder}')", backend="torch")[1:]


def test_blocks_of_batches_from_files(folder: Path) -> None:
    blocks = {"training.blocks": 4}
    assert trained(f"IDX(path='{folder}', stream=true)", **blocks)[1:] == trained(f"IDX(path='{folder}')", **blocks)[1:]


def test_a_regression_from_files(folder: Path) -> None:
    for name in ("Ttrain", "Ttest"):
        np.save(folder / f"{name}.npy", ARRAYS[name].astype(float) / 7)
    data = SOURCES.parse(f"NPY(path='{folder}', task=regression)").load()
    assert (data.classes, data.outputs, data.streamed) == (None, 1, True)


def test_the_cache_is_of_one_source(folder: Path) -> None:
    SOURCES.parse(f"Cached(source=Digits(train=50), path='{folder}/cache')").load()
    written = (folder / "cache" / "Xtrain.npy").stat().st_mtime_ns
    assert len(SOURCES.parse(f"Cached(source=Digits(train=50), path='{folder}/cache')").load().Xtrain) == 50
    assert (folder / "cache" / "Xtrain.npy").stat().st_mtime_ns == written
    with pytest.raises(NervaError, match=r"holds the arrays of another source, .*train=50"):
        SOURCES.parse(f"Cached(source=Digits(train=60), path='{folder}/cache')").load()


def test_rows_are_as_they_would_be_in_memory(folder: Path) -> None:
    X = map_npy(folder / "Xtrain.npy")
    assert (X.shape, X.dtype, len(X.first(7))) == ((90, 64), np.float32, 7)
    np.testing.assert_array_equal(X[[5, 2]], ARRAYS["Xtrain"][[5, 2]])
    np.testing.assert_array_equal(X.first(7)[:], ARRAYS["Xtrain"][:7])
    with pytest.raises(IndexError):
        X.first(7)[[8]]


def test_columns_are_summed_as_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "CHUNK", 3000)
    X = (np.random.default_rng(0).normal(size=(400, 7)) * 10.0 ** np.arange(7)).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    rows = map_npy(tmp_path / "X.npy")
    assert len(list(rows.chunks())) > 3
    np.testing.assert_array_equal(rows.mean(0, np.float64), X.mean(axis=0, dtype=np.float64))
    np.testing.assert_array_equal(rows.var(0, np.float64), X.var(axis=0, dtype=np.float64))
    assert (rows.min(), rows.max()) == (X.min(), X.max())


def refused(match: str, read: Any) -> None:
    with pytest.raises(NervaError, match=match):
        read()


def test_what_cannot_be_read_in_parts_is_refused(folder: Path) -> None:
    refused("is compressed, so it cannot be read in parts", lambda: map_member(folder / "compressed.npz", "Xtrain"))
    refused("cannot read Y in the archive", lambda: map_member(folder / "stored.npz", "Y"))
    np.save(folder / "columns.npy", np.asfortranarray(np.ones((3, 4))))
    refused("stored column by column", lambda: map_npy(folder / "columns.npy"))
    np.save(folder / "row.npy", np.ones(4))
    refused("no matrix", lambda: map_npy(folder / "row.npy"))
    np.save(folder / "objects.npy", np.array([[None]]), allow_pickle=True)
    refused("pickled Python objects", lambda: map_npy(folder / "objects.npy"))
    content = (folder / "Xtrain.npy").read_bytes()
    (folder / "short.npy").write_bytes(content[:-1])
    refused("needs 5760 bytes after the first 128, but it has 5759", lambda: map_npy(folder / "short.npy"))
    (folder / "no.npy").write_bytes(b"no")
    refused("cannot read", lambda: map_npy(folder / "no.npy"))
    refused("is not there|cannot read", lambda: map_npy(folder / "absent.npy"))
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write((folder / "train-images-idx3-ubyte").read_bytes())
    refused("is not an IDX file", lambda: map_idx(folder / "train-images-idx3-ubyte.gz"))


def test_numbers_must_be_finite(tmp_path: Path) -> None:
    X = np.ones((30, 2))
    X[20, 1] = np.nan
    np.save(tmp_path / "X.npy", X)
    refused("X must be finite, got nan in row 20, column 1", lambda: map_npy(tmp_path / "X.npy").require_finite("X"))


def test_one_item_is_made_ahead_by_another_thread() -> None:
    makers: list[str] = []

    def items() -> Iterator[int]:
        for k in range(3):
            makers.append(threading.current_thread().name)
            yield k

    found = ahead(items())
    assert next(found) == 0
    assert list(found) == [1, 2]
    assert all(name.startswith("nerva-ahead") for name in makers)

    def fails() -> Iterator[int]:
        yield 1
        raise NervaError("of the file")

    with pytest.raises(NervaError, match="of the file"):
        list(ahead(fails()))


def test_pages_are_given_back(folder: Path) -> None:
    X: FileRows = map_npy(folder / "Xtrain.npy")
    assert isinstance(X[0:3], np.ndarray)
    assert X[0:3].flags.owndata or X[0:3].base is not X.raw  # nothing that is returned lies in the file
