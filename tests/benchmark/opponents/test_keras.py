from __future__ import annotations

import importlib

import pytest

from nerva_core.benchmark.opponents import KerasTensorFlow, KerasTorch, keras
from tests.benchmark.networks import KINDS, check_that_it_agrees
from tests.conftest import load_frameworks


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sequences"])
def test_it_computes_what_ours_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the backend that Keras has in this process."""
    load_frameworks()
    backend = pytest.importorskip("keras").backend.backend()
    monkeypatch.setattr(keras, "import_tensorflow", lambda threads: importlib.import_module("tensorflow"))  # it runs here already
    check_that_it_agrees(KerasTorch if backend == "torch" else KerasTensorFlow, kind)
