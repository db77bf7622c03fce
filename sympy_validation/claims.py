"""Claims: pairs of matrices, computed in two ways, that must be equal in every space.

One side is what is tested, always the code that trains (or a published equation); the other is what it should be, a derivative
or the specification's form. The tested side runs on matrix operations that it is given, so it can be mutated.
"""

from __future__ import annotations

import copy
import dataclasses
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Gt, Le, Lt

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.registry import Entry
from nerva_core.algebra.trees import map_shapes, named_leaves, with_leaves
from nerva_core.equations.activations import Activation
from nerva_core.equations.hard_functions import HardFunction
from nerva_core.equations.initializers import Initializer
from nerva_core.equations.losses import Loss
from nerva_core.equations.step_functions import Grid
from nerva_core.layers import Layer, Sequential
from nerva_core.layers.base import is_size_of
from sympy_validation.spaces import grids
from sympy_validation.spaces.points import PointSpace
from sympy_validation.spaces.spaces import Kind, Space, run

Matrix = Any
E = TypeVar("E", bound=Entry)
Make = Callable[[Space[Any]], Any]
"""Makes an entry of a table whose parameters are symbols of the space."""


@dataclass(frozen=True)
class Problem:
    """A claim in one space: what the tested matrices should be, each computed when it is asked for, and what they are."""

    expected: Mapping[str, Callable[[], Matrix]]
    tested: Callable[[MatrixOps[Any]], Mapping[str, Matrix]]


class Claim(ABC):
    """Something to prove in every space."""

    strict: bool = False

    @abstractmethod
    def quantities(self) -> tuple[str, ...]:
        """The names of the matrices that the claim is about."""

    @abstractmethod
    def problem(self, space: Space[Any]) -> Problem:
        """The claim, stated in the space."""


@dataclass(frozen=True)
class LayerGradient(Claim):
    """``backpropagate`` gives the gradient of ⟨DY, Y⟩ with respect to the input and every parameter, for every DY.

    For a layer that states a ``surrogate`` (Y, R) it is that of ⟨DY, Y⟩ + R; there the output and the penalty are claimed to be Y and R.
    """

    layer: Make
    equations: Callable[..., Any] | None = None
    """Published equations to test in place of ``backpropagate``: a function of (ops, layer, params, cache, DY)."""

    def quantities(self) -> tuple[str, ...]:
        space = PointSpace(0)
        layer = self.layer(space).for_any_data(space)
        names = [name for name, _ in self._parameters(layer, layer.shape_of_input(space)[1])]
        gradients = tuple(gradient_name(name) for name in ("X", *names))
        hard = layer.hard_layers()
        penalised = any(type(each).penalty is not Layer.penalty for each in hard)
        return (*gradients, *["Y"] * bool(hard), *["R"] * penalised)

    def problem(self, space: Space[Any]) -> Problem:
        layer = self.layer(space).for_any_data(space)
        N, D = layer.shape_of_input(space)
        X = space.matrix("X", N, D)
        parameters = {name: space.matrix(name, *shape) for name, shape in self._parameters(layer, D)}
        params = with_leaves(_leaf_tree(layer.shapes(D)), parameters.values())
        masks = layer.noise_shapes(N, D)
        constants = [space.constant(_free(_mask_name(name), parameters), *shape) for name, shape in _named_shapes(masks)]
        noise = with_leaves(_leaf_tree(masks), constants)
        H, cache = layer.feedforward(space.ops if layer.hard_layers() else without_stops(space.ops), params, X, *noise)
        Y, R = layer.surrogate(space.ops, params, X, *noise) if layer.hard_layers() else (H, layer.penalty(space.ops, cache))
        DY = space.constant("DY", *space.ops.shape(Y))
        for name in {"X", "DY"} & {*parameters}:
            raise NervaError(f"a parameter must have another name than {name}, which is the {'input' if name == 'X' else 'gradient'}")
        X, params, cache = space.detach(X), space.detach(params), space.detach(cache)

        def backpropagate(ops: MatrixOps[Any], params: Any, cache: Any, DY: Matrix) -> Any:
            if self.equations:
                return self.equations(ops, layer, params, cache, DY)
            return layer.backpropagate(ops, params, cache, DY)

        def tested(ops: MatrixOps[Any]) -> dict[str, Matrix]:
            DX, gradients = run(ops, backpropagate, params, cache, DY)
            found = [gradient for _, gradient in named_leaves(gradients)]
            if len(found) != len(parameters):
                raise NervaError(f"backpropagate gives {len(found)} gradients of parameters, shapes(D) lists {len(parameters)}")
            if _structure(gradients) != _structure(params):
                raise NervaError("backpropagate nests the gradients of the parameters otherwise than shapes(D) does")
            return {gradient_name(name): gradient for name, gradient in zip(("X", *parameters), (DX, *found), strict=True)}

        expected = {gradient_name(name): _derivative(space, DY, Y, R, name) for name in ("X", *parameters)}
        if not layer.hard_layers():
            return Problem(expected, tested)

        def tested_with_output(ops: MatrixOps[Any]) -> dict[str, Matrix]:
            H, R = run(ops, output, params, X, *noise)
            return tested(ops) | {"Y": H} | ({} if R is None else {"R": R})

        def output(ops: MatrixOps[Any], params: Any, X: Matrix, *noise: Any) -> Any:
            H, cache = layer.feedforward(ops, params, X, *noise)
            return H, layer.penalty(ops, cache)

        values = {"Y": lambda: space.detach(Y)} | ({} if R is None else {"R": lambda: space.detach(R)})
        return Problem(expected | values, tested_with_output)

    @staticmethod
    def _parameters(layer: Layer, D: Any) -> list[tuple[str, Any]]:
        return list(_named_shapes(layer.shapes(D)))


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


