"""Update rules as optimizers of PyTorch: the bits of our own training, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.equations.optimizers import GAF, Adam, Momentum, Optimizer
from nerva_core.interoperability import torch as interop
from tests.conftest import load_frameworks, make_backend
from tests.interoperability.cases import (
    LOSS,
    NETWORK,
    RULES,
    D,
    N,
    data,
    trained_by_the_equations,
)

pytest.importorskip("torch")
load_frameworks()


def tensors(tree: Any, requires_grad: bool = False) -> Any:
    return map_tree(lambda matrix: torch.tensor(matrix, requires_grad=requires_grad), tree)


def test_each_parameter_has_its_own_step_count_and_dtype() -> None:
    def slope(*parameters: torch.Tensor) -> None:
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)

    early, late = torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.float64))
    optimizer = interop.optimizer([early, late], "Adam", lr=0.1)
    for _ in range(5):
        slope(early)
        optimizer.step()
    slope(early, late)
    optimizer.step()
    np.testing.assert_allclose(late.detach(), -0.1, rtol=1e-7)


def test_a_state_of_another_rule_is_refused() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    adam = interop.optimizer([weight], "Adam", lr=0.1)
    weight.grad = torch.ones(2, 2)
    adam.step()
    with pytest.raises(NervaError, match="Momentum keeps Delta, step of a parameter, but the state_dict has m, step, v"):
        interop.optimizer([weight], "Momentum", lr=0.1).load_state_dict(adam.state_dict())


def test_a_parameter_without_elements_stays_as_it_is() -> None:
    parameters = [torch.nn.Parameter(torch.ones(shape)) for shape in ((0, 3), (0,), (2, 0, 3), (1,))]
    optimizer = interop.optimizer(parameters, "Momentum", lr=0.5)
    sum(parameter.sum() for parameter in parameters).backward()
    optimizer.step()
    assert [parameter.tolist() for parameter in parameters] == [[], [], [[], []], [0.5]]


def test_parameters_that_an_optimizer_does_not_take() -> None:
    half = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.float16))
    half.grad = torch.ones_like(half)
    with pytest.raises(NervaError, match=r"got torch.float16; keep the parameters in float32 under torch.autocast"):
        interop.optimizer([half], "Adam", lr=0.1).step()
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(NervaError, match="a sparse one"):
        interop.optimizer(table.parameters(), "Adam", lr=0.1).step()
    with pytest.raises(NervaError, match=r"lr must be a finite number >= 0, got '0\.1'"):
        interop.optimizer([half], "Adam", lr="0.1")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_training_with_a_module_and_an_optimizer_is_ours_to_the_last_bit(rule: Optimizer, dtype: Any) -> None:
    """Parameters and running statistics after four steps, with noise; PyTorch does the differentiation and the bookkeeping."""
    steps, eta = 4, 0.1
    module = interop.module(NETWORK, D, seed=0, dtype=dtype)
    rng, ops = np.random.default_rng(5), make_backend("torch", dtype)
    noises = [NETWORK.draw(rng, N, D) for _ in range(steps)]
    optimizer = interop.optimizer(module.parameters(), rule, lr=eta)
    X, T = map_tree(ops.matrix, data())
    for noise in noises:
        optimizer.zero_grad()
        Y = module(X, noise=map_tree(ops.matrix, noise))
        Y.backward(ops.divide(LOSS.gradient(ops, Y.detach(), T), N))
        optimizer.step()
    expected = trained_by_the_equations(ops, NETWORK, rule, eta, noises)
    for actual, exact in zip(leaves((module.tree("params"), module.tree("state"))), expected, strict=True):
        np.testing.assert_array_equal(actual.detach(), exact)


def test_a_resumed_optimizer_goes_on_as_before() -> None:
    def three_steps(weight: Any, optimizer: Any) -> None:
        for _ in range(3):
            optimizer.zero_grad()
            optimizer.step(lambda: (weight**3).sum().backward())

    weight = torch.nn.Parameter(torch.arange(6.0).reshape(1, 2, 3))
    optimizer = interop.optimizer([weight], "GAF(Adam)", lr=0.1)
    three_steps(weight, optimizer)
    other = torch.nn.Parameter(weight.detach().clone())
    resumed = interop.optimizer([other], GAF(Adam()), lr=1.0)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    three_steps(weight, optimizer)
    three_steps(other, resumed)
    assert torch.equal(weight, other)
    assert set(optimizer.state[weight]) == {"step", "m", "v"}


def test_schedulers_of_torch_change_the_learning_rate() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = interop.optimizer([{"params": [weight], "lr": 1.0}], Momentum(0.0), lr=0.5)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        weight.grad = torch.ones(3)
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(weight.detach(), [-1.75] * 3)
    with pytest.raises(NervaError, match="lr must be a finite number >= 0, got -1"):
        interop.optimizer([weight], "SGD", lr=-1)
