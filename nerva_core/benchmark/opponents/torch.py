"""PyTorch: modules, autograd, and the fused update of its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, NoCounterpartError, import_torch
from nerva_core.benchmark.description import (
    Block,
    Dense,
    Grid,
    Heads,
    Kernel,
    LargestOf,
    Normalization,
    PositionTable,
    Recurrence,
    RowNormalization,
    RowTable,
    SumOfBranches,
    blocks,
    momentum,
)


class TorchEager(Contender):
    """``torch.nn`` and the fused update of ``torch.optim.SGD``."""

    loss: Any
    name = "torch.nn"
    backend = "torch"
    channels_last = False

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        self.torch = torch = import_torch(threads)
        network = blocks(problem)
        self.X, self.labels = torch.tensor(problem.inputs), torch.tensor(problem.data.Ttrain)
        self.model = _sequence(torch, network, self.channels_last)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=problem.lr, momentum=momentum(problem), fused=True)

        def loss(X: Any, labels: Any) -> Any:
            Y = self.model(X)
            return torch.nn.functional.cross_entropy(Y.reshape(-1, Y.shape[-1]), labels.reshape(-1))

        self.loss = loss

    def epoch(self, rows: Array) -> Array:
        losses = []
        for batch in self.torch.as_tensor(rows):
            loss = self.loss(self.X[batch], self.labels[batch])
            self.optimizer.zero_grad()
            backward: Any = loss.backward
            backward()
            self.optimizer.step()
            losses.append(loss.detach())
        result: Array = self.torch.stack(losses).numpy()
        return result


class TorchChannelsLast(TorchEager):
    """The same, with the channels of images last in memory."""

    name = "torch.nn, channels last"
    channels_last = True

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        if not any(isinstance(block, Grid) and len(block.size) == 2 for block in blocks(problem)):
            raise NoCounterpartError("there are no images, so no order of channels")
        super().__init__(problem, threads)


class TorchCompiled(TorchEager):
    """The same, with network and loss compiled by ``torch.compile``."""

    name = "torch.compile"

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        import shutil

        if not any(shutil.which(compiler) for compiler in ("g++", "clang++", "c++")):
            raise NoCounterpartError("torch.compile needs a C++ compiler, and there is none")
        super().__init__(problem, threads)
        dynamo: Any = self.torch._dynamo
        dynamo.reset()
        self.loss = self.torch.compile(self.loss)


def _sequence(torch: Any, network: Sequence[Block], channels_last: bool) -> Any:
    """The modules; images are N x C x H x W, sequences N x L x D."""
    modules = []
    images = False
    for block in network:
        images = len(block.size) == 2 if isinstance(block, Grid) else images
        modules.append(_module(torch, block, images, channels_last))
        images = images and block not in ("flatten", "mean of positions") if isinstance(block, str) else images
    return torch.nn.Sequential(*modules)


def _module(torch: Any, block: Block, images: bool, channels_last: bool) -> Any:
    nn = torch.nn
    if isinstance(block, str):
        return _of_name(nn, block)
    if isinstance(block, Grid):
        return _apply(nn, _grid(torch, block, channels_last))
    if isinstance(block, LargestOf):
        return nn.MaxPool2d(block.size)
    if isinstance(block, Heads):
        return _attention(torch, block)
    if isinstance(block, SumOfBranches):
        return _sum(nn, *(_branch(torch, branch, images, channels_last) for branch in (block.f, block.g)))
    if isinstance(block, Recurrence):
        return _recurrence(torch, block)
    if isinstance(block, PositionTable):
        return _position_table(torch, block)
    if isinstance(block, RowTable):
        numbers = _apply(nn, lambda X: X[..., 0].long())
        return nn.Sequential(numbers, _with_values(torch, nn.Embedding(*block.E.shape), (block.E,), False))
    return _with_values(torch, *_weighted(nn, block, images), channels_last)


def _weighted(nn: Any, block: Any, images: bool) -> tuple[Any, tuple[Array, ...]]:
    """(module, its values)."""
    if isinstance(block, Dense):
        return nn.Linear(block.W.shape[1], block.W.shape[0]), (block.W, block.b)
    if isinstance(block, Normalization):
        make = nn.BatchNorm2d if images else nn.BatchNorm1d
        return make(len(block.gamma), eps=block.epsilon, momentum=1 - block.momentum), (block.gamma, block.beta)
    if isinstance(block, RowNormalization):
        return nn.LayerNorm(len(block.gamma), eps=block.epsilon), (block.gamma, block.beta)
    if isinstance(block, Kernel):
        height, width, channels, outputs = block.W.shape
        module = nn.Conv2d(channels, outputs, (height, width), block.stride, block.padding)
        return module, (np.ascontiguousarray(block.W.transpose(3, 2, 0, 1)), block.b)
    raise NotImplementedError(block)


def _with_values(torch: Any, module: Any, values: tuple[Array, ...], channels_last: bool) -> Any:
    tensors = list(map(torch.tensor, values))
    module = module.to(tensors[0].dtype)
    for parameter, value in zip(module.parameters(), tensors, strict=True):
        parameter.data = value
    return module.to(memory_format=torch.channels_last) if channels_last else module


def _of_name(nn: Any, name: str) -> Any:
    made: dict[str, Callable[[], Any]] = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "gelu": nn.GELU,
        "flatten": lambda: _apply(nn, lambda X: (X.permute(0, 2, 3, 1) if X.ndim == 4 else X).reshape(len(X), -1)),
        "mean of positions": lambda: _apply(nn, lambda X: X.mean((2, 3)) if X.ndim == 4 else X.mean(1)),
        "last position": lambda: _apply(nn, lambda X: X[:, -1]),
    }
    return made[name]()


def _apply(nn: Any, function: Callable[[Any], Any]) -> Any:
    """A module of a function without parameters."""

    class AppliedFunction(nn.Module):  # type: ignore[misc]
        def forward(self, X: Any) -> Any:
            return function(X)

    return AppliedFunction()


def _grid(torch: Any, block: Grid, channels_last: bool) -> Callable[[Any], Any]:
    def images(X: Any) -> Any:
        X = X.reshape(len(X), *block.size, -1).permute(0, 3, 1, 2)
        return X.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)

    def sequences(X: Any) -> Any:
        return X.reshape(len(X), *block.size, -1)

    return images if len(block.size) == 2 else sequences


def _branch(torch: Any, branch: Sequence[Block], images: bool, channels_last: bool) -> Any:
    return torch.nn.Sequential(*(_module(torch, block, images, channels_last) for block in branch)) if branch else None


def _sum(nn: Any, f: Any, g: Any) -> Any:
    class Added(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.f, self.g = f, g

        def forward(self, X: Any) -> Any:
            return self.f(X) + (X if self.g is None else self.g(X))

    return Added()


def _attention(torch: Any, block: Heads) -> Any:
    class Attention(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.to_qkv, self.back = (_module(torch, dense, False, False) for dense in (block.to_qkv, block.back))

        def forward(self, X: Any) -> Any:
            N, L, D = X.shape
            heads = (part.view(N, L, block.heads, D // block.heads).transpose(1, 2) for part in self.to_qkv(X).split(D, 2))
            Y = torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=block.causal)
            return self.back(Y.transpose(1, 2).reshape(N, L, D))

    return Attention()


def _recurrence(torch: Any, block: Recurrence) -> Any:
    class Outputs(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(block.W.shape[1], block.U.shape[1], batch_first=True)
            _with_values(torch, self.lstm, (block.W, block.U, block.b, block.c), False)

        def forward(self, X: Any) -> Any:
            return self.lstm(X)[0]

    return Outputs()


def _position_table(torch: Any, block: PositionTable) -> Any:
    class Positions(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.P = torch.nn.Parameter(torch.tensor(block.P))

        def forward(self, X: Any) -> Any:
            return X + self.P

    return Positions()
