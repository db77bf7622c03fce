"""Data files as other programs write them, and files that are not sound."""

import gzip
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import CIFAR10, CIFAR100, CSV, IDX, NPZ, FashionMNIST
from nerva_core.data.files import read_idx, read_npz

IMAGES = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)
LABELS = np.array([0, 1, 2, 1, 0], dtype=np.uint8)
NAMES = {
    "train-images-idx3-ubyte": IMAGES,
    "train-labels-idx1-ubyte": LABELS,
    "t10k-images-idx3-ubyte": IMAGES,
    "t10k-labels-idx1-ubyte": LABELS,
}


def idx(array: np.ndarray[Any, Any]) -> bytes:
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    for name, array in NAMES.items():
        (tmp_path / name).write_bytes(idx(array))
    return tmp_path


@pytest.mark.parametrize("zipped", [False, True])
def test_idx(mnist: Path, zipped: bool) -> None:
    if zipped:
        for path in list(mnist.iterdir()):
            (mnist / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    data = IDX(path=str(mnist), scaling="none").load()
    np.testing.assert_array_equal(data.Xtrain, IMAGES.reshape(5, 9))
    np.testing.assert_array_equal(data.Ttest, LABELS)
    assert data.classes == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x01\x02\x03\x04", "not an IDX file"),
        (idx(IMAGES)[:-1], "is damaged"),
        (idx(IMAGES) + b"!", "is damaged"),
        (idx(IMAGES)[:7], "is damaged"),
        (struct.pack(">HBB", 0, 8, 3) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1), "is damaged"),
    ],
)
def test_damaged_idx_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(NervaError, match=message):
        read_idx(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(idx(IMAGES))[:-9])
    with pytest.raises(NervaError, match="cannot read"):
        read_idx(path)


def test_missing_idx_files_are_named(tmp_path: Path, mnist: Path) -> None:
    (mnist / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(NervaError, match="no file t10k-labels-idx1-ubyte"):
        IDX(path=str(mnist)).load()
    with pytest.raises(NervaError, match="is not there"):
        IDX(path=str(tmp_path / "nothing")).load()
    with pytest.raises(NervaError, match="is not a directory"):
        IDX(path=str(mnist / "train-images-idx3-ubyte")).load()


def test_fashion_mnist_says_how_to_install_it() -> None:
    with pytest.raises(NervaError, match="dataset-fashion-mnist"):
        FashionMNIST(path="/nowhere").load()


@pytest.mark.skipif(not os.path.isdir(FashionMNIST().path), reason="the Debian package dataset-fashion-mnist is not installed")
def test_real_fashion_mnist() -> None:
    data = FashionMNIST().load()
    assert (data.Xtrain.shape, data.Xtest.shape, data.classes) == ((60000, 784), (10000, 784), 10)
    assert (data.Xtrain.min(), data.Xtrain.max()) == (0, 1)
    np.testing.assert_array_equal(np.bincount(data.Ttrain), 6000)


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    for k, name in enumerate([*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]):
        record = np.full((2, 3073), k, dtype=np.uint8)
        record[:, 0] = [k, 9]
        (tmp_path / name).write_bytes(record.tobytes())
    return tmp_path


def test_cifar10_binary(cifar: Path) -> None:
    data = CIFAR10(path=str(cifar), scaling="none").load()
    assert data.Xtrain.shape == (10, 3072)
    np.testing.assert_array_equal(data.Ttrain, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9])
    assert (data.Xtest == 5).all()


def test_cifar10_damaged_or_pickled(cifar: Path, tmp_path: Path) -> None:
    (cifar / "data_batch_3.bin").write_bytes(b"\0" * 3072)
    with pytest.raises(NervaError, match="3073 bytes, but it has 3072"):
        CIFAR10(path=str(cifar)).load()
    (cifar / "data_batch_1.bin").unlink()
    (cifar / "data_batch_1").write_bytes(pickle.dumps({}))
    with pytest.raises(NervaError, match="binary version"):
        CIFAR10(path=str(cifar)).load()


def test_cifar100_binary(tmp_path: Path) -> None:
    """Two labels before the pixels, of which the planes red, green and blue become channels."""
    record = np.zeros((3, 3074), dtype=np.uint8)
    record[:, 0], record[:, 1] = [19, 0, 4], [99, 7, 20]
    record[:, 2 : 2 + 1024] = 5
    for name in ("train.bin", "test.bin"):
        (tmp_path / name).write_bytes(record.tobytes())
    fine, coarse = (CIFAR100(path=str(tmp_path), labels=labels, scaling="none").load() for labels in ("fine", "coarse"))
    assert (fine.classes, coarse.classes, fine.grid) == (100, 20, (32, 32))
    np.testing.assert_array_equal(fine.Ttrain, [99, 7, 20])
    np.testing.assert_array_equal(coarse.Ttest, [19, 0, 4])
    np.testing.assert_array_equal(fine.Xtrain.reshape(3, 1024, 3), np.broadcast_to([5, 0, 0], (3, 1024, 3)))


