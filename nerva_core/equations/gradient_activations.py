"""Gradient activation functions: functions G that an optimizer applies to the gradient (Liu et al., Activated Gradients, section III).

Adding one is one entry here: a dataclass with its parameters, ``value``, ``derivative`` and ``second_derivative``. It is then known to
the parser and to ``GAF`` in ``nerva_core.equations.optimizers``, runs on every backend, and is tested without a further edit.

``objections`` checks Definition 1 of the paper, ``fixed_point`` finds its ε₃ and ``expansion_radius`` where G expands.
"""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, backend
from nerva_core.algebra.registry import Entry, Positive, Table
from nerva_core.equations.activations import Tanh as TanhActivation


@dataclass(frozen=True)
class GradientActivation(Entry):
    """A function G that takes the gradient of one parameter to a matrix of the same shape."""

    @abstractmethod
    def value(self, ops: MatrixOps[M], X: M) -> M:
        """G(X)."""

    def __call__(self, ops: MatrixOps[M], X: M) -> M:
        return self.value(ops, X)


@dataclass(frozen=True)
class Elementwise(GradientActivation):
    """A function R -> R, applied to every element, with its first two derivatives."""

    @abstractmethod
    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        """G'(X)."""

    @abstractmethod
    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        """G''(X)."""

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """The integral of G from 0 to X, by Gauss-Legendre quadrature with 64 nodes; an entry may have its closed form instead."""
        nodes, weights = np.polynomial.legendre.leggauss(64)
        total: M = ops.zeros(*ops.shape(X))
        for x, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
            total = total + float(weight) * ops.hadamard(X, self.value(ops, float(x) * X))
        return total

    def __call__(self, ops: MatrixOps[M], X: M) -> M:
        return ops.apply(self.value, X)


GRADIENT_ACTIVATIONS: Table[GradientActivation] = Table("gradient activation", GradientActivation)


# The three of the paper, with α, β > 0 (not printed: erratum 001-04). The slope at 0 is αβ. --------------------------------------------


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class Arctan(Elementwise):
    """α arctan(βg); G' = αβ / (1 + β²g²), G'' = -2αβ³g / (1 + β²g²)² (equations 29, 30). Below πα/2; G' > 1 for |g| < √(αβ - 1) / β."""

    alpha: Positive = 0.1
    beta: Positive = 20.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = self.alpha * ops.arctan(self.beta * X)
        return result

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = (self.alpha * self.beta) * self._denominator(ops, X)
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        R = self._denominator(ops, X)
        result: M = (-2 * self.alpha * self.beta * self.beta) * ops.hadamard(ops.hadamard(self.beta * X, R), R)
        return result

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """α (g arctan(βg) - log(1 + β²g²) / (2β))."""
        Z = self.beta * X
        result: M = ops.hadamard(X, self.value(ops, X)) - (self.alpha / (2 * self.beta)) * ops.log1p(ops.hadamard(Z, Z))
        return result

    def _denominator(self, ops: MatrixOps[M], X: M) -> M:
        Z = self.beta * X
        return ops.reciprocal(ops.ones(*ops.shape(X)) + ops.hadamard(Z, Z))


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class Tanh(Elementwise):
    """α tanh(βg); G' = αβ tanh'(βg), G'' = -2αβ² tanh(βg) tanh'(βg). Bounded by α; G' > 1 for |g| < arcosh(√(αβ)) / β."""

    alpha: Positive = 0.1
    beta: Positive = 20.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = self.alpha * ops.tanh(self.beta * X)
        return result

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = (self.alpha * self.beta) * TanhActivation().gradient(ops, self.beta * X)
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        Z = self.beta * X
        result: M = (-2 * self.alpha * self.beta * self.beta) * ops.hadamard(ops.tanh(Z), TanhActivation().gradient(ops, Z))
        return result

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """α log cosh(βg) / β, where log cosh z = |z| + log(1 + e^(-2|z|)) - log 2."""
        Z = self.beta * ops.abs(X)
        log_cosh = Z + ops.log1p(ops.exp(-2.0 * Z)) - ops.full(math.log(2), *ops.shape(X))
        result: M = (self.alpha / self.beta) * log_cosh
        return result


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class Log(Elementwise):
    """α sign(g) log(1 + β|g|); G' = αβ / (1 + β|g|), G'' = -αβ² sign(g) / (1 + β|g|)². Not bounded; G' > 1 for |g| < (αβ - 1) / β.

    At g = 0 there is no second derivative, it jumps from αβ² to -αβ² (erratum 001-03); ``second_derivative`` gives 0 there.
    """

    alpha: Positive = 0.1
    beta: Positive = 20.0

    def value(self, ops: MatrixOps[M], X: M) -> M:
        result: M = self.alpha * ops.hadamard(ops.sign(X), ops.log1p(self.beta * ops.abs(X)))
        return result

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        result: M = (self.alpha * self.beta) * self._denominator(ops, X)
        return result

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        R = self._denominator(ops, X)
        result: M = (-self.alpha * self.beta * self.beta) * ops.hadamard(ops.sign(X), ops.hadamard(R, R))
        return result

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """α ((1 + β|g|) log(1 + β|g|) - β|g|) / β."""
        Z = self.beta * ops.abs(X)
        result: M = (self.alpha / self.beta) * (ops.hadamard(ops.ones(*ops.shape(X)) + Z, ops.log1p(Z)) - Z)
        return result

    def _denominator(self, ops: MatrixOps[M], X: M) -> M:
        return ops.reciprocal(ops.ones(*ops.shape(X)) + self.beta * ops.abs(X))