def without_stops(ops: MatrixOps[Any]) -> MatrixOps[Any]:
    """The same operations, but what is stopped is differentiated: only a surrogate may hold something fixed."""
    through = copy.copy(ops)
    through.stop_gradient = lambda X: X  # type: ignore[method-assign]
    return through


def _derivative(space: Space[Any], DY: Matrix, Y: Matrix, R: Matrix | None, name: str) -> Callable[[], Matrix]:
    """∂(⟨DY, Y⟩ + R) / ∂ the variable."""
    if R is None:
        return lambda: space.gradient(DY, Y, name)
    return lambda: space.gradient(DY, Y, name) + space.gradient(space.ops.ones(1, 1), R, name)


def _structure(tree: Any) -> Any:
    """The tree without its leaves."""
    return tuple(map(_structure, tree)) if isinstance(tree, tuple) else None


def _leaf_tree(shapes: Any) -> Any:
    """A tree of shapes as a tree whose leaves are not tuples."""
    return map_shapes(lambda _: None, shapes)


def _named_shapes(shapes: Any) -> list[tuple[str, Any]]:
    return list(named_leaves(map_shapes(list, shapes)))


@dataclass(frozen=True)
class LossGradient(Claim):
    """``gradient`` is the gradient of ``value``, and ``value`` is the sum or the mean of ``rows``."""

    loss: Make
    Y: Kind = Kind.REAL
    T: Kind = Kind.REAL

    def quantities(self) -> tuple[str, ...]:
        return ("DY", "L")

    def problem(self, space: Space[Any]) -> Problem:
        loss: Loss = self.loss(space)
        N, K = space.size("N"), space.size("K")
        Y, T = space.matrix("Y", N, K, self.Y), space.constant("T", N, K, self.T)
        y = space.detach(Y)
        reduce = space.ops.columns_mean if loss.mean else space.ops.columns_sum

        def value_and_gradient(ops: MatrixOps[Any], Y: Matrix, T: Matrix) -> Any:
            return loss.gradient(ops, Y, T), loss.value(ops, Y, T)

        def tested(ops: MatrixOps[Any]) -> dict[str, Matrix]:
            return dict(zip(("DY", "L"), run(ops, value_and_gradient, y, T), strict=True))

        expected = {
            "DY": lambda: space.gradient(space.ops.ones(1, 1), loss.value(space.ops, Y, T), "Y"),
            "L": lambda: reduce(loss.rows(space.ops, y, T)),
        }
        return Problem(expected, tested)


