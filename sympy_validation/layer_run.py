"""One run of a user's layer on NumPy in float64: its gradients against differences, and what no theorem is about."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backends.numpy import NumpyBackend
from nerva_core.algebra.errors import counted
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree, leaves, map_shapes, named_leaves, with_leaves
from nerva_core.layers import Layer
from sympy_validation.faults import fault, is_own
from sympy_validation.outside import KeptOutside
from sympy_validation.spaces.points import INNER_SIZES
from sympy_validation.ways import Ways, followed

Sample = Callable[[np.random.Generator, tuple[int, int]], Array]


@dataclass(frozen=True)
class NumericSizes:
    """Sizes and geometries as numbers."""

    N: int
    D: int
    K: int

    def size(self, name: str) -> int:
        """The size called N, D, ..."""
        return {"N": self.N, "D": self.D, "K": self.K}.get(name) or INNER_SIZES.get(name, 2)

    def geometry(self, name: str) -> Geometry:
        """An example."""
        return Geometry.of((5,), 3, stride=2)

    def steps(self) -> int:
        """The number of steps of a loop."""
        return 3


class ContradictionError(Exception):
    """The layer does on NumPy something else than is claimed; ``quantity`` is the gradient it is about, if it is about one."""

    def __init__(self, words: str, quantity: str = "") -> None:
        super().__init__(words)
        self.quantity = quantity


class OtherLayerError(Exception):
    """What trains is another layer than the one whose equations are proved, or for other inputs."""


class FixedStops(NumpyBackend):
    """NumPy where ``stop_gradient`` gives what it gave in the first run: differences then hold fixed what a derivative holds fixed."""

    def __init__(self) -> None:
        super().__init__("float64", "cpu")
        self.stopped: list[Array] = []
        self.calls: int | None = None

    def stop_gradient(self, X: Array) -> Array:
        if self.calls is None:
            self.stopped.append(X.copy())
            return X
        self.calls += 1
        return self.stopped[self.calls - 1]


class LayerRun:
    """One layer with one input."""

    def __init__(self, layer: Layer, sizes: NumericSizes, sample: Sample, rng: Any) -> None:
        _require_same_layer(layer, sizes)
        _require_any_rows(layer, sizes)
        self.layer = layer.for_any_data(sizes)
        own = type(layer).shape_of_input is not Layer.shape_of_input
        shape: tuple[Any, Any] = self.layer.shape_of_input(sizes) if own else (sizes.N, sizes.D)
        self.N, self.D = shape
        self.rng = rng
        self.ops = NumpyBackend("float64", "cpu")
        self.X = sample(rng, (self.N, self.D))
        self.params = map_shapes(lambda shape: sample(rng, shape), self.layer.shapes(self.D))
        self.noise = self.layer.given(self.layer.initial_state(self.D), self.draw())
        self.ways = Ways()
        """Those of the user's code in its equations."""
        self.kept = ""
        """What it keeps outside of the cache, if anything."""

    def draw(self) -> Any:
        """Its noise; masks of 0 and 2 where the layer does not say how it is drawn. ContradictionError for other shapes than it states."""
        shapes = self.layer.noise_shapes(self.N, self.D)
        if type(self.layer).draw is Layer.draw:
            return map_shapes(lambda shape: 2.0 * (self.rng.random(shape) < 0.5), shapes)
        noise = self.layer.draw(self.rng, self.N, self.D)
        _same_shapes("draw", noise, "noise_shapes", shapes)
        return _as_floats(noise)

    def check(self) -> bool:
        """Whether everything has a value at this point; a ContradictionError if something is not what it should be."""
        given = (self.params, self.X, *self.noise)
        before, numbers, kept_outside = copy.deepcopy(given), random_states(), KeptOutside(self.layer)
        with self._following():
            Y, cache = self.layer.feedforward(self.ops, *given)
        Y = _matrix("the output", Y)
        self._shapes(Y)
        DY = self.rng.normal(size=Y.shape)
        kept = DY.copy()
        with self._following():
            DX, gradients = self.layer.backpropagate(self.ops, self.params, cache, DY)
        self.kept = kept_outside.changed()
        names = [name for name, _ in named_leaves(map_shapes(list, self.layer.shapes(self.D)))]
        found = [_matrix("a gradient", X).copy() for X in (DX, *leaves(gradients))]
        if len(found) != 1 + len(names):
            raise ContradictionError(f"backpropagate gives {len(found) - 1} gradients of parameters, shapes(D) lists {len(names)}")
        if not all(map(same, leaves((before, kept)), leaves((given, DY)))):
            raise ContradictionError("the input, a parameter or DY is changed in place")
        if numbers != random_states():
            raise ContradictionError("random numbers are drawn that are no input: a layer states noise_shapes and draw")
        if not all(np.isfinite(A).all() for A in (Y, *found)):
            return False
        self._repeat(Y, found, cache, DY)
        self._evaluate(Y)
        self._state(cache)
        self._slopes(DY, dict(zip(("X", *names), found, strict=True)))
        return True

    @contextmanager
    def _following(self) -> Iterator[None]:
        with followed() as ways:
            yield
        self.ways.add(ways)

    def _shapes(self, Y: Array) -> None:
        expected = (self.layer.rows_for(self.N), self.layer.outputs_for(self.D))
        if Y.shape != expected:
            raise ContradictionError(
                f"the output is {size_text(Y.shape)}, by outputs_for(D) and rows_for(N) it should be {size_text(expected)}"
            )
        try:
            initial = self.layer.init(np.random.default_rng(0), self.D)
        except Exception:
            if type(self.layer).init is Layer.init:
                return  # the default does not know nested parameters: such a layer can be trained with given ones only
            raise
        _same_shapes("init", initial, "shapes", self.layer.shapes(self.D))
        if not all(np.isfinite(A).all() for A in leaves(initial)):
            raise ContradictionError("init gives what is not a finite number")

    def _repeat(self, Y: Array, found: list[Array], cache: Tree, DY: Array) -> None:
        """The same calls again, with another one in between."""
        other = self.rng.permutation(self.X.ravel()).reshape(self.X.shape) * 0.7 + 0.05
        self.layer.feedforward(self.ops, self.params, other, *self.noise)
        try:
            DX, gradients = self.layer.backpropagate(self.ops, self.params, cache, DY)
        except Exception as error:
            raise ContradictionError(f"backpropagate runs only once with a cache: {fault(error)}") from error
        if not all(map(_close, found, (DX, *leaves(gradients)))):
            raise ContradictionError("backpropagate gives something else after another call of feedforward or backpropagate")
        if not _close(Y, self.layer.feedforward(self.ops, self.params, self.X, *self.noise)[0]):
            raise ContradictionError("feedforward gives something else when it is called again")

    def _evaluate(self, Y: Array) -> None:
        if self.noise or type(self.layer).evaluate is Layer.evaluate:
            return
        state = self.layer.initial_state(self.D)
        found = _matrix("the output of evaluate", self.layer.evaluate(self.ops, self.params, state, self.X))
        if found.shape != Y.shape:
            raise ContradictionError(f"evaluate gives {size_text(found.shape)}, feedforward {size_text(Y.shape)}")
        if not list(leaves(state)) and not _close(Y, found):
            raise ContradictionError(f"evaluate gives {found.flat[0]:.4g} where feedforward gives {Y.flat[0]:.4g}, without noise or state")

    def _state(self, cache: Tree) -> None:
        state = self.layer.initial_state(self.D)
        new = self.layer.update_state(self.ops, state, cache)
        if [np.shape(A) for A in leaves(state)] != [np.shape(A) for A in leaves(new)]:
            raise ContradictionError("update_state gives other shapes than initial_state")

    def _slopes(self, DY: Array, gradients: dict[str, Array]) -> None:
        """The gradient in a random direction of each variable against the slope in that direction."""
        variables = [self.X, *leaves(self.params)]
        objective = self._objective(DY)
        for k, (name, gradient) in enumerate(gradients.items()):
            short = name.rpartition(".")
            quantity = f"{short[0]}.D{short[2]}" if short[0] else f"D{name}"
            if gradient.shape != variables[k].shape:
                raise ContradictionError(f"{quantity} is {size_text(gradient.shape)}, should be {size_text(variables[k].shape)}", quantity)
            V = self.rng.normal(size=gradient.shape)
            slope = _slope(partial(_moved, objective, variables, k, V))
            found = float((gradient * V).sum())
            if slope is not None and abs(slope - found) > 1e-4 * (abs(slope) + abs(found)) + 1e-6:
                raise ContradictionError(f"⟨{quantity}, V⟩ should be {slope:.6g} for a random V, is {found:.6g}", quantity)

    def _objective(self, DY: Array) -> Callable[[list[Array]], float]:
        ops = FixedStops()
        layer = self.layer
        hard = bool(layer.hard_layers())

        def value(variables: list[Array]) -> float:
            X, *rest = variables
            params = with_leaves(self.params, rest)
            if hard:
                Y, R = layer.surrogate(ops, params, X, *self.noise)
            else:
                Y, cache = layer.feedforward(ops, params, X, *self.noise)
                R = layer.penalty(ops, cache)
            return float((DY * Y).sum() + (0 if R is None else np.asarray(R).sum()))

        value([self.X, *leaves(self.params)])

        def fixed(variables: list[Array]) -> float:
            if hard:
                ops.calls = 0
            return value(variables)

        return fixed


