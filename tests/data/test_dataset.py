from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data.dataset import Dataset, class_numbers, make_dataset, one_hot, scaled, split

X = np.arange(12.0).reshape(6, 2)
T = np.array([0, 1, 2, 0, 1, 2])


def make(**changes: Any) -> Dataset:
    regression = changes.pop("regression", False)
    classes = changes.pop("classes", None)
    arrays = {"Xtrain": X, "Ttrain": T, "Xtest": X, "Ttest": T, **changes}
    return make_dataset("data", **arrays, regression=regression, classes=classes)


@pytest.mark.parametrize("labels", [T, T[:, None], T.astype(float), one_hot(T, 3), one_hot(T, 3).astype(bool)])
def test_labels_in_all_documented_shapes(labels: np.ndarray[Any, Any]) -> None:
    data = make(Ttrain=labels)
    np.testing.assert_array_equal(data.Ttrain, T)
    assert data.classes == 3


def test_targets_are_one_hot_or_a_column() -> None:
    data = make()
    np.testing.assert_array_equal(data.targets(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    binary = make(Ttrain=T % 2, Ttest=T % 2)
    np.testing.assert_array_equal(binary.targets(np.array([1, 0]), 1), [[1], [0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Xtrain": np.array([[1.0, np.nan]] * 6)}, "finite, got nan in row 0, column 1"),
        ({"Xtest": np.full((6, 2), np.inf)}, "Xtest must be finite, got inf"),
        ({"Xtrain": X[:5]}, "Xtrain has 5 rows, but Ttrain has 6"),
        ({"Xtest": np.ones((6, 3))}, "Xtrain has 2 columns, but Xtest has 3"),
        ({"Xtrain": np.array([["a", "b"]] * 6)}, "must hold numbers"),
        ({"Xtrain": np.ones(6)}, "must be a matrix"),
        ({"Xtrain": np.ones((0, 2)), "Ttrain": np.ones(0)}, "must be a matrix with an example in every row"),
        ({"Ttrain": T - 1}, "must not be negative, got -1 in Ttrain"),
        ({"Ttest": T + 1}, r"labels must be in 0..2, got 3 in Ttest"),
        ({"classes": 2}, r"labels must be in 0..1, got 2 in Ttrain"),
        ({"Ttrain": T + 0.5}, "class numbers 0, 1, 2, ..., got 0.5"),
        ({"Ttrain": np.full(6, np.nan)}, "class numbers 0, 1, 2, ..., got nan"),
        ({"Ttrain": np.ones((6, 2))}, "must be one-hot"),
        ({"Ttrain": np.ones((6, 2, 2))}, r"must have shape \(N,\), \(N, 1\) or \(N, K\)"),
        ({"Ttrain": T * 10**9}, "class numbers count from 0"),
        ({"Ttrain": np.array(["a"] * 6)}, "must hold class numbers"),
        ({"regression": True, "Ttrain": np.ones((6, 2))}, "Ttrain has 2 columns, but Ttest has 1"),
    ],
)
def test_unsound_data_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        make(**changes)


def test_images_become_rows() -> None:
    images = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
    data = make(Xtrain=images, Xtest=images)
    assert data.Xtrain.shape == (6, 4)
    assert data.Xtrain.dtype == np.float32


def test_outputs_must_fit() -> None:
    with pytest.raises(NervaError, match="2 outputs, but the data have 3 classes"):
        make().check_outputs(2)
    with pytest.raises(NervaError, match="2 outputs, but the targets have 1 column"):
        make(regression=True).check_outputs(2)
    make(Ttrain=T % 2, Ttest=T % 2).check_outputs(1)
    make().check_outputs(3)


def test_scaling_uses_the_training_set_only() -> None:
    data = make(Xtest=X + 100)
    unit = scaled(data, "unit")
    assert (unit.Xtrain.min(), unit.Xtrain.max()) == (0, 1)
    assert unit.Xtest.min() > 1
    standard = scaled(data, "standard")
    np.testing.assert_allclose(standard.Xtrain.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(standard.Xtrain.std(axis=0), 1)
    assert scaled(data, "none") is data


def test_a_constant_column_is_scaled_to_zero() -> None:
    constant = np.column_stack([np.full(6, 7.0), np.arange(6)])
    assert (scaled(make(Xtrain=constant), "standard").Xtrain[:, 0] == 0).all()


def test_split_is_stratified_and_repeats() -> None:
    labels = np.repeat([0, 1], [80, 20])
    first, second = (split(np.random.default_rng(1), np.arange(100.0)[:, None], labels, 0.2, stratified=True) for _ in range(2))
    assert (first[3] == 1).sum() == 4
    np.testing.assert_array_equal(first[0], second[0])
    assert set(first[0][:, 0]) | set(first[2][:, 0]) == set(range(100))
    for fraction, message in ((0.0, "which has 0, and 100"), (0.001, "which has 1, and 99"), (0.999, "has 100, and 0")):
        with pytest.raises(NervaError, match=f"cannot split 100 examples .*{message} in the first: each must have one of every class"):
            split(np.random.default_rng(1), np.arange(100.0)[:, None], labels, fraction, stratified=True)
    with pytest.raises(NervaError, match=r"cannot split 1 example .* neither may be empty; choose another fraction"):
        split(np.random.default_rng(1), X[:1], T[:1], 0.2, stratified=False)


def test_class_numbers_keep_integers() -> None:
    assert class_numbers("data", "T", np.array([2.0, 0.0])).dtype == np.int64


@pytest.mark.parametrize("value", [14.62, 0.1, 1e6 / 3, -1e-3 / 7, 0.0])
def test_a_constant_column_is_recognised_though_its_variance_is_rounded(value: float) -> None:
    """1000 x 14.62 has a standard deviation of 1.7e-13, by which 14.63 would become 5e10."""
    N = 1000
    examples = np.stack([np.full(N, value), np.arange(N) / 7], axis=1)
    labels = np.arange(N) % 2
    data = scaled(make(Xtrain=examples, Xtest=examples, Ttrain=labels, Ttest=labels), "standard")
    assert data.encoding.spread is not None
    assert data.encoding.spread[0, 0] == 1
    assert np.abs(data.encoding.inputs(np.array([[value + 0.01, 0]]))[0, 0]) < 0.02


@pytest.mark.parametrize(("centre", "width"), [(1e6, 1e-3), (1e5, 0.01), (0, 1e-30)])
def test_a_narrow_column_is_not_constant(centre: float, width: float) -> None:
    examples = centre + width * np.random.default_rng(0).normal(size=(1000, 1))
    labels = np.arange(1000) % 2
    data = scaled(make(Xtrain=examples, Xtest=examples, Ttrain=labels, Ttest=labels), "standard")
    np.testing.assert_allclose(data.Xtrain.std(axis=0), 1, rtol=1e-6)


def test_labels_that_do_not_count_from_0() -> None:
    with pytest.raises(NervaError, match=r"3 outputs, but the data have 4 classes; class 0 does not occur.* the labels from 1"):
        make(Ttrain=T + 1, Ttest=T + 1).check_outputs(3)


def test_classes_without_an_example_are_told() -> None:
    X, T = np.ones((4, 2)), np.array([1, 2, 1, 2])
    data = make_dataset("x", X, T, X, T, regression=False)
    assert data.warning == "class 0 does not occur in the training examples; class numbers count from 0"
    assert make_dataset("x", X, T - 1, X, T - 1, regression=False).warning == ""
    assert make_dataset("x", X, T - 1, X, T - 1, regression=False, classes=9).warning.startswith("classes 2, 3, 4, 5, 6, ... do not occur")
    assert make_dataset("x", X, X, X, X, regression=True).warning == ""
