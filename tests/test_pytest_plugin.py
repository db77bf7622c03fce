import subprocess
import sys
from pathlib import Path

CODE = """
import numpy as np
import pytest

def square(x):
    return x * x, x

def square_backward(dy, x):
    return 2 * dy * x

def square_wrong(dy, x):
    return dy * x

@pytest.mark.gradient("x: N D", square_backward)
def test_right():
    return square

@pytest.mark.gradient("x: N D", square_wrong)
def test_wrong():
    return square
"""


def test_the_marker_proves_what_a_test_returns(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(CODE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "nerva_core.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        "test_own.py",
    ]
    # Without the plugins that are installed, of which it may be one already.
    environment = {"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "1 failed, 1 passed" in found.stdout, found.stdout
    assert "multiply dx by 2" in found.stdout
