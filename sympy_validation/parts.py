"""Layers inside a layer become arbitrary ones in its proof, so that a block is proved by the equations that join its parts.

A layer that calls ``feedforward`` and ``backpropagate`` of other layers is right if these are, and if it is right for any layers in their
places. The second is proved here, and the first is what the library's theorems say. The code of a user's layer inside runs as it is.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.layers import Layer, Repeat
from nerva_core.layers.tmaf import Diagonals
from sympy_validation.all_sizes import SymbolicMatrix
from sympy_validation.all_sizes.abstract import AbstractCache, AbstractLayer
from sympy_validation.claims import Claim, Problem
from sympy_validation.faults import is_own

METHODS = ("feedforward", "backpropagate")


@dataclass
class Parts:
    """The layers that were called inside of another one, each an arbitrary function from then on."""

    names: list[tuple[Layer, str]] = field(default_factory=list)
    outer: Layer | None = None

    @property
    def layers(self) -> list[Layer]:
        """The layers that were taken for arbitrary ones."""
        return [layer for layer, _ in self.names]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Whose theorems a proof uses."""
        kinds = sorted({type(layer).__name__ for layer in self.layers})
        return (f"the equations of {', '.join(kinds)} are right",) if kinds else ()

    def name(self, layer: Layer) -> str:
        """The name of the function; the same for layers that are made alike."""
        for other, name in self.names:
            if _alike(layer, other):
                return name
        self.names.append((layer, f"{type(layer).__name__}_{len(self.names)}"))
        return self.names[-1][1]

    def call(self, method: str, original: Callable[..., Any], layer: Layer, ops: Any, *arguments: Any, **named: Any) -> Any:
        """The method of the layer: of the outer layer itself as it is, of another one that of an arbitrary layer."""
        if self.outer is None:
            self.outer = layer
            try:
                return original(layer, ops, *arguments, **named)
            finally:
                self.outer = None
        X = arguments[1] if method == "feedforward" else arguments[2]
        if layer is self.outer or named or not can_be_any(layer) or ops.members(X) != 1:
            return original(layer, ops, *arguments, **named)
        return (self.feedforward if method == "feedforward" else self.backpropagate)(layer, ops, *arguments)

    def feedforward(self, layer: Layer, ops: Any, params: Tree, X: SymbolicMatrix, *noise: Tree) -> tuple[Any, AbstractCache]:
        """Some differentiable function of the input, the parameters and the noise, of the shape of the layer's output."""
        (N, D), name, masks = ops.shape(X), self.name(layer), tuple(leaves(noise))
        Y = ops.output(name, layer.rows_for(N), layer.outputs_for(D), X, *leaves(params), *masks)
        return Y, AbstractCache(name, X, tuple(leaves(params)), masks)

    def backpropagate(self, layer: Layer, ops: Any, params: Tree, cache: AbstractCache, DY: SymbolicMatrix) -> tuple[Any, Any]:
        """The pullbacks of that function, if the cache is its own."""
        DX, *gradients = cache.pullbacks(ops, self.name(layer), [*leaves(params)], DY)
        return DX, with_leaves(params, gradients)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Where the code that runs calls another layer, this one is arbitrary."""
        kinds: list[type] = [*_subclasses(Layer)]
        changed = [(kind, method, vars(kind)[method]) for kind in kinds for method in METHODS if method in vars(kind)]
        for kind, method, original in changed:
            setattr(kind, method, functools.partialmethod(_called, self, method, original))
        try:
            yield
        finally:
            for kind, method, original in changed:
                setattr(kind, method, original)


def _called(layer: Layer, parts: Parts, method: str, original: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return parts.call(method, original, layer, *arguments, **named)


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    subclasses: list[type[Any]] = base.__subclasses__()
    for each in subclasses:
        yield each
        yield from _subclasses(each)


SPECIAL = (AbstractLayer, Repeat, Diagonals)
"""Layers whose theorems are of some numbers only, or that are arbitrary already: their code runs."""


def can_be_any(layer: Layer) -> bool:
    """Whether a theorem of the library is about the layer as it is: it holds nothing fixed, adds no penalty, and is of all sizes."""
    if layer.hard_layers() or any(isinstance(each, SPECIAL) or each.columns is not None for each in layer.walk()):
        return False
    return not any(_is_own(type(each)) or _adds_a_penalty(each) for each in layer.walk())


def _is_own(kind: type[Layer]) -> bool:
    """Whether the class, or one between it and ``Layer``, is a user's, about which the library has no theorem."""
    files = (getattr(sys.modules.get(base.__module__), "__file__", None) for base in kind.__mro__ if issubclass(base, Layer))
    return any(file is None or is_own(file) for file in files)


def _adds_a_penalty(layer: Layer) -> bool:
    return type(layer).penalty is not Layer.penalty and not layer.inside()


def _alike(a: Any, b: Any) -> bool:
    """Whether two layers are certainly the same function; symbols in them are the same objects then."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    if dataclasses.is_dataclass(a):
        return all(_alike(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return isinstance(a, (int, float, str, type(None))) and bool(a == b)


@dataclass(frozen=True)
class ByParts(Claim):
    """The claim for any layers in the places of those inside."""

    claim: Claim
    parts: Parts = field(default_factory=Parts)

    def quantities(self) -> tuple[str, ...]:
        return self.claim.quantities()

    def problem(self, space: Any) -> Problem:
        with self.parts.cut():
            problem = self.claim.problem(space)

        def tested(ops: Any) -> Any:
            with self.parts.cut():
                return problem.tested(ops)

        def cut(expected: Callable[[], Any]) -> Callable[[], Any]:
            def run() -> Any:
                with self.parts.cut():
                    return expected()

            return run

        return Problem({name: cut(expected) for name, expected in problem.expected.items()}, tested)
