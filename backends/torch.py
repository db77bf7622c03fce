"""PyTorch. Steps run as a recorded plan (``backends.plan``), without a tape: the backward pass is ours."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends import accurate
from backends import grid_lookup as steps
from backends.patterns import Patterns
from backends.plan.planned import Planned
from backends.plan.torch_kernels import TorchKernels
from backends.sparse_torch import TorchPatternOps
from backends.windows_torch import TorchWindowOps
from nerva_core.algebra.matrix_ops import Scalar, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.operations.windows import Windows
from nerva_core.algebra.trees import Tree
from nerva_core.interpreters.stored import Narrowing

Tensor = Any


class TorchBackend(TorchWindowOps, TorchPatternOps, Narrowing[Tensor]):
    """Matrix operations on PyTorch tensors."""

    name = "torch"
    requires = "torch"
    extra = "torch"

    def start(self) -> None:
        import torch

        self.torch = torch
        self._patterns = Patterns()
        self._dtype = getattr(torch, self.dtype)
        try:
            self._device = torch.device(self.device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError):
            raise self._device_missing() from None
        if self._device.type == "cpu" and self._device.index:  # torch takes any number for the one there is
            raise self._device_missing()
        if self._device.type == "cuda":  # no products of fewer digits, and no sums in an order of chance
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
            torch.use_deterministic_algorithms(True)
        if self.joins:
            from backends.gloo import GlooWorkers
            from backends.plan.torch_kernels import agree_on_onednn

            self.workers = GlooWorkers(self.torch)
            agree_on_onednn(self)

    def devices(self) -> list[str]:
        cuda = [f"cuda:{i}" for i in range(self.torch.cuda.device_count())]
        return ["cpu", *(["cuda"] if cuda else []), *cuda, *(["mps"] if self.torch.backends.mps.is_available() else [])]

    def matrix(self, values: Any) -> Tensor:
        array = self._array(values)
        return self.stored(self.torch.tensor(array, dtype=self._dtype, device=self._device))

    def stored(self, X: Tensor) -> Tensor:
        return X.bfloat16() if self.storage == "bfloat16" and X.numel() > 1 else X

    def widened(self, X: Tensor) -> Tensor:
        return X.to(self._dtype)

    def to_numpy(self, X: Tensor) -> Array:
        array: Array = self.widened(X.detach().cpu()).numpy()
        return array

    def scalar(self, c: float) -> Any:
        return float(c)

    def run_steps(self, step: Callable[..., tuple[Any, Any]], state: Tree, data: Any, inputs: Any) -> tuple[Any, Array]:
        if self.storage != self.dtype:  # a plan has buffers of one dtype
            return self.run_plainly(step, state, data, inputs)
        if step not in self._compiled:
            self._compiled[step] = Planned(step, TorchKernels(self))
        planned: Planned = self._compiled[step]
        return planned.run(state, data, inputs)

    def take_rows(self, X: Tensor, indices: Any) -> Tensor:
        return X[self.torch.as_tensor(np.ascontiguousarray(indices), device=self._device)]

    def _fetch(self, rows: list[list[Tensor]]) -> Array:
        values = self.torch.cat([value for row in rows for value in row])  # so that a device is waited for once
        return self.to_numpy(values).reshape(len(rows), -1)

    def segment(self, X: Tensor, offset: int, m: int, n: int) -> Tensor:
        return X.reshape(-1)[offset : offset + m * n].reshape(m, n)

    # The primitives.

    def shape(self, X: Tensor) -> tuple[Size, Size]:
        return X.shape[-2], X.shape[-1]

    def full(self, c: Scalar, m: Size, n: Size) -> Tensor:
        return self.torch.full((m, n), c, dtype=self._dtype, device=self._device)

    def identity(self, n: Size) -> Tensor:
        return self.torch.eye(n, dtype=self._dtype, device=self._device)

    def transpose(self, X: Tensor) -> Tensor:
        return X.mT

    def hadamard(self, X: Tensor, Y: Tensor) -> Tensor:
        return X * Y

    def diag(self, X: Tensor) -> Tensor:
        return X.diagonal(dim1=-2, dim2=-1).unsqueeze(-1)

    def Diag(self, x: Tensor) -> Tensor:
        return self.torch.diag(x.reshape(-1))

    def rows_max(self, X: Tensor) -> Tensor:
        return X.amax(dim=-1, keepdim=True)

    def reshape(self, X: Tensor, m: Size, n: Size) -> Tensor:
        return X.reshape(*X.shape[:-2], m, n)

    def take_columns(self, X: Tensor, columns: Sequence[int]) -> Tensor:
        return X[..., list(columns)]

    def join_columns(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.torch.cat(self._beside(X, Y), dim=-1)

    def members(self, F: Tensor) -> Size:
        return F.shape[0] if F.ndim == 3 else 1

    def family(self, *matrices: Tensor) -> Tensor:
        return self.torch.stack(matrices)

    def member(self, F: Tensor, k: int) -> Tensor:
        return F[k] if F.ndim == 3 else F

    def exp(self, X: Tensor) -> Tensor:
        return X.exp()

    def log(self, X: Tensor) -> Tensor:
        return X.log()

    def reciprocal(self, X: Tensor) -> Tensor:
        return X.reciprocal()

    def sqrt(self, X: Tensor) -> Tensor:
        return X.sqrt()

    def arctan(self, X: Tensor) -> Tensor:
        return X.arctan()

    def normal_cdf(self, X: Tensor) -> Tensor:
        if not self._widens:
            return accurate.normal_cdf(self, X, self.torch.round)
        return X.double().mul_(-math.sqrt(0.5)).erfc_().mul_(0.5).float()

    def normal_pdf(self, X: Tensor) -> Tensor:
        if not self._widens:
            return accurate.normal_pdf(self, X, self.torch.round)
        return X.double().square_().mul_(-0.5).exp_().div_(math.sqrt(2 * math.pi)).float()

    @property
    def _widens(self) -> bool:
        """Whether to compute in float64 is an accurate form: it is of float32, where the device has both."""
        return self.dtype == "float32" and self._device.type != "mps"

    def less(self, X: Tensor, Y: Tensor) -> Tensor:
        return (X < Y).to(self._dtype)

    # Overrides: the same functions, fused or in a form that neither overflows nor cancels.

    def inv_lengths(self, X: Tensor, epsilon: Scalar) -> Tensor:
        return accurate.inv_lengths(self, X, epsilon)

    def norm(self, X: Tensor) -> Tensor:
        return accurate.norm(self, X)

    def column_repeat(self, x: Tensor, n: Size) -> Tensor:
        return x.expand(*x.shape[:-1], n)

    def row_repeat(self, x: Tensor, m: Size) -> Tensor:
        return x.expand(*x.shape[:-2], m, x.shape[-1])

    def columns_sum(self, X: Tensor) -> Tensor:
        return X.sum(dim=-2, keepdim=True)

    def rows_sum(self, X: Tensor) -> Tensor:
        return X.sum(dim=-1, keepdim=True)

    def split(self, X: Tensor, m: Size, n: Size) -> Tensor:
        rows, columns = X.shape
        return X.reshape(rows // m, m, columns // n, n).transpose(1, 2).reshape(-1, m, n)

    def join(self, F: Tensor, k: Size) -> Tensor:
        m, n = F.shape[-2:]
        return F.reshape(k, -1, m, n).transpose(1, 2).reshape(k * m, -1)

    def members_sum(self, F: Tensor) -> Tensor:
        return F.sum(dim=0) if F.ndim == 3 else F

    def column_part(self, X: Tensor, k: int, count: int) -> Tensor:
        width = X.shape[-1] // count
        return X[..., k * width : (k + 1) * width]

    def column_range(self, X: Tensor, first: Size, count: Size) -> Tensor:
        return X[..., first : first + count]

    def join_column_parts(self, *parts: Tensor) -> Tensor:
        return self.torch.cat(parts, dim=-1)

    def transpose_columns(self, X: Tensor, m: Size) -> Tensor:
        return X.reshape(*X.shape[:-1], m, -1).mT.reshape(X.shape)

    def windows(self, X: Tensor, G: Windows) -> Tensor:
        images = X.reshape(-1, G.positions, X.shape[-1])
        edge = self.torch.zeros_like(images[:, :1])
        seen = self.torch.cat([images, edge], dim=1).index_select(1, self._numbers(G.map.reshape(-1)))
        return seen.reshape(*X.shape[:-2], -1, G.offsets * X.shape[-1])

    def fold(self, Z: Tensor, G: Windows) -> Tensor:
        seen = Z.reshape(-1, G.places * G.offsets, Z.shape[-1] // G.offsets)
        edge = self.torch.zeros_like(seen[:, :1])
        images = self.torch.cat([seen, edge], dim=1)
        folded = sum(images.index_select(1, self._numbers(sources)) for sources in G.sources.T)
        return folded.reshape(*Z.shape[:-2], -1, seen.shape[-1])

    def first_maxima(self, X: Tensor) -> Tensor:
        first = X.argmax(dim=-1, keepdim=True)
        return (self.torch.arange(X.shape[-1], device=X.device) == first).to(self._dtype)

    def one_hot(self, x: Tensor, n: Size) -> Tensor:
        return (x == self.torch.arange(n, device=x.device)).to(self._dtype)

    def masked_softmax(self, S: Tensor, mask: Tensor) -> Tensor:
        return S.masked_fill(mask == 0, -math.inf).softmax(dim=-1)

    def rows_at(self, E: Tensor, x: Tensor) -> Tensor:
        return E.index_select(0, x.reshape(-1).long())

    def sort_rows(self, X: Tensor) -> Tensor:
        return X.sort(dim=-1).values

    def again(self, X: Tensor) -> Tensor:
        return X  # which a plan records, as every operation that is overridden

    def stop_gradient(self, X: Tensor) -> Tensor:
        return X.detach()

    def expm1(self, X: Tensor) -> Tensor:
        return X.expm1()

    def log1p(self, X: Tensor) -> Tensor:
        return X.log1p()

    def sigmoid(self, X: Tensor) -> Tensor:
        return X.sigmoid()

    def log_sigmoid(self, X: Tensor) -> Tensor:
        return self.torch.nn.functional.logsigmoid(X)

    def softplus(self, X: Tensor) -> Tensor:
        # torch's softplus is linear above a threshold, off by 2e-9 in float64 (erratum 004-11).
        return -self.torch.nn.functional.logsigmoid(-X)

    def tanh(self, X: Tensor) -> Tensor:
        return X.tanh()

    def xlogy(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.torch.xlogy(X, Y)

    def quotient(self, X: Tensor, Y: Tensor) -> Tensor:
        return X / Y.masked_fill(X == 0, 1)

    def less_equal(self, X: Tensor, Y: Tensor) -> Tensor:
        return (X <= Y).to(self._dtype)

    def equal(self, X: Tensor, Y: Tensor) -> Tensor:
        return (X == Y).to(self._dtype)

    def where(self, C: Tensor, X: Tensor, Y: Tensor) -> Tensor:
        return self.torch.where(C != 0, X, Y)

    def maximum(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.torch.maximum(X, Y)

    def minimum(self, X: Tensor, Y: Tensor) -> Tensor:
        return self.torch.minimum(X, Y)

    def abs(self, X: Tensor) -> Tensor:
        return X.abs()

    def sign(self, X: Tensor) -> Tensor:
        return X.sign()

    def shift_columns(self, X: Tensor, o: int) -> Tensor:
        n = X.shape[-1]
        if abs(o) >= n:
            return self.torch.zeros_like(X)
        return self.torch.nn.functional.pad(X[..., : n - o] if o > 0 else X[..., -o:], (max(o, 0), max(-o, 0)))

    def step_function(self, X: Tensor, s: Sequence[Scalar], T: Tensor) -> Tensor:
        return T.reshape(-1)[self._cell_index(X, s)]

    def interval_sums(self, Y: Tensor, X: Tensor, s: Sequence[Scalar]) -> Tensor:
        cells, n = len(s) + 1, X.shape[-1]
        sums = self.torch.zeros(cells * n, dtype=self._dtype, device=X.device)
        return sums.index_add_(0, self._cell_index(X, s).reshape(-1), Y.reshape(-1)).reshape(cells, n)

    def _numbers(self, numbers: np.ndarray[Any, Any]) -> Tensor:
        """Numbers of rows or columns, where the matrices are."""
        return self.torch.as_tensor(np.ascontiguousarray(numbers), device=self._device)

    def _beside(self, *matrices: Tensor) -> list[Tensor]:
        """The matrices, each as often as a family among them has members."""
        leading = max((X.shape[:-2] for X in matrices), key=len)
        return [X.expand(*leading, *X.shape[-2:]) for X in matrices]

    def _cell_index(self, X: Tensor, s: Sequence[Scalar]) -> Tensor:
        """The place, in a matrix with one row an interval, of the interval and column of each element."""
        n = X.shape[-1]
        return self._intervals(X, steps.points(s, self.dtype)) * n + self.torch.arange(n, device=X.device)

    def _intervals(self, X: Tensor, points: steps.GridPoints) -> Tensor:
        """The number of grid points below each element."""
        values = self.torch.from_numpy(points.values).to(X.device)
        X = X.nan_to_num(points.first)
        if not points.even:
            return self.torch.bucketize(X.contiguous(), values)
        nearest = ((X.clamp(points.first, points.last) - points.first) * points.per_unit).round().long()
        return nearest + (values[nearest] < X)
