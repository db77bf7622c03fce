"""Windows in JAX: slices, as in NumPy, and the definition of convolution, which XLA runs faster than its own."""

from __future__ import annotations

from typing import Any

from backends.windows_numpy import SlicedWindowOps
from nerva_core.algebra.matrix_ops import MatrixOps

Array = Any


class JaxWindowOps(SlicedWindowOps):
    """Arrays are not changed in place."""

    jax: Any

    convolve = MatrixOps.convolve
    convolve_weights = MatrixOps.convolve_weights
    convolve_inputs = MatrixOps.convolve_inputs

    def _sum_of_slices(self, parts: list[Array], G: Any) -> Array:
        zero, C = self.xp.zeros((), parts[0].dtype), parts[0].shape[-1]
        images = sum(self.jax.lax.pad(part, zero, edges) for part, edges in zip(parts, _edges_of_slices(G), strict=True))
        return images.reshape(-1, C)


def _edges_of_slices(G: Any) -> list[list[tuple[int, int, int]]]:
    """For each offset how many positions stand before, after and between what the windows see: those around the images count back."""
    found = []
    for number in range(G.offsets):
        edges, rest = [(0, 0, 0)], number
        for axis in reversed(range(len(G.size))):
            rest, k = divmod(rest, G.kernel[axis])
            first = k * G.dilation[axis] - G.padding[axis]
            last = first + G.stride[axis] * (G.out[axis] - 1)
            edges.insert(0, (first, G.size[axis] - 1 - last, G.stride[axis] - 1))
        found.append([(0, 0, 0), *edges])
    return found