# What the paper compares them with -----------------------------------------------------------------------------------------------------


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class Identity(Elementwise):
    """g: no gradient activation."""

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return X

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.ones(*ops.shape(X))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """g² / 2."""
        result: M = 0.5 * ops.hadamard(X, X)
        return result


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class ValueClipping(Elementwise):
    """min(max(g, -c), c) with the threshold c; G' is 1 for |g| <= c, else 0. Not a GAF by Definition 1: nothing is curved."""

    threshold: Positive = 0.1

    def value(self, ops: MatrixOps[M], X: M) -> M:
        return ops.clip(X, -self.threshold, self.threshold)

    def derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.less_equal(ops.abs(X), ops.full(self.threshold, *ops.shape(X)))

    def second_derivative(self, ops: MatrixOps[M], X: M) -> M:
        return ops.zeros(*ops.shape(X))

    def integral(self, ops: MatrixOps[M], X: M) -> M:
        """g² / 2 for |g| <= c, else c|g| - c² / 2 (Huber's function)."""
        C = self.value(ops, X)
        result: M = ops.hadamard(C, X) - 0.5 * ops.hadamard(C, C)
        return result


@GRADIENT_ACTIVATIONS.add
@dataclass(frozen=True)
class NormClipping(GradientActivation):
    """X min(1, c / ‖X‖) with the threshold c, where X is the gradient of one parameter and ‖X‖ its Euclidean norm.

    Each parameter is clipped by its own norm, as ``clipnorm`` of Keras does; not all of them by their common norm (``global_clipnorm``).
    An element of the result depends on all elements, so this is no function R -> R, has no G', and is no gradient of another loss
    (erratum 001-34; ``curl`` in ``nerva_core.theory.gradient_theory``).
    """

    threshold: Positive = 0.1

    def value(self, ops: MatrixOps[M], X: M) -> M:
        bound = ops.maximum(ops.norm(X), ops.full(self.threshold, 1, 1))
        return self.threshold * ops.quotient(X, ops.fill(bound, *ops.shape(X)))


# Properties ------------------------------------------------------------------------------------------------------------------------

REACH = 1e9
"""A gradient beyond all others, where the behaviour for large g is read."""

