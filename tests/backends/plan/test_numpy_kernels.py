from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from backends.plan.numpy_kernels import COMPARISONS, NumpyKernels
from nerva_core.interpreters.traced import OPERATIONS
from tests.algebra.test_matrix_ops import CASES, NUMBERS, given, map_arrays
from tests.conftest import make_backend

NAMES = [name for name in CASES if name not in (*NUMBERS, "apply", *NumpyKernels.views)]


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_in_given_memory_is_the_operation(name: str, dtype: Any) -> None:
    """Bit for bit, in memory of its own and, if it is elementwise, in that of an operand."""
    ops = make_backend("numpy", dtype)
    kernels = NumpyKernels(ops)
    with np.errstate(all="ignore"):
        for arguments in CASES[name].arguments(dtype):
            arguments = map_arrays(functools.partial(given, ops), arguments)
            expected = getattr(ops, name)(*arguments)
            targets = [np.empty_like(expected)]
            if name in kernels.elementwise:
                targets += [a for a in arguments if isinstance(a, np.ndarray)]
            for target in targets:
                copies = tuple(a if a is target or not isinstance(a, np.ndarray) else a.copy() for a in arguments)
                before = target.copy()
                for call in kernels.calls(name, copies, target):
                    call()
                np.testing.assert_array_equal(target, expected)
                target[...] = before


def test_every_comparison_is_there() -> None:
    assert set(COMPARISONS) <= OPERATIONS.keys()


def test_memory_begins_on_a_cache_line() -> None:
    kernels = NumpyKernels(make_backend("numpy", "float32"))
    assert all(kernels.empty(count, "float32").ctypes.data % 64 == 0 for count in range(1, 40))