@dataclass(frozen=True)
class Slope(Activation):
    """The derivative of an activation, as an activation."""

    activation: Activation

    def value(self, ops: MatrixOps[Any], X: Matrix) -> Matrix:
        return self.activation.gradient(ops, X)

    def gradient(self, ops: MatrixOps[Any], X: Matrix) -> Matrix:
        return self.activation.second_derivative(ops, X)


@dataclass(frozen=True)
class ActivationGradient(Claim):
    """DY ⊙ ``gradient`` is the gradient of ⟨DY, ``value``⟩ for every DY, so the value of an element depends on that element only."""

    activation: Make
    name: str = "gradient"

    def quantities(self) -> tuple[str, ...]:
        return (self.name,)

    def problem(self, space: Space[Any]) -> Problem:
        activation: Activation = self.activation(space)
        N, D = space.size("N"), space.size("D")
        X, DY = space.matrix("X", N, D), space.constant("DY", N, D)
        x = space.detach(X)

        def backpropagate(ops: MatrixOps[Any], X: Matrix, DY: Matrix) -> Matrix:
            return ops.hadamard(DY, activation.gradient(ops, X))

        return Problem(
            {self.name: lambda: space.gradient(DY, activation.value(space.ops, X), "X")},
            lambda ops: {self.name: run(ops, backpropagate, x, DY)},
        )


@dataclass(frozen=True)
class Number:
    """A real variable between two bounds."""

    low: float | None = None
    high: float | None = None


Variables = Mapping[str, Any]
"""The variables of an equation by name: sizes such as ("N", 1) or ("N", "K", Kind.POSITIVE), or a Number."""


@dataclass(frozen=True)
class Equality(Claim):
    """Expressions in the same variables that are equal."""

    names: tuple[str, ...]
    variables: Variables
    tested: Callable[..., Any]
    """A function of (ops, *variables): a matrix, or a tuple of one for each name."""
    expected: Callable[..., Any]
    """A function of (space, *variables): likewise."""
    strict: bool = False
    """Whether they are equal at the jumps of indicators too; otherwise almost everywhere is enough."""
    given: Callable[..., tuple[Matrix, ...]] | None = None
    """What ``tested`` gets instead of the variables: a function of (space, *variables), such as the Jacobians that a rule combines."""

    def quantities(self) -> tuple[str, ...]:
        return self.names

    def problem(self, space: Space[Any]) -> Problem:
        variables = tuple(_variable(space, name, shape) for name, shape in self.variables.items())
        constants = space.detach(self.given(space, *variables) if self.given else variables)
        should_be: list[Matrix] = []

        def expected(k: int) -> Matrix:
            if not should_be:
                # What is strict is not differentiated, and at a kink there are no derivatives.
                should_be.extend(_as_tuple(self.expected(space, *(constants if self.strict else variables))))
            return should_be[k]

        def tested(ops: MatrixOps[Any]) -> dict[str, Matrix]:
            return dict(zip(self.names, _as_tuple(run(ops, self.tested, *constants)), strict=True))

        return Problem({name: partial(expected, k) for k, name in enumerate(self.names)}, tested)


def _variable(space: Space[Any], name: str, shape: Any) -> Any:
    if isinstance(shape, Number):
        return space.scalar(name, shape.low, shape.high)
    m, n = (size if isinstance(size, int) else space.size(size) for size in shape[:2])
    return space.matrix(name, m, n, *shape[2:])


