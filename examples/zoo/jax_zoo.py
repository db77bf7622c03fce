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
def safe_norm(x):
    return jnp.sqrt(jnp.sum(x * x, axis=-1) + 1e-12)


def norm_fwd(x):
    n = safe_norm(x)
    return n, (x, n)


safe_norm.defvjp(norm_fwd, lambda res, g: (res[0] * (g / res[1])[:, None],))


@jax.custom_vjp
def safe_norm_wrong(x):
    return jnp.sqrt(jnp.sum(x * x, axis=-1) + 1e-12)


safe_norm_wrong.defvjp(norm_fwd, lambda res, g: (2 * res[0] * (g / res[1])[:, None],))


@jax.custom_vjp
def logsumexp(x):
    return jax.scipy.special.logsumexp(x, axis=-1)


def logsumexp_fwd(x):
    y = logsumexp(x)
    return y, (x, y)


logsumexp.defvjp(logsumexp_fwd, lambda res, g: (g[:, None] * jnp.exp(res[0] - res[1][:, None]),))


@jax.custom_vjp
def logsumexp_wrong(x):
    return jax.scipy.special.logsumexp(x, axis=-1)


logsumexp_wrong.defvjp(logsumexp_fwd, lambda res, g: (g[:, None] * jnp.exp(res[0]),))
