"""The user's code: a pair of functions, a class, an ``autograd.Function``, or a function that gives a loss and its gradients."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign.signatures import named, parameters, returned_names, roles

Back = Callable[[Sequence[Any]], dict[str, Any]]
"""From the gradients of the outputs to those of the inputs, by their names."""
Names = Sequence[str]


class UnitBack:
    """The way back of code that takes no gradient of its output, a loss: it is 1."""

    def __init__(self, f: Back) -> None:
        self.f = f

    def __call__(self, gradients: Sequence[Any]) -> dict[str, Any]:
        """The gradients of the loss."""
        return self.f(gradients)


def is_unit(back: Back) -> bool:
    """Whether the gradient of the output is 1."""
    return isinstance(back, UnitBack)


@dataclass(frozen=True)
class Code:
    """Code with a forward and a backward pass."""

    name: str
    module: ModuleType
    style: str
    """numpy, torch or jax."""
    inputs: tuple[str, ...]
    """The parameters of the forward pass."""
    required: tuple[str, ...]
    run: Callable[[Mapping[str, Any], Names], tuple[tuple[Any, ...], Back]]
    """From values of the inputs, and the names of the differentiable ones, to the outputs and the way back."""
    object: Any = None
    real: Callable[[Mapping[str, Any], Names], tuple[tuple[Any, ...], Back]] | None = None
    """How the library itself runs it, where that is another way."""
    accepts_any: bool = False
    """Whether inputs may be attributes of an object too."""


def style_of(module: ModuleType) -> str:
    """torch if the module uses it, else numpy."""
    torch = sys.modules.get("torch")
    return (
        "torch" if torch is not None and any(value is torch or value is torch.nn.functional for value in vars(module).values()) else "numpy"
    )


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tuple or list as a tuple; anything else as its one element."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _names_of(f: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = [p for p in parameters(f) if p.name not in ("self", "cls", "ctx")]
    return tuple(p.name for p in found), tuple(p.name for p in found if p.default is p.empty)


def pair(name: str, module: ModuleType, forward: Any, backward: Any) -> Code:
    """A forward and a backward function."""
    inputs, required = _names_of(forward)

    def run(values: Mapping[str, Any], differentiable: Names) -> tuple[tuple[Any, ...], Back]:
        result = forward(**values)
        split = roles(forward, backward, [n for n in inputs if n in values], result)
        items = list(result) if isinstance(result, tuple) else [result]

        def back(gradients: Sequence[Any]) -> dict[str, Any]:
            given: dict[str, Any] = {"input": values, "output": items, "gradient": list(gradients)}
            names = [p.name for p in parameters(backward) if p.name not in ("self", "cls")]
            found = backward(
                **dict(
                    zip([n for n in names if n in _asked(backward, split, names)], (given[k][v] for k, v in split.arguments), strict=True)
                )
            )
            return assigned(found, differentiable, backward, list(values))

        takes_gradient = any(kind == "gradient" for kind, _ in split.arguments)
        return tuple(items[: split.outputs]), back if takes_gradient else UnitBack(back)

    return Code(name, module, style_of(module), inputs, required, run, forward)


def _asked(backward: Any, split: Any, names: Sequence[str]) -> list[str]:
    """The parameters of the backward function that are given."""
    required = [p.name for p in parameters(backward) if p.default is p.empty and p.name in names]
    if len(required) == len(split.arguments):
        return required
    return list(names)[: len(split.arguments)]


def assigned(found: Any, names: Names, backward: Any, given: Names = ()) -> dict[str, Any]:
    """The gradients by the names of the inputs: by the keys of a dict, in order or, if there are fewer, by the names that are returned."""
    if isinstance(found, Mapping):
        return named(found, names)
    items = as_tuple(found)
    for k, item in enumerate(items):
        if isinstance(item, Mapping):  # dx, grads
            rest = [n for n in names if n not in named(item, names)]
            return named(item, names) | dict(zip(rest, [x for j, x in enumerate(items) if j != k], strict=False))
    if len(items) == len(names):
        return dict(zip(names, items, strict=True))
    if len(items) == len(given):  # one for each input, None for those without
        return {n: g for n, g in zip(given, items, strict=True) if n in names}
    returned = returned_names(backward)
    if len(returned) == len(items):
        by_name = named(dict(zip(returned, items, strict=True)), names)
        if by_name:
            return by_name
    if len(items) == 1 or len(items) < len(names):
        raise NervaError(
            f"{getattr(backward, '__name__', 'the backward pass')} returns {len(items)} gradients for {len(names)} inputs "
            f"({', '.join(names)}): mark those that have none, as in '{names[-1]}: ... const'"
        )
    raise NervaError(f"the backward pass returns {len(items)} values for {len(names)} real inputs ({', '.join(names)})")


class Context:
    """The ctx of an ``autograd.Function``."""

    def __init__(self, n: int) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * n

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep what the backward pass needs."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *_: Any) -> None:
        """Nothing: only real outputs have gradients here."""

    mark_dirty = set_materialize_grads = save_for_forward = mark_non_differentiable

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of ``saved_tensors``."""
        return self.saved_tensors


