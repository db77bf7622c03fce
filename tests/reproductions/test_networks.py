"""The networks are the papers': layer for layer, and with the numbers of parameters of definitions written in torch.nn."""

from __future__ import annotations

from typing import Any

import pytest

from nerva_core.layers import Sequential, parse_layers
from nerva_core.reproductions.networks import Layers, ResNet, cifar_cnn, densenet, mnist_cnn

torch = pytest.importorskip("torch")
nn = torch.nn


def built(layers: Layers, side: int = 32) -> Sequential:
    return parse_layers([f"Images({side}, {side})", *layers])


def names(layers: Layers) -> list[str]:
    short = {
        "Convolution": "conv",
        "BatchNormalization": "BN",
        "ActivationLayer": "act",
        "QActivation": "act",
        "MaxPool": "pool",
        "Linear": "dense",
    }
    return [short.get(type(layer).__name__, type(layer).__name__) for layer in built(layers, 28).layers[1:]]


def test_mnist_cnn_is_the_papers_layer_for_layer() -> None:
    expected = "conv act BN conv act pool BN conv act BN conv act pool Flatten BN dense act BN {} dense"
    assert names(mnist_cnn("q-elu(lambda=0.02)", 10)) == expected.format("").split()
    assert names(mnist_cnn("Tanh", 10, dropout=True)) == expected.format("Dropout").split()


def test_cifar_cnn_is_the_papers_layer_for_layer() -> None:
    expected = "conv act conv act pool {0} conv act conv act pool {0} Flatten dense act {0} dense"
    assert names(cifar_cnn("ReLU", 10)) == expected.format("").split()
    assert names(cifar_cnn("ReLU", 10, dropout=True)) == expected.format("Dropout").split()
    assert [item for item in cifar_cnn("ReLU", 10, dropout=True) if "Dropout" in item] == ["Dropout(0.2)", "Dropout(0.2)", "Dropout(0.1)"]


def torch_mnist_cnn() -> Any:
    def conv(i: int, o: int) -> list[Any]:
        return [nn.Conv2d(i, o, 3), nn.Tanh()]

    features = [*conv(1, 32), nn.BatchNorm2d(32), *conv(32, 32), nn.MaxPool2d(2), nn.BatchNorm2d(32)]
    features += [*conv(32, 64), nn.BatchNorm2d(64), *conv(64, 64), nn.MaxPool2d(2), nn.Flatten(), nn.BatchNorm1d(1024)]
    return nn.Sequential(*features, nn.Linear(1024, 512), nn.Tanh(), nn.BatchNorm1d(512), nn.Linear(512, 10))


def torch_cifar_cnn() -> Any:
    layers = [nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(32, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1600, 512), nn.ReLU(), nn.Linear(512, 10))


