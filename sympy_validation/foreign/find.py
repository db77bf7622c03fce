"""The user's code, found by its name."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError, did_you_mean
from sympy_validation.foreign.code import Code, autograd_function, class_code, pair, value_and_gradient
from sympy_validation.foreign.jax_code import custom_vjp


def find(module: ModuleType, name: str) -> Code:
    """The code of this name; NervaError if there is none."""
    if "/" in name:
        forward, backward = (_function(module, part.strip()) for part in name.split("/", 1))
        return pair(name, module, forward, backward)
    found = getattr(module, name, None)
    if found is None and _partner(module, name) is None:
        own = [key for key, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == module.__name__]
        raise NervaError(f"{module.__file__} has no {name!r}; {did_you_mean(name, own) if own else 'it defines nothing'}")
    return code_of(name, module, found)


def code_of(name: str, module: ModuleType, found: Any) -> Code:
    """The code that an object is, or the pair of functions that has this name in the module."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(found, type) and issubclass(found, torch.autograd.Function):
        return autograd_function(name, module, found)
    if hasattr(found, "defvjp"):
        return custom_vjp(name, module, found)
    if isinstance(found, type):
        return class_code(name, module, found)
    partner = _partner(module, name)
    if partner:
        return pair(name, module, *partner)
    assert callable(found)
    return value_and_gradient(name, module, found)


def _function(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise NervaError(f"{module.__file__} has no function {name!r}; {did_you_mean(name, own) if own else 'it defines nothing'}")
    return found


def _partner(module: ModuleType, name: str) -> tuple[Any, Any] | None:
    """The forward and the backward function that belong to a name."""
    stem = name.removesuffix("_forward").removesuffix("_fwd").removesuffix("_backward").removesuffix("_bwd")
    stem = stem.removeprefix("forward_").removeprefix("backward_")
    for forward in (name, f"{stem}_forward", f"{stem}_fwd", f"forward_{stem}", stem):
        for backward in (
            f"{stem}_backward",
            f"{stem}_bwd",
            f"backward_{stem}",
            f"{stem}_grad",
            f"grad_{stem}",
            f"d{stem}",
            f"d_{stem}",
            f"{stem}_prime_backward",
        ):
            f, b = getattr(module, forward, None), getattr(module, backward, None)
            if callable(f) and callable(b) and f is not b and not isinstance(f, type):
                return f, b
    return None
