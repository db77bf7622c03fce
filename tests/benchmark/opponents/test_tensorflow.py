from __future__ import annotations

import importlib

import pytest

from nerva_core.benchmark.opponents import TensorFlowFunction, tensorflow
from tests.benchmark.networks import KINDS, check_that_it_agrees
from tests.conftest import load_frameworks


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_ours_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load_frameworks()
    monkeypatch.setattr(tensorflow, "import_tensorflow", lambda threads: importlib.import_module("tensorflow"))  # it runs here already
    check_that_it_agrees(TensorFlowFunction, kind)
