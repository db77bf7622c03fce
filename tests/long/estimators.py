"""The checks of scikit-learn on every backend; on NumPy they are with the other tests."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

from nerva_core.estimators import NervaClassifier, NervaRegressor


@pytest.mark.parametrize("cls", [NervaClassifier, NervaRegressor])
def test_the_checks_of_scikit_learn_pass_on_every_backend(ops: Any, cls: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(cls(epochs=60, backend=ops.name), on_fail=None, on_skip=None)
    assert {result["check_name"] for result in results if result["status"] not in ("passed", "skipped")} == set()
