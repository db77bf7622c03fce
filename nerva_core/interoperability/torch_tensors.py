"""Tensors of PyTorch as the matrices of equations: their operations, and the precision in which these run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend, require
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.interoperability.common import (
    operations,
)


@contextlib.contextmanager
def in_full_precision(X: Any) -> Iterator[tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Equations on half and bfloat16 run in float32: (what widens a matrix, what gives the output the dtype of X).

    Under ``torch.autocast`` the output is float32, as that of PyTorch's own functions that autocast takes to float32.
    """
    torch = sys.modules["torch"]  # not require, through which torch.compile does not look
    short = (torch.float16, torch.bfloat16)
    if not hasattr(X, "is_floating_point"):
        raise NervaError(f"X must be a tensor, got {type(X).__name__}; make it one with torch.as_tensor")
    if not X.is_floating_point():
        raise NervaError(f"X must hold floating-point numbers, got {X.dtype}; write X.float()")
    if X.layout != torch.strided:
        raise NervaError(f"X must be a dense tensor, got one with the layout {X.layout}; write X.to_dense()")
    if X.dim() == 0:
        raise NervaError("X must have rows of numbers, got a tensor without axes")
    autocast = torch.amp.is_autocast_available(X.device.type) and torch.is_autocast_enabled(X.device.type)

    def wide(matrix: Any) -> Any:
        return matrix.float() if matrix.dtype in short else matrix

    def narrow(matrix: Any) -> Any:
        return matrix if autocast else matrix.to(X.dtype)

    if not autocast:
        yield wide, narrow
    else:
        with torch.autocast(X.device.type, enabled=False):
            yield wide, narrow


def on_device(noise: Tree, X: Any) -> Any:
    """Noise that NumPy has drawn, as tensors beside X."""
    torch = require("torch", "torch")
    return map_tree(lambda R: torch.tensor(np.asarray(R), dtype=X.dtype, device=X.device), noise)


_KNOWN: dict[Any, Backend] = {}


def operations_of(X: Any) -> Backend:
    """The operations on matrices with the dtype and device of X. NervaError for half precision."""
    key = (X.dtype, X.device)
    if str(X.dtype) in ("torch.float16", "torch.bfloat16"):
        raise NervaError(
            f"the update rules are for float32 and float64, got {X.dtype}; keep the parameters in float32 under torch.autocast"
        )
    if key not in _KNOWN:  # not functools.cache, through which torch.compile would look
        _KNOWN[key] = operations("torch", str(X.dtype).removeprefix("torch."), str(X.device))
    return _KNOWN[key]
