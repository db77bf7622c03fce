from pathlib import Path

import numpy as np
import pytest

from nerva_core.data.files import FashionMNIST
from tests.conftest import Nerva


def idx(folder: Path, n: int = 20) -> Path:
    """A folder with the four files, n training and n test images of 2 x 2 pixels in two classes."""
    folder.mkdir()
    for part in ("train", "t10k"):
        images, labels = np.zeros((n, 2, 2), np.uint8), np.arange(n, dtype=np.uint8) % 2
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / name).write_bytes(head + array.tobytes())
    return folder


def test_it_says_where_data_come_from(nerva: Nerva) -> None:
    status, out, _ = nerva("data")
    assert status == 0
    assert "FashionMNIST: on Debian: apt-get install dataset-fashion-mnist" in out
    assert "MNIST: the four files" in out
    assert "CIFAR10: https://" in out
    assert "Digits" not in out  # which is always here


def test_it_checks_what_it_finds(nerva: Nerva, tmp_path: Path) -> None:
    status, out, err = nerva("data", "Fashion-MNIST", "--path", str(idx(tmp_path / "f")))
    assert status == 0, err
    assert out.endswith(f"{tmp_path / 'f'}: 20 training and 20 test examples, 4 features, 2 classes\n")


def test_files_that_are_not_sound_are_told(nerva: Nerva, tmp_path: Path) -> None:
    folder = idx(tmp_path / "f")
    (folder / "train-labels-idx1-ubyte").unlink()
    status, out, err = nerva("data", "fashion_mnist", "--path", str(folder))
    assert status == 2
    assert "apt-get" in out
    assert "has no file train-labels-idx1-ubyte" in err


def test_where_there_is_no_usual_folder_one_must_be_given(nerva: Nerva, tmp_path: Path) -> None:
    status, out, _ = nerva("data", "mnist")
    assert status == 0
    assert "give --path FOLDER" in out
    status, out, _ = nerva("data", "mnist", "--path", str(idx(tmp_path / "m")))
    assert "20 training" in out


def test_without_the_package_the_way_to_it_is_said(nerva: Nerva, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FashionMNIST.__init__.__kwdefaults__, "path", "/no/such/folder")
    status, _, err = nerva("data", "fashion-mnist")
    assert status == 2
    assert "no directory /no/such/folder; on Debian: apt-get install dataset-fashion-mnist" in err


@pytest.mark.parametrize("name", ["digits", "imagenet"])
def test_what_does_not_come_from_elsewhere_is_refused(nerva: Nerva, name: str) -> None:
    status, _, err = nerva("data", name)
    assert status == 2
    assert "these are: IDX, MNIST, FashionMNIST, CIFAR10" in err
