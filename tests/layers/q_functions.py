"""The q-activation in other frameworks: their function at Q X, over Q."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.autodiff import Forward

Array = np.ndarray[Any, Any]


def functions(framework: str) -> dict[str, Forward]:
    """The activations as each framework has them."""
    if framework == "torch":
        import torch

        F = torch.nn.functional
        return {"tanh": F.tanh, "sigmoid": F.sigmoid, "softplus": F.softplus, "relu": F.relu, "elu(0.5)": lambda z: F.elu(z, 0.5)}
    if framework == "jax":
        import jax

        nn = jax.nn
        return {"tanh": nn.tanh, "sigmoid": nn.sigmoid, "softplus": nn.softplus, "relu": nn.relu, "elu(0.5)": lambda z: nn.elu(z, 0.5)}
    import tensorflow as tf

    nn = tf.nn
    elu = lambda z: tf.where(z < 0, 0.5 * tf.math.expm1(tf.minimum(z, 0)), z)  # noqa: E731
    return {"tanh": nn.tanh, "sigmoid": nn.sigmoid, "softplus": nn.softplus, "relu": nn.relu, "elu(0.5)": elu}


def forwards(name: str, Q: Array) -> dict[str, Forward]:
    def of(framework: str) -> Forward:
        def forward(Z: Any) -> Any:
            f = functions(framework)[name]
            q = Q
            if framework == "torch":
                import torch

                q = torch.tensor(Q)
            return (f(Z) - f(q * Z)) / (1 - q)

        return forward

    return {framework: of(framework) for framework in ("torch", "jax", "tensorflow")}
