from __future__ import annotations

import numpy as np
import pytest

from nerva_core.comparison.subjects import subjects

ALL = list(subjects())


@pytest.mark.parametrize("subject", ALL, ids=lambda subject: f"{subject.kind} {subject.name}")
def test_inputs_are_finite_matrices_in_their_dtype_and_repeatable(subject, dtype):
    first, second = subject.inputs(3, dtype), subject.inputs(3, dtype)
    assert first.keys() == second.keys()
    for case in first:
        for name, X in first[case].items():
            assert X.dtype == dtype
            assert X.ndim == 2
            assert np.isfinite(X).all()
            assert np.array_equal(X, second[case][name])
