"""Images in folders, one for each class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.registry import Count, Fraction
from nerva_core.data.dataset import Dataset, Scaling, make_dataset, split
from nerva_core.data.encoding import Encoding
from nerva_core.data.files import existing
from nerva_core.data.sources import SOURCES, DataSource

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


@SOURCES.add
@dataclass(frozen=True, kw_only=True)
class ImageFolder(DataSource):
    """A folder with a folder of images for each class, or with two such folders, ``train`` and ``test``.

    Images are read in grey, or with ``colour`` in red, green and blue, and made ``height`` x ``width``, by default the size of the
    first. Without a folder ``test`` a random ``test_fraction`` is the test set, the same in every run.
    """

    path: str
    height: Count | None = None
    width: Count | None = None
    colour: bool = False
    test_fraction: Fraction = 0.2
    scaling: Scaling = "unit"

    def read(self) -> Dataset:
        folder = existing(self.path, "a directory")
        parts = [folder / name for name in ("train", "test")]
        divided = all(part.is_dir() for part in parts)
        found = [_images_by_class(part) for part in (parts if divided else [folder])]
        classes = tuple(sorted(found[0]))
        if len(classes) < 2:
            raise NervaError(f"{folder} must have a folder of images for each of two or more classes, got {len(classes)}")
        if divided and set(found[1]) - set(classes):
            raise NervaError(f"{parts[1]} has the class {sorted(set(found[1]) - set(classes))[0]!r}, which {parts[0]} has not")
        size = self._size(found[0][classes[0]][0])
        sets = [self._examples(images, classes, size) for images in found]
        (X, T), (Xtest, Ttest) = sets if divided else (sets[0], sets[0])
        if not divided:
            X, T, Xtest, Ttest = split(np.random.default_rng(0), X, T, self.test_fraction, stratified=True, names=classes)
        data = make_dataset(str(folder), X, T, Xtest, Ttest, regression=False, classes=len(classes))
        return replace(data, grid=size, encoding=Encoding(classes=classes))

    def read_images(self, path: Path, inputs: int) -> Array:
        """The images in a folder, or a single one, for a network with so many inputs that was trained on this source."""
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if not files:
            raise NervaError(f"{path} has no images ({', '.join(SUFFIXES)})")
        size = (self.height, self.width) if self.height and self.width else self._size(files[0])
        X = np.stack([self._read(file, size) for file in files]).reshape(len(files), -1)
        if X.shape[1] != inputs:
            raise NervaError(
                f"the network has {inputs} inputs, but {files[0]} has {X.shape[1]} numbers; the size of the training is needed"
            )
        return X.astype(np.float32)

    def _examples(self, images: dict[str, list[Path]], classes: tuple[str, ...], size: tuple[int, int]) -> tuple[Array, Array]:
        pairs = [(file, k) for k, name in enumerate(classes) for file in images.get(name, [])]
        return np.stack([self._read(file, size) for file, _ in pairs]), np.array([k for _, k in pairs])

    def _size(self, first: Path) -> tuple[int, int]:
        with _opened(first) as image:
            return self.height or image.height, self.width or image.width

    def _read(self, file: Path, size: tuple[int, int]) -> Array:
        height, width = size
        with _opened(file) as image:
            if self.height is None and self.width is None and (image.height, image.width) != size:
                raise NervaError(
                    f"{file} has {image.height} x {image.width} pixels, others {height} x {width}; to make them of one size give "
                    f"height = {height} and width = {width}"
                )
            converted = image.convert("RGB" if self.colour else "L")
            return np.asarray(converted if converted.size == (width, height) else converted.resize((width, height)))


def _opened(file: Path) -> Any:
    pillow = require("PIL.Image", "tables")
    try:
        image = pillow.open(file)
        image.load()
        return image
    except Exception as error:  # of Pillow, for a file that is damaged, no image, or too large
        raise NervaError(f"cannot read the image {file}: {' '.join(str(error).split())[:200]}") from None


def _images_by_class(folder: Path) -> dict[str, list[Path]]:
    """The images in each folder of a folder, in the order of their names."""
    found = {
        part.name: sorted(file for file in part.iterdir() if file.suffix.lower() in SUFFIXES)
        for part in sorted(folder.iterdir())
        if part.is_dir() and not part.name.startswith(".")
    }
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise NervaError(f"{folder / empty[0]} has no images ({', '.join(SUFFIXES)})")
    return found
