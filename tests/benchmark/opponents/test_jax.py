from __future__ import annotations

import pytest

from nerva_core.benchmark.opponents import JaxScan
from tests.benchmark.networks import KINDS, check_that_it_agrees
from tests.conftest import load_frameworks


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_ours_does(kind: str) -> None:
    load_frameworks()
    check_that_it_agrees(JaxScan, kind)