def _as_tuple(result: Any) -> tuple[Matrix, ...]:
    return result if isinstance(result, tuple) else (result,)


@dataclass(frozen=True)
class Numbers(Claim):
    """Sequences of numbers that are equal, for rules that compute with numbers instead of matrices: schedules and initial values."""

    name: str
    tested: Callable[[Space[Any]], Sequence[Any]]
    expected: Callable[[Space[Any]], Sequence[Any]]

    def quantities(self) -> tuple[str, ...]:
        return (self.name,)

    def problem(self, space: Space[Any]) -> Problem:
        return Problem(
            {self.name: lambda: _row(space, self.expected(space))},
            lambda ops: {self.name: _row(space, self.tested(space))},
        )


def _row(space: Space[Any], numbers: Sequence[Any]) -> grids.Grid:
    domain = space.ops.domain  # type: ignore[attr-defined]
    return grids.Grid([[domain.number(x) for x in numbers]], (1, len(numbers)))


def with_symbols(function: Callable[..., Any], space: Space[Any]) -> Callable[..., Any]:
    """A shipped function that computes with Python's math module, as the same code with the functions of the space instead."""
    code = function.__func__ if isinstance(function, MethodType) else function
    symbolic_code = FunctionType(
        code.__code__, {**code.__globals__, "math": space.math}, code.__name__, code.__defaults__, code.__closure__
    )
    return MethodType(symbolic_code, function.__self__) if isinstance(function, MethodType) else symbolic_code


# Entries of tables with symbols for their parameters --------------------------------------------------------------------


def symbolic(entry: type[E], space: Space[Any], prefix: str = "", **given: Any) -> E:
    """An entry whose continuous parameters are symbols, whose number of outputs is the size K and whose functions are unknown ones.

    Parameters that are ``given`` are taken as they are; those that mean none of this keep their default. NervaError if there is none.
    """
    hints = typing.get_type_hints(entry, include_extras=True)
    values = dict(given)
    for field in dataclasses.fields(entry):  # type: ignore[arg-type]
        if field.name in values or not field.init:
            continue
        symbol = space.size("K") if is_size_of(entry, field.name) else _symbol(prefix + field.name, hints[field.name], space)
        if symbol is not None:
            values[field.name] = symbol
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise NervaError(f"{entry.__name__} needs a value for {field.name}, for example {entry.__name__}({field.name}=...)")
    return entry(**values)


def _symbol(name: str, hint: Any, space: Space[Any]) -> Any:
    if hint is Activation:
        return space.unknown_function(name)
    if hint is HardFunction:
        return space.any_hard_function(name, space.size("D"), space.size("D"))
    if hint is Sequential:
        return Sequential((space.any_layer(name, space.size("D"), space.size("D")),))
    if hint is Grid:
        return space.any_grid(name)
    if hint == tuple[Grid, ...]:
        return (space.any_grid(name),)
    if isinstance(hint, type) and issubclass(hint, Initializer):
        return None
    if hint is float:
        return space.scalar(name)
    if typing.get_origin(hint) is Annotated and hint.__origin__ is float:
        return space.scalar(name, *_bounds(hint))
    return None


def _bounds(hint: Any) -> tuple[float | None, float | None, bool]:
    """The largest lower and the smallest upper bound, and whether the number may be equal to the lower one."""
    low: list[tuple[float, bool]] = []
    high: list[float] = []
    for bound in hint.__metadata__:
        match bound:
            case Gt(gt=value):
                low.append((float(str(value)), False))
            case Ge(ge=value):
                low.append((float(str(value)), True))
            case Lt(lt=value):
                high.append(float(str(value)))
            case Le(le=value):
                high.append(float(str(value)))
    lowest, closed = max(low) if low else (None, False)
    return lowest, min(high) if high else None, closed
