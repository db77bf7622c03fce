"""PyTorch's functions that write into memory that is given.

Matrix products of float32 on a CPU go through oneDNN where that is faster than ``torch.mm`` (a factor of two on some processors,
none on others): this is measured once a process. A small product is quicker to start with ``torch.mm``.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backends.plan.graph import StepGraph, StepNode
from backends.plan.program import Call, Cell, Fresh, Kernels, Operation, as_now, number_now
from backends.plan.rewrites import BY_CELL_INDEX, delay, fold_scales
from backends.plan.torch_momentum import momentum
from backends.plan.torch_rewrites import KeptValue, add_biases, join_masks, keep_bias_gradients, normalized_inputs, share_maxima
from backends.windows_torch import convolution, max_pool
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.operations.windows import Windows

if TYPE_CHECKING:
    from backends.torch import TorchBackend

Tensor = Any

NAMES = {
    "hadamard": "mul",
    "subtract": "sub",
    "negate": "neg",
    "divide": "div",
    "arctan": "atan",
    "less": "lt",
    "less_equal": "le",
    "equal": "eq",
} | {
    name: name
    for name in (
        "add",
        "exp",
        "log",
        "reciprocal",
        "sqrt",
        "expm1",
        "log1p",
        "tanh",
        "sigmoid",
        "xlogy",
        "maximum",
        "minimum",
        "abs",
        "sign",
    )
}
"""PyTorch's functions with the arguments of an operation."""

SMALL = 2**20
"""Products with fewer multiplications start faster than they run."""

LARGE = 2**16
"""Matrices with as many elements take longer to fetch than a call to start."""