def test_cifar100_damaged_pickled_or_of_cifar10(tmp_path: Path) -> None:
    (tmp_path / "train").write_bytes(pickle.dumps({}))
    with pytest.raises(NervaError, match=r"CIFAR-100 as Python pickles.*binary version"):
        CIFAR100(path=str(tmp_path)).load()
    (tmp_path / "train.bin").write_bytes(b"\0" * 3073)
    with pytest.raises(NervaError, match="3074 bytes, but it has 3073"):
        CIFAR100(path=str(tmp_path)).load()


class Explosive:
    def __reduce__(self) -> Any:
        return os.system, ("touch exploded",)


def save_npz(path: Path, **changes: Any) -> Path:
    arrays = {"Xtrain": np.ones((4, 2)), "Ttrain": np.array([0, 1, 0, 1]), "Xtest": np.ones((2, 2)), "Ttest": np.array([0, 1])}
    np.savez(path, **{name: array for name, array in {**arrays, **changes}.items() if array is not None})
    return path


def test_npz(tmp_path: Path) -> None:
    data = NPZ(path=str(save_npz(tmp_path / "a.npz"))).load()
    assert (data.inputs, data.classes) == (2, 2)
    column = NPZ(path=str(save_npz(tmp_path / "b.npz", Ttrain=np.array([[0], [1], [0], [1]])))).load()
    np.testing.assert_array_equal(column.Ttrain, data.Ttrain)
    targets = {"Ttrain": np.ones((4, 3)), "Ttest": np.ones((2, 3))}
    assert NPZ(path=str(save_npz(tmp_path / "c.npz", **targets)), task="regression").load().classes is None


def test_npz_without_an_array(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="no array 'Ttest'; did you mean"):
        NPZ(path=str(save_npz(tmp_path / "a.npz", Ttest=None))).load()


def test_pickles_are_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evil = np.array([Explosive()], dtype=object)
    np.savez(tmp_path / "evil.npz", Xtrain=evil, allow_pickle=True)
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Explosive()))
    np.save(tmp_path / "single.npy", np.ones(3))
    for name in ("evil.npz", "raw.npz"):
        with pytest.raises(NervaError, match="pickled"):
            NPZ(path=str(tmp_path / name)).load()
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(NervaError, match="single array"):
        read_npz(tmp_path / "single.npy")


@pytest.mark.parametrize("keep", [0, 10, 100, -30])
def test_truncated_npz(tmp_path: Path, keep: int) -> None:
    path = save_npz(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(NervaError, match=r"a\.npz"):
        NPZ(path=str(path)).load()


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


ROWS = "\n".join(f"{i},{i * i},{'yes' if i % 2 else 'no'}" for i in range(20))


def test_csv_with_header_and_class_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b,answer\n" + ROWS)
    data = CSV(path=path, scaling="none").load()
    assert (len(data.Xtrain), len(data.Xtest), data.classes) == (16, 4, 2)
    np.testing.assert_array_equal(data.Ttrain, data.Xtrain[:, 0] % 2)  # no = 0, yes = 1
    by_name = CSV(path=path, target="answer", scaling="none").load()
    np.testing.assert_array_equal(by_name.Xtrain, data.Xtrain)


def test_csv_without_header_and_for_regression(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\n".join(f"{i},{i % 3}" for i in range(30)))
    assert CSV(path=path).load().classes == 3
    data = CSV(path=path, task="regression", scaling="none").load()
    np.testing.assert_array_equal(data.Ttrain[:, 0], data.Xtrain[:, 0] % 3)


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("", {}, "is empty"),
        ("a,b\n", {}, "a header but no rows"),
        ("1,2\n3\n", {}, "line 2: expected 2 columns, got 1"),
        ("a,b\n1,0\nx,1\n", {}, "line 3, column 'a': expected a number, got 'x'"),
        ("a,b\n1,0\n", {"target": "c"}, "no column 'c'"),
        ("1\n2\n", {}, "at least two columns"),
        ("1,-1\n2,0\n", {}, "must not be negative, got -1"),
        ("1,0\n2,1\n", {}, "cannot split"),
        ("nan,0\n" * 10 + "1,1\n" * 10, {}, "line 1, column '0': numbers must be finite, got 'nan'"),
        ("1,nan\n" * 10, {}, "line 1, column '1': expected a class, got 'nan'"),
        ("a,b\n1,x\n", {"task": "regression"}, "line 2, column 'b': expected a number, got 'x'"),
    ],
)
def test_unsound_csv(tmp_path: Path, text: str, source: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        CSV(path=write(tmp_path / "a.csv", text), **source).load()


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NervaError, match="cannot read"):
        CSV(path=str(tmp_path / "a.csv")).load()


