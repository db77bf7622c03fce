"""The claim about a layer: its backward equations give the gradient of its forward equations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree, map_shapes, named_leaves, with_leaves
from nerva_core.interpreters.memberwise import Family
from nerva_core.layers import Layer
from sympy_validation.claims import Claim, Make, Matrix, Problem
from sympy_validation.spaces.grids import ShapeError
from sympy_validation.spaces.points import PointSpace
from sympy_validation.spaces.spaces import Kind, Space, run


@dataclass(frozen=True)
class LayerGradient(Claim):
    """``backpropagate`` gives the gradient of ⟨DY, Y⟩ with respect to the input and every parameter, for every DY.

    For a layer that states a ``surrogate`` (Y, R) it is that of ⟨DY, Y⟩ + R; there the output and the penalty are claimed to be Y
    and R.
    """

    layer: Make
    equations: Callable[..., Any] | None = None
    """Published equations to test in place of ``backpropagate``: a function of (ops, layer, params, cache, DY)."""

    def quantities(self) -> tuple[str, ...]:
        space = PointSpace(0)
        layer = self.layer(space).for_any_data(space)
        names = [name for name, _ in _named_shapes(layer.shapes(layer.shape_of_input(space)[1]))]
        gradients = tuple(gradient_name(name) for name in ("X", *names))
        hard = layer.hard_layers()
        penalised = any(type(each).penalty is not Layer.penalty for each in hard)
        return (*gradients, *["Y"] * bool(hard), *["R"] * penalised)

    def problem(self, space: Space[Any]) -> Problem:
        layer = self.layer(space).for_any_data(space)
        names, X, params, noise = _variables(space, layer)
        hard = bool(layer.hard_layers())
        H, cache = layer.feedforward(space.ops if hard else without_stops(space.ops), params, X, *noise)
        Y, R = layer.surrogate(space.ops, params, X, *noise) if hard else (H, layer.penalty(space.ops, cache))
        DY = space.constant("DY", *space.ops.shape(Y))
        expected = {gradient_name(name): _derivative(space, DY, Y, R, name) for name in ("X", *names)}
        if hard:
            expected |= {"Y": lambda: space.detach(Y)} | ({} if R is None else {"R": lambda: space.detach(R)})
        x, params, cache = space.detach(X), space.detach(params), space.detach(cache)
        return Problem(expected, _TestedLayer(layer, self.equations, names, x, params, cache, noise, DY))


@dataclass(frozen=True)
class _TestedLayer:
    """The code that trains, on values that are not differentiated: the gradients, and of a hard layer the output and the penalty."""

    layer: Layer
    equations: Callable[..., Any] | None
    names: tuple[str, ...]
    X: Matrix
    params: Tree
    cache: Tree
    noise: Tree
    DY: Matrix

    def __call__(self, ops: MatrixOps) -> dict[str, Matrix]:
        outputs = self.outputs(ops) if self.layer.hard_layers() else {}
        return self.gradients(ops) | outputs

    def outputs(self, ops: MatrixOps) -> dict[str, Matrix]:
        """Y, and R if there is a penalty."""
        Y, R = run(ops, self._forward, self.params, self.X, *self.noise)
        return {"Y": Y} if R is None else {"Y": Y, "R": R}

    def gradients(self, ops: MatrixOps) -> dict[str, Matrix]:
        """DX, and the gradient of each parameter. NervaError if they are not of the structure of the parameters."""
        DX, gradients = run(ops, self._backward, self.params, self.cache, self.DY)
        if _has_family((DX, gradients)):
            raise ShapeError("a gradient is a matrix, got a family")
        found = [gradient for _, gradient in named_leaves(gradients)]
        if len(found) != len(self.names):
            raise NervaError(
                f"backpropagate gives {len(found)} gradients of parameters, shapes(D) lists {len(self.names)}; "
                "return one for each, in their order"
            )
        if _structure(gradients) != _structure(self.params):
            raise NervaError(
                "backpropagate nests the gradients of the parameters otherwise than shapes(D) does; "
                "return them in a tuple like that of shapes(D)"
            )
        return {gradient_name(name): gradient for name, gradient in zip(("X", *self.names), (DX, *found), strict=True)}

    def _forward(self, ops: MatrixOps, params: Tree, X: Matrix, *noise: Tree) -> Any:
        Y, cache = self.layer.feedforward(ops, params, X, *noise)
        return Y, self.layer.penalty(ops, cache)

    def _backward(self, ops: MatrixOps, params: Tree, cache: Tree, DY: Matrix) -> Any:
        if self.equations:
            return self.equations(ops, self.layer, params, cache, DY)
        return self.layer.backpropagate(ops, params, cache, DY)


def _variables(space: Space[Any], layer: Layer) -> tuple[tuple[str, ...], Matrix, Any, Any]:
    """The names of the parameters; X and the parameters as variables, and the noise as constants. NervaError for a name that is taken."""
    N, D = layer.shape_of_input(space)
    X = space.matrix("X", N, D, Kind.REAL if layer.numbers_below() is None else Kind.NUMBERS)
    parameters = {name: space.matrix(name, *shape) for name, shape in _named_shapes(layer.shapes(D))}
    params = with_leaves(_leaf_tree(layer.shapes(D)), parameters.values())
    masks = layer.given_shapes(N, D)
    kind = Kind.NUMBERS if layer.has_pattern() else Kind.REAL
    constants = [space.constant(_free(_mask_name(name), parameters), m, n, kind) for name, (m, n) in _named_shapes(masks)]
    for name in {"X", "DY"} & {*parameters}:
        raise NervaError(f"a parameter must have another name than {name}, which is the {'input' if name == 'X' else 'gradient'}")
    return tuple(parameters), X, params, with_leaves(_leaf_tree(masks), constants)


def gradient_name(name: str) -> str:
    """DW for W; the W of the layer with number 2 in a sequence, 2.W, gives 2.DW."""
    layer, _, parameter = name.rpartition(".")
    return f"{layer}.D{parameter}" if layer else f"D{parameter}"


def _mask_name(name: str) -> str:
    """R for the first mask of a layer, R1 for the next; 2.R in the layer with number 2 of a sequence."""
    layer, _, number = name.rpartition(".")
    mask = "R" if number == "0" else f"R{number}"
    return f"{layer}.{mask}" if layer else mask


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, or one like it that no parameter has: what is called alike is one variable."""
    return _free(f"{name}_", taken) if name in taken else name


