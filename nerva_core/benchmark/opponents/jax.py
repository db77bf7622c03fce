"""JAX: ``jax.grad``, compiled together with the loop over the batches.

Positions are rows of one matrix, N·L x D, which XLA multiplies faster than N matrices of L rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender
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
    values,
)


class JaxScan(Contender):
    """``jax.grad``, ``jax.jit``, ``lax.scan`` over the batches with donated state, ``optax.sgd``."""

    name = "jax.jit + scan + optax"
    backend = "jax"
    requires = ("optax",)

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        import jax
        import optax

        if problem.config.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        network = blocks(problem)
        optimizer = optax.sgd(problem.lr, momentum=momentum(problem) or None)
        outputs = problem.outputs

        def loss(params: Tree, X: Any, T: Any) -> Any:
            Y = JaxForward(len(X)).sequence(network, params, X)
            return optax.softmax_cross_entropy(Y, T.reshape(-1, outputs)).mean()

        def step(state: Tree, batch: Any, X: Any, T: Any) -> Any:
            params, memory = state
            value, gradients = jax.value_and_grad(loss)(params, X[batch], T[batch])
            updates, memory = optimizer.update(gradients, memory, params)
            return (optax.apply_updates(params, updates), memory), value

        self.run = jax.jit(lambda state, rows, X, T: jax.lax.scan(lambda s, batch: step(s, batch, X, T), state, rows), donate_argnums=0)
        params = jax.tree.map(jax.numpy.asarray, [values(block) for block in network])
        self.state = params, optimizer.init(params)
        self.X, self.T = jax.device_put(problem.inputs), jax.device_put(problem.targets)

    def epoch(self, rows: Array) -> Array:
        self.state, losses = self.run(self.state, rows, self.X, self.T)
        return np.asarray(losses)


class JaxForward:
    """The network on a batch of N examples; ``grid`` are the positions whose rows X has."""

    def __init__(self, N: int) -> None:
        import jax

        self.jax, self.np = jax, jax.numpy
        self.N = N
        self.grid: tuple[int, ...] = ()

    def sequence(self, network: Sequence[Block], params: Tree, X: Any) -> Any:
        """The blocks one after the other."""
        for block, given in zip(network, params, strict=True):
            X = self.named(block, X) if isinstance(block, str) else getattr(self, type(block).__name__)(block, given, X)
        return X

    def named(self, name: str, X: Any) -> Any:
        """An activation, or what has no numbers."""
        examples = (self.N, -1, X.shape[-1])
        if name == "gelu":
            return self.jax.nn.gelu(X, approximate=False)
        if name not in ("flatten", "mean of positions", "last position"):
            return getattr(self.jax.nn, name)(X)
        self.grid = ()
        if name == "flatten":
            return X.reshape(self.N, -1)
        return X.reshape(examples).mean(1) if name == "mean of positions" else X.reshape(examples)[:, -1]

    def Dense(self, block: Dense, params: Tree, X: Any) -> Any:
        W, b = params
        return X @ W + b

    def Normalization(self, block: Normalization, params: Tree, X: Any) -> Any:
        gamma, beta = params
        return (X - X.mean(0)) * self.jax.lax.rsqrt(X.var(0) + block.epsilon) * gamma + beta

    def RowNormalization(self, block: RowNormalization, params: Tree, X: Any) -> Any:
        gamma, beta = params
        return (X - X.mean(1, keepdims=True)) * self.jax.lax.rsqrt(X.var(1, keepdims=True) + block.epsilon) * gamma + beta

    def Grid(self, block: Grid, params: Tree, X: Any) -> Any:
        self.grid = block.size
        return X.reshape(self.N * int(np.prod(block.size)), -1)

    def Kernel(self, block: Kernel, params: Tree, X: Any) -> Any:
        W, b = params
        padding, order = [(block.padding, block.padding)] * 2, ("NHWC", "HWIO", "NHWC")
        images = X.reshape(self.N, *self.grid, -1)
        Y = self.jax.lax.conv_general_dilated(images, W, (block.stride,) * 2, padding, dimension_numbers=order)
        self.grid = Y.shape[1:3]
        return Y.reshape(-1, Y.shape[-1]) + b

    def LargestOf(self, block: LargestOf, params: Tree, X: Any) -> Any:
        k, (height, width) = block.size, self.grid
        self.grid = height // k, width // k
        images = X.reshape(self.N, height, width, -1)[:, : self.grid[0] * k, : self.grid[1] * k]
        windows = images.reshape(self.N, self.grid[0], k, self.grid[1], k, -1)
        return windows.max((2, 4)).reshape(-1, X.shape[-1])

    def RowTable(self, block: RowTable, params: Tree, X: Any) -> Any:
        return params[0][X.reshape(-1).astype("int32")]

    def PositionTable(self, block: PositionTable, params: Tree, X: Any) -> Any:
        return (X.reshape(self.N, *params[0].shape) + params[0]).reshape(X.shape)

    def Heads(self, block: Heads, params: Tree, X: Any) -> Any:
        W, b, U, c = params
        (L,), D = self.grid, X.shape[1]
        parts = self.np.split(X @ W + b, 3, axis=1)
        Q, K, V = (part.reshape(self.N, L, block.heads, D // block.heads).swapaxes(1, 2) for part in parts)
        S = Q @ K.swapaxes(2, 3) / np.sqrt(D // block.heads).astype(X.dtype)
        S = self.np.where(np.tril(np.ones((L, L), bool)), S, -np.inf) if block.causal else S
        Y = (self.jax.nn.softmax(S) @ V).swapaxes(1, 2).reshape(X.shape)
        return Y @ U + c

    def Recurrence(self, block: Recurrence, params: Tree, X: Any) -> Any:
        W, U, b, c = params
        jax, K = self.jax, U.shape[0]

        def cell(state: Tree, x: Any) -> Any:
            H, C = state
            i, f, g, o = self.np.split(x + H @ U + c, 4, axis=1)
            C = jax.nn.sigmoid(f) * C + jax.nn.sigmoid(i) * self.np.tanh(g)
            H = jax.nn.sigmoid(o) * self.np.tanh(C)
            return (H, C), H

        zero = self.np.zeros((self.N, K), X.dtype)
        _, H = jax.lax.scan(cell, (zero, zero), (X @ W + b).reshape(self.N, *self.grid, -1).swapaxes(0, 1))
        return H.swapaxes(0, 1).reshape(-1, K)

    def SumOfBranches(self, block: SumOfBranches, params: Tree, X: Any) -> Any:
        grid, (f, g) = self.grid, params
        A = self.sequence(block.f, f, X)
        if not block.g:
            return A + X
        self.grid = grid
        return A + self.sequence(block.g, g, X)