class TorchBlock(nn.Module):  # type: ignore[name-defined, misc]
    """A basic or bottleneck block, as He et al. draw it."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool, before: bool) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        for i, o, k, s in shapes if bottleneck else [(inputs, width, 3, stride), (width, outputs, 3, 1)]:
            self.convolutions.append(nn.Conv2d(i, o, k, s, k // 2, bias=False))
            self.norms.append(nn.BatchNorm2d(i if before else o))
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            if not before:
                self.norms.append(nn.BatchNorm2d(outputs))


def torch_resnet(blocks: tuple[int, ...], bottleneck: bool = False, before: bool = False) -> Any:
    modules: list[Any] = [nn.Conv2d(3, 64, 3, padding=1, bias=False)]
    channels = 64
    for stage, count in enumerate(blocks):
        for block in range(count):
            width = 64 * 2**stage
            modules.append(TorchBlock(channels, width, 2 if stage and not block else 1, bottleneck, before))
            channels = 4 * width if bottleneck else width
    modules.append(nn.BatchNorm2d(channels if before else 64))
    return nn.Sequential(*modules, nn.Linear(channels, 10))


def count(module: Any) -> int:
    return sum(p.numel() for p in module.parameters())


def biases(module: Any) -> int:
    """What the convolutions here have, and those before a batch normalization need not."""
    return sum(m.out_channels for m in module.modules() if isinstance(m, nn.Conv2d) and m.bias is None)


@pytest.mark.parametrize(
    ("layers", "side", "inputs", "module"),
    [
        (mnist_cnn("Tanh", 10), 28, 1, torch_mnist_cnn),
        (cifar_cnn("ReLU", 10), 32, 3, torch_cifar_cnn),
    ],
)
def test_the_cnns_have_as_many_parameters(layers: Layers, side: int, inputs: int, module: Any) -> None:
    assert built(layers, side).parameter_count(side * side * inputs) == count(module())


@pytest.mark.parametrize(
    ("network", "blocks", "options", "known"),
    [
        (ResNet(), (2, 2, 2, 2), {}, 11_173_962),
        (ResNet((3, 4, 6, 3)), (3, 4, 6, 3), {}, 21_282_122),
        (ResNet((3, 4, 6, 3), bottleneck=True), (3, 4, 6, 3), {"bottleneck": True}, 23_520_842),
        (ResNet(pre_activation=True), (2, 2, 2, 2), {"before": True}, 11_171_146 + 1024),
    ],
)
def test_the_residual_networks_have_as_many_parameters(network: ResNet, blocks: Any, options: Any, known: int) -> None:
    """``known`` are those of the usual definitions for CIFAR-10; that of Pre-Act has no normalization before the mean, He et al. do."""
    module = torch_resnet(blocks, **options)
    assert count(module) == known
    assert built(network.layers(10)).parameter_count(3072) == known + biases(module)


def torch_densenet() -> Any:
    """DenseNet-BC with k = 12 and θ = 1/2, as Huang et al. describe it."""
    k, channels = 12, 24
    modules: list[Any] = [nn.Conv2d(3, channels, 3, padding=1, bias=False)]
    for number, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            modules += [nn.BatchNorm2d(channels), nn.Conv2d(channels, 4 * k, 1, bias=False)]
            modules += [nn.BatchNorm2d(4 * k), nn.Conv2d(4 * k, k, 3, padding=1, bias=False)]
            channels += k
        if number < 3:
            modules += [nn.BatchNorm2d(channels), nn.Conv2d(channels, channels // 2, 1, bias=False)]
            channels //= 2
    return nn.Sequential(*modules, nn.BatchNorm2d(channels), nn.Linear(channels, 10))


def test_densenet_has_as_many_parameters() -> None:
    module = torch_densenet()
    assert count(module) == 1_000_618
    assert built(densenet(10)).parameter_count(3072) == count(module) + biases(module)


def test_squeeze_and_excitation_adds_its_gates() -> None:
    """Two linear layers a block: C to C/16 and back."""
    plain, squeezed = (built(ResNet(squeeze=r).layers(10)).parameter_count(3072) for r in (0, 16))
    gates = [nn.Sequential(nn.Linear(C, C // 16), nn.Linear(C // 16, C)) for C in (64, 128, 256, 512) for _ in range(2)]
    assert squeezed - plain == sum(map(count, gates))


def test_a_layer_stands_after_a_stage_or_the_mean() -> None:
    for after in range(1, 6):
        layers = ResNet(width=2, after=after, inserted="Tanh").layers(10)
        assert layers.count("Tanh") == 1
        assert (layers.index("Tanh") > layers.index("GlobalAveragePool")) == (after == 5)
    assert "Tanh" not in ResNet(width=2).layers(10)
    assert ResNet().features == 512
    assert ResNet(bottleneck=True).features == 2048


def test_smaller_networks_have_the_same_layers() -> None:
    small, large = (built(ResNet(width=width).layers(10)) for width in (2, 64))
    assert [type(layer) for layer in small.flattened()] == [type(layer) for layer in large.flattened()]