class TorchKernels(Kernels):
    """Calls of PyTorch."""

    backend: TorchBackend
    elementwise = frozenset({*NAMES, "scale"} - {"less", "less_equal", "equal"})

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.torch: Any = self.backend.torch
        self.device: Any = self.backend._device
        if self.device.type != "cpu":
            self.block = sys.maxsize  # other devices have no cache of ours, and a call takes them longer to start
        self.functions = {operation: getattr(self.torch, name) for operation, name in NAMES.items()}

    def empty(self, count: int, dtype: Any) -> Tensor:
        if isinstance(dtype, np.dtype):  # of the numbers of rows
            dtype = self.torch.from_numpy(np.empty(0, dtype)).dtype
        return self.torch.zeros(count, dtype=dtype, device=self.device)

    def exclusive(self, array: Tensor, others: Sequence[Tensor]) -> Tensor:
        memory = array.untyped_storage().data_ptr()
        shared = any(other.untyped_storage().data_ptr() == memory for other in others)
        return array.clone() if shared or not array.is_contiguous() or array.is_inference() else array

    def running(self) -> Any:
        return self.torch.inference_mode()

    def rewrite(self, graph: StepGraph) -> None:
        super().rewrite(graph)
        normalized_inputs(graph, _is_large)
        add_biases(graph)
        keep_bias_gradients(graph)
        if self.device.type == "cpu":  # others may take what is not normal for 0
            join_masks(graph)
        share_maxima(graph)
        fold_scales(graph, _is_large)
        delay(graph, self.allocates)

    def allocates(self, node: StepNode) -> bool:
        return node.name == "matmul" and _are_matrices(node, *node.operands) and _is_large(node) and self._by_onednn(*node.operands)

    def allocating(self, name: str, arguments: tuple[Any, ...]) -> Callable[[], Tensor]:
        return _onednn_product(self.torch, *arguments)

    def constant(self, value: Tensor, uniform: float | None) -> Tensor:
        return value[:1, :1].expand(value.shape) if uniform is not None and _is_large(value) else value

    def calls(self, name: str, arguments: tuple[Any, ...], out: Tensor) -> list[Call]:
        if any(isinstance(a, Fresh) for a in arguments):
            return [partial(self._read, name, arguments, out)]
        tensors = [a for a in arguments if self.torch.is_tensor(a)]
        if name not in BY_CELL_INDEX and any(a.dtype != out.dtype for a in tensors if a.dtype != self.torch.int64):
            return [self.plain(name, arguments, out)]
        if name in self.functions and len(arguments) < 3:
            return [partial(self.functions[name], *map(self._operand, arguments), out=out)]
        special: Callable[..., list[Call]] | None = getattr(self, f"_{name}", None)
        return special(*arguments, out) if special else [self.plain(name, arguments, out)]

    def sequence(self, operations: list[Operation]) -> list[Call]:
        calls: list[Call] = []
        while operations:
            fused = momentum(self.torch, operations[:3])
            calls += [fused] if fused else self.calls(*operations[0])
            operations = operations[3 if fused else 1 :]
        return calls

    def copy(self, source: Tensor, target: Tensor) -> Call:
        return partial(target.copy_, source)

    def loader(self, target: Tensor) -> Callable[[Array], Any]:
        if target.device.type == "cpu":
            return partial(np.copyto, target.numpy(), casting="same_kind")
        return lambda array: target.copy_(self.torch.from_numpy(np.ascontiguousarray(array)))

    def collector(self, outputs: list[Tensor], steps: int) -> tuple[Callable[[int], Any], Callable[[], Array]]:
        results = self.torch.empty((steps, len(outputs)), dtype=outputs[0].dtype, device=self.device)

        def note(i: int) -> None:
            if len(outputs) == 1:
                results[i : i + 1].copy_(outputs[0])
            else:
                self.torch.cat(outputs, dim=1, out=results[i : i + 1])

        return note, lambda: self.backend.to_numpy(results)

    def _operand(self, argument: Any) -> Any:
        return argument.array if isinstance(argument, Cell) else argument

    def _add(self, X: Tensor, Y: Tensor, c: Any, out: Tensor) -> list[Call]:
        return [lambda: self.torch.add(X, Y, alpha=number_now(c), out=out)]

    def _subtract(self, X: Tensor, Y: Tensor, c: Any, out: Tensor) -> list[Call]:
        return [lambda: self.torch.sub(X, Y, alpha=number_now(c), out=out)]

    def _scale(self, c: Any, X: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.mul, X, self._operand(c), out=out)]

    def _reshape(self, X: Tensor, m: int, n: int, out: Tensor) -> list[Call]:
        return [self.copy(X, out.view(X.shape))]

    def _split(self, X: Tensor, m: int, n: int, out: Tensor) -> list[Call]:
        rows, columns = X.shape
        parts = X.reshape(rows // m, m, columns // n, n).transpose(1, 2)
        return [self.copy(parts, out.view(parts.shape))]

    def _join(self, F: Tensor, k: int, out: Tensor) -> list[Call]:
        parts = F.reshape(k, -1, *F.shape[-2:]).transpose(1, 2)
        return [self.copy(parts, out.view(parts.shape))]

    def _family(self, *members_and_out: Tensor) -> list[Call]:
        *members, out = members_and_out
        return [partial(self.torch.stack, members, out=out)]

    def _join_column_parts(self, *parts_and_out: Tensor) -> list[Call]:
        *parts, out = parts_and_out
        return [partial(self.torch.cat, parts, -1, out=out)]

    def _masked_softmax(self, S: Tensor, mask: Tensor, out: Tensor) -> list[Call]:
        return [lambda: self.torch.softmax(S.masked_fill(mask == 0, -math.inf), -1, out=out)]

    def _normalized_inputs(self, Z: Tensor, gamma: Tensor, scale: Tensor, DY: Tensor, sums: KeptValue, out: Tensor) -> list[Call]:
        zeros, ones = out.new_zeros(out.shape[1]), out.new_ones(out.shape[1])
        pullback = self.torch.ops.aten.native_batch_norm_backward

        def run() -> None:  # as if Z were the input, of mean 0 and variance 1
            weight = (gamma * scale).reshape(-1)
            DX, *sums.value = pullback(DY, Z, weight, None, None, zeros, ones, True, 0.0, (True, True, True))
            out.copy_(DX)

        return [run]

    def _kept_of(self, source: Tensor, kept: KeptValue, k: int, out: Tensor) -> list[Call]:
        return [lambda: out.copy_(kept.value[k])]

    def _convolve(self, X: Tensor, W: Tensor, G: Windows, *rest: Tensor) -> list[Call]:
        *bias, out = rest
        kernels = convolution(self.torch, X, G)
        if kernels is None:
            return [self.plain("convolve", (X, W, G), out), *(partial(self.torch.add, out, b, out=out) for b in bias)]
        return [lambda: out.copy_(kernels.outputs(X, W, *bias))]

    def _convolve_weights(self, X: Tensor, DY: Tensor, G: Windows, sums: KeptValue, out: Tensor) -> list[Call]:
        kernels = convolution(self.torch, X, G)

        def run() -> None:
            DW, Db = kernels.gradients(X, DY) if kernels else (self.backend.convolve_weights(X, DY, G), DY.sum(0, keepdim=True))
            sums.value = (Db,)
            out.copy_(DW)

        return [run]

    def _where_not_negative(self, Y: Tensor, X: Tensor, out: Tensor) -> list[Call]:
        limits = self.torch.finfo(X.dtype)
        below = -limits.smallest_normal * limits.eps  # the largest number below 0: the kernel gives 0 up to it
        return [partial(self.torch.ops.aten.threshold_backward.grad_input, Y, X, below, grad_input=out)]

    def _pool_max_keeping(self, X: Tensor, G: Windows, indices: KeptValue, out: Tensor) -> list[Call]:
        pool = max_pool(self.torch, X, G)
        if pool is None:
            return [self.plain("pool_max", (X, G), out)]

        def run() -> None:
            Y, indices.value = pool.maxima(X)
            out.copy_(Y)

        return [run]

    def _pool_max_inputs_at(self, X: Tensor, DY: Tensor, G: Windows, indices: KeptValue, out: Tensor) -> list[Call]:
        pool = max_pool(self.torch, X, G)
        if pool is None:
            return [self.plain("pool_max_inputs", (X, DY, G), out)]
        return [lambda: out.copy_(pool.at_maxima(X, DY, indices.value))]

    def _columns_sum(self, X: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.sum, X, -2, True, out=out)]

    def _rows_sum(self, X: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.sum, X, -1, True, out=out)]

    def _rows_max(self, X: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.amax, X, -1, True, out=out)]

    def _take_rows(self, X: Tensor, indices: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.index_select, X, 0, indices, out=out)]

    def _cell_index(self, X: Tensor, s: Sequence[float], out: Tensor) -> list[Call]:
        return [lambda: out.copy_(self.backend._cell_index(X, s))]

    def _values_at(self, J: Tensor, T: Tensor, out: Tensor) -> list[Call]:
        return [partial(self.torch.take, T, J, out=out)]

    def _sums_at(self, Y: Tensor, J: Tensor, out: Tensor) -> list[Call]:
        sums = out.reshape(-1)
        return [lambda: sums.zero_().index_add_(0, J.reshape(-1), Y.reshape(-1))]

    def _matmul(self, X: Tensor, Z: Tensor, out: Tensor) -> list[Call]:
        if not _are_matrices(X, Z):
            return [partial(self.torch.matmul, X, Z, out=out)]
        if self._by_onednn(X, Z):
            product = _onednn_product(self.torch, X, Z)
            return [lambda: out.copy_(product())]
        return [partial(self.torch.mm, X, Z, out=out)]

    def _by_onednn(self, X: Any, Z: Any) -> bool:
        """Whether X · Z, of tensors or nodes, goes through oneDNN."""
        large = X.shape[0] * X.shape[1] * Z.shape[1] >= SMALL
        return large and X.dtype == Z.dtype == self.torch.float32 and self.device.type == "cpu" and onednn_is_faster()

    def _read(self, name: str, arguments: tuple[Any, ...], out: Tensor) -> None:
        """An operation on fresh results."""
        for call in self.calls(name, tuple(map(as_now, arguments)), out):
            call()