def _require_same_layer(layer: Layer, sizes: NumericSizes) -> None:
    """OtherLayerError unless the layer remains of its class wherever a network, or training, asks it for the one that runs."""
    asked: dict[str, Callable[[], Layer]] = {
        "for_any_data": lambda: layer.for_any_data(sizes),
        "bind": lambda: layer.bind(())[0],
        "at_epoch": lambda: layer.at_epoch(1),
        "with_padding": layer.with_padding,
        "without_penalty": layer.without_penalty,
    }
    for name, ask in asked.items():
        if getattr(type(layer), name) is not getattr(Layer, name) and type(ask()) is not type(layer):
            raise OtherLayerError(f"{name} gives another layer than the one whose equations are looked at: {type(ask()).__name__}")


def _require_any_rows(layer: Layer, sizes: NumericSizes) -> None:
    """OtherLayerError if the user's code says that the input has so many rows, and no others."""
    if not is_own(type(layer).shape_of_input.__code__.co_filename):
        return
    few, more = (layer.shape_of_input(NumericSizes(N, sizes.D, sizes.K))[0] for N in (sizes.N, sizes.N + 1))
    if few == more:
        raise OtherLayerError(f"shape_of_input gives {counted(few, 'row')}, whatever N is: for another number of them nothing is proved")


