"""Gradients in a test suite: ``assert_gradient`` fails, with a counterexample, unless a backward pass is proved to be the gradient."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError


def assert_gradient(
    function: Any,
    shapes: str,
    backward: Callable[..., Any] | None = None,
    *,
    different: str = "",
    some_sizes: bool = True,
    seconds: float = 30.0,
) -> None:
    """Fail unless the gradient is proved: for all sizes or, with ``some_sizes``, at least for those at which its loops were unrolled.

    ``function`` is an ``autograd.Function``, a ``custom_vjp`` function, a class with forward and backward, or a function; of a function
    whose backward has another name, that is ``backward``. ``different`` says why a backward is not to be the gradient.

    Raises:
        AssertionError: the gradient is not proved; the message has the counterexample and, if one is found, the repair.
        NervaError: the shapes are not those of the function.
    """
    from nerva_core.algebra.numeric_backend import require

    require("sympy", "proofs")
    from sympy_validation.foreign.gradient_verdict import Rung
    from sympy_validation.foreign.verdicts import decide
    from sympy_validation.limits import Limits

    __tracebackhide__ = True
    module, name = _place(function)
    if backward is not None:
        name = f"{name}/{_place(backward)[1]}"
    verdict = decide(module, name, shapes, expected=different, limits=Limits(seconds))
    if not verdict.as_expected or (verdict.rung is Rung.SOME_SIZES and not some_sizes):
        raise AssertionError(f"the gradient of {name} is not proved: {verdict.words}")


def _place(function: Any) -> tuple[ModuleType, str]:
    """The module in which a function is defined, and its name there."""
    inner = getattr(function, "fun", function)
    module = sys.modules.get(getattr(inner, "__module__", ""))
    if module is None:
        raise NervaError(f"{function!r} is not defined in a module that is loaded")
    names = [name for name, value in vars(module).items() if value is function]
    if not names:
        raise NervaError(f"{module.__name__} has no name for {function!r}: define it at the top level of a module")
    return module, getattr(inner, "__name__", names[0]) if getattr(inner, "__name__", "") in names else names[0]