def _are_matrices(*values: Any) -> bool:
    """Whether none is a family."""
    return all(len(value.shape) == 2 for value in values)


def _is_large(X: Any) -> bool:
    return int(X.shape[0] * X.shape[1]) >= LARGE


def _onednn_product(torch: Any, X: Tensor, Z: Tensor) -> Callable[[], Tensor]:
    """X · Z by oneDNN's linear layer, which makes its own memory."""
    return partial(torch.ops.mkldnn._linear_pointwise.default, X, Z.mT, None, "none", [], "")


def agree_on_onednn(backend: Backend) -> None:
    """Let the first worker choose for all: another way to multiply rounds differently."""
    _CHOICE["onednn"] = bool(backend.gathered([onednn_is_faster()])[0, 0])


def onednn_is_faster() -> bool:
    """Whether products go through oneDNN in this process: what was chosen, or else measured."""
    if "onednn" not in _CHOICE:
        _CHOICE["onednn"] = _onednn_is_faster()
    return _CHOICE["onednn"]


_CHOICE: dict[str, bool] = {}


def _onednn_is_faster() -> bool:
    """Whether oneDNN multiplies matrices of middling size faster than ``torch.mm`` by a quarter at least."""
    import torch

    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    X, Z = torch.ones(128, 512), torch.ones(512, 512)
    out = torch.empty(128, 512)

    def seconds(call: Call) -> float:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    with torch.inference_mode():
        return 1.25 * seconds(_onednn_product(torch, X, Z)) < seconds(partial(torch.mm, X, Z, out=out))