def autograd_function(name: str, module: ModuleType, cls: Any) -> Code:
    """A ``torch.autograd.Function``."""
    separate = "setup_context" in vars(cls)
    inputs, required = _names_of(cls.forward)

    def run(values: Mapping[str, Any], differentiable: Names) -> tuple[tuple[Any, ...], Back]:
        ordered = [values[n] for n in inputs if n in values]
        context = Context(len(ordered))
        out = cls.forward(*ordered) if separate else cls.forward(context, *ordered)
        if separate:
            cls.setup_context(context, tuple(ordered), out)

        def back(gradients: Sequence[Any]) -> dict[str, Any]:
            found = as_tuple(cls.backward(context, *gradients))
            given = [n for n in inputs if n in values]
            if len(found) < len(given) or any(g is not None for g in found[len(given) :]):
                raise NervaError(f"{name}.backward returns {len(found)} gradients for {len(given)} inputs: one is due for each, or None")
            return {n: g for n, g in zip(given, found, strict=False) if n in differentiable}

        return as_tuple(out), back

    def real(values: Mapping[str, Any], differentiable: Names) -> tuple[tuple[Any, ...], Back]:
        import torch

        leaves = {n: values[n].clone().requires_grad_() for n in differentiable if torch.is_tensor(values[n])}
        ordered = [leaves[n] * 1 if n in leaves else values[n] for n in inputs if n in values]
        out = as_tuple(cls.apply(*ordered))

        def back(gradients: Sequence[Any]) -> dict[str, Any]:
            pairs = [(y, g) for y, g in zip(out, gradients, strict=False) if torch.is_tensor(y) and y.requires_grad]
            found = torch.autograd.grad([y for y, _ in pairs], list(leaves.values()), [g for _, g in pairs], allow_unused=True)
            return dict(zip(leaves, found, strict=True))

        return out, back

    return Code(name, module, "torch", inputs, required, run, cls, real)


def class_code(name: str, module: ModuleType, cls: Any) -> Code:
    """A class with forward and backward."""
    forward = getattr(cls, "forward", None) or (cls.__call__ if "__call__" in vars(cls) else None)
    backward = getattr(cls, "backward", None)
    if forward is None or backward is None:
        raise NervaError(f"{name} has no forward and backward")
    if isinstance(inspect.getattr_static(cls, "forward", None), (staticmethod, classmethod)):
        return pair(name, module, forward, backward)
    of_forward, required = _names_of(forward)
    of_object, needed = _names_of(cls.__init__) if "__init__" in vars(cls) else ((), ())

    def run(values: Mapping[str, Any], differentiable: Names) -> tuple[tuple[Any, ...], Back]:
        made = cls(**{n: values[n] for n in of_object if n in values})
        own = [n for n in values if n not in of_object and n not in of_forward]
        for n in own:
            if not hasattr(made, n):
                raise NervaError(f"{name} has no parameter and no attribute {n!r}")
            setattr(made, n, values[n])
        out = made.forward(**{n: values[n] for n in of_forward if n in values}) if hasattr(made, "forward") else made(*values.values())

        def back(gradients: Sequence[Any]) -> dict[str, Any]:
            taken = len([p for p in parameters(backward) if p.name not in ("self", "cls") and p.default is p.empty])
            found = made.backward(*gradients[:taken])
            direct = [n for n in of_forward if n in differentiable]
            result = assigned(found, direct, backward) if found is not None and direct else {}
            attributes = (
                dict(vars(made)) | dict(getattr(made, "grads", None) or {})
                if isinstance(getattr(made, "grads", {}), Mapping)
                else vars(made)
            )
            kept = named({k: v for k, v in attributes.items() if k not in values}, [n for n in differentiable if n not in direct])
            return result | kept

        return as_tuple(out), back

    return Code(name, module, style_of(module), (*of_object, *of_forward), (*needed, *required), run, cls, accepts_any=True)


def value_and_gradient(name: str, module: ModuleType, f: Any) -> Code:
    """A function that returns a loss and its gradients at once."""
    inputs, required = _names_of(f)

    def run(values: Mapping[str, Any], differentiable: Names) -> tuple[tuple[Any, ...], Back]:
        found = f(**values)
        if not (isinstance(found, tuple) and len(found) > 1):
            raise NervaError(
                f"{name} returns one value, and there is no {name}_backward: which function has its gradient? Name both, as in {name}/g"
            )
        return (found[0],), UnitBack(lambda _: assigned(found[1] if len(found) == 2 else found[1:], differentiable, f))

    return Code(name, module, style_of(module), inputs, required, run, f)
