from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.find import find

HERE = Path(__file__).parent


def test_code_is_found_by_its_name() -> None:
    module = load_file(HERE / "foreign_numpy.py")
    assert find(module, "rnn_step").inputs == ("x", "prev_h", "Wx", "Wh", "b")
    assert find(module, "rnn_step_forward").inputs == find(module, "rnn_step_backward").inputs
    assert find(module, "mse").inputs == ("pred", "target")
    assert find(module, "Linear").accepts_any
    assert find(load_file(HERE / "foreign_torch.py"), "LinearFunction").style == "torch"
    assert find(load_file(HERE / "foreign_jax.py"), "leaky").style == "jax"


def test_what_is_not_there_is_told() -> None:
    module = load_file(HERE / "foreign_numpy.py")
    with pytest.raises(NervaError, match="has no function"):
        find(module, "rnn_step_forward/rnn_step_backwards")
