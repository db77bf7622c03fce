from __future__ import annotations

import inspect

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.benchmark.configurations import CONFIGURATIONS, make_problem, named_problem
from nerva_core.commands.bench import bench
from nerva_core.training.config import parse_config


def test_every_configuration_builds() -> None:
    for configuration in CONFIGURATIONS.values():
        assert configuration.config().model.build().outputs_for(configuration.sizes[0]) == configuration.sizes[-1]


def test_a_text_has_a_target_at_every_position() -> None:
    problem = named_problem("G")
    assert (problem.rows.shape, problem.inputs.shape, problem.targets.shape, problem.outputs) == ((5, 12), (60, 64), (60, 64 * 65), 65)
    np.testing.assert_array_equal(problem.targets.reshape(60, 64, 65).argmax(2)[:, :-1], problem.inputs[:, 1:])


def test_the_command_measures_all_of_them() -> None:
    default = inspect.signature(bench).parameters["configurations"].default
    assert default.split(",") == list(CONFIGURATIONS)


def test_the_batches_are_those_of_the_trainer_and_of_one_size() -> None:
    config = parse_config('data = "Digits(train=100, test=10)"\n[training]\nbatch_size = 16')
    problem = make_problem(config, config.data.load())
    assert problem.rows.shape == (6, 16)
    assert sorted(problem.rows.ravel()) == list(range(96))
    assert problem.inputs.dtype == np.float32


def test_a_composition_is_its_layers_with_their_parameters() -> None:
    layers = ["ActivationDropout(5, Tanh)", {"name": "Sequential", "layers": ["BatchNormalization"]}, "Linear(10)"]
    config = parse_config(f'data = "Digits(train=100, test=10)"\n[model]\nlayers = {layers}'.replace("': ", "' = "))
    problem = make_problem(config, config.data.load())
    assert [type(layer).__name__ for layer in problem.layers] == ["LinearDropout", "ActivationLayer", "BatchNormalization", "Linear"]
    assert [[theta.shape for theta in params] for params in problem.params] == [[(5, 64), (1, 5)], [], [(1, 5), (1, 5)], [(10, 5), (1, 10)]]


def test_mistakes() -> None:
    with pytest.raises(NervaError, match="did you mean 'tiny'"):
        named_problem("tinny")
    config = parse_config('data = "Digits(train=8, test=10)"\n[training]\nbatch_size = 16')
    with pytest.raises(NervaError, match="a batch has 16 examples, but there are only 8"):
        make_problem(config, config.data.load())
