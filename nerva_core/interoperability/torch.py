"""PyTorch: any layer as a differentiable function or ``nn.Module`` whose backward pass is the layer's own, any rule as an optimizer."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, require
from nerva_core.algebra.trees import Tree, leaves, map_tree, named_leaves, with_leaves
from nerva_core.interoperability.common import (
    OnPositions,
    check_columns,
    check_parameters,
    check_trainable,
    fill_in,
    given,
    hollow,
    initial,
    matrices_of,
    noise_of,
    on_positions,
    operations,
)
from nerva_core.interoperability.torch_optimizer import optimizer as optimizer
from nerva_core.interoperability.torch_optimizer import rule_optimizer
from nerva_core.interoperability.torch_tensors import in_full_precision, on_device, operations_of
from nerva_core.layers import Layer

if TYPE_CHECKING:
    from nerva_core.training.models import Model


def function(layer: Layer | str, positions: tuple[int, ...] | None = None) -> Callable[..., Any]:
    """f(params, X, *noise) = Y, differentiable by ``backward`` and ``torch.autograd``; the gradients are those of ``backpropagate``.

    X may have leading axes before (N, D), which count as rows. With ``positions=(32, 32)`` it is N x C x 32 x 32, images as PyTorch has
    them, and with ``positions=(64,)`` N x 64 x C, sequences with the batch first. Given ``state=``, f returns (Y, the state after this
    step). Gradients of gradients are refused, since the backward pass has no backward pass. dtype and device are those of X.
    """
    at = on_positions(layer, positions)
    apply = _layer_function().apply

    def f(params: Tree, X: Any, *noise: Tree, state: Tree = None) -> Any:
        return _as_given(at, _feedforward(apply, at, params, _channels_last(at, X), noise, state))

    return f


def _feedforward(apply: Callable[..., Any], at: OnPositions, params: Tree, X: Any, noise: tuple[Any, ...], state: Tree) -> Any:
    layer, trees = at.layer, (params, () if state is None else state, noise)
    with in_full_precision(X) as (wide, narrow):
        check_trainable(layer, X.shape)
        X, trees = wide(X), map_tree(wide, trees)
        check_parameters(layer, X, trees[0])
        Y, *new = apply(layer, operations_of(X), hollow(trees), state is not None, at.rows(X), *leaves(trees))
        Y = narrow(Y.reshape(at.shape_after(X.shape, Y.shape[-1])))
    return Y if state is None else (Y, with_leaves(state, new))


def _channels_last(at: OnPositions, X: Any) -> Any:
    """Images N x C x H x W as N x H x W x C; sequences have the channels last."""
    if len(at.before) > 1 and getattr(X, "ndim", 0) != len(at.before) + 2:
        raise NervaError(f"X must be images N x C x {' x '.join(map(str, at.before))}, got the shape {tuple(getattr(X, 'shape', ()))}")
    return X.movedim(1, -1) if len(at.before) > 1 else X


def _as_given(at: OnPositions, result: Any) -> Any:
    """Y, or (Y, state), with the channels where those of X were."""
    if isinstance(result, tuple):
        return (_as_given(at, result[0]), *result[1:])
    return result.movedim(-1, 1) if len(at.before) > 1 and at.after else result


def module(
    layer: Layer | str,
    inputs: int,
    *,
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    positions: tuple[int, ...] | None = None,
) -> Any:
    """An ``nn.Module`` for inputs with that many columns; its parameters and buffers have the names of the equations.

    With ``positions=(32, 32)`` its inputs are images N x C x 32 x 32, of C = ``inputs`` channels, and so are its outputs unless the layer
    leaves no positions; with ``positions=(64,)`` they are sequences N x 64 x C.

    In training mode the backward pass is the layer's own, running statistics are updated, and noise is drawn by NumPy from a seed that
    PyTorch's generator draws (``torch.manual_seed``), or given: ``module(X, noise=(R,))``. In evaluation mode it is ``layer.evaluate``,
    through which PyTorch differentiates by itself. The argument ``seed`` is that of the initial parameters.
    ``module.layer`` may be replaced between steps by a layer with other noise: ``module.layer = module.layer.at_epoch(T)``.
    """
    at = on_positions(layer, positions)
    params, state = initial(at.layer, inputs, seed)
    return module_of(at.layer, inputs, params, state, dtype=dtype, device=device, positions=positions)


def module_of(
    layer: Layer,
    inputs: int,
    params: Tree,
    state: Tree,
    *,
    dtype: str = "float32",
    device: str = "cpu",
    positions: tuple[int, ...] | None = None,
) -> Any:
    """The module with given parameters and state (trees of NumPy matrices)."""
    ops = operations("torch", dtype, device)
    return _layer_module()(on_positions(layer, positions), inputs, ops.matrices(params), ops.matrices(state))


def to_torch(model: Model, dtype: str = "float32") -> Any:
    """A trained network as an ``nn.Module``, in evaluation mode, with the outputs of ``model.predict``."""
    nn = require("torch", "torch").nn
    network = module_of(model.network, model.inputs, model.params, model.state, dtype=dtype)
    if model.encoding.shift is None:
        return network.eval()
    ops = operations("torch", dtype)
    scaling = _scaling()(*map(ops.matrix, (*model.encoding.offsets(), model.encoding.spread)))
    return nn.Sequential(scaling, network).eval()


def draw(layer: Layer | str, seed: Any, X: Any, *, evaluation: bool = False, positions: tuple[int, ...] | None = None) -> Any:
    """The noise of one step for the input X, drawn by NumPy from integers: ``f(params, X, *draw(layer, seed, X))``."""
    at = on_positions(layer, positions)
    return _draw(at.layer, seed, _channels_last(at, X), evaluation)


def _draw(layer: Layer, seed: Any, X: Any, evaluation: bool) -> Any:
    words = np.asarray(seed.cpu() if hasattr(seed, "cpu") else seed).ravel().astype(np.uint32)
    return on_device(noise_of(layer, X.numel() // X.shape[-1], X.shape[-1], np.random.default_rng(words), evaluation), X)


def evaluate(layer: Layer | str, params: Tree, state: Tree, X: Any, *noise: Tree, positions: tuple[int, ...] | None = None) -> Any:
    """The output at inference; PyTorch differentiates it by itself."""
    at = on_positions(layer, positions)
    return _as_given(at, _evaluate(at, params, state, _channels_last(at, X), noise))


def _evaluate(at: OnPositions, params: Tree, state: Tree, X: Any, noise: tuple[Any, ...]) -> Any:
    with in_full_precision(X) as (wide, narrow):
        X, params, state, noise = wide(X), *(map_tree(wide, tree) for tree in (params, state, noise))
        check_parameters(at.layer, X, params)
        Y = at.layer.evaluate(operations_of(X), params, state, at.rows(X), *noise)
        return narrow(Y.reshape(at.shape_after(X.shape, Y.shape[-1])))


def _put(module: Any, name: str, register: str, tensor: Any) -> None:
    """Register a tensor under a dotted name, with a module for each step of the path."""
    *path, last = name.split(".")
    for step in path:
        if step not in module._modules:
            module.add_module(step, _matrices()())
        module = module._modules[step]
    getattr(module, register)(last, tensor)


def __getattr__(name: str) -> Any:
    """The classes, which exist once PyTorch is imported, so that pickled objects find them."""
    if name not in CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return CLASSES[name]()


@functools.cache
def _layer_function() -> Any:
    torch = require("torch", "torch")
    Function: Any = torch.autograd.Function

    class LayerFunction(Function):
        """(Y, *state') = feedforward and update_state; backward is ``backpropagate``."""

        @staticmethod
        def forward(ctx: Any, layer: Layer, ops: Backend, template: Tree, stateful: bool, X: Any, *matrices: Any) -> Any:
            params, state, noise = fill_in(template, matrices)
            state = map_tree(torch.clone, state) if stateful else state  # the caller may write the new one over it before the backward
            Y, cache = layer.feedforward(ops, params, X, *given(layer, state if stateful else None, noise))
            new = list(leaves(layer.update_state(ops, state, cache))) if stateful else []
            ctx.layer, ctx.ops, ctx.saved_template, ctx.others = layer, ops, hollow((params, cache)), len(matrices)
            ctx.save_for_backward(*matrices_of((params, cache)))
            ctx.mark_non_differentiable(*new)
            return (Y.clone() if Y is X else Y, *new)

        @staticmethod
        def backward(ctx: Any, DY: Any, *_: Any) -> Any:
            if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # create_graph=True, whether or not DY requires a gradient
                raise NervaError("gradients of gradients are refused in PyTorch, got create_graph=True; the function for JAX has them")
            params, cache = fill_in(ctx.saved_template, ctx.saved_tensors)
            DX, gradients = ctx.layer.backpropagate(ctx.ops, params, cache, DY)
            flat = list(leaves(gradients))
            return (None, None, None, None, DX, *flat, *[None] * (ctx.others - len(flat)))

    return LayerFunction


def _at(module: Any, name: str) -> Any:
    """The tensor with a dotted name: the attribute as it is now, which need not be the parameter that was registered."""
    *path, last = name.split(".")
    for step in path:
        module = getattr(module, step)()
    return getattr(module, last)


@functools.cache
def _matrices() -> Any:
    Module: Any = require("torch", "torch").nn.Module

    class Matrices(Module):
        """A step of the path to matrices; called, so that its hooks run, which prune and normalise weights."""

        __qualname__ = "Matrices"

        def forward(self) -> Any:
            return self

    return Matrices


@functools.cache
def _layer_module() -> Any:
    torch, apply = require("torch", "torch"), _layer_function().apply
    Module: Any = torch.nn.Module

    class LayerModule(Module):
        """A layer with its parameters and state."""

        __qualname__ = "LayerModule"

        def __init__(self, at: OnPositions, inputs: int, params: Tree, state: Tree) -> None:
            super().__init__()
            self.layer, self.inputs, self._at = at.layer, inputs, at
            self._params, self._state = hollow(params), hollow(state)
            self._noisy = any(True for _ in leaves(at.layer.noise_shapes(math.prod(at.before), inputs)))
            for name, tensor in named_leaves(params):
                _put(self, name, "register_parameter", torch.nn.Parameter(tensor))
            for name, tensor in named_leaves(state):
                _put(self, f"state.{name}", "register_buffer", tensor)

        def tree(self, which: str) -> Any:
            """The parameters ("params") or the running statistics ("state") as the layer takes them."""
            if which == "params":
                return with_leaves(self._params, [_at(self, name) for name, _ in named_leaves(self._params)])
            return with_leaves(self._state, [_at(self, f"state.{name}") for name, _ in named_leaves(self._state)])

        def forward(self, X: Any, noise: tuple[Any, ...] | None = None) -> Any:
            at = dataclasses.replace(self._at, layer=self.layer)
            X = _channels_last(at, X)
            check_columns(self.layer, self.inputs, X)
            params, state = self.tree("params"), self.tree("state")
            if noise is None:
                noise = self.draw(X) if self._noisy else ()
            if not self.training:
                return _as_given(at, _evaluate(at, params, state, X, noise))
            Y, new = _feedforward(apply, at, params, X, noise, state)
            with torch.no_grad():
                for buffer, tensor in zip(leaves(state), leaves(new), strict=True):
                    buffer.copy_(tensor)
            return _as_given(at, Y)

        @torch.compiler.disable
        def draw(self, X: Any) -> Any:
            """The noise of one step for this input."""
            return _draw(self.layer, torch.randint(2**31, (4,), device="cpu"), X, not self.training)

        def extra_repr(self) -> str:
            return f"{self.layer!r}, inputs={self.inputs}"

    return LayerModule


@functools.cache
def _scaling() -> Any:
    Module: Any = require("torch", "torch").nn.Module

    class Scaling(Module):
        """(X - shift - rest) / spread, as the training data were scaled."""

        __qualname__ = "Scaling"

        def __init__(self, shift: Any, rest: Any, spread: Any) -> None:
            super().__init__()
            self.register_buffer("shift", shift)
            self.register_buffer("rest", rest)
            self.register_buffer("spread", spread)

        def forward(self, X: Any) -> Any:
            return (X - self.shift - self.rest) / self.spread

    return Scaling


CLASSES = {"LayerFunction": _layer_function, "LayerModule": _layer_module, "Matrices": _matrices, "RuleOptimizer": rule_optimizer,
           "Scaling": _scaling}  # fmt: skip
"""What makes each class, by its name."""
