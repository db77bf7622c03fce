from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree, with_leaves
from nerva_core.equations.activations import ReLU
from nerva_core.equations.optimizers import Adam
from nerva_core.interoperability import torch as interop
from nerva_core.layers import ActivationLayer, BatchNormalization, Dropout, Layer, Linear, QActivation, Sequential
from tests.conftest import load_frameworks, make_backend
from tests.helpers import assert_trees_equal
from tests.interoperability.cases import (
    DIFFERENTIABLE,
    EVERY_LAYER,
    NETWORK,
    D,
    N,
    by_the_equations,
    inputs_of,
)

pytest.importorskip("torch")
load_frameworks()
import torch  # noqa: E402
from torch.nn.utils import prune  # noqa: E402


def tensors(tree: Any, requires_grad: bool = False) -> Any:
    return map_tree(lambda matrix: torch.tensor(matrix, requires_grad=requires_grad), tree)


@pytest.mark.parametrize("layer", EVERY_LAYER, ids=repr)
def test_the_gradients_are_those_of_the_equations(layer: Layer) -> None:
    X, params, noise, DY = inputs_of(layer)
    X, params = tensors((X, params), requires_grad=True)
    Y, state = interop.function(layer)(params, X, *tensors(noise), state=tensors(layer.initial_state(D)))
    gradients = torch.autograd.grad(Y, [X, *leaves(params)], torch.tensor(DY))
    expected_Y, expected, expected_state = by_the_equations(make_backend("torch", "float64"), layer)
    np.testing.assert_array_equal(Y.detach(), expected_Y)
    for gradient, exact in zip(gradients, expected, strict=True):
        np.testing.assert_array_equal(gradient, exact)
    assert_trees_equal(map_tree(lambda s: s.detach().numpy(), state), expected_state)
    assert not any(s.requires_grad for s in leaves(state))


@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=repr)
def test_the_gradients_are_those_of_differences(layer: Layer) -> None:
    """PyTorch's own check, by differences of the forward pass in float64."""
    X, params, noise, _ = inputs_of(layer)
    X, params = tensors((X, params), requires_grad=True)
    f, drawn = interop.function(layer), tensors(noise)
    assert torch.autograd.gradcheck(lambda X, *matrices: f(with_leaves(params, matrices), X, *drawn), (X, *leaves(params)))


def test_a_wrong_backward_pass_is_seen_by_the_check_of_differences() -> None:
    class Wrong(Linear):
        def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
            DX, gradients = super().backpropagate(ops, params, cache, DY)
            return 2 * DX, gradients

    X, params, _, _ = inputs_of(Linear(2))
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda X: interop.function(Wrong(2))(tensors(params), X), torch.tensor(X, requires_grad=True))


