"""Windows on symbols, against PyTorch and NumPy in numbers."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from torch.nn import functional as F  # noqa: N812

from sympy_validation.foreign import windows
from sympy_validation.foreign.errors import NotCaptured
from tests.sympy_validation.foreign.points import agree, both


def of_torch(f):
    return lambda *xs: f(*map(torch.tensor, xs)).numpy()


@pytest.mark.parametrize(
    ("shapes", "given"),
    [
        ("x: N K D T, w: A K 3 2", {"padding": 1}),
        ("x: N K D T, w: A K 3 2", {"padding": 1, "stride": 2}),
        ("x: N (D K) T, w: (D A) K 2", {"groups": 3, "dilation": 2}),
        ("x: N K 5, w: A K 3", {"stride": 2, "padding": "valid"}),
    ],
)
def test_convolution_and_its_gradients(shapes: str, given: dict) -> None:
    n = shapes.count("w") and len(shapes.partition("w: ")[2].replace("(D A)", "F").split()) - 2
    conv = (F.conv1d, F.conv2d)[n - 1]
    own = given | ({"groups": 3} if "groups" in given else {})
    if "groups" in given:
        shapes = shapes.replace("D", "3")
    agree(lambda x, w: windows.convolution(x, w, **own), shapes, of_torch(lambda x, w: conv(x, w, **given)))
    if given.get("padding") == "valid":
        return
    gradients = torch.nn.grad
    by_input = getattr(gradients, f"conv{n}d_input")
    by_weight = getattr(gradients, f"conv{n}d_weight")
    agree(
        lambda x, w: windows.gradient_of_input(x.shape, w, windows.convolution(x, w, **own), **own),
        shapes,
        of_torch(lambda x, w: by_input(x.shape, w, conv(x, w, **given), **given)),
    )
    agree(
        lambda x, w: windows.gradient_of_weight(x, w.shape, windows.convolution(x, w, **own), **own),
        shapes,
        of_torch(lambda x, w: by_weight(x, w.shape, conv(x, w, **given), **given)),
    )


def test_transposed_convolution() -> None:
    given = {"stride": 2, "padding": 1, "output_padding": 1}
    agree(
        lambda x, w: windows.transposed_convolution(x, w, **given),
        "x: N K D T, w: K A 3 3",
        of_torch(lambda x, w: F.conv_transpose2d(x, w, **given)),
    )


@pytest.mark.parametrize("given", [{"kernel_size": (2, 3), "padding": 1}, {"kernel_size": 2, "stride": 2}])
def test_columns_and_back(given: dict) -> None:
    agree(lambda x: windows.columns(x, **given), "x: N A D T", of_torch(lambda x: F.unfold(x, **given)))
    agree(
        lambda x: windows.from_columns(windows.columns(x, **given), x.shape[2:], **given),
        "x: N A D T",
        of_torch(lambda x: F.fold(F.unfold(x, **given), x.shape[2:], **given)),
    )


def test_pooling_and_pixels() -> None:
    agree(lambda x: windows.pooled(x, 2, None, 0, 2, "mean"), "x: N (D 2) (T 2)", of_torch(lambda x: F.avg_pool2d(x[None], 2)[0]))
    agree(lambda x: windows.pooled(x, 2, 1, 0, 1, "max"), "x: N D", of_torch(lambda x: F.max_pool1d(x[None], 2, 1)[0]))
    agree(lambda x: windows.shuffled(x, 2), "x: N (A 2 2) D T", of_torch(lambda x: F.pixel_shuffle(x, 2)))
    agree(lambda x: windows.unshuffled(x, 2), "x: N A (D 2) (T 2)", of_torch(lambda x: F.pixel_unshuffle(x, 2)))


def test_views_by_strides() -> None:
    def pairs(x, by):
        (a, b), n = x.strides, x.shape[1]
        return by(x, (x.shape[0], 2, (n - 2) // 2 + 1), (a, b, b * 2))

    agree(lambda x: pairs(x, windows.by_strides), "x: N K", lambda x: pairs(x, as_strided))
    agree(lambda x: windows.sliding(x, 2, 1), "x: N D", lambda x: sliding_window_view(x, 2, 1))


def test_what_is_shown_by_a_window_is_not_guessed() -> None:
    def written(x):
        windows.sliding(x, 2, 1)[...] = 1.0
        return x

    def changed(x):
        y = x * 1.0
        shown = windows.sliding(y, 2, 1)
        y[:] = 0.0
        return shown * 1.0

    for f in (written, changed):
        with pytest.raises(NotCaptured, match="view or a copy"):
            both(f, "x: N D")
    with pytest.raises(NotCaptured, match="more than 32"):
        both(lambda x: windows.sliding(x, (6, 6), (0, 1)), "x: 8 8")
    assert np.array(windows.each(2, 3)).tolist() == [2, 2, 2]
