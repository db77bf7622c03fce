"""NumPy, PyTorch and math replaced in the user's modules, for as long as the code runs on symbols."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sympy_validation.foreign.errors import NoModel, NotCaptured
from sympy_validation.foreign.labels import Labels
from sympy_validation.foreign.numpy_arrays import NumpyTensor
from sympy_validation.foreign.numpy_front import MATH, NUMPY
from sympy_validation.foreign.sizes import Dim
from sympy_validation.foreign.tensor import Storage

MAKERS = {"zeros", "ones", "eye", "identity", "full", "empty", "arange", "tensor", "array", "asarray", "finfo", "as_tensor",
          "zeros_like", "ones_like", "empty_like", "full_like"}  # fmt: skip
"""What they make may be changed in place by symbols."""
RANDOM = {"rand", "randn", "bernoulli", "dropout", "randint", "rand_like", "randn_like", "multinomial", "normal", "dropout1d", "dropout2d"}


NOT_OWN = ("sympy_validation", "nerva_core", "backends", "tests", "docs")


def is_symbolic(x: Any) -> bool:
    """Whether there are symbols in it."""
    if isinstance(x, (list, tuple)):
        return any(map(is_symbolic, x))
    return isinstance(x, (Storage, Labels, Dim)) or (isinstance(x, slice) and any(map(is_symbolic, (x.start, x.stop, x.step))))


class _Pretending(type):
    """The class of arrays, of which a tensor of symbols is an instance too."""

    real: type

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, (Storage, Labels, cls.real))


class ModuleProxy:
    """A module whose functions work on symbols too."""

    def __init__(self, real: Any, table: Mapping[str, Any], prefix: str = "") -> None:
        self._real, self._table, self._prefix = real, table, prefix

    def __getattr__(self, name: str) -> Any:
        if name == "random" or name in RANDOM:
            raise NotCaptured(f"random numbers ({self._real.__name__}.{name}): take them as an argument of the function")
        real = getattr(self._real, name, None)
        if name in ("ndarray", "Tensor"):
            return _Pretending(name, (), {"real": real})
        if isinstance(real, ModuleType):
            return ModuleProxy(real, self._table, f"{name}." if any(key.startswith(f"{name}.") for key in self._table) else "")
        own = self._table.get(self._prefix + name)
        if own is None:
            if not hasattr(self._real, name):
                raise AttributeError(f"module {self._real.__name__!r} has no attribute {name!r}")
            return guarded(real, name) if callable(real) and not isinstance(real, type) else real
        if name == "pi":
            return own()
        return _chosen(own, real, name) if callable(own) and name not in ("no_grad", "enable_grad", "inference_mode") else own


def _chosen(own: Callable[..., Any], real: Any, name: str) -> Any:
    """The own function for symbols, and the real one for numbers."""

    def call(*operands: Any, **given: Any) -> Any:
        symbolic = any(map(is_symbolic, (*operands, *given.values())))
        exact = name == "sqrt" and operands and isinstance(operands[0], (int, float)) and operands[0] > 0
        if symbolic or exact or name in MAKERS or real is None:
            return own(*operands, **given)
        return real(*operands, **given)

    if name in ("add", "subtract"):
        from sympy_validation.foreign import numpy_front

        vars(call)["at"] = numpy_front.add_at if name == "add" else numpy_front.subtract_at
    return call


def guarded(real: Callable[..., Any], name: str) -> Any:
    """A function of which there is no model: it takes no symbols."""

    def call(*operands: Any, **given: Any) -> Any:
        if any(map(is_symbolic, (*operands, *given.values()))):
            raise NoModel(f"the function {name}")
        return real(*operands, **given)

    return call


def _replacements() -> dict[int, Any]:
    """The proxies by the identity of what they stand for: modules, and functions that were imported by name."""
    found: dict[int, Any] = {}
    modules: list[tuple[Any, Mapping[str, Any], str]] = [(np, NUMPY, ""), (math, MATH, ""), (np.linalg, NUMPY, "linalg.")]
    modules.append((np.lib.stride_tricks, NUMPY, ""))
    if "scipy.special" in sys.modules:
        modules.append((sys.modules["scipy.special"], NUMPY, ""))
    if "einops" in sys.modules:
        from sympy_validation.foreign.einops_front import EINOPS

        modules.append((sys.modules["einops"], EINOPS, ""))
    torch = sys.modules.get("torch")
    if torch is not None:
        from sympy_validation.foreign.torch_front import TORCH

        modules += [(torch, TORCH, ""), (torch.nn.functional, TORCH, ""), (torch.nn, TORCH, ""), (torch.special, TORCH, "")]
        modules += [(torch.linalg, TORCH, "")]
    for real, table, prefix in modules:
        proxy = ModuleProxy(real, table, prefix)
        found[id(real)] = proxy
        for name in table:
            function = getattr(real, name, None)
            if callable(function) and not prefix:
                found.setdefault(id(function), getattr(proxy, name))
    return found


def own_modules(module: ModuleType) -> list[ModuleType]:
    """The module and the others of the user's that are loaded: those below its folder."""
    folder = Path(module.__file__ or ".").resolve().parent
    found = [module]
    for other in list(sys.modules.values()):
        file = getattr(other, "__file__", None)
        if not isinstance(file, str) or other is module or "site-packages" in file or other.__name__.startswith(NOT_OWN):
            continue
        if folder in Path(file).resolve().parents:
            found.append(other)
    return found


def length(x: Any) -> Any:
    """len(x), which Python only lets be an int."""
    return x.shape[0] if isinstance(x, (Storage, Labels)) and x.ndim else len(x)


@contextmanager
def replaced(module: ModuleType) -> Iterator[None]:
    """The user's modules with proxies in the place of the libraries."""
    table = _replacements()
    before: list[tuple[dict[str, Any], dict[str, Any]]] = []
    try:
        for own in own_modules(module):
            names = vars(own)
            before.append((names, dict(names)))
            names.setdefault("len", length)
            for name, value in list(names.items()):
                if not name.startswith("__"):
                    original = getattr(value, "_torchdynamo_inline", None) or getattr(value, "_torchdynamo_orig_callable", None)
                    names[name] = table.get(id(value), value if original is None else original)
        yield
    finally:
        for names, old in before:
            names.clear()
            names.update(old)


def use(style: str) -> None:
    """Tensors with the methods of this library."""
    if style == "torch":
        import torch

        from sympy_validation.foreign.torch_tensor import TorchTensor

        TorchTensor.dtype, TorchTensor.device = torch.float64, torch.device("cpu")
        Storage.kind = TorchTensor
    else:
        Storage.kind = NumpyTensor
