"""Patterns of einops on symbols, against NumPy in numbers."""

import numpy as np
import pytest

from sympy_validation.foreign.einops_front import einsum, rearrange, reduce, repeat
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer
from tests.sympy_validation.foreign.points import agree, both


def test_rearrange() -> None:
    agree(
        lambda x: rearrange(x, "b t (h d) -> b h t d", d=2),
        "x: N T (K 2)",
        lambda x: x.reshape(*x.shape[:2], -1, 2).transpose(0, 2, 1, 3),
    )
    agree(lambda x: rearrange(x, "... d -> d ..."), "x: N T D", lambda x: np.moveaxis(x, -1, 0))
    agree(lambda x: rearrange(x, "n d -> n 1 d"), "x: N D", lambda x: x[:, None])
    agree(lambda x: rearrange([x, 2 * x], "two n d -> n (two d)"), "x: N D", lambda x: np.concatenate([x, 2 * x], 1))


def test_reduce_and_repeat() -> None:
    agree(
        lambda x: reduce(x, "n (h s) -> n h", "max", s=2),
        "x: N (D 2)",
        lambda x: x.reshape(len(x), -1, 2).max(-1),
    )
    agree(lambda x: reduce(x, "n t d -> n 1 d", "mean"), "x: N T D", lambda x: x.mean(1, keepdims=True))
    agree(lambda x: repeat(x, "n d -> n (d r)", r=3), "x: N D", lambda x: x.repeat(3, 1))
    agree(lambda x: repeat(x, "n d -> 2 n d"), "x: N D", lambda x: np.stack([x, x]))


def test_einsum_by_words() -> None:
    agree(
        lambda x, y: einsum(x, y, "batch time in, in out -> batch out time"),
        "x: N T D, y: D K",
        lambda x, y: np.einsum("btd,dk->bkt", x, y),
    )


def test_patterns_that_do_not_fit() -> None:
    with pytest.raises(ShapesDiffer, match="has 3 axes, and the tensor 2"):
        both(lambda x: rearrange(x, "a b c -> a b c"), "x: N D")
    with pytest.raises(ShapesDiffer, match="the length of r is not given"):
        both(lambda x: repeat(x, "n d -> n (d r)"), "x: N D")
    with pytest.raises(NotCaptured, match="the lengths of a and b are not given"):
        both(lambda x: rearrange(x, "n (a b) -> n a b"), "x: N (D K)")
    with pytest.raises(ShapesDiffer, match="not the same"):
        both(lambda x: rearrange(x, "n d -> n"), "x: N D")
