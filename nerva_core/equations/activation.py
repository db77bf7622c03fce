"""The base of activation functions and their table (Nerva specification, section 5)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.registry import Entry, Table


@dataclass(frozen=True)
class Activation(Entry):
    """A function R -> R, applied to every element of a matrix, with its derivative."""

    @abstractmethod
    def value(self, ops: MatrixOps[M], X: M) -> M:
        """f(X)."""

    @abstractmethod
    def gradient(self, ops: MatrixOps[M], X: M) -> M:
        """f'(X)."""

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        """f''(X), off the kinks; NervaError if the activation does not state it."""
        raise NervaError(
            f"{type(self).__name__} states no second derivative, which training with its limit f'(x) x needs; "
            f"define {type(self).__name__}.second_derivative, or use its q-activation"
        )

    def __call__(self, ops: MatrixOps[M], X: M) -> M:
        return self.value(ops, X)


ACTIVATIONS: Table[Activation] = Table(
    "activation",
    Activation,
    elsewhere={"ReLU6": "it is Hardtanh(0, 6)", "Hardsigmoid": "the nearest is Sigmoid", "Softsign": "the nearest is Tanh"},
)
