import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import SOURCES, Digits
from nerva_core.data.sources import Reconstruction
from nerva_core.training.config import parse_config


def test_digits_are_the_real_ones_with_a_fixed_stratified_split() -> None:
    data = Digits().load()
    assert data.Xtrain.shape == (1437, 64)
    assert data.Xtest.shape == (360, 64)
    assert data.classes == 10
    assert np.bincount(data.Ttest).min() >= 35
    np.testing.assert_array_equal(data.Xtrain, Digits().load().Xtrain)
    assert (data.Xtrain.min(), data.Xtrain.max()) == (0, 1)


def test_limits() -> None:
    data = Digits(train=100, test=7).load()
    assert (len(data.Xtrain), len(data.Ttrain), len(data.Xtest), len(data.Ttest)) == (100, 100, 7, 7)


def test_by_name() -> None:
    assert SOURCES.parse("digits(scaling='none')") == Digits(scaling="none")
    with pytest.raises(NervaError, match="did you mean 'Digits'"):
        SOURCES.parse("Digit")
    with pytest.raises(NervaError, match="train must be >= 1, got 0"):
        SOURCES.parse("Digits(train=0)")


def test_a_reconstruction_has_the_inputs_as_targets() -> None:
    source = SOURCES.parse("Reconstruction(source=Digits(train=30))")
    data = source.load()
    assert data.classes is None
    assert data.Xtrain.shape == (30, 64)
    np.testing.assert_array_equal(data.Xtrain, data.Ttrain)
    np.testing.assert_array_equal(data.Xtest, data.Ttest)
    assert source == Reconstruction(source=Digits(train=30))
    model = 'loss = "MeanSquaredError"\n[model]\nlayers = ["Linear(64)"]'
    config = parse_config(f'data = "Reconstruction(source=Digits(train=30))"\n{model}')
    assert parse_config(config.to_toml()) == config
