"""Right and wrong code of every style, and the rungs of the ladder."""

from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.gradient_verdict import GradientVerdict, Rung
from sympy_validation.foreign.verdicts import decide

HERE = Path(__file__).parent

RIGHT = [
    ("foreign_numpy", "svm_loss", "x: N K, y: N in K"),
    ("foreign_numpy", "softmax_loss", "x: N K, y: N in K"),
    ("foreign_numpy", "rnn_step", "x: N D, prev_h: N H, Wx: D H, Wh: H H, b: H"),
    ("foreign_numpy", "temporal_affine", "x: N T D, w: D M, b: M"),
    ("foreign_numpy", "spatial_batchnorm", "x: N C H W, gamma: C, beta: C"),
    ("foreign_numpy", "groupnorm", "x: N (G A) H W, gamma: (G A), beta: (G A), G: size"),
    ("foreign_numpy", "linear_activation", "A_prev: D N, W: K D, b: K 1"),
    ("foreign_numpy", "mse", "pred: N D, target: N D const"),
    ("foreign_numpy", "hinge", "x: N D"),
    ("foreign_numpy", "layernorm", "x: B T C, w: C, b: C"),
    ("foreign_numpy", "Linear", "W: D K, b: K, x: N D"),
    ("foreign_numpy", "BatchNorm", "gamma: D, beta: D, x: N D"),
    ("foreign_numpy", "window_max", "x: N (H 2) (W 2)"),
    ("foreign_numpy", "first", "x: N T D, w: D K"),
    ("foreign_numpy", "gate", "x: N (h a), w: (h a), heads=h"),
    ("foreign_torch", "Swish", "i: N D"),
    ("foreign_torch", "LegendrePolynomial3", "input: N"),
    ("foreign_torch", "LinearFunction", "input: N D, weight: K D, bias: K"),
    ("foreign_torch", "MulConstant", "tensor: N D, constant=2.5"),
    ("foreign_torch", "LayerNorm2d", "x: N C H W, weight: C, bias: C, eps=1e-6"),
    ("foreign_torch", "BroadcastBias", "x: N D, bias: D"),
    ("foreign_torch", "FusedCrossEntropy", "logits: N K, labels: N in K"),
    ("foreign_torch", "LabelSmoothing", "logits: N K, labels: N in K, eps=0.1"),
    ("foreign_torch", "GEGLU", "x: N (2 D)"),
    ("foreign_torch", "PairwiseDistance", "x: N D, y: M D"),
    ("foreign_jax", "rms_norm", "x: N D, scale: D"),
    ("foreign_jax", "leaky", "x: N D, slope=0.1"),
    ("foreign_jax", "embed", "table: V D, ids: N in V"),
    ("foreign_jax", "masked", "s: N D, mask: N D bool"),
    ("foreign_jax", "exact_gelu", "x: N D"),
    ("foreign_jax", "rotate", "x: B T (2 A), cos: T A const, sin: T A const"),
]
WRONG = [
    ("foreign_numpy", "WRONG_softmax_loss", "x: N K, y: N in K", "x"),
    ("foreign_numpy", "rnn_step_forward/WRONG_rnn_step_backward", "x: N D, prev_h: N H, Wx: D H, Wh: H H, b: H", "Wx"),
    ("foreign_numpy", "linear_activation_forward/WRONG_linear_activation_backward", "A_prev: D N, W: K D, b: K 1", "A_prev"),
    ("foreign_numpy", "window_max_forward/WRONG_window_max_backward", "x: N (H 2) (W 2)", "x"),
    ("foreign_numpy", "window_mean_forward/WRONG_window_mean_backward", "x: N (H 2) (W 2)", "x"),
    ("foreign_torch", "WRONG_Swish", "i: N D", "i"),
    ("foreign_torch", "WRONG_LayerNorm2d", "x: N C H W, weight: C, bias: C, eps=1e-6", "x"),
    ("foreign_torch", "WRONG_GEGLU", "x: N (2 D)", "x"),
    ("foreign_jax", "wrong_rms_norm", "x: N D, scale: D", "x"),
    ("foreign_jax", "wrong_embed", "table: V D, ids: N T in V", "table"),
]


def verdict(file: str, name: str, shapes: str, **given: str) -> GradientVerdict:
    return decide(load_file(HERE / f"{file}.py"), name, shapes, repair=False, expected=given.get("expected", ""))


@pytest.mark.parametrize(("file", "name", "shapes"), RIGHT, ids=lambda value: value if value.isidentifier() else "")
def test_right_code_is_proved_for_all_sizes(file: str, name: str, shapes: str) -> None:
    found = verdict(file, name, shapes)
    assert found.rung is Rung.PROVED, found.words


@pytest.mark.parametrize(("file", "name", "shapes", "gradient"), WRONG, ids=lambda value: value if value.isidentifier() else "")
def test_wrong_code_is_refuted(file: str, name: str, shapes: str, gradient: str) -> None:
    found = verdict(file, name, shapes)
    assert found.rung is Rung.REFUTED, found.words
    assert gradient in found.wrong
    assert "should be" in found.words


def test_code_with_loops_is_proved_for_the_sizes_named() -> None:
    found = verdict("foreign_numpy", "conv_forward_naive/conv_backward_naive", "x: N C 3 3, w: F C 2 2, b: F, stride=1, pad=0, F=1..2")
    assert found.rung is Rung.SOME_SIZES, found.words
    assert found.sizes == "F = 1, 2 and all C, N"


