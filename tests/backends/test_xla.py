from __future__ import annotations

import os

import pytest

from backends.xla import OPTION, loops_for_sums


@pytest.mark.parametrize(
    ("version", "given", "inside"),
    [
        ("0.10.2", None, f"--xla_backend_extra_options={OPTION}"),
        ("0.10.2", "--xla_a=1", f"--xla_a=1 --xla_backend_extra_options={OPTION}"),
        ("0.10.2", "--xla_backend_extra_options=x", "--xla_backend_extra_options=x"),
        ("0.9.0", None, None),
    ],
)
def test_the_flags_are_set_only_inside_and_only_where_they_are_known(
    version: str, given: str | None, inside: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if given is not None:
        monkeypatch.setenv("XLA_FLAGS", given)
    with loops_for_sums("jax", version):
        assert os.environ.get("XLA_FLAGS") == inside
    assert os.environ.get("XLA_FLAGS") == given
