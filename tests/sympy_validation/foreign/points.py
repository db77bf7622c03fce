"""Operations on symbols, evaluated in numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sympy_validation.foreign.gradients import input_tensor
from sympy_validation.foreign.grammar import parse
from sympy_validation.foreign.proxies import use
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.trials import inputs_at
from sympy_validation.foreign.values import FloatPoint

SIZES = {"N": 2, "D": 3, "K": 4, "T": 3, "V": 3, "A": 2, "B": 2}


def both(
    f: Callable[..., Any], shapes: str, g: Callable[..., Any] | None = None, positive: bool = False, style: str = "numpy"
) -> tuple[Any, Any]:
    """f on symbols at a point, and g (or f) on the numbers of the point."""
    run = Current.start()
    use(style)
    signature = parse(shapes)
    symbols = {x.name: input_tensor(x, {}) for x in signature.inputs}
    point = FloatPoint(run, SIZES, 3, positive)
    numbers = inputs_at(signature, point)
    return point.tensor(f(*symbols.values())), np.asarray(
        (g or f)(*(v.copy() if isinstance(v, np.ndarray) else v for v in numbers.values()))
    )


def agree(f: Callable[..., Any], shapes: str, g: Callable[..., Any] | None = None, **given: Any) -> None:
    """Both are equal, and not all 0."""
    a, b = both(f, shapes, g, **given)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert np.any(b)
