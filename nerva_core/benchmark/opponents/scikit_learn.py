"""scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np

from nerva_core.algebra.memory import Array
from nerva_core.benchmark.configurations import BenchmarkProblem
from nerva_core.benchmark.contenders import Contender, NoCounterpartError
from nerva_core.benchmark.description import Dense, blocks, momentum

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
        if not alternating or len(set(hidden)) != 1 or problem.outputs < 3:
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
        self.model.partial_fit(self.X[:size], self.labels[:size], classes=np.arange(problem.outputs))
        self.model.coefs_ = [np.array(block.W.T) for block in dense]
        self.model.intercepts_ = [np.array(block.b) for block in dense]
        del self.model._optimizer

    def losses(self, rows: Rows) -> list[float]:
        return [self.model.partial_fit(self.X[batch], self.labels[batch]).loss_ for batch in rows]

    def epoch(self, rows: Rows) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the loss does not fall, which nobody expects of random classes
            self.model.partial_fit(self.X, self.labels)
