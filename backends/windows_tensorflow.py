"""Windows in TensorFlow: slices, as in NumPy, and the definition of convolution, which XLA runs faster than its own."""

from __future__ import annotations

import functools
from typing import Any

from backends.windows_numpy import slices

Tensor = Any


class TensorFlowWindowOps:
    """Tensors are not changed in place; where a step is compiled for any number of columns, that is a tensor."""

    tf: Any
    shape: Any
    _leading: Any

    def windows(self, X: Tensor, G: Any) -> Tensor:
        images, (_, C) = self._padded(X, G), self.shape(X)
        return self.tf.reshape(self.tf.stack([images[at] for at in slices(G)], axis=-2), [*self._leading(X), -1, G.offsets * C])

    def fold(self, Z: Tensor, G: Any) -> Tensor:
        C = self.shape(Z)[1] // G.offsets
        parts = self.tf.reshape(Z, [-1, *G.out, G.offsets, C])
        folded = self._sum_of_slices([parts[..., u, :] for u in range(G.offsets)], C, G)
        return self.tf.reshape(folded, [*self._leading(Z), -1, C])

    def pool_max(self, X: Tensor, G: Any) -> Tensor:
        images = self._padded(X, G)
        return self.tf.reshape(functools.reduce(self.tf.maximum, [images[at] for at in slices(G)]), [-1, self.shape(X)[1]])

    def pool_max_inputs(self, X: Tensor, DY: Tensor, G: Any) -> Tensor:
        tf, images, (_, C) = self.tf, self._padded(X, G), self.shape(X)
        seen, DY = [images[at] for at in slices(G)], tf.reshape(DY, [-1, *G.out, C])
        largest, parts = functools.reduce(tf.maximum, seen), []
        open_yet = tf.ones_like(largest, tf.bool)
        for part in seen:
            first = tf.logical_and(open_yet, part == largest)
            open_yet = tf.logical_and(open_yet, tf.logical_not(first))
            parts.append(tf.where(first, DY, tf.zeros_like(DY)))
        return self._sum_of_slices(parts, C, G)

    def _padded(self, X: Tensor, G: Any) -> Tensor:
        """The images, N x height x width x C, with the empty positions around them."""
        images = self.tf.reshape(X, [-1, *G.size, self.shape(X)[1]])
        return self.tf.pad(images, [(0, 0), *((p, p) for p in G.padding), (0, 0)])

    def _sum_of_slices(self, parts: list[Tensor], C: Any, G: Any) -> Tensor:
        """The images that are the sum of parts, each at the slice of its offset, as N·P x C; without what is around them."""
        tf, placed = self.tf, []
        size = [n + 2 * p for n, p in zip(G.size, G.padding, strict=True)]
        for (_, *at), part in zip(slices(G), parts, strict=True):
            apart = self._apart_by(part, C, G)
            placed.append(tf.pad(apart, [(0, 0), *((s.start, n - s.stop) for s, n in zip(at, size, strict=True)), (0, 0)]))
        inside = (slice(None), *(slice(p, p + n) for n, p in zip(G.size, G.padding, strict=True)))
        return tf.reshape(tf.add_n(placed)[inside], [-1, C])

    def _apart_by(self, part: Tensor, C: Any, G: Any) -> Tensor:
        """Zeros between the positions, so that they are as far apart as the windows: G.stride."""
        tf, shape = self.tf, [-1, *G.out, C]
        for axis, s in enumerate(G.stride, 1):
            if s > 1:
                n = shape[axis]
                beside = tf.pad(tf.expand_dims(part, axis + 1), [(0, s - 1) if k == axis + 1 else (0, 0) for k in range(len(shape) + 1)])
                shape[axis] = n * s
                part = tf.reshape(beside, shape)[tuple(slice(s * (n - 1) + 1) if k == axis else slice(None) for k in range(len(shape)))]
                shape[axis] = s * (n - 1) + 1
        return part
