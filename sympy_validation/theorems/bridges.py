"""Differentiable approximation bridges: the backward is the gradient of the layer's surrogate, for any hard function and any bridge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.losses import LOSSES, Loss
from nerva_core.layers import DAB, ActivationLayer, Layer, Linear, Repeat, Sequential, StraightThrough
from nerva_core.layers.dab import DABCache
from nerva_core.theory.bridge_theory import map_gradient, map_objective, score_function_gradient
from sympy_validation.claims import Make, RealVariable
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.layers import CHAIN_SIZES, METHODS, gradient_theorems
from sympy_validation.theorems.tools import about, equation

Ops = MatrixOps

SURROGATE = ", for any f and any bridge whose own equations are right"


def any_bridge(space: Space) -> Sequential:
    """S = bridge(X), of which nothing is known, with K columns."""
    return Sequential((space.any_layer("bridge", space.size("K"), space.size("D")),))


def linear_bridge(space: Space) -> Sequential:
    """S = X · Φᵀ + 1 · b."""
    return Sequential((Linear(space.size("K")),))


def hidden_bridge(space: Space) -> Sequential:
    """A bridge with one hidden layer and any activation."""
    return Sequential((Linear(space.size("H")), ActivationLayer(space.unknown_function("act")), Linear(space.size("K"))))


def dab(bridge: Callable[[Space], Sequential] = any_bridge, kind: type[DAB] = DAB, **options: Any) -> Make:
    """A DAB layer around any hard function from D to K columns."""

    def make(space: Space) -> DAB:
        hard = space.any_hard_function("hard", space.size("K"), space.size("D"))
        chosen = {name: value(space) if callable(value) else value for name, value in options.items()}
        return symbolic(kind, space, hard=hard, bridge=bridge(space), **chosen)

    return make


def loss_of(entry: type[Loss]) -> Callable[[Space], Loss]:
    """The loss with symbols for its parameters."""
    return lambda space: symbolic(entry, space, "loss_")


@dataclass(frozen=True)
class UndetachedDAB(DAB):
    """The objective of a DAB whose penalty does not hold H fixed: H then has the derivative of the bridge (erratum 003-31)."""

    def surrogate(self, ops: MatrixOps[M], params: Tree, X: M, hard_noise: Any = (), bridge_noise: Any = ()) -> tuple[M, M | None]:
        Y, _ = super().surrogate(ops, params, X, hard_noise, bridge_noise)
        S, _ = self.bridge.feedforward(ops, params, X, *bridge_noise)
        return Y, self._reduced(ops, self.gamma * self.loss.value(ops, S, Y), S)


@dataclass(frozen=True)
class CancelledDAB(UndetachedDAB):
    """Its gradient: the penalty cancels on X and is unchanged on the parameters of the bridge."""

    def backpropagate(self, ops: MatrixOps[M], params: Tree, cache: DABCache[M], DY: M) -> tuple[M, Tree]:
        _, Dphi = super().backpropagate(ops, params, cache, DY)
        DX, _ = self.bridge.backpropagate(ops, params, cache.bridge, DY)
        return DX, Dphi


def theorems() -> Iterator[Theorem]:
    """The table for the bridges."""
    yield from any_bridge_theorems()
    yield from concrete_bridges()
    yield from compositions()
    yield from straight_through()
    yield from theory()


def any_bridge_theorems() -> Iterator[Theorem]:
    """For every hard function, which may change the number of columns, and every bridge."""
    yield from gradient_theorems("layers.DAB(any f, any bridge)", dab(), SURROGATE)
    for name, options in (
        ("mean over the batch", {"reduction": "mean"}),
        ("sum", {"reduction": "sum"}),
        ("no conditioning", {"conditioning": False}),
    ):
        yield from gradient_theorems("layers.DAB(any f, any bridge)", dab(**options), SURROGATE, ("all sizes",), name=name)
    for entry in LOSSES:
        if bridge_loss(entry):
            make = dab(loss=loss_of(entry))
            yield from gradient_theorems("layers.DAB(any f, any bridge)", make, SURROGATE, ("all sizes",), name=entry.__name__)
    statement = ": with H not held fixed the penalty cancels on X"
    yield from gradient_theorems("layers.DAB(H not detached)", dab(kind=CancelledDAB), statement)


def bridge_loss(entry: type[Loss]) -> bool:
    """Whether a bridge may be trained with this loss, and it is not the default: a sum over any real outputs and targets."""
    return entry.__name__ in ("AbsoluteError", "Huber", "CosineDistance", "SoftmaxCrossEntropy", "BinaryCrossEntropy")


def linear_equations(ops: Ops, layer: DAB, params: Tree, cache: DABCache, DY: Matrix) -> Tree:
    """The linear bridge: DX = (DY + DS) · Φ, DΦ = DSᵀ · X (erratum 003-36), and Db = 1ᵀ · DS, with DS = 2 γ (S - H) / N."""
    ((Phi, _),) = params
    H, S, ((X,),) = cache
    DS = ops.divide(2 * layer.gamma * (S - H), ops.shape(S)[0])
    return (DY + DS) @ Phi, (type(params[0])(ops.transpose(DS) @ X, ops.columns_sum(DS)),)


def hidden_equations(ops: Ops, layer: DAB, params: Tree, cache: DABCache, DY: Matrix) -> Tree:
    """One hidden layer: DV = DSᵀ · Q, Dd = 1ᵀ · DS, DP = (DS · V) ⊙ act'(P), DU = DPᵀ · X, Dc = 1ᵀ · DP (erratum 003-38)."""
    (U, _), (), (V, _) = params
    H, S, ((X,), (P,), (Q,)) = cache
    DS = ops.divide(2 * layer.gamma * (S - H), ops.shape(S)[0])
    act = cast(ActivationLayer, layer.bridge.layers[1]).activation.gradient(ops, P)
    DP = ops.hadamard(DS @ V, act)
    DX = ops.hadamard((DY + DS) @ V, act) @ U
    affine = type(params[0])
    return DX, (affine(ops.transpose(DP) @ X, ops.columns_sum(DP)), (), affine(ops.transpose(DS) @ Q, ops.columns_sum(DS)))