SAMPLES = tuple(np.geomspace(1e-5, 0.5, 41))
"""Gradients at which a property that should hold for all g > 0 is tried."""


@functools.cache
def _numpy() -> Backend:
    return backend("numpy", "float64")  # its search takes longer than the numbers


def at(rule: Callable[..., Any], g: Sequence[float] | Array | float) -> Array:
    """``rule``, such as ``Arctan().derivative``, of plain numbers: in float64 on NumPy."""
    ops = _numpy()
    with np.errstate(over="ignore"):
        return ops.to_numpy(rule(ops, ops.matrix(np.reshape(g, (1, -1))))).ravel()


def objections(G: Elementwise, samples: Sequence[float] = SAMPLES) -> list[str]:
    """Why G is not a gradient activation function by Definition 1; empty if nothing was found at the samples g > 0.

    The definition, with what errata 001-02 and 001-03 correct: (1) G is C¹, twice differentiable for g != 0, and increasing; (2) G is odd;
    (3) G(g) <= g for all large g; (4) g G''(g) < 0 for all g != 0. That G' and G'' are the derivatives of G is checked too.
    Where G' underflows to 0, G is constant within rounding, and (4) is not tried.
    """
    g = np.array(samples)
    both = np.concatenate([g, -g])
    slope, bend = at(G.derivative, both), both * at(G.second_derivative, both)
    checks = {
        "its derivatives are not those that are given, or it is not continuously differentiable": not _differentiable(G, both),
        "it is not increasing": (slope < 0).any() or at(G.derivative, 0.0).item() <= 0,
        "it is not odd": not np.allclose(at(G.value, -g), -at(G.value, g), rtol=1e-12, atol=0) or at(G.value, 0.0).item() != 0,
        "it exceeds the gradient for large gradients": at(G.value, REACH).item() > REACH,
        "g G''(g) is not negative for all g != 0": (bend[slope > 0] >= 0).any(),
    }
    return [reason for reason, holds in checks.items() if holds]


def fixed_point(G: Elementwise) -> float:
    """ε₃ > 0 with G(ε₃) = ε₃: the gradients with 0 < |g| < ε₃ are enlarged, those beyond it are made smaller (Theorem 5).

    0 if G'(0) <= 1, where no gradient is enlarged; ∞ if none is made smaller.
    """
    if at(G.derivative, 0.0).item() <= 1:
        return 0.0
    return _last(lambda g: at(G.value, g).item() > g)


def expansion_radius(G: Elementwise) -> float:
    """The largest r with G'(g) > 1 for all |g| < r, where differences of gradients are enlarged (Lemma 1); 0 if there is none."""
    return _last(lambda g: at(G.derivative, g).item() > 1)


def _differentiable(G: Elementwise, g: Array) -> bool:
    """Whether differences give the derivatives, within their rounding errors, and G' tends to G'(0) on both sides of 0."""
    h = 1e-4 * np.abs(g)
    first = (at(G.value, g + h) - at(G.value, g - h)) / (2 * h)
    second = (at(G.derivative, g + h) - at(G.derivative, g - h)) / (2 * h)
    slope, bend, tiny = at(G.derivative, g), at(G.second_derivative, g), at(G.derivative, [-1e-12, 0.0, 1e-12])
    steepest, most = np.abs(slope).max(), np.abs(bend).max()
    given = ((first, slope, 1e-8 * steepest), (second, bend, 1e-4 * most), (tiny, tiny[1], 1e-8 * steepest))
    return all(np.allclose(found, expected, rtol=1e-5, atol=atol) for found, expected, atol in given)


def _last(holds: Callable[[float], bool]) -> float:
    """The end of the interval (0, r) in which something holds, where it holds nowhere beyond: by bisection of the exponent."""
    low, high = math.log(1 / REACH), math.log(REACH)
    if holds(math.exp(high)):
        return math.inf
    if not holds(math.exp(low)):
        return 0.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(math.exp(middle)) else (low, middle)
    return math.exp(high)
