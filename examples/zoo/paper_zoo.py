"""Equations that were printed wrong in papers, in the style of plain NumPy, beside the right ones."""

import numpy as np


def attention_weights(s1, s2, v1, v2):
    """softmax([s1, s2]) [v1, v2] by two blocks of keys, and the logarithm of its denominators."""
    m1 = s1.max(-1, keepdims=True)
    m2 = np.maximum(m1, s2.max(-1, keepdims=True))
    o1, l1 = np.exp(s1 - m1) @ v1, np.exp(s1 - m1).sum(-1, keepdims=True)
    p2 = np.exp(s2 - m2)
    o2 = np.exp(m1 - m2) * o1 + p2 @ v2
    l2 = np.exp(m1 - m2) * l1 + p2.sum(-1, keepdims=True)
    o = o2 / l2
    return o, (s1, s2, v1, v2, o, m2 + np.log(l2))


def attention_weights_backward(do, cache):
    s1, s2, v1, v2, o, lse = cache
    p1, p2 = np.exp(s1 - lse), np.exp(s2 - lse)
    delta = (do * o).sum(-1, keepdims=True)
    return p1 * (do @ v1.T - delta), p2 * (do @ v2.T - delta), p1.T @ do, p2.T @ do


def attention_weights_inverted(s1, s2, v1, v2):
    """As printed: the first block is divided by exp(m1 - m2), not multiplied."""
    m1 = s1.max(-1, keepdims=True)
    m2 = np.maximum(m1, s2.max(-1, keepdims=True))
    o1, l1 = np.exp(s1 - m1) @ v1, np.exp(s1 - m1).sum(-1, keepdims=True)
    p2 = np.exp(s2 - m2)
    o2 = o1 / np.exp(m1 - m2) + p2 @ v2
    l2 = np.exp(m1 - m2) * l1 + p2.sum(-1, keepdims=True)
    o = o2 / l2
    return o, (s1, s2, v1, v2, o, m2 + np.log(l2))


def softmax_times(s, v):
    """diag(l)⁻¹ exp(s - m) v."""
    m = s.max(-1, keepdims=True)
    e = np.exp(s - m)
    p = e / e.sum(-1, keepdims=True)
    return p @ v, (p, v)


def softmax_times_backward(do, cache):
    p, v = cache
    dp = do @ v.T
    return p * (dp - (dp * p).sum(-1, keepdims=True)), p.T @ do


def softmax_times_denominators(s, v):
    """As printed: diag(l) exp(s - m) v."""
    m = s.max(-1, keepdims=True)
    e = np.exp(s - m)
    sums = e.sum(-1, keepdims=True)
    return sums * (e @ v), (e / sums, v)