def test_a_network_of_modules_equals_one_of_torch_nn() -> None:
    """Forward, gradients and running statistics against PyTorch's own layers and differentiation, mixed with its layers."""
    nn, X = torch.nn, torch.randn(8, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours = nn.Sequential(nn.Linear(D, 4), interop.module("BatchNormalization", 4), interop.module("SiLU", 4), nn.Linear(4, 2)).double()
    theirs = nn.Sequential(ours[0], nn.BatchNorm1d(4), nn.SiLU(), ours[3]).double()
    for network in (ours, theirs):
        network.zero_grad()
        network(X).sin().sum().backward()
        network.weight_gradient = ours[0].weight.grad.clone()
    np.testing.assert_allclose(ours.weight_gradient, theirs.weight_gradient, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours[1].gamma.grad[0], theirs[1].weight.grad, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours[1].state.mean[0], theirs[1].running_mean, rtol=0, atol=1e-14)
    ours[1].state.Sigma.copy_(theirs[1].running_var)  # PyTorch averages the variance divided by N - 1
    for network in (ours, theirs):
        network.eval()
    x = X.clone().requires_grad_()
    np.testing.assert_allclose(ours(x).detach(), theirs(x).detach(), rtol=0, atol=1e-12)
    slopes = [torch.autograd.grad(network(x).sum(), x)[0] for network in (ours, theirs)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", [NETWORK, Dropout(0.25)], ids=repr)
def test_a_module_draws_from_the_generator_of_torch(layer: Layer) -> None:
    X = torch.randn(2, 4, D, generator=torch.Generator().manual_seed(0))
    first, other = (interop.module(layer, D, seed=seed) for seed in (1, 2))
    other.load_state_dict(first.state_dict())
    torch.manual_seed(1)
    Y = first(X)
    assert Y.shape[:2] == (2, 4)
    assert not torch.equal(first(X), Y)
    torch.manual_seed(1)
    assert torch.equal(other(X), Y)
    noise = first.draw(X)
    assert torch.equal(first(X, noise=noise), first(X, noise=noise))
    first.eval()
    assert torch.equal(first(X), first(X))


def test_activation_checkpointing_draws_the_same_mask() -> None:
    from torch.utils.checkpoint import checkpoint

    module, X = interop.module("Dropout(0.5)", D), torch.ones(50, D, requires_grad=True)
    Y = checkpoint(module, X, use_reentrant=False)
    (DX,) = torch.autograd.grad(Y.sum(), X)
    assert torch.equal(DX, Y)


def test_a_module_is_an_ordinary_module() -> None:
    module = interop.module("Linear(4); BatchNormalization; q-elu(gamma=0.5)", D, dtype="float64")
    assert list(module.state_dict()) == ["0.W", "0.b", "1.gamma", "1.beta", "state.1.mean", "state.1.Sigma"]
    clone = copy.deepcopy(module)
    clone(torch.randn(4, D, dtype=torch.float64)).sum().backward()
    assert clone.get_parameter("0.W").grad is not None
    assert module.get_parameter("0.W").grad is None
    assert module.float()(torch.randn(4, D)).dtype == torch.float32
    module.layer = module.layer.at_epoch(3)
    assert module.layer.layers[2].lambda_ == 0.01
    with pytest.raises(NervaError, match="made for 3 inputs, but X has 4 columns"):
        module(torch.randn(4, 4))


def test_what_cannot_be_is_refused() -> None:
    f, X = interop.function("ReLU"), torch.ones(2, 2, requires_grad=True)
    Y = f((), X)
    with pytest.raises(NervaError, match="gradients of gradients"):
        torch.autograd.grad(Y, X, torch.ones_like(Y), create_graph=True)
    for wrong, message in {
        1.0: "X must be a tensor, got float",
        torch.ones(2, 2, dtype=torch.int64): "floating-point numbers, got torch.int64",
        torch.tensor(1.0): "without axes",
        torch.ones(2, 3).to_sparse(): r"must be a dense tensor, .* write X.to_dense\(\)",
    }.items():
        with pytest.raises(NervaError, match=message):
            f((), wrong)


def test_it_compiles_in_one_graph() -> None:
    torch.compiler.reset()
    layer = Sequential((Linear(4), BatchNormalization(), ActivationLayer(ReLU())))
    module, X = interop.module(layer, D), torch.randn(N, D)
    compiled = torch.compile(copy.deepcopy(module), backend="aot_eager", fullgraph=True)
    for network in (module, compiled):
        network(X).sin().sum().backward()
    for (name, ours), theirs in zip(module.named_parameters(), compiled.parameters(), strict=True):
        np.testing.assert_allclose(theirs.grad, ours.grad, rtol=0, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(compiled.get_buffer("state.1.mean"), module.get_buffer("state.1.mean"), rtol=0, atol=1e-6)


HVP = [Linear(2), BatchNormalization(), ActivationLayer(ReLU()), NETWORK]


@pytest.mark.parametrize("layer", HVP, ids=repr)
def test_a_second_derivative_equals_differences_or_is_refused(layer: Layer) -> None:
    """With grad_outputs that require no gradient, as in a gradient penalty."""
    X, params, noise, DY = inputs_of(layer)
    X, params = tensors((X, params), requires_grad=True)
    Y = interop.function(layer)(params, X, *tensors(noise))
    with pytest.raises(NervaError, match="gradients of gradients are refused"):
        torch.autograd.grad(Y, X, torch.tensor(DY), create_graph=True)


def test_objects_are_pickled_and_saved() -> None:
    """Modules, optimizers and scaling; the classes are found by their names."""
    module, X = interop.module("Linear(4); BatchNormalization", D), torch.randn(N, D)
    optimizer = interop.optimizer(module.parameters(), "Adam", lr=0.1)
    module(X).sum().backward()
    optimizer.step()
    module.eval()
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    for again in (pickle.loads(pickle.dumps(module)), torch.load(buffer, weights_only=False), copy.deepcopy(module)):
        assert torch.equal(again(X), module(X))
    other = pickle.loads(pickle.dumps(optimizer))
    assert other.rule == Adam()
    assert [state["step"] for state in other.state.values()] == [1] * 4
    assert isinstance(module, interop.LayerModule)
    with pytest.raises(AttributeError, match="has no attribute 'Modul'"):
        interop.Modul  # noqa: B018


@pytest.mark.parametrize("layer", ["Linear(4)", "Linear(4); ReLU"])
def test_parameters_are_found_when_the_module_is_called(layer: str) -> None:
    """functional_call, pruning and weight normalization put other tensors, or functions of parameters, in their place."""
    X = torch.randn(N, D)

    def holder(module: Any) -> Any:
        return module.get_submodule("0") if ";" in layer else module

    def expected(module: Any, W: Any) -> Any:
        Y = X @ W.T + holder(module).b
        return Y.relu() if ";" in layer else Y

    module = interop.module(layer, D)
    zeros = {name: torch.zeros_like(p) for name, p in module.named_parameters()}
    assert not torch.func.functional_call(module, zeros, (X,)).any()
    prune.l1_unstructured(holder(module), "W", 0.5)
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    module(X).sum().backward()
    optimizer.step()
    pruned = holder(module).W_orig * holder(module).W_mask
    torch.testing.assert_close(module(X), expected(module, pruned))
    module = interop.module(layer, D)
    torch.nn.utils.parametrizations.weight_norm(holder(module), "W")
    module(X).sum().backward()
    assert all(p.grad is not None for p in module.parameters())
    with torch.no_grad():
        holder(module).parametrizations.W.original0.mul_(2)
    torch.testing.assert_close(module(X), expected(module, holder(module).W))


def test_a_batch_of_one_row_is_refused_in_training() -> None:
    for layer in ("BatchNormalization", "Linear(2); BatchNormalization"):
        module = interop.module(layer, D)
        with pytest.raises(NervaError, match=r"at least two rows in training.*got X of shape \(1, 3\)"):
            module(torch.ones(1, D))
        module.eval()(torch.ones(1, D))
    interop.module("Linear(2)", D)(torch.ones(D))


# Optimizers ----------------------------------------------------------------------


def test_draw_and_evaluate() -> None:
    layer, X = QActivation(ReLU(), evaluation="noise"), torch.ones(2, 4, D, dtype=torch.float64)
    (Q,) = interop.draw(layer, [1, 2], X)
    assert Q.shape == (8, D)
    assert torch.equal(Q, interop.draw(layer, torch.tensor([1, 2]), X)[0])
    assert interop.draw(Dropout(), 1, X, evaluation=True) == ()
    expected = layer.evaluate(make_backend("torch", "float64"), (), (), X.reshape(8, D), Q)
    assert torch.equal(interop.evaluate(layer, (), (), X, Q), expected.reshape(2, 4, D))


IMAGES = (
    "Conv(4, 3, padding=1); BatchNormalization; ReLU; SE(2); MaxPool(2); ConvTranspose(4, 2, stride=2); AveragePool(2); Flatten; Linear(3)"
)


class Gate(torch.nn.Module):
    """Squeeze and excitation with convolutions of one position, as it is written for PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Conv2d(4, 2, 1), torch.nn.Conv2d(2, 4, 1)

    def forward(self, X: Any) -> Any:
        return X * self.second(self.first(X.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()


def test_a_network_on_images_equals_one_of_torch_nn() -> None:
    """N x C x H x W in both, with the weights of ours turned into theirs; after Flatten theirs have the channels first."""
    nn = torch.nn
    ours = interop.module(IMAGES, 3, positions=(6, 4), dtype="float64")
    up = nn.ConvTranspose2d(4, 4, 2, 2)
    first = [nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Gate(), nn.MaxPool2d(2), up, nn.AvgPool2d(2)]
    theirs = nn.Sequential(*first, nn.Flatten(), nn.Linear(24, 3)).double()
    params = ours.tree("params")
    with torch.no_grad():
        theirs[0].weight.copy_(params[0].W.reshape(3, 3, 3, 4).permute(3, 2, 0, 1))
        theirs[3].first.weight.copy_(params[3].W1[:, :, None, None])
        theirs[3].second.weight.copy_(params[3].W2[:, :, None, None])
        theirs[5].weight.copy_(params[5].W.reshape(2, 2, 4, 4).permute(3, 2, 0, 1))
        theirs[8].weight.copy_(params[8].W.reshape(3, 6, 4).swapaxes(1, 2).reshape(3, 24))
        for bias, b in ((theirs[0].bias, params[0].b), (theirs[3].first.bias, params[3].b1), (theirs[3].second.bias, params[3].b2),
                        (theirs[5].bias, params[5].b), (theirs[8].bias, params[8].b)):  # fmt: skip
            bias.copy_(b[0])
    X = torch.randn(5, 3, 6, 4, dtype=torch.float64, requires_grad=True)
    Y, expected = ours(X), theirs(X)
    DY = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(Y, expected, rtol=0, atol=1e-12)
    for loss in (Y, expected):
        (loss * DY).sum().backward(inputs=[X, *ours.parameters()] if loss is Y else [*theirs.parameters()])
    torch.testing.assert_close(X.grad, torch.autograd.grad(theirs(X), X, DY)[0], rtol=0, atol=1e-12)
    own = ours.tree("params")[8].W.grad.reshape(3, 6, 4).swapaxes(1, 2).reshape(3, 24)
    torch.testing.assert_close(own, theirs[8].weight.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "positions", "shape", "left"),
    [
        ("Conv(5, 3, stride=2, padding=1)", (6, 4), (2, 3, 6, 4), (2, 5, 3, 2)),
        ("Upsample(3)", (2, 2), (2, 3, 2, 2), (2, 3, 6, 6)),
        ("GlobalAveragePool", (2, 2), (2, 3, 2, 2), (2, 3)),
        ("Conv(5, 3)", (7,), (2, 7, 3), (2, 5, 5)),
        ("Linear(6); Attention(1)", (7,), (2, 7, 3), (2, 7, 2)),
    ],
)
def test_images_have_the_channels_first_and_sequences_last(layer: str, positions: Any, shape: Any, left: Any) -> None:
    network = interop.module(layer, 3, positions=positions)
    assert network(torch.randn(*shape)).shape == network.eval()(torch.randn(*shape)).shape == left


def test_inputs_of_other_positions_are_refused() -> None:
    with pytest.raises(NervaError, match=r"X must have the axes \(\.\.\., 6, 4, channels\), got the shape \(2, 4, 6, 3\)"):
        interop.module("Conv(2)", 3, positions=(6, 4))(torch.randn(2, 3, 4, 6))
    with pytest.raises(NervaError, match=r"X must be images N x C x 6 x 4, got the shape \(2, 24, 3\)"):
        interop.module("Conv(2)", 3, positions=(6, 4))(torch.randn(2, 24, 3))
