"""Python's ``math`` and ``range`` in a user's code: of hyper-parameters and sizes that are symbols, its functions are those of the prover.

Nothing else tells code that calls ``math.exp(self.c)`` what its numbers are: it calls ``math`` by its name in the module. So in the
module of the user ``math``, and what is imported from it, is replaced by functions that do the same with every number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from types import BuiltinFunctionType, ModuleType, SimpleNamespace
from typing import Any

import sympy as sp

from sympy_validation.all_sizes.own_sizes import Counted
from sympy_validation.all_sizes.rearrangements import SymbolicRange
from sympy_validation.all_sizes.scalars import SymbolicScalar
from sympy_validation.operands import unanswered
from sympy_validation.own_builtins import ask_no_symbols

Symbol = SymbolicScalar | Counted
SYMPY = {"fabs": "Abs", "pow": "Pow"}
"""What SymPy calls otherwise."""


def use_symbols(module: ModuleType) -> None:
    """Replace ``math`` and its functions among the names of the module, and what would tell symbols from numbers."""
    for name, value in list(vars(module).items()):
        if value is math:
            setattr(module, name, MATH)
        elif isinstance(value, BuiltinFunctionType) and value in vars(math).values():
            setattr(module, name, on_symbols(value))
    vars(module).setdefault("range", _range)
    ask_no_symbols(module)


def _range(*arguments: Any) -> Any:
    """``range``, also of sizes."""
    if not any(isinstance(x, Counted) for x in arguments) or len(arguments) > 2:
        return range(*arguments)
    return SymbolicRange(*arguments) if len(arguments) == 2 else SymbolicRange(0, *arguments)


def on_symbols(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of ``math``, also of symbols."""
    name = function.__name__

    @wraps(function)
    def replaced(*arguments: Any, **named: Any) -> Any:
        symbol = next((x for x in (*arguments, *named.values()) if isinstance(x, Symbol)), None)
        if symbol is not None:
            return _of_symbols(symbol, name, arguments, named)
        if named or not any(isinstance(x, sp.Basic) for x in arguments):
            return function(*arguments, **named)
        found: Any = getattr(sp, SYMPY.get(name, name))(*arguments)
        return found

    return replaced


def _of_symbols(symbol: Any, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    match arguments:
        case (x,) if not named:
            return x.function(name)
        case x, y if name == "pow":
            return x**y
        case x, y if name == "log":
            return _symbolic(x, symbol).function("log") / _symbolic(y, symbol).function("log")
    raise unanswered(f"math.{name} of {symbol.what} is not known to the prover")


def _symbolic(x: Any, symbol: Any) -> Any:
    """The number among symbols."""
    return x if isinstance(x, Symbol) else 0 * symbol + x


MATH = SimpleNamespace(**{name: on_symbols(f) if callable(f) else f for name, f in vars(math).items() if not name.startswith("_")})
