"""CTC against torch's ctc_loss and against the sum over all alignments; what it bars, and where it would overflow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.equations.ctc import CTC
from nerva_core.equations.losses import LOSSES
from tests.conftest import make_backend

P, C = 4, 3
LABELS = ([1, 2], [2], [], [1, 1], [2, 1, 2])
Array = np.ndarray[Any, Any]


def targets(labels: Any, positions: int = P, classes: int = C) -> Array:
    T = np.zeros((len(labels), positions, classes))
    for n, label in enumerate(labels):
        T[n, range(len(label)), label] = 1
    return T.reshape(len(labels), -1)


def torch_ctc(Y: Array, labels: Any, positions: int = P, classes: int = C) -> tuple[Array, Array]:
    """The losses, and the gradient of their sum."""
    import torch

    y = torch.tensor(Y, requires_grad=True)
    logs = y.reshape(len(labels), positions, classes).log_softmax(-1).transpose(0, 1)
    flat, lengths = torch.tensor(list(itertools.chain(*labels))), torch.tensor([len(label) for label in labels])
    losses = torch.nn.functional.ctc_loss(logs, flat, torch.full((len(labels),), positions), lengths, reduction="none")
    losses.sum().backward()
    return losses.detach().numpy()[:, None], y.grad.numpy()


def test_losses_and_gradients_are_those_of_torch(ops: Backend, rng: np.random.Generator) -> None:
    Y = 2 * rng.normal(size=(len(LABELS), P * C))
    expected, gradient = torch_ctc(Y, LABELS)
    y, t = ops.matrix(Y), ops.matrix(targets(LABELS))
    np.testing.assert_allclose(ops.to_numpy(CTC(C).rows(ops, y, t)), expected, rtol=1e-12)
    np.testing.assert_allclose(ops.to_numpy(CTC(C).gradient(ops, y, t)), gradient, rtol=0, atol=1e-12)


def test_it_is_the_sum_over_all_alignments(rng: np.random.Generator) -> None:
    """Of 3⁴ sequences those count that become the labels without repetitions, and then without blanks."""
    Y = rng.normal(size=(len(LABELS), P, C))
    probabilities = np.exp(Y) / np.exp(Y).sum(axis=2, keepdims=True)
    likelihoods = np.zeros(len(LABELS))
    for path in itertools.product(range(C), repeat=P):
        label = [k for k, _ in itertools.groupby(path) if k]
        for n in (n for n, wanted in enumerate(LABELS) if wanted == label):
            likelihoods[n] += probabilities[n, range(P), path].prod()
    found = CTC(C).rows(make_backend("numpy", "float64"), Y.reshape(len(LABELS), -1), targets(LABELS))
    np.testing.assert_allclose(found[:, 0], -np.log(likelihoods), rtol=1e-13)


def test_what_is_far_less_likely_than_all_else_does_not_vanish(ops_of_dtype: Backend) -> None:
    """Twelve labels of probability e⁻³⁰ each among blanks: e⁻³⁶⁰ is no number of float32."""
    ops, labels = ops_of_dtype, [[1, 2] * 6]
    Y = np.tile([30.0, 0, 0], 25)[None]
    expected, gradient = torch_ctc(Y, labels, 25)
    y, t = ops.matrix(Y), ops.matrix(targets(labels, 25))
    np.testing.assert_allclose(ops.to_numpy(CTC(C).rows(ops, y, t)), expected, rtol=1e-5)
    np.testing.assert_allclose(ops.to_numpy(CTC(C).gradient(ops, y, t)), gradient, rtol=0, atol=1e-3)


def test_labels_that_the_positions_cannot_hold() -> None:
    """Between two equal labels there must be a blank: three positions hold 1 1, two do not."""
    ops, Y = make_backend("numpy", "float64"), np.zeros((1, 2 * C))
    assert CTC(C).rows(ops, Y, targets([[1, 1]], 2)).item() >= 1e20
    assert CTC(C).rows(ops, np.zeros((1, 3 * C)), targets([[1, 1]], 3)).item() == pytest.approx(3 * np.log(3))


def test_its_name_and_its_columns() -> None:
    assert LOSSES.parse("CTCLoss(classes=3)") == CTC(3)
    with pytest.raises(NervaError, match="must be a multiple of the 3 classes, got 4"):
        CTC(3).rows(make_backend("numpy", "float64"), np.zeros((1, 4)), np.zeros((1, 4)))
