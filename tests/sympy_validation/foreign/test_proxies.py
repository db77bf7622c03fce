import sys
from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.gradient_verdict import Rung
from sympy_validation.foreign.proxies import replaced
from sympy_validation.foreign.verdicts import decide


def test_helpers_in_other_files_are_captured_and_the_modules_restored(tmp_path: Path) -> None:
    (tmp_path / "own_helpers.py").write_text("import numpy as np\n\ndef gate(x):\n    return 1 / (1 + np.exp(-x))\n")
    (tmp_path / "own_layers.py").write_text(
        "import numpy as np\nfrom own_helpers import gate\n\ndef swish(x):\n    return x * gate(x), x\n\n"
        "def swish_backward(dy, x):\n    s = gate(x)\n    return dy * (s + x * s * (1 - s))\n"
    )
    module = load_file(tmp_path / "own_layers.py")
    assert decide(module, "swish", "x: N D").rung is Rung.PROVED
    assert module.np is np
    assert sys.modules["own_helpers"].np is np
    del sys.modules["own_helpers"]


def test_random_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own_noise.py").write_text("import numpy as np\n")
    module = load_file(tmp_path / "own_noise.py")
    with replaced(module), pytest.raises(NotCaptured, match="random"):
        module.np.random.randn(3)
    with replaced(module):
        assert module.np.sin(0.0) == 0.0
        assert isinstance(module.np.zeros((2, 3)), module.np.ndarray)


def test_the_length_of_an_array_is_a_size(tmp_path: Path) -> None:
    path = tmp_path / "own_loss.py"
    path.write_text("import numpy as np\n\ndef mean_loss(x):\n    return np.sum(x * x) / len(x), 2 * x / len(x)\n")
    assert decide(load_file(path), "mean_loss", "x: N D").rung is Rung.PROVED
