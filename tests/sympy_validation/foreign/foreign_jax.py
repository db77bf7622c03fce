"""Functions with ``custom_vjp``: wrong_ is wrong, all else is right."""

from functools import partial

import jax
import jax.numpy as jnp


@jax.custom_vjp
def rms_norm(x, scale):
    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + 1e-6) * scale


def rms_fwd(x, scale):
    r = jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + 1e-6)
    return x * r * scale, (x, r, scale)


def rms_bwd(res, g):
    x, r, scale = res
    gs = g * scale
    dx = gs * r - x * r**3 * jnp.mean(gs * x, axis=-1, keepdims=True)
    return dx, jnp.sum(g * x * r, axis=0)


rms_norm.defvjp(rms_fwd, rms_bwd)


@jax.custom_vjp
def wrong_rms_norm(x, scale):
    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + 1e-6) * scale


wrong_rms_norm.defvjp(rms_fwd, lambda res, g: (g * res[2] * res[1], rms_bwd(res, g)[1]))


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def leaky(x, slope):
    return jnp.where(x > 0, x, slope * x)


leaky.defvjp(lambda x, slope: (leaky(x, slope), x), lambda slope, x, g: (jnp.where(x > 0, g, slope * g),))


@jax.custom_vjp
def embed(table, ids):
    return jnp.take(table, ids, axis=0)


def embed_fwd(table, ids):
    return embed(table, ids), (table, ids)


embed.defvjp(embed_fwd, lambda res, g: (jnp.zeros_like(res[0]).at[res[1]].add(g), None))


@jax.custom_vjp
def rotate(x, cos, sin):
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def rotate_bwd(res, g):
    cos, sin = res
    a, b = jnp.split(g, 2, axis=-1)
    return jnp.concatenate([a * cos + b * sin, b * cos - a * sin], axis=-1), None, None


rotate.defvjp(lambda x, cos, sin: (rotate(x, cos, sin), (cos, sin)), rotate_bwd)


@jax.custom_vjp
def masked(s, mask):
    return jax.nn.softmax(jnp.where(mask, s, -1e30), axis=-1)


def masked_fwd(s, mask):
    p = masked(s, mask)
    return p, p


masked.defvjp(masked_fwd, lambda p, g: (p * (g - jnp.sum(p * g, axis=-1, keepdims=True)), None))


@jax.custom_vjp
def exact_gelu(x):
    return jax.nn.gelu(x, approximate=False)


def exact_gelu_bwd(x, g):
    cdf = (1 + jax.lax.erf(x / jnp.sqrt(2.0))) / 2
    return (g * (cdf + x * jnp.exp(-x * x / 2) / jnp.sqrt(2 * jnp.pi)),)


exact_gelu.defvjp(lambda x: (exact_gelu(x), x), exact_gelu_bwd)


@jax.custom_vjp
def wrong_embed(table, ids):
    return table[ids]


wrong_embed.defvjp(lambda t, i: (t[i], (t, i)), lambda r, g: (jnp.zeros_like(r[0]).at[r[1]].set(g), None))
