"""Code in the style of courses and small libraries: WRONG_ is wrong, all else is right."""

import numpy as np


def svm_loss(x, y):
    N = x.shape[0]
    correct = x[np.arange(N), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def WRONG_softmax_loss(x, y):
    loss, dx = softmax_loss(x, y)
    return loss, dx * x.shape[0]


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    cache = (x, prev_h, Wx, Wh, next_h)
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (1 - next_h * next_h)
    dx = dtanh.dot(Wx.T)
    dprev_h = dtanh.dot(Wh.T)
    dWx = x.T.dot(dtanh)
    dWh = prev_h.T.dot(dtanh)
    db = np.sum(dtanh, axis=0)
    return dx, dprev_h, dWx, dWh, db


def WRONG_rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dx, dprev_h, dWx, dWh, db = rnn_step_backward(dnext_h, cache)
    return dx, dprev_h, x.T.dot(dnext_h), dWh, db


def temporal_affine_forward(x, w, b):
    N, T, D = x.shape
    M = b.shape[0]
    out = x.reshape(N * T, D).dot(w).reshape(N, T, M) + b
    cache = x, w, b, out
    return out, cache


def temporal_affine_backward(dout, cache):
    x, w, b, out = cache
    N, T, D = x.shape
    M = b.shape[0]
    dx = dout.reshape(N * T, M).dot(w.T).reshape(N, T, D)
    dw = dout.reshape(N * T, M).T.dot(x.reshape(N * T, D)).T
    db = dout.sum(axis=(0, 1))
    return dx, dw, db


def spatial_batchnorm_forward(x, gamma, beta):
    N, C, H, W = x.shape
    x2 = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    mean, var = x2.mean(axis=0), x2.var(axis=0)
    xn = (x2 - mean) / np.sqrt(var + 1e-5)
    out = (gamma * xn + beta).reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return out, (gamma, xn, np.sqrt(var + 1e-5))


def spatial_batchnorm_backward(dout, cache):
    gamma, xn, std = cache
    N, C, H, W = dout.shape
    d = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    m = N * H * W
    dgamma, dbeta = np.sum(d * xn, axis=0), np.sum(d, axis=0)
    dx2 = gamma / (m * std) * (m * d - dbeta - xn * dgamma)
    return dx2.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def groupnorm_forward(x, gamma, beta, G):
    N, C, H, W = x.shape
    xg = x.reshape(N, G, C // G, H, W)
    mean = xg.mean(axis=(2, 3, 4), keepdims=True)
    var = xg.var(axis=(2, 3, 4), keepdims=True)
    xn = ((xg - mean) / np.sqrt(var + 1e-5)).reshape(N, C, H, W)
    return xn * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1), (xn, var, gamma, G)


def groupnorm_backward(dout, cache):
    xn, var, gamma, G = cache
    N, C, H, W = dout.shape
    dbeta = dout.sum(axis=(0, 2, 3))
    dgamma = (dout * xn).sum(axis=(0, 2, 3))
    dxn = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, C // G, H, W)
    xg = xn.reshape(N, G, C // G, H, W)
    ax = (2, 3, 4)
    dx = (dxn - dxn.mean(axis=ax, keepdims=True) - xg * (dxn * xg).mean(axis=ax, keepdims=True)) / np.sqrt(var + 1e-5)
    return dx.reshape(N, C, H, W), dgamma, dbeta


def conv_forward_naive(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    Ho, Wo = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            patch = xp[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            for f in range(F):
                out[:, f, i, j] = np.sum(patch * w[f], axis=(1, 2, 3)) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward_naive(dout, cache):
    x, w, b, stride, pad = cache
    F, C, HH, WW = w.shape
    H, W = x.shape[2], x.shape[3]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    db = np.sum(dout, axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            patch = xp[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            for f in range(F):
                d = dout[:, f, i, j][:, None, None, None]
                dw[f] += np.sum(patch * d, axis=0)
                dxp[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW] += w[f] * d
    return dxp[:, :, pad : pad + H, pad : pad + W], dw, db


def linear_activation_forward(A_prev, W, b):
    Z = np.dot(W, A_prev) + b
    A = 1 / (1 + np.exp(-Z))
    return A, ((A_prev, W, b), Z)


def linear_activation_backward(dA, cache):
    (A_prev, W, b), Z = cache
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def WRONG_linear_activation_backward(dA, cache):
    (A_prev, W, b), Z = cache
    dZ = dA * Z * (1 - Z)
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T), np.sum(dZ, axis=1, keepdims=True)


def mse(pred, target):
    return np.mean((pred - target) ** 2)


def mse_grad(pred, target):
    return 2 * (pred - target) / pred.size


def hinge(x):
    return np.clip(x, -1.0, 1.0)


def hinge_backward(grad, x):
    g = grad.copy()
    g[np.abs(x) > 1] = 0.0
    return g


def layernorm_forward(x, w, b):
    eps = 1e-5
    mean = x.mean(-1, keepdims=True)
    rstd = ((x - mean) ** 2).mean(-1, keepdims=True)
    rstd = (rstd + eps) ** -0.5
    out = (x - mean) * rstd * w + b
    return out, mean, rstd


def layernorm_backward(dout, x, w, mean, rstd):
    norm = (x - mean) * rstd
    dw = (dout * norm).sum((0, 1))
    db = dout.sum((0, 1))
    dnorm = dout * w
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dx *= rstd
    return dx, dw, db


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = np.sum(dout, axis=0)
        return dout @ self.W.T


class BatchNorm:
    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        self.mu = np.mean(x, axis=0)
        self.var = np.var(x, axis=0)
        self.xc = x - self.mu
        self.std = np.sqrt(self.var + self.eps)
        self.xn = self.xc / self.std
        return self.gamma * self.xn + self.beta

    def backward(self, dout):
        self.dgamma = np.sum(dout * self.xn, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        n = dout.shape[0]
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / n) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        return dxc - dmu / n


def max_pool_forward(x):
    N, C, H, W = x.shape
    xr = x.reshape(N, C, H // 2, 2, W // 2, 2)
    out = xr.max(axis=3).max(axis=4)
    return out, (x, xr, out)


def max_pool_backward(dout, cache):
    x, xr, out = cache
    dxr = np.zeros_like(xr)
    mask = xr == out[:, :, :, None, :, None]
    dxr = mask * dout[:, :, :, None, :, None]
    return dxr.reshape(x.shape)


def window_max_forward(x):
    n, h, w = x.shape
    y = x.reshape(n, h // 2, 2, w // 2, 2).max((2, 4))
    return y, (x, y)


def window_max_backward(dy, cache):
    x, y = cache
    dx = np.zeros_like(x)
    for i in range(2):
        for j in range(2):
            dx[:, i::2, j::2] = dy * (x[:, i::2, j::2] == y)
    return dx


def WRONG_window_max_backward(dy, cache):
    return window_max_backward(dy, cache) / 4


def window_mean_forward(x):
    n, h, w = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2).mean((2, 4)), None


def WRONG_window_mean_backward(dy, cache):
    return np.tile(dy, (1, 2, 2)) / 4


def first_forward(x, w):
    return x[:, :1] @ w, (x, w)


def first_backward(dy, cache):
    x, w = cache
    dx = np.zeros_like(x)
    dx[:, :1] = dy @ w.T
    return dx, np.einsum("nsd,nsk->dk", x[:, :1], dy)


def gate_forward(x, w, heads):
    return x * w / heads, (x, w, heads)


def gate_backward(dy, cache):
    x, w, heads = cache
    return dy * w / heads, (dy * x).sum(0) / heads