def concrete_bridges() -> Iterator[Theorem]:
    """The layer, and the equations written out, for the bridges that the errata derive."""
    for name, bridge, written in (("linear", linear_bridge, linear_equations), ("one hidden layer", hidden_bridge, hidden_equations)):
        subject = f"layers.DAB(any f, {name} bridge)"
        yield from gradient_theorems(subject, dab(bridge), entry_sizes=CHAIN_SIZES)
        claim = LayerGradient(dab(bridge, reduction="mean"), written)
        for method in METHODS:
            for quantity in claim.quantities():
                if quantity not in ("Y", "R"):
                    statement = f"{quantity} of the equations written out"
                    yield Theorem(subject, quantity, statement, claim, method, name="written out", entry_sizes=CHAIN_SIZES)


def compositions() -> Iterator[Theorem]:
    """Layers before and after: the penalty reaches what is before, the network's loss does not reach the bridge."""

    def between(space: Space) -> Sequential:
        return Sequential((Linear(space.size("D")), dab(loss=loss_of(LOSSES.lookup("SquaredError")))(space), Linear(space.size("H"))))

    def pondering(space: Space) -> Layer:
        D = space.size("D")
        hard = space.any_hard_function("hard", D, D)
        layer = symbolic(DAB, space, hard=hard, bridge=Sequential((space.any_layer("bridge", D, D),)))
        return Repeat(Sequential((space.any_layer("f", D, D), layer)), 2)

    yield from gradient_theorems("layers.Sequential(linear, DAB, linear)", between, SURROGATE, entry_sizes=CHAIN_SIZES)
    yield from gradient_theorems("layers.Repeat(any f, DAB)", pondering, SURROGATE, ("all sizes",))


def straight_through() -> Iterator[Theorem]:
    """For every hard function that keeps the number of columns; clipped also."""

    def make(space: Space) -> StraightThrough:
        return symbolic(StraightThrough, space, clipped=True)

    yield from gradient_theorems("layers.StraightThrough(clipped)", make, ", for any f")


def theory() -> Iterator[Theorem]:
    """The score function is unbiased; the posterior of a linear bridge."""

    def mean(ops: Ops, P: Any, F0: Any, F1: Any) -> Tree:
        one = ops.ones(*ops.shape(P))
        drawn_1 = ops.hadamard(P, score_function_gradient(ops, P, one, F1))
        drawn_0 = ops.hadamard(one - P, score_function_gradient(ops, P, ops.zeros(*ops.shape(P)), F0))
        return drawn_1 + drawn_0

    def expected(space: Space, P: Any, F0: Any, F1: Any) -> Tree:
        ops = space.ops
        one = ops.ones(*ops.shape(P))
        return space.gradient(one, ops.hadamard(P, F1) + ops.hadamard(one - P, F0), "P")

    bernoulli = {"P": ("N", 1), "F0": ("N", 1), "F1": ("N", 1)}
    statement = "E[F ∂log p(Z)/∂p] = ∂E[F]/∂p for Z of Bernoulli(p)"
    yield from equation("bridges.score_function_gradient", "mean", statement, bernoulli, mean, expected)
    yield from equation(
        "bridges.map_gradient", "DPhi", "map_gradient = ∂ map_objective / ∂Φ", POSTERIOR, map_gradient, gradient_of(map_objective)
    )


POSTERIOR = {"Phi": ("K", "D"), "X": ("N", "D"), "H": ("N", "K"), "sigma": RealVariable(0), "sigma_phi": RealVariable(0)}
"""The variables of equations (6) - (10)."""


def gradient_of(objective: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative of a number by Φ."""
    return lambda space, Phi, *rest: space.gradient(space.ops.ones(1, 1), objective(space.ops, Phi, *rest), "Phi")


def only(quantity: str, theorems: Iterator[Theorem]) -> Iterator[Theorem]:
    """Those about one quantity."""
    return (t for t in theorems if t.quantity == quantity)


def gradient(make: Make, quantity: str) -> Iterator[Theorem]:
    """That a layer's gradient is right, by each method."""
    return only(quantity, about("", LayerGradient(make), ""))
