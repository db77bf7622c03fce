from __future__ import annotations

from nerva_core.benchmark.machine import processor, versions


def test_the_processor_and_the_versions_are_known() -> None:
    assert processor()
    assert versions()["numpy"]
