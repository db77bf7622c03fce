"""What C++ code writes to a stream can be silenced; afterwards the stream is as it was."""

from __future__ import annotations

import os

import pytest

from backends.quiet import silent


def test_nothing_is_written_within(capfd: pytest.CaptureFixture[str]) -> None:
    for stream in (1, 2):
        with silent(stream):
            os.write(stream, b"within")
        os.write(stream, b"after")
    with pytest.raises(ValueError, match="as ever"), silent(2):
        raise ValueError("as ever")
    os.write(2, b" all")
    assert capfd.readouterr() == ("after", "after all")
