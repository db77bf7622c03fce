"""Losses of classes: against the forwards of PyTorch and their derivatives, at extreme logits, at the edges of their definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.losses import (
    LOSSES,
    Focal,
    Hinge,
    KLDivergence,
    LabelSmoothing,
    Loss,
    SmoothL1,
    SoftmaxCrossEntropy,
    SoftmaxFocal,
)
from tests.conftest import load_frameworks
from tests.equations.test_losses import DISTRIBUTIONS, LOGITS, ONE_HOT, SOFT


def focal(Y: Any, T: Any, gamma: float, alpha: float) -> Any:
    """sigmoid_focal_loss of torchvision, with p_t and α_t as the paper has them."""
    import torch

    p = torch.sigmoid(Y)
    p_t, alpha_t = p * T + (1 - p) * (1 - T), alpha * T + (1 - alpha) * (1 - T)
    return (-alpha_t * (1 - p_t) ** gamma * torch.log(p_t)).sum()


def softmax_focal(Y: Any, T: Any, gamma: int) -> Any:
    import torch

    p = torch.softmax(Y, 1)
    return (-T * (1 - p) ** gamma * torch.log(p)).sum()


def functions() -> list[tuple[Loss, Any, Callable[[Any, Any], Any]]]:
    """A loss, its targets, and the forward in PyTorch."""
    import torch

    F = torch.nn.functional
    return [
        (LabelSmoothing(), DISTRIBUTIONS, lambda Y, T: F.cross_entropy(Y, T, label_smoothing=0.1, reduction="sum")),
        (LabelSmoothing(0.5), ONE_HOT, lambda Y, T: F.cross_entropy(Y, T.argmax(1), label_smoothing=0.5, reduction="sum")),
        (KLDivergence(), DISTRIBUTIONS, lambda Y, T: F.kl_div(torch.log_softmax(Y, 1), T, reduction="sum")),
        (KLDivergence(), ONE_HOT, lambda Y, T: F.kl_div(torch.log_softmax(Y, 1), T, reduction="sum")),
        (Hinge(), ONE_HOT, lambda Y, T: F.multi_margin_loss(Y, T.argmax(1), reduction="sum")),
        (Hinge(3.0), ONE_HOT, lambda Y, T: F.multi_margin_loss(Y, T.argmax(1), margin=3.0, reduction="sum")),
        (Focal(), ONE_HOT, lambda Y, T: focal(Y, T, 2.0, 0.25)),
        (Focal(0.5, 0.75), ONE_HOT, lambda Y, T: focal(Y, T, 0.5, 0.75)),
        (SoftmaxFocal(), DISTRIBUTIONS, lambda Y, T: softmax_focal(Y, T, 2)),
        (SoftmaxFocal(5), ONE_HOT, lambda Y, T: softmax_focal(Y, T, 5)),
        (SmoothL1(0.75), SOFT, lambda Y, T: F.smooth_l1_loss(Y, T, beta=0.75, reduction="sum")),
    ]


@pytest.mark.parametrize("number", range(11))
def test_value_and_gradient_are_those_of_torch(ops: Backend, number: int) -> None:
    load_frameworks()
    import torch

    loss, T, forward = functions()[number]
    Y = torch.tensor(LOGITS, requires_grad=True)
    value = forward(Y, torch.tensor(T))
    value.backward()
    y, t = ops.matrix(LOGITS), ops.matrix(T)
    assert ops.to_numpy(loss.value(ops, y, t)).item() == pytest.approx(value.item(), rel=1e-12)
    assert np.abs(Y.grad.numpy()).max() > 1e-2
    np.testing.assert_allclose(ops.to_numpy(loss.gradient(ops, y, t)), Y.grad.numpy(), rtol=0, atol=1e-12)


def test_without_smoothing_or_focus_they_are_the_cross_entropies(ops: Backend) -> None:
    Y, T = ops.matrix(LOGITS), ops.matrix(SOFT)
    for method in ("rows", "gradient"):
        plain, none = (ops.to_numpy(getattr(loss, method)(ops, Y, T)) for loss in (SoftmaxCrossEntropy(), LabelSmoothing(0.0)))
        np.testing.assert_array_equal(plain, none)
        half, focal = (ops.to_numpy(getattr(loss, method)(ops, Y, T)) for loss in (LOSSES.build("BCE"), Focal(0.0, 0.5)))
        np.testing.assert_allclose(half / 2, focal, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("loss", [LabelSmoothing(), KLDivergence(), Focal(), Hinge(), SoftmaxFocal()], ids=repr)
def test_extreme_logits_give_finite_losses(ops_of_dtype: Backend, loss: Loss) -> None:
    ops = ops_of_dtype
    Y, T = ops.matrix([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]]), ops.matrix([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    for method in (loss.rows, loss.value, loss.gradient):
        assert np.isfinite(ops.to_numpy(method(ops, Y, T))).all()
    assert ops.to_numpy(loss.rows(ops, Y, T)).max() >= 2500


def test_a_class_beyond_the_margin_has_no_hinge_loss(ops: Backend) -> None:
    """By hand: the target has 2, the others 1.5 and 0; of the margin 1 only 0.5 is missing, a third of which is the loss."""
    Y, T = ops.matrix([[2.0, 1.5, 0.0]]), ops.matrix([[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(ops.to_numpy(Hinge().rows(ops, Y, T)), [[0.5 / 3]], rtol=1e-15)
    np.testing.assert_allclose(ops.to_numpy(Hinge().gradient(ops, Y, T)), [[-1 / 3, 1 / 3, 0]], rtol=1e-15)


@pytest.mark.parametrize("entry", [entry for entry in LOSSES if entry.skips_padding], ids=lambda entry: entry.__name__)
def test_padding_has_no_loss_and_no_gradient(ops_of_dtype: Backend, entry: type[Loss]) -> None:
    """Also where an output is 0, or as far away as can be; the rows beside it are as they are alone."""
    ops, loss = ops_of_dtype, entry()
    Y, T = np.array([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [1e30, -1e30, 0.0]]), np.array([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]])
    rows, gradient = (ops.to_numpy(f(ops, ops.matrix(Y), ops.matrix(T))) for f in (loss.rows, loss.gradient))
    assert not rows[1:].any()
    assert not gradient[1:].any()
    np.testing.assert_array_equal(gradient[:1], ops.to_numpy(loss.gradient(ops, ops.matrix(Y[:1]), ops.matrix(T[:1]))))
    assert rows[0] > 0


def test_smoothing_is_of_the_sum_of_the_targets(ops: Backend) -> None:
    """By hand: two targets of 1 among four classes, α = 1/2: each has 1/2 + (1/2) (2/4) = 3/4, the others 1/4."""
    Y, T = ops.matrix([[0.0, 0, 0, 0]]), ops.matrix([[1.0, 1, 0, 0]])
    np.testing.assert_allclose(ops.to_numpy(LabelSmoothing(0.5).gradient(ops, Y, T)), [[-0.25, -0.25, 0.25, 0.25]], rtol=1e-15)


@pytest.mark.parametrize("name", ["HingeLoss", "MultiMarginLoss", "KLDivLoss", "FocalLoss", "SmoothL1Loss", "label_smoothing(0.2)"])
def test_names_of_other_frameworks(name: str) -> None:
    assert isinstance(LOSSES.parse(name), Loss)