def test_a_wrong_name_or_shape_is_told() -> None:
    with pytest.raises(NervaError, match="known"):
        verdict("foreign_numpy", "svm_los", "x: N K, y: N in K")
    with pytest.raises(NervaError, match="has no parameter 'z'"):
        verdict("foreign_numpy", "svm_loss", "x: N K, z: N in K")
    with pytest.raises(NervaError, match="needs y too"):
        verdict("foreign_numpy", "svm_loss", "x: N K")
    with pytest.raises(NervaError, match="stated to have the shape"):
        verdict("foreign_torch", "Swish", "i: N D -> N")


def test_what_is_meant_to_be_different_must_be_so() -> None:
    found = verdict("foreign_torch", "WRONG_Swish", "i: N D", expected="a straight-through estimate")
    assert found.as_expected
    assert found.status == 0
    right = verdict("foreign_torch", "Swish", "i: N D", expected="a straight-through estimate")
    assert not right.as_expected
    assert right.status == int(Rung.REFUTED)


CODE = """
import numpy as np

def decides(x):
    return (x * 2 if float(x.sum()) > 0 else x * 3), x

def decides_backward(dy, x):
    return dy * (2 if float(x.sum()) > 0 else 3)

def wrongly_decides_backward(dy, x):
    return dy * (4 if float(x.sum()) > 0 else 5)

def noise(x):
    return x + np.random.randn(*x.shape), None

def noise_backward(dy, cache):
    return dy

def none(x, w):
    return x * w, x

def none_backward(dy, x):
    return dy, None
"""


def test_what_is_not_captured_is_named_with_its_line_and_tried_in_numbers(tmp_path: Path) -> None:
    path = tmp_path / "not_captured.py"
    path.write_text(CODE)
    module = load_file(path)
    right = decide(module, "decides", "x: N")
    assert right.rung is Rung.NOT_CAPTURED
    assert "a float of values" in right.reason
    assert "not_captured.py, line 5" in right.reason
    assert "no counterexample in 3 numeric trials" in right.reason
    assert decide(module, "decides/wrongly_decides_backward", "x: N").rung is Rung.REFUTED
    random = decide(module, "noise", "x: N")
    assert random.rung is Rung.NOT_CAPTURED
    assert "random" in random.reason
    missing = decide(module, "none", "x: N, w: N")
    assert missing.rung is Rung.REFUTED
    assert decide(module, "none", "x: N, w: N const").rung is Rung.REFUTED  # dy, not dy w


UNSEEN = """
import numpy as np

def triplet(anchor, positive, negative):
    loss = np.maximum(((anchor - positive) ** 2).sum(-1) - ((anchor - negative) ** 2).sum(-1) + 1.0, 0.0)
    return loss.mean(), (anchor, positive, negative, loss)

def triplet_backward(dout, cache):
    anchor, positive, negative, loss = cache
    active = (loss > 0).astype(anchor.dtype)[:, None] * dout / len(anchor)
    return 2 * (negative - positive) * active, -2 * (anchor - positive) * active, 2 * (anchor - negative) * active

def pool(x, k=2):
    n, h = x.shape
    return x.reshape(n, h // k, k).mean(2), k

def pool_backward(dout, k):
    return np.repeat(dout, k, axis=1) / k

def conv(x, w):
    k = w.shape[0]
    xp = np.pad(x, ((0, 0), (k - 1, 0)))
    t = x.shape[1]
    return sum(xp[:, i : i + t] * w[i] for i in range(k)), (xp, w)

def conv_backward(dy, cache):
    xp, w = cache
    k, t = w.shape[0], dy.shape[1]
    dp = np.pad(dy, ((0, 0), (0, k - 1)))
    return sum(dp[:, i : i + t] * w[k - 1 - i] for i in range(k)), np.stack([(dy * xp[:, i : i + t]).sum() for i in range(k)])

def conv_wrong_backward(dy, cache):
    xp, w = cache
    k, t = w.shape[0], dy.shape[1]
    dp = np.pad(dy, ((0, 0), (0, k - 1)))
    return sum(dp[:, i : i + t] * w[i] for i in range(k)), np.stack([(dy * xp[:, i : i + t]).sum() for i in range(k)])

def large(x):
    e = np.exp(20 * (x @ x.T)) * (1 - np.eye(len(x)))
    return np.log(1 + e.sum()), (x, e)

def large_backward(dy, cache):
    x, e = cache
    return dy * 40 * e @ x / (1 + e.sum())
"""


def test_code_of_others_that_was_not_proved_at_first(tmp_path: Path) -> None:
    path = tmp_path / "unseen.py"
    path.write_text(UNSEEN)
    module = load_file(path)

    def rung(name: str, shapes: str) -> Rung:
        return decide(module, name, shapes, repair=False).rung

    assert (
        rung("triplet", "anchor: N D, positive: N D, negative: N D") is Rung.PROVED
    )  # the rest of a sum that cancels is no counterexample
    assert rung("pool", "x: N (2 H)") is Rung.PROVED  # the code numbers it as (H 2)
    assert rung("conv", "x: N T, w: 3") is Rung.PROVED  # what was padded is sliced
    assert rung("conv/conv_wrong_backward", "x: N T, w: 3") is Rung.REFUTED
    assert rung("large", "x: N D") is Rung.PROVED  # large terms cancel in floats
