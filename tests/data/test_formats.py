"""Sizes that a file states and does not have. The sound files are in test_files.py."""

import gzip
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data.formats import read_cifar, read_csv, read_idx, read_npz


@pytest.fixture
def little_memory() -> Iterator[None]:
    """The test fails if it ever holds more than 10 MB."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def idx_header(*shape: int) -> bytes:
    return struct.pack(">HBB", 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape)


@pytest.mark.parametrize("shape", [(2**31, 28, 28), (2**20, 2**10), (1,) * 200, (2**32 - 1,) * 60])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.usefixtures("little_memory")
def test_idx_that_states_more_than_it_has(tmp_path: Path, shape: tuple[int, ...], zipped: bool) -> None:
    path = tmp_path / ("a.gz" if zipped else "a")
    path.write_bytes(gzip.compress(idx_header(*shape) + b"123") if zipped else idx_header(*shape) + b"123")
    with pytest.raises(NervaError, match="is damaged"):
        read_idx(path)


@pytest.mark.usefixtures("little_memory")
def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx_header(3) + bytes(50_000_000)))
    tracemalloc.reset_peak()
    with pytest.raises(NervaError, match=r"needs 3 bytes after the header, but it has more"):
        read_idx(path)


def npy(shape: str, content: bytes, descr: str = "'<f8'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy("(2, 10000000000)", b"12345678"), "is damaged: X.npy of shape"),
        (npy("(-1, -8)", bytes(64)), "is damaged"),
        (npy("(2,)", bytes(24)), "is damaged"),
        (npy("(1,)", bytes(8), "'|O'"), "pickled Python objects"),
        (npy("(1,)", bytes(8), "[('a', '<f8'), ('b', '|O')]"), "pickled Python objects"),
        (npy("(0,)", b"", "'<U0'"), "cannot read the archive"),
        (npy("__import__('os')", b""), "cannot read the archive"),
        (b"\x93NUMPY\x03\x00" + bytes(10), "is no array of numbers"),
        (b"hello", "cannot read the archive"),
    ],
)
@pytest.mark.usefixtures("little_memory")
def test_unsound_archives(tmp_path: Path, member: bytes, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        read_npz(archive(tmp_path / "a.npz", X=member))


def test_an_archive_that_holds_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "a.npz", X=npy("(1000,)", bytes(8000)))
    assert read_npz(path)["X"].shape == (1000,)
    monkeypatch.setattr("nerva_core.data.formats.LARGEST", 8000)
    with pytest.raises(NervaError, match="bytes; at most 8000 are read"):
        read_npz(path)


def test_fortran_order_and_numpy_itself_agree(tmp_path: Path) -> None:
    X = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(tmp_path / "a.npz", X=X, T=np.array(3, dtype=">i2"))
    arrays = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(arrays["X"], X)
    assert (arrays["T"].shape, arrays["T"].item()) == ((), 3)


def test_an_encrypted_archive_is_an_error(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", X=npy("(1,)", bytes(8)))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(NervaError, match=r"cannot read the archive .*encrypted"):
        read_npz(path)


def test_cifar10_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="cannot read"):
        read_cifar(tmp_path / "nothing.bin")


def test_a_table_of_excel(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeffa, b\n1,2\n", encoding="utf-8")
    table = read_csv(tmp_path / "a.csv")
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.numbers([1, 0]), [[2, 1]])
    assert table.column(1) == ["2"]


def test_a_table_without_header_names_a_cell_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,x\n")
    with pytest.raises(NervaError, match=r"line 2, column '1': expected a number, got 'x'"):
        read_csv(tmp_path / "a.csv").numbers([0, 1])


def test_an_idx_file_of_the_other_byte_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(struct.pack("<I", 0x0801) + struct.pack("<I", 3) + b"123")
    with pytest.raises(NervaError, match="reverse order"):
        read_idx(tmp_path / "a")


def test_what_follows_gzip_data_and_what_is_none(tmp_path: Path) -> None:
    content = struct.pack(">II", 0x0801, 3) + b"123"
    (tmp_path / "a.gz").write_bytes(gzip.compress(content) + b"junk")
    with pytest.raises(NervaError, match="something else after its gzip data"):
        read_idx(tmp_path / "a.gz")
    (tmp_path / "b.gz").write_bytes(content)
    with pytest.raises(NervaError, match="it is not gzipped, although its name ends in"):
        read_idx(tmp_path / "b.gz")
