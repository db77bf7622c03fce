"""Signatures of backward functions: the value that each parameter stands for."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.errors import NervaError

CACHES = {"cache", "ctx", "context", "saved", "memory", "res", "residuals", "tape", "state", "intermediates", "stash", "aux", "stuff", "c"}
UPSTREAM = {"g", "gy", "gout", "go", "upstream", "delta", "err", "error", "ct", "cotangent", "v", "dy", "dout"}
OUTPUTS = {"y", "out", "output", "outputs", "probs", "p", "a", "s", "h", "result", "z", "act", "activated", "yhat", "y_hat"}


def parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function, without self."""
    found = list(inspect.signature(f).parameters.values())
    return [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def returned_names(f: Callable[..., Any]) -> list[str]:
    """The names that a function returns, if its last return is a tuple of names; empty otherwise."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(f)))
    except (OSError, SyntaxError, TypeError):
        return []
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    if not returns:
        return []
    value = returns[-1]
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    return [item.id for item in items if isinstance(item, ast.Name)] if all(isinstance(item, ast.Name) for item in items) else []


def is_upstream(name: str, inputs: Sequence[str]) -> bool:
    """Whether a parameter of this name is the gradient of an output."""
    lower = name.lower()
    return name not in inputs and (lower in UPSTREAM or lower.startswith(("d", "grad", "g_", "up")) or lower.endswith(("grad", "_bar")))


def is_cache(name: str) -> bool:
    """Whether a parameter of this name is what the forward pass has saved."""
    return name.lower() in CACHES or "cache" in name.lower() or "saved" in name.lower()


@dataclass(frozen=True)
class Roles:
    """How the result of the forward function is split, and what the backward function is given."""

    outputs: int
    """The number of outputs, which come first."""
    arguments: tuple[tuple[str, Any], ...]
    """For each parameter of the backward function: input and its name, output and its number, cache or gradient."""


def roles(forward: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[str], result: Any) -> Roles:
    """The roles of the parameters; NervaError if they are not clear."""
    found = [p for p in parameters(backward) if p.name not in ("self", "cls")]
    names = [p.name for p in found if p.default is p.empty or p.name in inputs or is_upstream(p.name, inputs)]
    items = list(result) if isinstance(result, tuple) else [result]
    returned = returned_names(forward)
    returned = returned if len(returned) == len(items) else [""] * len(items)
    explicit = [name for name in names if name in inputs or name in returned]
    upstream = [name for name in names if is_upstream(name, inputs) and name not in returned]
    caches = [name for name in names if name not in explicit and name not in upstream]
    if not upstream and len(names) == 2 and len(items) == 2 and not explicit:
        upstream, caches = [names[0]], [names[1]]  # as backward(a, b) has them
    if not upstream and caches and not any(map(is_cache, caches)):
        upstream, caches = caches[:1], caches[1:]
    if len(caches) > 1:
        raise NervaError(
            f"which values are {' and '.join(caches)} of {backward.__name__}? Name them as the inputs or the outputs are named"
        )
    outputs = [k for k, name in enumerate(returned) if k == 0 or name not in names]
    whole = bool(caches) and len(items) == 1
    if caches and not whole and not (explicit and caches[0].lower() in OUTPUTS):
        outputs = list(range(len(items) - 1))
    if upstream and len(outputs) > len(upstream):
        outputs = outputs[: len(upstream)]  # the others are kept for the backward pass, or for the eye
    arguments = [_role(name, inputs, returned, upstream, whole, items) for name in names]
    return Roles(len(outputs), tuple(arguments))


def _role(
    name: str, inputs: Sequence[str], returned: Sequence[str], upstream: Sequence[str], whole: bool, items: list[Any]
) -> tuple[str, Any]:
    if name in upstream:
        return "gradient", upstream.index(name)
    if name in returned:
        return "output", list(returned).index(name)
    if name in inputs:
        return "input", name
    if whole and name.lower() not in OUTPUTS and not is_cache(name) and len(inputs) == 1:
        return "input", inputs[0]
    return ("output", 0) if whole else ("output", len(items) - 1)


def named(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The entries of a dict of gradients by the names of inputs: dW, grad_W, W_grad, d_W or W."""
    result = {}
    for name in names:
        for key in (f"d{name}", f"grad_{name}", f"{name}_grad", f"d_{name}", f"grad{name}", f"g{name}", f"{name}grad", f"D{name}", name):
            if key in found:
                result[name] = found[key]
                break
    return result
