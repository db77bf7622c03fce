from __future__ import annotations

from typing import Any

import pytest

from nerva_core.benchmark.contenders import NoCounterpartError
from nerva_core.benchmark.opponents import TorchChannelsLast, TorchEager
from tests.benchmark.networks import KINDS, check_that_it_agrees, problem
from tests.conftest import load_frameworks

IMAGES = ("images", "pooled images")


@pytest.mark.parametrize(("cls", "kind"), [(TorchEager, kind) for kind in KINDS] + [(TorchChannelsLast, kind) for kind in IMAGES])
def test_it_computes_what_ours_does(cls: Any, kind: str) -> None:
    load_frameworks()
    check_that_it_agrees(cls, kind)


def test_only_images_have_channels() -> None:
    with pytest.raises(NoCounterpartError, match="no images"):
        TorchChannelsLast(problem(), 1)