def _slope(f: Callable[[float], float]) -> float | None:
    """The derivative at 0; None where the differences do not settle, as at a kink."""
    h = 1e-5
    middle, slopes = f(0.0), []
    for step in (h, -h, h / 4, -h / 4):
        slopes.append((f(step) - middle) / step)
    near, far = (slopes[2] + slopes[3]) / 2, (slopes[0] + slopes[1]) / 2
    scale = 1e-3 * (1 + abs(near)) + 1e-9 * abs(middle) / h
    settled = np.isfinite(slopes).all() and abs(slopes[0] - slopes[1]) < scale and abs(near - far) < 1e-5 * (1 + abs(near))
    return near if settled and abs(middle) < 1e4 * (1 + abs(near)) else None


def random_states() -> str:
    """The states of the generators that code can draw from without having been given one."""
    return repr((random.getstate(), np.random.get_state(legacy=False)))


def same(A: Any, B: Any) -> bool:
    """Whether two arrays are equal, element by element."""
    return bool(np.array_equal(A, B, equal_nan=True))


def _close(A: Any, B: Any) -> bool:
    return np.shape(A) == np.shape(B) and bool(np.allclose(A, B, rtol=1e-9, atol=1e-12, equal_nan=True))


def size_text(shape: Sequence[Any]) -> str:
    """For example ``3 x 4``."""
    return " x ".join(map(str, shape))


def _matrix(what: str, X: Any) -> Array:
    if not isinstance(X, np.ndarray) or X.ndim != 2:
        raise ContradictionError(f"{what} should be a matrix, is {type(X).__name__}")
    return X


def _same_shapes(name: str, arrays: Any, of: str, shapes: Any) -> None:
    found = [np.shape(A) for A in leaves(arrays)]
    expected = [tuple(shape) for _, shape in named_leaves(map_shapes(list, shapes))]
    if found != expected:
        texts = [", ".join(map(size_text, sizes)) or "nothing" for sizes in (found, expected)]
        raise ContradictionError(f"{name} gives {texts[0]}, {of} says {texts[1]}")


def _as_floats(noise: Tree) -> Any:
    """The noise in float64."""
    return with_leaves(noise, (np.asarray(A, dtype=float) for A in leaves(noise)))


def _moved(objective: Callable[[list[Array]], float], variables: list[Array], k: int, V: Array, h: float) -> float:
    """The objective with h V added to the k-th variable."""
    return objective([A + h * V if j == k else A for j, A in enumerate(variables)])
