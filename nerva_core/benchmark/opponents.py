"""The opponents: the same network, written in each framework as its users would, trained by the framework's own differentiation.

They share nothing with our equations but the initial values and the batches, and must arrive at the same losses before they are
timed.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, NoCounterpartError, import_tensorflow, import_torch
from nerva_core.benchmark.description import Dense, Normalization, blocks, momentum

Rows = Array


class ScikitLearn(Contender):
    """``MLPClassifier.partial_fit``, an epoch a call; its update rule works in place."""

    name = "scikit-learn"
    backend = "numpy"
    requires = ("sklearn",)

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        from sklearn.neural_network import MLPClassifier

        network = blocks(problem)
        dense = [block for block in network if isinstance(block, Dense)]
        hidden = [block for block in network if isinstance(block, str)]
        alternating = [type(block) for block in network] == [Dense, str] * len(hidden) + [Dense]
        if not alternating or len(set(hidden)) != 1 or problem.targets.shape[1] < 3:
            raise NoCounterpartError("MLPClassifier is dense layers with one activation between them, for three classes or more")
        self.X, self.labels = problem.inputs, problem.data.Ttrain
        self.model = MLPClassifier(
            hidden_layer_sizes=[len(block.b) for block in dense[:-1]],
            activation={"sigmoid": "logistic"}.get(hidden[0], hidden[0]),
            solver="sgd",
            alpha=0.0,
            batch_size=problem.config.training.batch_size,
            learning_rate_init=problem.lr,
            momentum=momentum(problem),
            nesterovs_momentum=False,
            random_state=0,
        )
        size = problem.config.training.batch_size
        self.model.partial_fit(self.X[:size], self.labels[:size], classes=np.arange(problem.targets.shape[1]))
        self.model.coefs_ = [np.array(block.W.T) for block in dense]
        self.model.intercepts_ = [np.array(block.b) for block in dense]
        del self.model._optimizer

    def losses(self, rows: Rows) -> list[float]:
        return [self.model.partial_fit(self.X[batch], self.labels[batch]).loss_ for batch in rows]

    def epoch(self, rows: Rows) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the loss does not fall, which nobody expects of random classes
            self.model.partial_fit(self.X, self.labels)


class TorchEager(Contender):
    """``torch.nn`` and the fused update of ``torch.optim.SGD``."""

    loss: Any
    name = "torch.nn"
    backend = "torch"

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        self.torch = torch = import_torch(threads)
        self.X, self.labels = torch.tensor(problem.inputs), torch.tensor(problem.data.Ttrain)
        self.model = torch.nn.Sequential(*map(self._module, blocks(problem)))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=problem.lr, momentum=momentum(problem), fused=True)
        self.loss = lambda X, labels: torch.nn.functional.cross_entropy(self.model(X), labels)

    def _module(self, block: Any) -> Any:
        nn = self.torch.nn
        if isinstance(block, str):
            return {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[block]()
        if isinstance(block, Dense):
            module: Any = nn.Linear(block.W.shape[1], block.W.shape[0])
            values = block.W, block.b
        else:
            module = nn.BatchNorm1d(len(block.gamma), eps=block.epsilon, momentum=1 - block.momentum)
            values = block.gamma, block.beta
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.data = self.torch.tensor(value)
        return module

    def epoch(self, rows: Rows) -> Rows:
        losses = []
        for batch in self.torch.as_tensor(rows):
            loss = self.loss(self.X[batch], self.labels[batch])
            self.optimizer.zero_grad()
            backward: Any = loss.backward
            backward()
            self.optimizer.step()
            losses.append(loss.detach())
        result: Rows = self.torch.stack(losses).numpy()
        return result


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

        def loss(params: Any, X: Any, T: Any) -> Any:
            return optax.softmax_cross_entropy(self._forward(jax, network, params, X), T).mean()

        def step(state: Any, batch: Any, X: Any, T: Any) -> Any:
            params, memory = state
            value, gradients = jax.value_and_grad(loss)(params, X[batch], T[batch])
            updates, memory = optimizer.update(gradients, memory, params)
            return (optax.apply_updates(params, updates), memory), value

        self.run = jax.jit(lambda state, rows, X, T: jax.lax.scan(lambda s, batch: step(s, batch, X, T), state, rows), donate_argnums=0)
        params = [tuple(map(jax.numpy.asarray, self._values(block))) for block in network]
        self.state = params, optimizer.init(params)
        self.X, self.T = jax.device_put(problem.inputs), jax.device_put(problem.targets)

    @staticmethod
    def _values(block: Any) -> tuple[Any, ...]:
        if isinstance(block, Dense):
            return block.W.T, block.b
        return (block.gamma, block.beta) if isinstance(block, Normalization) else ()

    @staticmethod
    def _forward(jax: Any, network: Any, params: Any, X: Any) -> Any:
        for block, values in zip(network, params, strict=True):
            if isinstance(block, Dense):
                W, b = values
                X = X @ W + b
            elif isinstance(block, Normalization):
                gamma, beta = values
                X = (X - X.mean(0)) * jax.lax.rsqrt(X.var(0) + block.epsilon) * gamma + beta
            else:
                X = getattr(jax.nn, block)(X)
        return X

    def epoch(self, rows: Rows) -> Rows:
        self.state, losses = self.run(self.state, rows, self.X, self.T)
        return np.asarray(losses)


class TensorFlowFunction(Contender):
    """``tf.GradientTape`` in one ``tf.function`` with a loop over the batches, and the fused update that Keras' optimizer has."""

    name = "tf.function"
    backend = "tensorflow"
    xla: ClassVar[bool] = False

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        tf = import_tensorflow(threads)
        self.network = blocks(problem)
        self.params = [tuple(map(tf.Variable, JaxScan._values(block))) for block in self.network]
        variables = [variable for values in self.params for variable in values]
        memory = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        X, T = tf.constant(problem.inputs), tf.constant(problem.targets)
        lr, mu = (tf.constant(number, X.dtype) for number in (problem.lr, momentum(problem)))

        def step(batch: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = self._forward(tf, tf.gather(X, batch))
                loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.gather(T, batch), logits))
            for variable, v, gradient in zip(variables, memory, tape.gradient(loss, variables), strict=True):
                tf.raw_ops.ResourceApplyKerasMomentum(var=variable.handle, accum=v.handle, lr=lr, grad=gradient, momentum=mu)
            return loss

        def loop(rows: Any) -> Any:
            losses = tf.TensorArray(X.dtype, size=len(rows))

            def body(k: Any, losses: Any) -> Any:
                return k + 1, losses.write(k, step(rows[k]))

            return tf.while_loop(lambda k, _: k < len(rows), body, (0, losses), parallel_iterations=1)[1].stack()

        self.loop = tf.function(loop, jit_compile=self.xla)
        self.constant = tf.constant

    def _forward(self, tf: Any, X: Any) -> Any:
        for block, values in zip(self.network, self.params, strict=True):
            if isinstance(block, Dense):
                W, b = values
                X = tf.matmul(X, W) + b
            elif isinstance(block, Normalization):
                mean, variance = tf.nn.moments(X, [0])
                gamma, beta = values
                X = tf.nn.batch_normalization(X, mean, variance, beta, gamma, block.epsilon)
            else:
                X = getattr(tf.nn, block)(X)
        return X

    def epoch(self, rows: Rows) -> Rows:
        result: Rows = self.loop(self.constant(rows)).numpy()
        return result


