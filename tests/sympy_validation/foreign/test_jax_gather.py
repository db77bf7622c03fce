"""Reading at places in JAX, on symbols and in numbers."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.jax_gather import known
from sympy_validation.foreign.tensor import variable_tensor
from sympy_validation.foreign.trials import quiet
from tests.sympy_validation.foreign.points import agree
from tests.sympy_validation.foreign.test_jax_primitives import on_symbols


def real(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        with quiet("jax"):
            return f(jnp.asarray(x))

    return call


@pytest.mark.parametrize(
    ("shapes", "f"),
    [
        ("x: N D 3 2", lambda x: x[:, :, ::-1, ::-1]),
        ("x: N D", lambda x: x[1:, : x.shape[1] - 1]),
        ("x: N 3 D", lambda x: x[:, jnp.array([2, 0])]),
    ],
)
def test_known_places(shapes: str, f: Callable[..., Any]) -> None:
    agree(on_symbols(f), shapes, real(f))


def test_a_place_that_is_computed_is_refused() -> None:
    with pytest.raises(NotCaptured, match="a place that is computed"):
        known(variable_tensor("x", []))