NUMBERED = "0,1,2,3\n" + "\n".join(f"{i}.5,{i},1,{i}.25" for i in range(30)) + "\n"


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("a,a,label\n" + ROWS, {}, "different names, but 'a' is that of columns 1 and 2"),
        ("a,b,label\n1,2,x\n1,2,\n", {}, r"line 3, column 'label': expected a class, got '', a missing value"),
        ("a,b,label\n1,2,x\n1,2,NA\n", {}, r"line 3, column 'label': expected a class, got 'NA'"),
        ("a,b,label\n1,2,1\n1,2,nan\n", {}, r"line 3, column 'label': expected a class, got 'nan'"),
        (NUMBERED, {"task": "regression"}, "first line, '0,1,2,3', looks like numbers of the columns"),
        ("a,b\n1_00,0\n2,1\n", {}, "line 2, column 'a': expected a number, got '1_00'"),
        ("a,b\n1,0\nnan,1\n", {}, "line 3, column 'a': numbers must be finite, got 'nan'"),
        ("a,b\n1,0\n1e999,1\n", {}, "line 3, column 'a': numbers must be finite, got '1e999'"),
        ('"a\nb",c\n1,0\nx,1\n', {}, r"line 4, column 'a\\nb': expected a number"),
        (",a,label\n0,1,0\n1,2,1\n", {}, "column 1 of 3 has no name.*index=False"),
        ("Unnamed: 0,a,label\n0,1,0\n1,2,1\n", {}, "column 1 of 3 has no name"),
        ("a,label,\n1,0,\n2,1,\n", {}, "column 3 of 3 has no name"),
        ("a,label\n1,x\n2,x\n3,y\n", {}, "class y has only one example.*say task = 'regression'"),
    ],
)
def test_what_a_csv_file_leaves_to_guess_is_refused(tmp_path: Path, text: str, source: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        CSV(path=write(tmp_path / "a.csv", text), **source).load()


def test_a_first_line_that_counts_by_chance_is_an_example(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "0,1\n" + "".join(f"{i},{i % 2}\n" for i in range(29)))
    data = CSV(path=path).load()
    assert len(data.Xtrain) + len(data.Xtest) == 30


def test_the_home_of_somebody_unknown() -> None:
    with pytest.raises(NervaError, match=r"cannot find ~nosuchuser/x\.csv"):
        CSV(path="~nosuchuser/x.csv").load()
    with pytest.raises(NervaError, match="cannot find ~"):
        CSV(path="~\0").load()


def test_targets_without_rows(tmp_path: Path) -> None:
    for task in ("classification", "regression"):
        np.savez(tmp_path / "a.npz", Xtrain=np.ones((3, 2)), Ttrain=np.array(1), Xtest=np.ones((3, 2)), Ttest=np.array([0, 1, 0]))
        with pytest.raises(NervaError, match="Ttrain must have a row for every example, got a single number"):
            NPZ(path=str(tmp_path / "a.npz"), task=task).load()


@pytest.mark.parametrize(
    ("targets", "message"),
    [(np.full((6, 2), 0.5), "probabilities of classes are not read"), (np.arange(48).reshape(6, 8), "such as QMNIST's")],
)
def test_tables_of_targets_that_are_no_classes(tmp_path: Path, targets: Any, message: str) -> None:
    np.savez(tmp_path / "a.npz", Xtrain=np.ones((6, 2)), Ttrain=targets, Xtest=np.ones((6, 2)), Ttest=targets)
    with pytest.raises(NervaError, match=message):
        NPZ(path=str(tmp_path / "a.npz")).load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a;b;label\n1;2;0\n", "its cells seem to be separated by semicolons"),
        (b"a\tb\tlabel\n1\t2\t0\n", "its cells seem to be separated by tabs"),
        (b"label\n0\n1\n", r"separated by commas, got 1$"),
        (b"a,b,label\n" + b"1,2,yes\n" * 9, "all examples are of one class, 'yes'; a classification needs two"),
        (b"a,b,label\n" + b"1e308,2,0\n-1e308,3,1\n" * 9, r"go up to 1e\+308, which is too large for scaling = 'standard'"),
        ("a,b\n1,2\n".encode("utf-16"), r"it is not UTF-8 text \(byte 0xff at 0\)"),
    ],
)
def test_tables_that_are_meant_otherwise(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(NervaError, match=message):
        CSV(path=str(tmp_path / "a.csv")).load()


@pytest.mark.parametrize("target", ["y", "T"])
def test_an_archive_with_one_set_is_divided(tmp_path: Path, target: str) -> None:
    X, T = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    np.savez(tmp_path / "a.npz", X=X, **{target: T})
    data = NPZ(path=str(tmp_path / "a.npz")).load()
    assert (data.Xtrain.shape, data.Xtest.shape, data.classes) == ((16, 2), (4, 2), 2)
    assert list(np.bincount(data.Ttest)) == [2, 2]
    for rows, classes in ((data.Xtrain, data.Ttrain), (data.Xtest, data.Ttest)):
        np.testing.assert_array_equal(rows[:, 0] / 2 % 2, classes)
    assert NPZ(path=str(tmp_path / "a.npz"), task="regression", test_fraction=0.5).load().Ttrain.shape == (10, 1)
    np.savez(tmp_path / "b.npz", X=X, y=T[:-1])
    with pytest.raises(NervaError, match="must have a row for every example"):
        NPZ(path=str(tmp_path / "b.npz")).load()
