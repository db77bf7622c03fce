"""The table of losses: what is missing has a nearest one, and what the outputs are to a loss is stated."""

from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.losses import LOSSES, BinaryCrossEntropy, Focal, KLDivergence, LabelSmoothing, SmoothL1


def test_what_is_missing_has_a_nearest() -> None:
    with pytest.raises(NervaError, match=r"PoissonNLLLoss.*the nearest is SquaredError"):
        LOSSES.parse("PoissonNLLLoss")


def test_what_the_outputs_are() -> None:
    assert {loss.takes for loss in (LabelSmoothing(), KLDivergence(), Focal(), BinaryCrossEntropy())} == {"logits"}
    assert (Focal().threshold, SmoothL1().classification, LabelSmoothing().classification) == (0.0, False, True)
