import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from sympy_validation.foreign.jax_code import Scope, interpret
from sympy_validation.foreign.jax_primitives import RULES
from sympy_validation.foreign.trials import quiet
from tests.sympy_validation.foreign.points import agree


def on_symbols(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(*operands: Any) -> Any:
        given = dict(enumerate(operands))
        scope = Scope({str(k): x for k, x in given.items()}, sys.modules[__name__])
        jaxpr = jax.make_jaxpr(f)(*(jax.ShapeDtypeStruct(scope.shape(x), jnp.float32) for x in given.values()))
        return interpret(jaxpr.jaxpr, jaxpr.consts, list(given.values()), scope)[0]

    return call


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.var(x, axis=0) + jnp.max(x, axis=1).sum(),
        lambda x: jnp.einsum("nd,md->nm", x, jnp.tanh(x)),
        lambda x: jnp.where(x > 0, x, 0.5 * x) + jnp.clip(x, -0.6, 0.7),
        lambda x: jax.nn.softmax(x[:, None, :] + x[None], axis=-1),
        lambda x: jnp.pad(x, ((1, 0), (0, 0)))[:-1].T,
        lambda x: jnp.stack([x, x * x], axis=-1),
        lambda x: jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2), (1, 1), "VALID"),
        lambda x: jax.lax.conv_general_dilated(
            x[None, None], jnp.array([[[[1.0, 2.0], [0.5, 3.0]]]], x.dtype), (1, 1), ((1, 1), (0, 1)), rhs_dilation=(2, 1)
        ),
    ],
)
def test_functions_of_jax(f: Callable[..., Any]) -> None:
    def real(x: Any) -> Any:
        with quiet("jax"):
            return f(jnp.asarray(x))

    agree(on_symbols(f), "x: N D", real)
    assert {"dot_general", "scatter-add"} <= set(RULES)
