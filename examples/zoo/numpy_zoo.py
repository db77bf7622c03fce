"""Gradients in the style of plain NumPy: each that was wrong somewhere, beside the right one."""

import numpy as np


def batch_norm(x, g, b):
    mu, ivar = x.mean(0), 1 / np.sqrt(x.var(0) + 1e-5)
    return g * (x - mu) * ivar + b, (x - mu, ivar, g)


def batch_norm_backward(dy, cache):
    xmu, ivar, g = cache
    n = dy.shape[0]
    dg, db = np.sum(dy * xmu * ivar, axis=0), dy.sum(0)
    dyivar = dy * g * ivar
    dvar = -0.5 * np.sum(dyivar * xmu * ivar**2, axis=0)
    dx = dyivar + 2 * dvar * xmu / n - dyivar.sum(0) / n
    return dx, dg, db


def batch_norm_without_scale(dy, cache):
    xmu, ivar, g = cache
    n = dy.shape[0]
    dyivar = dy * ivar  # taken before dy is multiplied by g
    dg, db = np.sum(xmu * dyivar, axis=0), dy.sum(0)
    dvar = -0.5 * np.sum(dyivar * xmu * ivar**2, axis=0)
    dx = dyivar + 2 * dvar * xmu / n - dyivar.sum(0) / n
    return dx, dg, db


def batch_norm_scale_by_root(dy, cache):
    xmu, ivar, g = cache
    dx, dg, db = batch_norm_backward(dy, cache)
    return dx, np.sum(dy * xmu / ivar, axis=0), db  # times the root in the place of divided by it


def batch_norm_constant_statistics(dy, cache):
    xmu, ivar, g = cache
    return dy * g * ivar, np.sum(dy * xmu * ivar, axis=0), dy.sum(0)


def batch_norm_mean_twice(dy, cache):
    dx, dg, db = batch_norm_backward(dy, cache)
    _, ivar, g = cache
    return dx - (dy * g * ivar).sum(0) / dy.shape[0] ** 2, dg, db


def batch_norm_by_projection(dy, cache):
    """Reported as wrong, since it subtracts the mean last; it is the same."""
    xmu, ivar, g = cache
    xhat, dxhat = xmu * ivar, dy * g
    t = (dxhat - (dxhat * xhat).mean(0) * xhat) * ivar
    return t - t.mean(0), (dy * xhat).sum(0), dy.sum(0)


def mean_delta_simplified(dy, cache):
    """Reported as wrong, since a term of the paper is missing; the term is 0."""
    xmu, ivar, g = cache
    n = dy.shape[0]
    dxhat = dy * g
    dmean = -(dxhat * ivar).sum(0)
    dvar = -0.5 * np.sum(dxhat * xmu, axis=0) * ivar**3
    return dxhat * ivar + dvar * 2 * xmu / n + dmean / n, (dy * xmu * ivar).sum(0), dy.sum(0)


def dense(x, w, b):
    return x @ w + b, (x, w)


def dense_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def dense_mean_of_bias(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, np.mean(dy, axis=0)


def gram(x):
    return x @ x.T, x


def gram_backward(dy, x):
    return (dy + dy.T) @ x


def gram_once(dy, x):
    return dy @ x


def bias_add(x, b):
    return x + b, None


def bias_add_backward(dy, cache):
    return dy, dy.sum(axis=(0, 1, 2))


def bias_add_of_channels_first(dy, cache):
    return dy, dy.sum(axis=(0, 2, 3))


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    y = e / np.sum(e, axis=1, keepdims=True)
    return y, y


def softmax_backward(dy, y):
    return y * (dy - np.sum(y * dy, axis=1, keepdims=True))


def softmax_diagonal(dy, y):
    return dy * y * (1 - y)


def softmax_copied(dy, y):
    return dy


def elu(x, alpha):
    return np.where(x >= 0.0, x, alpha * (np.exp(x) - 1)), (x, alpha)


def elu_backward(dy, cache):
    x, alpha = cache
    return dy * np.where(x >= 0.0, 1, alpha * np.exp(x))


def elu_value_as_slope(dy, cache):
    x, alpha = cache
    return dy * np.where(x >= 0.0, 1, alpha * (np.exp(x) - 1))


def softplus(x):
    return np.log(1 + np.exp(x)), x


def softplus_backward(dy, x):
    return dy / (1 + np.exp(-x))


def softplus_by_minus(dy, x):
    return dy / (1 + np.exp(x))


def sequence_norm(x, w, b):
    mu = x.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    xhat = (x - mu) * r
    return xhat * w + b, (xhat, r, w)


def sequence_norm_backward(dy, cache):
    xhat, r, w = cache
    g = dy * w
    dx = r * (g - g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 1)), dy.sum(axis=(0, 1))


def sequence_norm_two_axes(dy, cache):
    xhat, r, w = cache
    g = dy * w
    axes = (1, 2)  # as if a row were all that follows the batch
    dx = r * (g - g.mean(axes, keepdims=True) - xhat * (g * xhat).mean(axes, keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 1)), dy.sum(axis=(0, 1))


