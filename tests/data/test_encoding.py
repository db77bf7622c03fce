from typing import Any

import numpy as np
import pytest

from nerva_core.data.dataset import Dataset, scaled
from nerva_core.data.encoding import Encoding


def test_without_numbers_the_inputs_are_the_examples() -> None:
    X = np.array([[1.0, -2.0]])
    assert Encoding().inputs(X) is X


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["unit", "standard"])
def test_new_examples_are_scaled_bit_for_bit_as_the_training_set_was(scaling: Any, dtype: str) -> None:
    X = np.random.default_rng(0).normal(3, 2, (7, 3)).astype(dtype)
    X[:, 1] = 5  # a constant column
    T = np.zeros(7, dtype=int)
    data = scaled(Dataset(X, T, X, T, 2), scaling)
    again = data.encoding.inputs(X[2:4])
    assert again.dtype == X.dtype
    np.testing.assert_array_equal(again, data.Xtrain[2:4])
    if scaling == "unit":
        low, high = X.min(), X.max()
        np.testing.assert_allclose(again, (X[2:4] - low) / (high - low), rtol=1e-6)
    else:
        np.testing.assert_array_equal(again[:, 1], 0)
        np.testing.assert_allclose(data.Xtrain.std(axis=0), [1, 0, 1], rtol=1e-5)


def test_the_shift_is_a_sum_of_two() -> None:
    shift = np.array([[1e6 + 0.123, 0.5]])
    first, second = Encoding(shift, np.ones((1, 2))).offsets()
    assert (first.astype("float32") == first).all()
    np.testing.assert_array_equal(first + second, shift)
    assert abs(second).max() < 0.1
