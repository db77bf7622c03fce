"""Augmentation: each image is moved or mirrored by matrices that are drawn as noise, so that a seed gives the same run on every backend.

At inference images stay as they are. The matrices hold zeros and ones, so that products with them are exact.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Count, Share
from nerva_core.algebra.trees import Tree
from nerva_core.layers.base import LAYERS, Layer, Positions, Shape, Symbols
from nerva_core.layers.windowed import extents


class AugmentationCache(NamedTuple, Generic[M]):
    """Families with a member for each image: A is H x H, B is E x E."""

    A: M
    B: M


@dataclass(frozen=True, kw_only=True)
class Augmentation(Layer):
    """Y_n = A_n · X_n · B_n, where X_n is row n of X as the H x E matrix of the rows of an image, E = W · C; Y = X at inference.

    X is N x H·E; the noise A is N·H x H and B is N·E x E, a matrix for each image. It stands at the beginning of a network.
    """

    height: Count | None = None
    """H, by default that of the images of the data."""
    width: Count | None = None
    """W, by default that of the images of the data."""

    def row_sources(self, rng: np.random.Generator, N: int, H: int) -> Array:
        """For each row of N new images the number of the row of the old one that it is; of another number it is 0. By default itself."""
        return np.broadcast_to(np.arange(H), (N, H))

    @abstractmethod
    def column_sources(self, rng: np.random.Generator, N: int, W: int) -> Array:
        """As ``row_sources``, for the columns."""

    def rows_and_numbers(self, D: Size) -> tuple[Size, Size]:
        """(H, E) of images of D numbers; NervaError if the size of an image is not known."""
        if self.height is None or self.width is None:
            raise NervaError(f"{self!r} does not know the size of an image, which data of images tell; give it height and width")
        return self.height, D // self.height

    def outputs_for(self, D: Size) -> Size:
        H, _ = self.rows_and_numbers(D)
        if isinstance(D, int) and isinstance(self.width, int) and D % (H * self.width):
            raise NervaError(f"{self!r} takes an image of {H} x {self.width} positions in each row, got {D} columns")
        return D

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if positions:
            raise NervaError(f"{self!r} takes an image in each row, but the rows are positions already: {extents(positions)}; put it first")
        return self, positions

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, height=symbols.size("H"), width=symbols.size("W"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N"), symbols.size("H") * symbols.size("E")

    def noise_shapes(self, N: Size, D: Size) -> tuple[Shape, ...]:
        H, E = self.rows_and_numbers(D)
        return (N * H, H), (N * E, E)

    def draw(self, rng: np.random.Generator, N: int, D: int) -> tuple[Array, Array]:
        (NH, H), (NE, E) = self.noise_shapes(N, D)
        rows, columns = self.row_sources(rng, N, H), self.column_sources(rng, N, self.width or E)
        channels = np.arange(D // H // columns.shape[1])
        numbers = (columns[:, :, None] * len(channels) + channels).reshape(N, E)
        return selections(rows).reshape(NH, H), selections(numbers).transpose(0, 2, 1).reshape(NE, E)

    def feedforward(self, ops: MatrixOps[M], params: tuple[()], X: M, A: M, B: M) -> tuple[M, AugmentationCache[M]]:
        (_, H), (_, E) = ops.shape(A), ops.shape(B)
        cache = AugmentationCache(ops.split(A, H, H), ops.split(B, E, E))
        Y = self._images(ops, cache.A @ self._family(ops, X, H, E) @ cache.B, X)
        return Y, cache

    def backpropagate(self, ops: MatrixOps[M], params: tuple[()], cache: AugmentationCache[M], DY: M) -> tuple[M, tuple[()]]:
        A, B = cache
        (H, _), (E, _) = ops.shape(A), ops.shape(B)
        DX = self._images(ops, ops.transpose(A) @ self._family(ops, DY, H, E) @ ops.transpose(B), DY)
        return DX, ()

    def evaluate(self, ops: MatrixOps[M], params: Tree, state: Tree, X: M, *args: Any, **kwargs: Any) -> M:
        return X

    def _family(self, ops: MatrixOps[M], X: M, H: Size, E: Size) -> M:
        """The images, each H x E."""
        N, _ = ops.shape(X)
        return ops.split(ops.reshape(X, N * H, E), H, E)

    def _images(self, ops: MatrixOps[M], F: M, like: M) -> M:
        """A row for each image: the inverse of ``_family``."""
        N, D = ops.shape(like)
        return ops.reshape(ops.join(F, N), N, D)


@LAYERS.add
@dataclass(frozen=True)
class RandomCrop(Augmentation):
    """Each image is moved by -p, ..., p rows and as many columns, each with the same probability; what comes in is 0.

    Equal to a crop of its own size from the image with p zeros around it (He et al. 2016, section 4.2, where p = 4).
    """

    aliases = ("RandomTranslation", "RandomShift")
    padding: Count = 4

    def row_sources(self, rng: np.random.Generator, N: int, H: int) -> Array:
        moved: Array = np.arange(H) + rng.integers(-self.padding, self.padding + 1, (N, 1))
        return moved

    def column_sources(self, rng: np.random.Generator, N: int, W: int) -> Array:
        return self.row_sources(rng, N, W)


@LAYERS.add
@dataclass(frozen=True)
class RandomFlip(Augmentation):
    """Each image is mirrored, left and right, with probability p."""

    aliases = ("RandomHorizontalFlip",)
    p: Share = 0.5

    def column_sources(self, rng: np.random.Generator, N: int, W: int) -> Array:
        mirrored: Array = np.where(rng.random((N, 1)) < self.p, np.arange(W)[::-1], np.arange(W))
        return mirrored


def selections(sources: Array) -> Array:
    """S of each row s of sources, N x n x n: S_ij is 1 where j = s_i, and 0 elsewhere; a number that is no column selects nothing."""
    _, n = sources.shape
    result: Array = (sources[:, :, None] == np.arange(n)).astype(np.float32)
    return result
