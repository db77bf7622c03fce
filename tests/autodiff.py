"""Vector-Jacobian products by the automatic differentiation of three frameworks, of forwards that are written in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.conftest import installed, load_frameworks

Array = np.ndarray[Any, Any]
Forward = Callable[..., Any]
Result = tuple[Array, list[Array]]
"""The value Y, and the gradients of the sum of the elements of DY ⊙ Y with respect to each input."""


def torch_vjp(forward: Forward, inputs: Sequence[Array], DY: Array) -> Result:
    import torch

    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    Y = forward(*tensors)
    gradients = torch.autograd.grad(Y, tensors, torch.tensor(DY), materialize_grads=True)
    return Y.detach().numpy(), [g.numpy() for g in gradients]


def jax_vjp(forward: Forward, inputs: Sequence[Array], DY: Array) -> Result:
    import jax

    Y, backward = jax.vjp(forward, *(jax.numpy.asarray(x, dtype="float64") for x in inputs))
    return np.asarray(Y), [np.asarray(g) for g in backward(jax.numpy.asarray(DY))]


def tensorflow_vjp(forward: Forward, inputs: Sequence[Array], DY: Array) -> Result:
    import tensorflow as tf

    tensors = [tf.constant(x, dtype=tf.float64) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        Y = forward(*tensors)
    gradients = tape.gradient(Y, tensors, output_gradients=tf.constant(DY), unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return Y.numpy(), [g.numpy() for g in gradients]


VJP: dict[str, Callable[[Forward, Sequence[Array], Array], Result]] = {"torch": torch_vjp, "jax": jax_vjp, "tensorflow": tensorflow_vjp}


def oracles(forwards: dict[str, Forward], inputs: Sequence[Array], DY: Array, of: str = "numpy") -> dict[str, Result]:
    """The value and gradients by each installed framework's own differentiation of its forward.

    What the other backends find is compared with PyTorch's alone, which compiles nothing; so is what NumPy finds, with all.
    """
    load_frameworks()
    names = [name for name in forwards if installed(name)]
    if of != "numpy" and "torch" in names:
        names = ["torch"]
    return {name: VJP[name](forwards[name], inputs, DY) for name in names}
