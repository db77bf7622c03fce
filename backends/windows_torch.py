"""Convolution and max-pooling by PyTorch's kernels, on matrices whose rows are the positions of images.

An N·P x C matrix is a tensor of N x C x height x width with the channels last in memory: the same numbers in the same order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.operations.windows import Windows

Tensor = Any
Pair = tuple[int, ...]

if TYPE_CHECKING:
    _Operations = MatrixOps[Tensor]
else:
    _Operations = object


class Plane(NamedTuple):
    """A geometry of two dimensions, in PyTorch's terms."""

    size: Pair
    out: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


def plane(X: Tensor, G: Windows) -> Plane | None:
    """The geometry with two dimensions, if it has one or two and X is a matrix: what PyTorch's kernels are for."""
    if not isinstance(G, Geometry) or len(G.size) > 2 or X.ndim != 2:
        return None
    neutral = zip((G.size, G.out, G.kernel, G.stride, G.padding, G.dilation), (1, 1, 1, 1, 0, 1), strict=True)
    return Plane(*((value,) * (2 - len(numbers)) + numbers for numbers, value in neutral))


class ConvolutionKernels(NamedTuple):
    """PyTorch's convolution and its pullback."""

    torch: Any
    P: Plane

    def outputs(self, X: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
        """windows(X) · W + 1 · b; without b, windows(X) · W."""
        bias, kernel = None if b is None else b.reshape(-1), _kernel(W, X.shape[1], self.P)
        return _rows(self.torch.conv2d(_images(X, self.P.size), kernel, bias, self.P.stride, self.P.padding, self.P.dilation))

    def gradients(self, X: Tensor, DY: Tensor) -> tuple[Tensor, Tensor]:
        """(DW, Db); the kernel sums the columns of DY on its way."""
        C, K = X.shape[1], DY.shape[1]
        kernel = DY.new_empty(K, C, *self.P.kernel)  # in this order, which the kernel for one example insists on
        _, DW, Db = self._pullback(DY, _images(X, self.P.size), kernel, (False, True, True))
        return DW.permute(2, 3, 1, 0).reshape(-1, K), Db.reshape(1, K)

    def inputs(self, DY: Tensor, W: Tensor) -> Tensor:
        """DX."""
        C = W.shape[0] // math.prod(self.P.kernel)
        X = DY.new_empty(DY.shape[0] // math.prod(self.P.out) * math.prod(self.P.size), C)
        DX, _, _ = self._pullback(DY, _images(X, self.P.size), _kernel(W, C, self.P), (True, False, False))
        return _rows(DX)

    def _pullback(self, DY: Tensor, images: Tensor, kernel: Tensor, wanted: tuple[bool, bool, bool]) -> Any:
        """(DX, DW, Db), those that are wanted."""
        geometry = [kernel.shape[0]], self.P.stride, self.P.padding, self.P.dilation, False, (0, 0), 1
        return self.torch.ops.aten.convolution_backward(_images(DY, self.P.out), images, kernel, *geometry, wanted)


def convolution(torch: Any, X: Tensor, G: Windows) -> ConvolutionKernels | None:
    """PyTorch's convolution, if it has one for the geometry."""
    P = plane(X, G)
    return None if P is None else ConvolutionKernels(torch, P)


class MaxPoolKernels(NamedTuple):
    """PyTorch's max-pool, which finds the largest elements of all windows and where they are."""

    aten: Any
    P: Plane

    def maxima(self, X: Tensor) -> tuple[Tensor, Tensor]:
        Y, indices = self.aten.max_pool2d_with_indices(_images(X, self.P.size), *self._geometry())
        return _rows(Y), indices

    def at_maxima(self, X: Tensor, DY: Tensor, indices: Tensor) -> Tensor:
        """The elements of DY, each added where ``maxima`` says."""
        images = _images(DY, self.P.out), _images(X, self.P.size)
        return _rows(self.aten.max_pool2d_with_indices_backward(*images, *self._geometry(), False, indices))

    def _geometry(self) -> tuple[Pair, ...]:
        return self.P.kernel, self.P.stride, self.P.padding, self.P.dilation


def max_pool(torch: Any, X: Tensor, G: Windows) -> MaxPoolKernels | None:
    """PyTorch's max-pool where it is the definition: in this, what lies outside of an image is 0, and for PyTorch it is -∞."""
    P = plane(X, G)
    return None if P is None or any(P.padding) else MaxPoolKernels(torch.ops.aten, P)


class TorchWindowOps(_Operations):
    """The operations on windows that PyTorch has kernels for."""

    torch: Any

    def convolve(self, X: Tensor, W: Tensor, G: Windows) -> Tensor:
        kernels = convolution(self.torch, X, G)
        return MatrixOps.convolve(self, X, W, G) if kernels is None else kernels.outputs(X, W)

    def convolve_weights(self, X: Tensor, DY: Tensor, G: Windows) -> Tensor:
        kernels = convolution(self.torch, X, G)
        return MatrixOps.convolve_weights(self, X, DY, G) if kernels is None else kernels.gradients(X, DY)[0]

    def convolve_inputs(self, DY: Tensor, W: Tensor, G: Windows) -> Tensor:
        kernels = convolution(self.torch, DY, G)
        return MatrixOps.convolve_inputs(self, DY, W, G) if kernels is None else kernels.inputs(DY, W)

    def pool_max(self, X: Tensor, G: Windows) -> Tensor:
        pool = max_pool(self.torch, X, G)
        return MatrixOps.pool_max(self, X, G) if pool is None else pool.maxima(X)[0]

    def pool_max_inputs(self, X: Tensor, DY: Tensor, G: Windows) -> Tensor:
        pool = max_pool(self.torch, X, G)
        return MatrixOps.pool_max_inputs(self, X, DY, G) if pool is None else pool.at_maxima(X, DY, pool.maxima(X)[1])


def _images(X: Tensor, size: Pair) -> Tensor:
    return X.reshape(-1, *size, X.shape[1]).permute(0, 3, 1, 2)


def _rows(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def _kernel(W: Tensor, C: int, P: Plane) -> Tensor:
    return W.reshape(*P.kernel, C, W.shape[1]).permute(3, 2, 0, 1)
