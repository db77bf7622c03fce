"""Networks of PyTorch compute the same here, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nerva_core as nc
from nerva_core.algebra.errors import NervaError
from nerva_core.interoperability.from_torch import from_torch

torch = pytest.importorskip("torch")
nn = torch.nn


class BasicBlock(nn.Module):  # type: ignore[misc,name-defined]
    """As torchvision writes it; in its ``Bottleneck`` there is one convolution more."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = shortcut if stride > 1 or inputs != outputs else None

    def forward(self, X: Any) -> Any:
        Y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(X)))))
        return self.relu(Y + (X if self.downsample is None else self.downsample(X)))


NETWORKS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "perceptron": (
        lambda: [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.3), nn.Linear(8, 3, bias=False), nn.Softmax(-1)],
        (6,),
    ),
    "convolutional": (
        lambda: [
            nn.Conv2d(3, 4, 3, stride=2, padding=1),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.2),
            nn.Sequential(nn.Conv2d(4, 6, 2, dilation=2, bias=False), nn.SiLU()),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(6 * 9, 5),
        ],
        (3, 16, 16),
    ),
    "pooled": (
        lambda: [nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.ELU(0.7), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)],
        (2, 6, 5),
    ),
    "residual": (
        lambda: [nn.Conv2d(3, 4, 3), BasicBlock(4, 4), BasicBlock(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2)],
        (3, 8, 7),
    ),
    "in groups, down and up": (
        lambda: [
            nn.Conv2d(4, 8, 3, groups=2),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8),
            nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
            nn.Upsample(scale_factor=2),
            nn.Flatten(),
            nn.Linear(4 * 16 * 8, 3),
        ],
        (4, 6, 4),
    ),
    "series": (lambda: [nn.Conv1d(2, 4, 3), nn.Tanh(), nn.AvgPool1d(2), nn.Flatten(), nn.Linear(12, 2), nn.LogSoftmax(1)], (2, 8)),
    "text": (lambda: [nn.Embedding(11, 4), nn.LayerNorm(4), nn.Linear(4, 6), nn.Hardswish(), nn.Linear(6, 11)], (7,)),
    "sequences": (lambda: [nn.Linear(3, 4), nn.RMSNorm(4), nn.Mish(), nn.Identity(), nn.Linear(4, 2)], (5, 3)),
    "images as columns": (lambda: [nn.Flatten(), nn.Linear(2 * 3 * 4, 3), nn.Hardtanh(-0.5, 0.5)], (2, 3, 4)),
}


def network(name: str) -> tuple[Any, tuple[int, ...]]:
    """A network whose running statistics are not those of the beginning."""
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    module = nn.Sequential(*make()).double()
    if name != "text":
        module.train()(torch.randn(16, *shape, dtype=torch.float64))
    return module, shape


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_pytorch(name: str) -> None:
    module, shape = network(name)
    found = from_torch(module, shape)
    assert module.training
    X = torch.randint(0, 11, (3, *shape)) if name == "text" else torch.randn(3, *shape, dtype=torch.float64)
    expected = module.eval()(X).detach().numpy()
    np.testing.assert_allclose(found.predict(X).reshape(expected.shape), expected, rtol=1e-9, atol=1e-12)
    assert nc.show(found.network, found.inputs).text


@pytest.mark.parametrize("name", ["convolutional", "sequences"])
def test_gradients_are_those_of_autodiff(name: str) -> None:
    module, shape = network(name)
    found, ops = from_torch(module, shape), nc.backend("numpy", dtype="float64")
    X = torch.randn(4, *shape, dtype=torch.float64)
    module.train()(X).square().sum().backward()
    Y, cache = found.network.feedforward(ops, found.params, ops.matrix(found.rows(X)))
    _, gradients = found.network.backpropagate(ops, found.params, cache, 2 * Y)
    first = gradients[1].W
    weight = next(module.parameters()).grad.numpy()
    expected = np.moveaxis(weight, (0, 1), (-1, -2)).reshape(first.shape) if name == "convolutional" else weight
    np.testing.assert_allclose(first, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: [nn.Bilinear(2, 2, 2)], (2,), "Bilinear of torch.nn has no equal"),
        (lambda: [nn.Upsample(scale_factor=2, mode="bilinear")], (2, 5, 5), "of upsampling the nearest, by a whole factor"),
        (lambda: [nn.Upsample(size=10)], (2, 5, 5), "of upsampling the nearest, by a whole factor"),
        (lambda: [nn.Conv2d(2, 2, 3, padding_mode="reflect", padding=1)], (2, 5, 5), "padding that is no number of zeros"),
        (lambda: [nn.Conv2d(2, 2, (1, 3))], (2, 5, 5), "not as wide as high"),
        (lambda: [nn.MaxPool2d(3, padding=1)], (2, 6, 6), "pooling with padding"),
        (lambda: [nn.AdaptiveAvgPool2d(2)], (2, 6, 6), "to a single position"),
        (lambda: [nn.Linear(4, 2), nn.Softmax(0)], (4,), "over the last axis"),
        (lambda: [nn.BatchNorm1d(4, affine=False)], (4,), "needs running statistics"),
    ],
)
def test_what_has_no_equal_is_named(make: Any, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        from_torch(nn.Sequential(*make()), shape)


def test_an_import_that_computes_something_else_is_refused() -> None:
    class ReLU(nn.Module):
        """Of the name that is known, but another function."""

        def forward(self, X: Any) -> Any:
            return X.abs()

    with pytest.raises(NervaError, match="its outputs are not those of PyTorch"):
        from_torch(nn.Sequential(nn.Linear(3, 3), ReLU()), (3,))
    with pytest.raises(NervaError, match=r"the shape \(3,\), got \(4,\)"):
        from_torch(nn.Sequential(nn.Linear(3, 3)), (3,)).rows(np.ones((2, 4)))
