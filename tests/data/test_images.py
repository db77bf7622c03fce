from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import ImageFolder

Image = pytest.importorskip("PIL.Image")


def write(folder: Path, name: str, grey: int, size: tuple[int, int] = (4, 3)) -> None:
    """An image of one grey, size as width x height."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(10):
        write(tmp_path / "dark", f"{k}.png", k)
        write(tmp_path / "light", f"{k}.png", 240 + k)
    return tmp_path


def test_a_folder_for_each_class(folder: Path) -> None:
    data = ImageFolder(path=str(folder), scaling="none").load()
    assert (data.grid, data.inputs, data.encoding.classes) == ((3, 4), 12, ("dark", "light"))
    assert (len(data.Xtrain), len(data.Xtest)) == (16, 4)
    for X, T in ((data.Xtrain, data.Ttrain), (data.Xtest, data.Ttest)):
        np.testing.assert_array_equal(X[:, 0] > 100, T == 1)
    assert ImageFolder(path=str(folder), colour=True).load().inputs == 36
    assert ImageFolder(path=str(folder), height=2, width=2).load().inputs == 4


def test_training_and_test_may_be_given(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for k in range(count):
            write(tmp_path / part / "a", f"{k}.png", k)
            write(tmp_path / part / "b", f"{k}.jpg", 200)
    data = ImageFolder(path=str(tmp_path)).load()
    assert (len(data.Xtrain), len(data.Xtest)) == (6, 4)
    write(tmp_path / "test" / "c", "1.png", 0)
    with pytest.raises(NervaError, match="has the class 'c', which"):
        ImageFolder(path=str(tmp_path)).load()


def test_images_to_predict_are_read_by_their_names(folder: Path) -> None:
    source = ImageFolder(path=str(folder))
    X = source.read_images(folder / "dark", 12)
    np.testing.assert_array_equal(X[:, 0], np.arange(10))
    np.testing.assert_array_equal(source.read_images(folder / "dark" / "7.png", 12), [[7] * 12])
    with pytest.raises(NervaError, match=r"13 inputs, but .* has 12 numbers"):
        source.read_images(folder / "dark", 13)
    with pytest.raises(NervaError, match="has no images"):
        source.read_images(folder, 12)


def test_mistakes(folder: Path) -> None:
    write(folder / "light", "odd.png", 200, size=(5, 5))
    with pytest.raises(NervaError, match=r"odd.png has 5 x 5 pixels, others 3 x 4; to make them of one size give height = 3 and width = 4"):
        ImageFolder(path=str(folder)).load()
    assert ImageFolder(path=str(folder), height=3, width=4).load().inputs == 12
    (folder / "light" / "odd.png").write_bytes(b"no image")
    with pytest.raises(NervaError, match="cannot read the image"):
        ImageFolder(path=str(folder)).load()
    (folder / "empty").mkdir()
    with pytest.raises(NervaError, match="empty has no images"):
        ImageFolder(path=str(folder)).load()
    with pytest.raises(NervaError, match="two or more classes, got 0"):
        ImageFolder(path=str(folder / "dark")).load()
