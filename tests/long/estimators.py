"""The checks of scikit-learn on every installed backend; those on NumPy are in the other tests too.

python -m tests.long.estimators                     # ten minutes
python -m tests.long.estimators --backends torch
"""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import Any

from sklearn.utils.estimator_checks import check_estimator

from nerva_core.algebra.numeric_backend import backends_named
from nerva_core.estimators import NervaClassifier, NervaRegressor


def failures(cls: Any, backend: str) -> list[str]:
    """The checks that an estimator fails, each with its message."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks warn of what they do
        results = check_estimator(cls(epochs=60, backend=backend), on_fail=None, on_skip=None)
    return [f"{result['check_name']}: {result['exception']}" for result in results if result["status"] not in ("passed", "skipped")]


def main() -> None:
    """Exit status 1 if a check fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--backends")
    failed = False
    for backend in backends_named(parser.parse_args().backends):
        for cls in (NervaClassifier, NervaRegressor):
            found = failures(cls, backend)
            failed = failed or bool(found)
            print(f"{backend:12} {cls.__name__:16} {found or 'passes'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