def sequence_norm_without_mean(dy, cache):
    xhat, r, w = cache
    g = dy * w
    dx = r * (g - xhat * (g * xhat).mean(-1, keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 1)), dy.sum(axis=(0, 1))


def embed(table, ids):
    return table[ids], (table, ids)


def embed_backward(dy, cache):
    table, ids = cache
    dtable = np.zeros_like(table)
    np.add.at(dtable, ids, dy)
    return dtable


def embed_last_wins(dy, cache):
    table, ids = cache
    dtable = np.zeros_like(table)
    dtable[ids] += dy
    return dtable


def conv(x, w):
    n, c, t = x.shape
    f, _, k = w.shape
    y = np.zeros((n, f, t - k + 1))
    for s in range(k):
        y += np.einsum("nct,fc->nft", x[:, :, s : s + t - k + 1], w[:, :, s])
    return y, (x, w)


def conv_backward(dy, cache):
    x, w = cache
    t, k = x.shape[2], w.shape[2]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for s in range(k):
        dx[:, :, s : s + t - k + 1] += np.einsum("nft,fc->nct", dy, w[:, :, s])
        dw[:, :, s] = np.einsum("nft,nct->fc", dy, x[:, :, s : s + t - k + 1])
    return dx, dw


def conv_last_sample_only(dy, cache):
    x, w = cache
    dx, dw = conv_backward(dy, cache)
    t, k = x.shape[2], w.shape[2]
    for n in range(x.shape[0]):
        for s in range(k):
            dw[:, :, s] = np.einsum("ft,ct->fc", dy[n], x[n, :, s : s + t - k + 1])
    return dx, dw


def two_branches(x):
    return x + x**2, x


def two_branches_backward(dy, x):
    dx = np.zeros_like(x)
    dx += dy
    dx += 2 * x * dy
    return dx


def two_branches_overwritten(dy, x):
    dx = np.zeros_like(x)
    dx[:] = dy
    dx[:] = 2 * x * dy  # assigned where it should be added
    return dx


def lstm_step(x, h, c, wx, wh, b):
    a = x @ wx + h @ wh + b
    i, f, o, g = np.split(a, 4, axis=1)
    i, f, o, g = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o)), np.tanh(g)
    next_c = f * c + i * g
    t = np.tanh(next_c)
    return o * t, next_c, (x, h, c, wx, wh, i, f, o, g, t)


def lstm_step_backward(dh, dc, cache):
    x, h, c, wx, wh, i, f, o, g, t = cache
    dc = dc + dh * o * (1 - t**2)
    da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)])
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(0)


def lstm_step_cell_forgotten(dh, dc, cache):
    x, h, c, wx, wh, i, f, o, g, t = cache
    dc = dh * o * (1 - t**2)  # the gradient that comes through the cell is dropped
    da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)])
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(0)


def rms_norm(x, g):
    r = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)
    return x * r * g, (x, r, g)


def rms_norm_backward(dy, cache):
    x, r, g = cache
    u = dy * g
    return r * u - x * r**3 * np.mean(u * x, axis=-1, keepdims=True), np.sum(dy * x * r, axis=0)


def pre_norm(x, residual):
    h = residual + x
    r = 1 / np.sqrt(np.mean(h * h, axis=-1, keepdims=True) + 1e-6)
    return h * r, h, (h, r)


def pre_norm_backward(dy, dh, cache):
    h, r = cache
    dh = dh + r * dy - h * r**3 * np.mean(dy * h, axis=-1, keepdims=True)
    return dh, dh


def pre_norm_added_before(dy, dh, cache):
    h, r = cache
    d = dy + dh
    dh = r * d - h * r**3 * np.mean(d * h, axis=-1, keepdims=True)
    return dh, dh


def half_turned(x):
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([-second, first], axis=-1)


def rotary(x, cos, sin):
    return x * cos + half_turned(x) * sin, (cos, sin)


def rotary_backward(g, cache):
    cos, sin = cache
    return g * cos - half_turned(g * sin)


def rotary_turned_before(g, cache):
    cos, sin = cache
    return g * cos - half_turned(g) * sin


def rms_norm_constant(dy, cache):
    x, r, g = cache
    return dy * g * r, np.sum(dy * x * r, axis=0)


def modified_huber(d):
    """The loss of classification, of the margin d = y (w · x)."""
    return np.where(d < -1, -4 * d, np.maximum(0, 1 - d) ** 2), d


def modified_huber_backward(dy, d):
    return dy * np.where(d < -1, -4, -2 * np.maximum(0, 1 - d))


def modified_huber_half(dy, d):
    return dy * np.where(d < -1, -4, -np.maximum(0, 1 - d))


def sequence_norm_mean_twice(dy, cache):
    xhat, r, w = cache
    g = dy * w
    dx = r * (g - 2 * g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 1)), dy.sum(axis=(0, 1))