class TensorFlowXla(TensorFlowFunction):
    """The same, compiled by XLA."""

    name = "tf.function, XLA"
    xla = True


class Keras(Contender):
    """``keras.Sequential.fit``, an epoch a call."""

    name = "Keras 3"
    requires = ("keras",)

    def __init__(self, problem: BenchmarkProblem, threads: int) -> None:
        if self.backend == "tensorflow":
            import_tensorflow(threads)
        if self.backend == "torch":
            import_torch(threads)
        import keras

        keras.config.set_floatx(problem.config.dtype)
        network = blocks(problem)
        self.model = keras.Sequential([keras.Input([problem.data.inputs]), *(self._layer(keras, block) for block in network)])
        for layer, block in zip(self.model.layers, network, strict=True):
            if not isinstance(block, str):
                layer.set_weights([*JaxScan._values(block), *layer.get_weights()[2:]])
        self.model.compile(
            optimizer=keras.optimizers.SGD(problem.lr, momentum=momentum(problem)),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        )
        self.X, self.T = problem.inputs, problem.targets
        self.batch = problem.config.training.batch_size

    @staticmethod
    def _layer(keras: Any, block: Any) -> Any:
        if isinstance(block, Dense):
            return keras.layers.Dense(len(block.b))
        if isinstance(block, Normalization):
            return keras.layers.BatchNormalization(momentum=block.momentum, epsilon=block.epsilon)
        return keras.layers.Activation(block)

    def losses(self, rows: Rows) -> list[float]:
        return [float(self.model.train_on_batch(self.X[batch], self.T[batch])) for batch in rows]

    def epoch(self, rows: Rows) -> None:
        self.model.fit(self.X, self.T, batch_size=self.batch, epochs=1, shuffle=True, verbose=0)


class KerasTorch(Keras):
    """Keras on PyTorch."""

    backend = "torch"
    environment = {"KERAS_BACKEND": "torch"}


class KerasJax(Keras):
    """Keras on JAX."""

    backend = "jax"
    environment = {"KERAS_BACKEND": "jax"}


class KerasTensorFlow(Keras):
    """Keras on TensorFlow."""

    backend = "tensorflow"
    environment = {"KERAS_BACKEND": "tensorflow"}


OPPONENTS: tuple[type[Contender], ...] = (
    ScikitLearn,
    TorchEager,
    TorchCompiled,
    KerasTorch,
    JaxScan,
    KerasJax,
    TensorFlowFunction,
    TensorFlowXla,
    KerasTensorFlow,
)
"""Adding one: its class, and its line here."""
