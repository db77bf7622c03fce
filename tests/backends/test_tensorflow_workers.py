"""Workers of TensorFlow: two processes find what one finds, up to rounding; what is missing to find the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from nerva_core.algebra.errors import NervaError
from tests.backends.workers import SMALL, trained

tensorflow = pytest.importorskip("tensorflow")


@pytest.mark.sampled(2)  # it starts three processes: make long-tests runs it
def test_two_workers_find_what_numpy_finds(tmp_path: Path) -> None:
    expected, found = (load_file(trained(tmp_path, SMALL, *given)) for given in (("numpy", 1), ("tensorflow", 2)))
    assert expected.keys() == found.keys()
    for name, X in expected.items():
        np.testing.assert_allclose(found[name], X, rtol=1e-5, atol=1e-6)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from backends.tensorflow_workers import TensorFlowWorkers

    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(NervaError, match="find each other by TF_CONFIG"):
        TensorFlowWorkers(tensorflow)
