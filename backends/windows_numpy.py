"""Windows by slices: at each offset, every window sees a slice of the images. Shared by NumPy and JAX; and NumPy's convolution."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import MatrixOps

Array = Any
Slices = tuple[slice, ...]

if TYPE_CHECKING:
    _Operations = MatrixOps[Array]
else:
    _Operations = object


def slices(G: Any) -> list[Slices]:
    """For each offset, which positions of padded images the windows see."""
    each = zip(G.kernel, G.dilation, G.stride, G.out, strict=True)
    seen = ([slice(k * d, k * d + s * (q - 1) + 1, s) for k in range(n)] for n, d, s, q in each)
    return [(slice(None), *offset) for offset in itertools.product(*seen)]


class SlicedWindowOps(_Operations):
    """The operations on windows, in the functions that NumPy and JAX share."""

    xp: Any

    def windows(self, X: Array, G: Any) -> Array:
        images, C = self._padded(X, G), X.shape[-1]
        return self.xp.stack([images[at] for at in slices(G)], axis=-2).reshape(*X.shape[:-2], -1, G.offsets * C)

    def fold(self, Z: Array, G: Any) -> Array:
        C = Z.shape[-1] // G.offsets
        parts = Z.reshape(-1, *G.out, G.offsets, C)
        return self._sum_of_slices([parts[..., u, :] for u in range(G.offsets)], G).reshape(*Z.shape[:-2], -1, C)

    def pool_max(self, X: Array, G: Any) -> Array:
        images = self._padded(X, G)
        return functools.reduce(self.xp.maximum, (images[at] for at in slices(G))).reshape(-1, X.shape[-1])

    def pool_max_inputs(self, X: Array, DY: Array, G: Any) -> Array:
        images, shape = self._padded(X, G), (-1, *G.out, X.shape[-1])
        seen = [images[at] for at in slices(G)]
        largest, DY = functools.reduce(self.xp.maximum, seen), DY.reshape(shape)
        open_yet, parts = self.xp.ones(largest.shape, bool), []
        for part in seen:
            first = open_yet & (part == largest)
            open_yet = open_yet & ~first
            parts.append(self.xp.where(first, DY, self.xp.zeros_like(DY)))
        return self._sum_of_slices(parts, G)

    def _padded(self, X: Array, G: Any) -> Array:
        """The images, N x height x width x C, with the empty positions around them."""
        images = X.reshape(-1, *G.size, X.shape[-1])
        return self.xp.pad(images, _edges(G)) if any(G.padding) else images

    def _sum_of_slices(self, parts: list[Array], G: Any) -> Array:
        """The images that are the sum of parts, each at the slice of its offset, as N·P x C; without what is around them."""
        N, C = parts[0].shape[0], parts[0].shape[-1]
        images = np.zeros((N, *(n + 2 * p for n, p in zip(G.size, G.padding, strict=True)), C), parts[0].dtype)
        for at, part in zip(slices(G), parts, strict=True):
            images[at] += part
        return images[_inside(G)].reshape(-1, C)


def _edges(G: Any) -> list[tuple[int, int]]:
    return [(0, 0), *((p, p) for p in G.padding), (0, 0)]


def _inside(G: Any) -> Slices:
    return (slice(None), *(slice(p, p + n) for n, p in zip(G.size, G.padding, strict=True)))


class ShiftedProducts(SlicedWindowOps):
    """Convolution with stride 1 as the sum of U products without copies of windows.

    In padded images, whose positions are the rows of one matrix, the position that a window sees at an offset is a fixed number of rows
    after its own. So windows(X) · W is Σ_u X_(t_u) · W_u, where X_t begins t rows later. BLAS adds each product to the sum. Rows that are
    no places of windows are computed too, and left out.
    """

    def convolve(self, X: Array, W: Array, G: Any) -> Array:
        if not _is_shifted(X, G):
            return MatrixOps.convolve(self, X, W, G)
        F, C = _positions(self._padded(X, G)), X.shape[1]
        Y, M = np.zeros((len(F), W.shape[1]), X.dtype), len(F) - max(_shifts(G))
        for u, t in enumerate(_shifts(G)):
            _add_product(F[t : t + M], W[u * C : (u + 1) * C], Y[:M])
        return Y.reshape(-1, *_padded_size(G), W.shape[1])[_places(G)].reshape(-1, W.shape[1])

    def convolve_weights(self, X: Array, DY: Array, G: Any) -> Array:
        if not _is_shifted(X, G):
            return MatrixOps.convolve_weights(self, X, DY, G)
        F, D = _positions(self._padded(X, G)), self._at_positions(DY, G)
        M = len(F) - max(_shifts(G))
        return np.concatenate([F[t : t + M].T @ D[:M] for t in _shifts(G)])

    def convolve_inputs(self, DY: Array, W: Array, G: Any) -> Array:
        if not _is_shifted(DY, G):
            return MatrixOps.convolve_inputs(self, DY, W, G)
        D, C = self._at_positions(DY, G), len(W) // G.offsets
        DX, M = np.zeros((len(D), C), DY.dtype), len(D) - max(_shifts(G))
        for u, t in enumerate(_shifts(G)):
            _add_product(D[:M], np.ascontiguousarray(W[u * C : (u + 1) * C].T), DX[t : t + M])
        return DX.reshape(-1, *_padded_size(G), C)[_inside(G)].reshape(-1, C)

    def _at_positions(self, DY: Array, G: Any) -> Array:
        """A row for each padded position: that of the window that begins there, 0 if none does."""
        K = DY.shape[1]
        found = np.zeros((len(DY) // G.places, *_padded_size(G), K), DY.dtype)
        found[_places(G)] = DY.reshape(-1, *G.out, K)
        return _positions(found)


def _is_shifted(X: Array, G: Any) -> bool:
    """Whether X is a matrix and no family, and what windows see at an offset is a fixed number of rows away."""
    return X.ndim == 2 and isinstance(G, Geometry) and set(G.stride) == {1}


def _padded_size(G: Any) -> tuple[int, ...]:
    return tuple(n + 2 * p for n, p in zip(G.size, G.padding, strict=True))


def _places(G: Any) -> Slices:
    """Where in padded images a window begins."""
    return (slice(None), *(slice(q) for q in G.out))


def _positions(images: Array) -> Array:
    return images.reshape(-1, images.shape[-1])


def _shifts(G: Any) -> list[int]:
    """How many rows after its own a window sees a position at each offset."""
    size = _padded_size(G)
    strides = [math.prod(size[axis + 1 :]) for axis in range(len(size))]
    offsets = itertools.product(*(range(0, n * d, d) for n, d in zip(G.kernel, G.dilation, strict=True)))
    return [sum(o * s for o, s in zip(offset, strides, strict=True)) for offset in offsets]


def _add_product(A: Array, B: Array, Y: Array) -> None:
    """Y += A · B in place, of matrices that lie by rows: BLAS, which goes by columns, is given the transposes."""
    from scipy.linalg import blas

    gemm = blas.sgemm if Y.dtype == np.float32 else blas.dgemm
    result = gemm(1.0, B.T, A.T, 1.0, Y.T, overwrite_c=True)
    if not np.shares_memory(result, Y):
        Y[...] = result.T
