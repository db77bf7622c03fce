"""TensorFlow: ``tf.GradientTape``, in one function with the loop over the batches.

Positions are rows of one matrix, N·L x D.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, import_tensorflow
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


class TensorFlowFunction(Contender):
    """``tf.GradientTape`` in one ``tf.function`` with a loop over the batches, and the fused update that Keras' optimizer has."""

    name = "tf.function"
    backend = "tensorflow"
    xla: ClassVar[bool] = False

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        tf = import_tensorflow(threads)
        network, outputs, N = blocks(problem), problem.outputs, problem.rows.shape[1]
        params = tf.nest.map_structure(tf.Variable, [values(block) for block in network])
        variables = tf.nest.flatten(params)
        memory = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        X, T = tf.constant(problem.inputs), tf.constant(problem.targets)
        lr, mu = (tf.constant(number, X.dtype) for number in (problem.lr, momentum(problem)))

        def step(batch: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = TensorFlowForward(tf, N).sequence(network, params, tf.gather(X, batch))
                loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.reshape(tf.gather(T, batch), [-1, outputs]), logits))
            for variable, v, gradient in zip(variables, memory, tape.gradient(loss, variables), strict=True):
                dense = tf.convert_to_tensor(gradient)
                tf.raw_ops.ResourceApplyKerasMomentum(var=variable.handle, accum=v.handle, lr=lr, grad=dense, momentum=mu)
            return loss

        def loop(rows: Any) -> Any:
            steps = tf.shape(rows)[0]
            losses = tf.TensorArray(X.dtype, size=steps)

            def body(k: Any, losses: Any) -> Any:
                return k + 1, losses.write(k, step(rows[k]))

            return tf.while_loop(lambda k, _: k < steps, body, (0, losses), parallel_iterations=1)[1].stack()

        self.loop = tf.function(loop, jit_compile=self.xla, autograph=False)
        self.constant = tf.constant

    def epoch(self, rows: Array) -> Array:
        result: Array = self.loop(self.constant(rows)).numpy()
        return result


class TensorFlowXla(TensorFlowFunction):
    """The same, compiled by XLA."""

    name = "tf.function, XLA"
    xla = True


class TensorFlowForward:
    """The network on a batch of N examples; ``grid`` are the positions whose rows X has."""

    def __init__(self, tf: Any, N: int) -> None:
        self.tf, self.N = tf, N
        self.grid: tuple[int, ...] = ()

    def sequence(self, network: Sequence[Block], params: Tree, X: Any) -> Any:
        """The blocks one after the other."""
        for block, given in zip(network, params, strict=True):
            X = self.named(block, X) if isinstance(block, str) else getattr(self, type(block).__name__)(block, given, X)
        return X

    def named(self, name: str, X: Any) -> Any:
        """An activation, or what has no numbers."""
        if name not in ("flatten", "mean of positions", "last position"):
            return getattr(self.tf.nn, name)(X)
        positions, self.grid = math.prod(self.grid), ()
        if name == "flatten":
            return self.tf.reshape(X, [self.N, positions * X.shape[-1]])
        X = self.tf.reshape(X, [self.N, positions, X.shape[-1]])
        return self.tf.reduce_mean(X, 1) if name == "mean of positions" else X[:, -1]

    def Dense(self, block: Dense, params: Tree, X: Any) -> Any:
        W, b = params
        return self.tf.nn.bias_add(self.tf.matmul(X, W), b)

    def Normalization(self, block: Normalization, params: Tree, X: Any) -> Any:
        gamma, beta = params
        if self.grid and X.dtype == "float32":
            images = X[:, None, None]
            return self.tf.compat.v1.nn.fused_batch_norm(images, gamma, beta, epsilon=block.epsilon)[0][:, 0, 0]
        mean, variance = self.tf.nn.moments(X, [0])
        return self.tf.nn.batch_normalization(X, mean, variance, beta, gamma, block.epsilon)

    def RowNormalization(self, block: RowNormalization, params: Tree, X: Any) -> Any:
        gamma, beta = params
        mean, variance = self.tf.nn.moments(X, [1], keepdims=True)
        return self.tf.nn.batch_normalization(X, mean, variance, beta, gamma, block.epsilon)

    def Grid(self, block: Grid, params: Tree, X: Any) -> Any:
        self.grid = block.size
        positions = math.prod(block.size)
        return self.tf.reshape(X, [self.N * positions, X.shape[1] // positions])

    def Kernel(self, block: Kernel, params: Tree, X: Any) -> Any:
        W, b = params
        edge = [[0, 0], *[[block.padding] * 2] * 2, [0, 0]]
        images = self.tf.reshape(X, [self.N, *self.grid, X.shape[-1]])
        Y = self.tf.nn.bias_add(self.tf.nn.conv2d(images, W, block.stride, edge), b)
        self.grid = tuple(Y.shape[1:3])
        return self.tf.reshape(Y, [-1, Y.shape[-1]])

    def LargestOf(self, block: LargestOf, params: Tree, X: Any) -> Any:
        Y = self.tf.nn.max_pool2d(self.tf.reshape(X, [self.N, *self.grid, X.shape[-1]]), block.size, block.size, "VALID")
        self.grid = tuple(Y.shape[1:3])
        return self.tf.reshape(Y, [-1, Y.shape[-1]])

    def RowTable(self, block: RowTable, params: Tree, X: Any) -> Any:
        return self.tf.gather(params[0], self.tf.cast(self.tf.reshape(X, [-1]), "int32"))

    def PositionTable(self, block: PositionTable, params: Tree, X: Any) -> Any:
        return self.tf.reshape(self.tf.reshape(X, [self.N, *params[0].shape]) + params[0], X.shape)

    def Heads(self, block: Heads, params: Tree, X: Any) -> Any:
        tf, (W, b, U, c) = self.tf, params
        (L,), D = self.grid, X.shape[1]
        parts = tf.split(self.Dense(block.to_qkv, (W, b), X), 3, axis=1)
        Q, K, V = (tf.transpose(tf.reshape(part, [self.N, L, block.heads, D // block.heads]), [0, 2, 1, 3]) for part in parts)
        S = tf.matmul(Q, K, transpose_b=True) / math.sqrt(D // block.heads)
        S = tf.where(np.tril(np.ones((L, L), bool)), S, np.array(-np.inf, S.dtype.as_numpy_dtype)) if block.causal else S
        Y = tf.reshape(tf.transpose(tf.matmul(tf.nn.softmax(S), V), [0, 2, 1, 3]), X.shape)
        return self.Dense(block.back, (U, c), Y)

    def Recurrence(self, block: Recurrence, params: Tree, X: Any) -> Any:
        tf, (W, U, b, c) = self.tf, params
        K = U.shape[0]
        given = tf.reshape(self.Dense(Dense(W, b), (W, b), X), [self.N, *self.grid, 4 * K])
        H = C = tf.zeros([self.N, K], X.dtype)
        found = []
        for x in tf.unstack(given, axis=1):
            i, f, g, o = tf.split(x + tf.nn.bias_add(tf.matmul(H, U), c), 4, axis=1)
            C = tf.sigmoid(f) * C + tf.sigmoid(i) * tf.tanh(g)
            H = tf.sigmoid(o) * tf.tanh(C)
            found.append(H)
        return tf.reshape(tf.stack(found, axis=1), [-1, K])

    def SumOfBranches(self, block: SumOfBranches, params: Tree, X: Any) -> Any:
        grid, (f, g) = self.grid, params
        A = self.sequence(block.f, f, X)
        if not block.g:
            return A + X
        self.grid = grid
        return A + self.sequence(block.g, g, X)
