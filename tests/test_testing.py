from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from nerva_core.testing import assert_gradient

ZOO = load_file(Path(__file__).parents[1] / "examples" / "zoo" / "numpy_zoo.py")


def test_a_right_gradient_passes_and_a_wrong_one_is_told() -> None:
    assert_gradient(ZOO.gram, "x: N D", ZOO.gram_backward)
    with pytest.raises(AssertionError, match="should be"):
        assert_gradient(ZOO.gram, "x: N D", ZOO.gram_once)
    assert_gradient(ZOO.gram, "x: N D", ZOO.gram_once, different="one half is wanted")


def test_a_function_without_a_module_is_told() -> None:
    with pytest.raises(NervaError, match="top level"):
        assert_gradient(lambda x: x, "x: N")