def without_stops(ops: MatrixOps) -> MatrixOps:
    """The same operations, but what is stopped is differentiated: only a surrogate may hold something fixed."""
    through = copy.copy(ops)
    vars(through)["stop_gradient"] = lambda X: X
    return through


def _derivative(space: Space[Any], DY: Matrix, Y: Matrix, R: Matrix | None, name: str) -> Callable[[], Matrix]:
    """∂(⟨DY, Y⟩ + R) / ∂ the variable."""
    if R is None:
        return lambda: space.gradient(DY, Y, name)
    return lambda: space.gradient(DY, Y, name) + space.gradient(space.ops.ones(1, 1), R, name)


def _structure(tree: Tree) -> Any:
    """The tree without its leaves."""
    return tuple(map(_structure, tree)) if isinstance(tree, tuple) else None


def _has_family(tree: Tree) -> bool:
    """Whether a family stands in the place of a matrix."""
    return isinstance(tree, Family) or (isinstance(tree, tuple) and any(map(_has_family, tree)))


def _leaf_tree(shapes: Any) -> Any:
    """A tree of shapes as a tree whose leaves are not tuples."""
    return map_shapes(lambda _: None, shapes)


def _named_shapes(shapes: Any) -> list[tuple[str, Any]]:
    return list(named_leaves(map_shapes(list, shapes)))
