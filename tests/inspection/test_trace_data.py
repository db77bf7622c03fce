from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from tests.inspection.test_trace import traced


def test_an_unknown_matrix_is_answered_with_the_nearest() -> None:
    with pytest.raises(NervaError, match=r"no matrix '1.Dw'; did you mean '1.DW'"):
        traced("Linear", [3, 2])["1.Dw"]
