import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import SOURCES, Checkerboard, SineOfSum, Spirals
from nerva_core.data.synthetic import SortingSequences, Synthetic

SYNTHETIC = [source for source in SOURCES if issubclass(source, Synthetic)]


@pytest.mark.parametrize("source", SYNTHETIC)
def test_sizes_and_repeatability(source: type[Synthetic]) -> None:
    first, second, other = source(n=50).load(), source(n=50).load(), source(n=50, seed=1).load()
    assert (len(first.Xtrain), len(first.Xtest)) == (50, 10)
    np.testing.assert_array_equal(first.Xtrain, second.Xtrain)
    assert not np.array_equal(first.Xtrain, other.Xtrain)


def test_checkerboard_colours_neighbouring_cells_differently() -> None:
    X, T = Checkerboard(cells=2).sample(np.random.default_rng(0), 200)
    np.testing.assert_array_equal(T, (X[:, 0] >= 0) != (X[:, 1] >= 0))


def test_spirals_have_a_class_an_arm() -> None:
    data = Spirals(n=300, arms=4, noise=0).load()
    assert data.classes == 4
    X, T = Spirals(arms=2, turns=0, noise=0).sample(np.random.default_rng(0), 100)
    np.testing.assert_allclose(X[:, 1], 0, atol=1e-15)  # without turns the two arms are the two halves of a line
    np.testing.assert_array_equal(T, X[:, 0] < 0)


def test_sine_of_sum() -> None:
    data = SineOfSum(n=20, d=3).load()
    assert data.classes is None
    np.testing.assert_allclose(data.Ttrain[:, 0], np.sin(np.pi * data.Xtrain.sum(axis=1)))


def test_the_classes_of_a_sequence_are_the_indices_that_sort_it() -> None:
    data = SortingSequences(n=30, length=4).load()
    assert (data.classes, data.positions) == (4, 4)
    for x, t in zip(data.Xtrain, data.Ttrain, strict=True):
        assert 0 <= x.min() <= x.max() <= 1
        assert list(x[t]) == sorted(x)
    T = data.targets(data.Ttrain, 16).reshape(30, 4, 4)
    np.testing.assert_array_equal(T.argmax(axis=2), data.Ttrain)
    np.testing.assert_array_equal(T.sum(axis=2), 1)
    with pytest.raises(NervaError, match="the data have 4 positions of 4 classes, which are 16"):
        data.check_outputs(4)


def test_standardised_sequences_have_mean_0_and_variance_1() -> None:
    X, T = SortingSequences(standardised=True).sample(np.random.default_rng(0), 5000)
    assert abs(X.mean()) < 0.03
    assert abs(X.var() - 1) < 0.03
    np.testing.assert_array_equal(T, np.argsort(X))
