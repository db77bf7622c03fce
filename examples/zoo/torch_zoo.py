"""Gradients in the style of ``torch.autograd.Function``: each that was wrong somewhere, beside the right one."""

import math

import torch
import torch.nn.functional as F
from torch.autograd import Function


class CrossEntropySum(Function):
    @staticmethod
    def forward(ctx, logits, target):
        ctx.save_for_backward(F.softmax(logits, dim=-1), target)
        return F.cross_entropy(logits, target, reduction="sum")

    @staticmethod
    def backward(ctx, grad_output):
        p, target = ctx.saved_tensors
        return (p - F.one_hot(target, p.shape[-1])) * grad_output, None


class CrossEntropySumByBatch(CrossEntropySum):
    @staticmethod
    def backward(ctx, grad_output):
        p, target = ctx.saved_tensors
        return (p - F.one_hot(target, p.shape[-1])) * grad_output / p.shape[0], None


class CrossEntropyPerToken(Function):
    @staticmethod
    def forward(ctx, logits, target):
        ctx.save_for_backward(F.softmax(logits, dim=-1), target)
        return F.cross_entropy(logits, target, reduction="none")

    @staticmethod
    def backward(ctx, grad_output):
        p, target = ctx.saved_tensors
        return (p - F.one_hot(target, p.shape[-1])) * grad_output.unsqueeze(-1), None


class CrossEntropyFirstToken(CrossEntropyPerToken):
    @staticmethod
    def backward(ctx, grad_output):
        p, target = ctx.saved_tensors
        return (p - F.one_hot(target, p.shape[-1])) * grad_output[0], None


class BinaryCrossEntropy(Function):
    @staticmethod
    def forward(ctx, p, y):
        ctx.save_for_backward(p, y)
        return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()

    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        return g * (p - y) / (p * (1 - p)) / p.numel(), None


class BinaryCrossEntropyNoMean(BinaryCrossEntropy):
    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        return g * (p - y) / (p * (1 - p)), None


class FocalWeight(Function):
    @staticmethod
    def forward(ctx, x):
        p = torch.sigmoid(x)
        ctx.save_for_backward(p)
        return -((1 - p) ** 2) * torch.log(p)

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return g * (1 - p) ** 2 * (2 * p * torch.log(p) - (1 - p))


class FocalWeightConstant(FocalWeight):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return -g * (1 - p) ** 2 * (1 - p)


class Attention(Function):
    @staticmethod
    def forward(ctx, q, k, v):
        scale = 1.0 / math.sqrt(q.size(-1))
        p = torch.softmax(q @ k.transpose(-2, -1) * scale, dim=-1)
        o = p @ v
        ctx.save_for_backward(q, k, v, p, o)
        ctx.scale = scale
        return o

    @staticmethod
    def backward(ctx, do):
        q, k, v, p, o = ctx.saved_tensors
        delta = (do * o).sum(-1, keepdim=True)
        ds = p * (do @ v.transpose(-2, -1) - delta) * ctx.scale
        return ds @ k, ds.transpose(-2, -1) @ q, p.transpose(-2, -1) @ do


class AttentionKeysNotTransposed(Attention):
    @staticmethod
    def backward(ctx, do):
        q, k, v, p, o = ctx.saved_tensors
        delta = (do * o).sum(-1, keepdim=True)
        ds = p * (do @ v.transpose(-2, -1) - delta) * ctx.scale
        return ds @ k, ds @ q, p.transpose(-2, -1) @ do


class LinearAttention(Function):
    @staticmethod
    def forward(ctx, q, k, v):
        ctx.scale = q.shape[-1] ** -0.5
        ctx.save_for_backward(q, k, v)
        return (q * ctx.scale) @ (k.transpose(-2, -1) @ v)

    @staticmethod
    def backward(ctx, do):
        q, k, v = ctx.saved_tensors
        s = k.transpose(-2, -1) @ v
        ds = (q * ctx.scale).transpose(-2, -1) @ do
        return do @ s.transpose(-2, -1) * ctx.scale, v @ ds.transpose(-2, -1), k @ ds


class LinearAttentionScaleLost(LinearAttention):
    @staticmethod
    def backward(ctx, do):
        q, k, v = ctx.saved_tensors
        s = k.transpose(-2, -1) @ v
        ds = (q * ctx.scale).transpose(-2, -1) @ do
        return do @ s.transpose(-2, -1), v @ ds.transpose(-2, -1), k @ ds


class RotaryInPlace(Function):
    @staticmethod
    def forward(ctx, q, cos, sin):
        ctx.save_for_backward(cos, sin)
        a, b = q.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    @staticmethod
    def backward(ctx, g):
        cos, sin = ctx.saved_tensors
        a, b = g.chunk(2, dim=-1)
        return torch.cat((a * cos + b * sin, b * cos - a * sin), dim=-1), None, None


class GeluTanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.gelu(x, approximate="tanh")

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = torch.tanh(0.79788456 * x * (1 + 0.044715 * x * x))
        ff = 0.5 * x * ((1 - t * t) * (0.79788456 + 0.1070322243 * x * x)) + 0.5 * (1 + t)
        return ff * g


class GeluTanhInnerForgotten(GeluTanh):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = torch.tanh(0.79788456 * x * (1 + 0.044715 * x * x))
        return (0.5 * x * (1 - t * t) * 0.79788456 + 0.5 * (1 + t)) * g


class AffineNorm(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        r = torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)
        xhat = (x - x.mean(-1, keepdim=True)) * r
        ctx.save_for_backward(xhat, r, weight)
        return xhat * weight + bias

    @staticmethod
    def backward(ctx, dy):
        xhat, r, weight = ctx.saved_tensors
        g = dy * weight
        dx = (g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True)) * r
        return dx, (dy * xhat).flatten(0, -2).sum(0), dy.flatten(0, -2).sum(0)


class AffineNormFrozen(AffineNorm):
    @staticmethod
    def backward(ctx, dy):
        return None, None, None


class Dropout(Function):
    @staticmethod
    def forward(ctx, x, mask, p):
        ctx.save_for_backward(mask)
        ctx.keep = 1 - p
        return x * mask / ctx.keep

    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g * mask / ctx.keep, None, None


class DropoutScaledByRate(Dropout):
    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g * mask * (1 - ctx.keep), None, None


class DropoutMaskForgotten(Dropout):
    @staticmethod
    def backward(ctx, g):
        return g / ctx.keep, None, None


class Huber(Function):
    @staticmethod
    def forward(ctx, x, t, delta):
        d = x - t
        ctx.save_for_backward(d)
        ctx.delta = delta
        return torch.where(d.abs() <= delta, 0.5 * d**2, delta * (d.abs() - 0.5 * delta)).sum(1)

    @staticmethod
    def backward(ctx, g):
        (d,) = ctx.saved_tensors
        dx = g[:, None] * d.clamp(-ctx.delta, ctx.delta)
        return dx, -dx, None


class HuberUpstreamIgnored(Huber):
    @staticmethod
    def backward(ctx, g):
        (d,) = ctx.saved_tensors
        dx = d.clamp(-ctx.delta, ctx.delta)
        return dx, -dx, None


class SignSTE(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.sign(x)

    @staticmethod
    def backward(ctx, g):
        return g
