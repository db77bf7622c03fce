"""PyTorch: any layer as a differentiable function or ``nn.Module`` whose backward pass is the layer's own, any rule as an optimizer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, require
from nerva_core.algebra.trees import leaves, map_tree, named_leaves, with_leaves
from nerva_core.interoperability.common import (
    as_layer,
    check_columns,
    check_parameters,
    check_trainable,
    fill_in,
    given,
    hollow,
    initial,
    noise_of,
    operations,
)
from nerva_core.interoperability.torch_optimizer import optimizer as optimizer
from nerva_core.interoperability.torch_optimizer import rule_optimizer
from nerva_core.interoperability.torch_tensors import in_full_precision, on_device, operations_of
from nerva_core.layers import Layer

if TYPE_CHECKING:
    from nerva_core.training.models import Model


def function(layer: Layer | str) -> Callable[..., Any]:
    """f(params, X, *noise) = Y, differentiable by ``backward`` and ``torch.autograd``; the gradients are those of ``backpropagate``.

    X may have leading axes before (N, D), which count as rows. Given ``state=``, f returns (Y, the state after this step). Gradients of
    gradients are refused, since the backward pass has no backward pass. dtype and device are those of X.
    """
    chosen = as_layer(layer)
    apply = _layer_function().apply

    def f(params: Any, X: Any, *noise: Any, state: Any = None) -> Any:
        return _feedforward(apply, chosen, params, X, noise, state)

    return f


def _feedforward(apply: Callable[..., Any], layer: Layer, params: Any, X: Any, noise: tuple[Any, ...], state: Any) -> Any:
    trees = (params, () if state is None else state, noise)
    with in_full_precision(X) as (wide, narrow):
        check_trainable(layer, X.shape)
        X, trees = wide(X), map_tree(wide, trees)
        check_parameters(layer, X, trees[0])
        Y, *new = apply(layer, operations_of(X), hollow(trees), state is not None, X.reshape(-1, X.shape[-1]), *leaves(trees))
        Y = narrow(Y.reshape(*X.shape[:-1], Y.shape[-1]))
    return Y if state is None else (Y, with_leaves(state, new))


def module(layer: Layer | str, inputs: int, *, seed: int = 0, dtype: str = "float32", device: str = "cpu") -> Any:
    """An ``nn.Module`` for inputs with that many columns; its parameters and buffers have the names of the equations.

    In training mode the backward pass is the layer's own, running statistics are updated, and noise is drawn by NumPy from a seed that
    PyTorch's generator draws (``torch.manual_seed``), or given: ``module(X, noise=(R,))``. In evaluation mode it is ``layer.evaluate``,
    through which PyTorch differentiates by itself. The argument ``seed`` is that of the initial parameters.
    ``module.layer`` may be replaced between steps by a layer with other noise: ``module.layer = module.layer.at_epoch(T)``.
    """
    chosen = as_layer(layer)
    params, state = initial(chosen, inputs, seed)
    return module_of(chosen, inputs, params, state, dtype=dtype, device=device)


def module_of(layer: Layer, inputs: int, params: Any, state: Any, *, dtype: str = "float32", device: str = "cpu") -> Any:
    """The module with given parameters and state (trees of NumPy matrices)."""
    ops = operations("torch", dtype, device)
    return _layer_module()(layer, inputs, ops.matrices(params), ops.matrices(state))


def to_torch(model: Model, dtype: str = "float32") -> Any:
    """A trained network as an ``nn.Module``, in evaluation mode, with the outputs of ``model.predict``."""
    nn = require("torch", "torch").nn
    network = module_of(model.network, model.inputs, model.params, model.state, dtype=dtype)
    if model.encoding.shift is None:
        return network.eval()
    ops = operations("torch", dtype)
    scaling = _scaling()(*map(ops.matrix, (*model.encoding.offsets(), model.encoding.spread)))
    return nn.Sequential(scaling, network).eval()


def draw(layer: Layer | str, seed: Any, X: Any, *, evaluation: bool = False) -> Any:
    """The noise of one step for the input X, drawn by NumPy from integers: ``f(params, X, *draw(layer, seed, X))``."""
    words = np.asarray(seed.cpu() if hasattr(seed, "cpu") else seed).ravel().astype(np.uint32)
    return on_device(noise_of(as_layer(layer), X.numel() // X.shape[-1], X.shape[-1], np.random.default_rng(words), evaluation), X)


def evaluate(layer: Layer | str, params: Any, state: Any, X: Any, *noise: Any) -> Any:
    """The output at inference; PyTorch differentiates it by itself."""
    chosen = as_layer(layer)
    with in_full_precision(X) as (wide, narrow):
        X, params, state, noise = wide(X), *(map_tree(wide, tree) for tree in (params, state, noise))
        check_parameters(chosen, X, params)
        Y = chosen.evaluate(operations_of(X), params, state, X.reshape(-1, X.shape[-1]), *noise)
        return narrow(Y.reshape(*X.shape[:-1], Y.shape[-1]))


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
        def forward(ctx: Any, layer: Layer, ops: Backend[Any], template: Any, stateful: bool, X: Any, *matrices: Any) -> Any:
            params, state, noise = fill_in(template, matrices)
            state = map_tree(torch.clone, state) if stateful else state  # the caller may write the new one over it before the backward
            Y, cache = layer.feedforward(ops, params, X, *given(layer, state if stateful else None, noise))
            new = list(leaves(layer.update_state(ops, state, cache))) if stateful else []
            ctx.layer, ctx.ops, ctx.saved_template, ctx.others = layer, ops, hollow((params, cache)), len(matrices)
            ctx.save_for_backward(*leaves((params, cache)))
            ctx.mark_non_differentiable(*new)
            return (Y.clone() if Y is X else Y, *new)

        @staticmethod
        def backward(ctx: Any, DY: Any, *_: Any) -> Any:
            if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # create_graph=True, whether or not DY requires a gradient
                raise NervaError("gradients of gradients are refused in PyTorch, got create_graph=True; the function for JAX has them")
            params, cache = with_leaves(ctx.saved_template, ctx.saved_tensors)
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

        def __init__(self, layer: Layer, inputs: int, params: Any, state: Any) -> None:
            super().__init__()
            self.layer, self.inputs = layer, inputs
            self._params, self._state = hollow(params), hollow(state)
            self._noisy = any(True for _ in leaves(layer.noise_shapes(1, inputs)))
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
            check_columns(self.layer, self.inputs, X)
            params, state = self.tree("params"), self.tree("state")
            if noise is None:
                noise = self.draw(X) if self._noisy else ()
            if not self.training:
                return evaluate(self.layer, params, state, X, *noise)
            Y, new = _feedforward(apply, self.layer, params, X, noise, state)
            with torch.no_grad():
                for buffer, tensor in zip(leaves(state), leaves(new), strict=True):
                    buffer.copy_(tensor)
            return Y

        @torch.compiler.disable
        def draw(self, X: Any) -> Any:
            """The noise of one step for this input."""
            return draw(self.layer, torch.randint(2**31, (4,), device="cpu"), X, evaluation=not self.training)

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
