"""Gradients in the style of ``jax.custom_vjp``: each that was wrong somewhere, beside the right one."""

import jax
import jax.numpy as jnp


@jax.custom_vjp
def sine_times(x, y):
    return jnp.sin(x) * y


def sine_fwd(x, y):
    return sine_times(x, y), (jnp.cos(x), jnp.sin(x), y)


sine_times.defvjp(sine_fwd, lambda res, g: (res[0] * g * res[2], res[1] * g))


@jax.custom_vjp
def sine_times_wrong(x, y):
    return jnp.sin(x) * y


sine_times_wrong.defvjp(sine_fwd, lambda res, g: (res[0] * g * res[2], -res[1] * g))


@jax.custom_vjp
def log_softmax(x):
    return jax.nn.log_softmax(x, axis=-1)


def log_softmax_fwd(x):
    y = log_softmax(x)
    return y, y


log_softmax.defvjp(log_softmax_fwd, lambda y, g: (g - jnp.exp(y) * jnp.sum(g, axis=-1, keepdims=True),))


@jax.custom_vjp
def log_softmax_as_softmax(x):
    return jax.nn.log_softmax(x, axis=-1)


log_softmax_as_softmax.defvjp(log_softmax_fwd, lambda y, g: (g - jnp.sum(g * y, axis=-1, keepdims=True),))
