"""The networks are the papers': layer for layer, and with the numbers of parameters of definitions written in torch.nn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.interoperability.onnx import to_onnx
from nerva_core.interpreters.graph import graph_of
from nerva_core.layers import LAYERS, BatchNormalization, Sequential, parse_layers
from nerva_core.reproductions.networks import Layers, ResNet, cifar_cnn, densenet, mnist_cnn, regnet
from nerva_core.training.config import load_config

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional


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


def torch_regnet() -> Any:
    """RegNetX-200MF for CIFAR-10: widths 24, 56, 152, 368 in groups of 8, depths 1, 1, 4, 7."""
    modules: list[Any] = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)]
    channels = 64
    for width, depth in ((24, 1), (56, 1), (152, 4), (368, 7)):
        for block in range(depth):
            for inputs, kernel, groups in ((channels, 1, 1), (width, 3, width // 8), (width, 1, 1)):
                modules += [nn.Conv2d(inputs, width, kernel, groups=groups, bias=False), nn.BatchNorm2d(width)]
            if not block:
                modules += [nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)]
            channels = width
    return nn.Sequential(*modules, nn.Linear(368, 10))


def test_regnet_has_as_many_parameters() -> None:
    module = torch_regnet()
    network = built(regnet(10))
    assert network.parameter_count(3072) == count(module) + biases(module)
    assert network.heights(1)[-3] == 8 * 8


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


ROOT = Path(__file__).parents[2]
CONFIGURATIONS: dict[str, Layers] = {
    "resnet34": ResNet((3, 4, 6, 3)).layers(10),
    "resnet50": ResNet((3, 4, 6, 3), bottleneck=True).layers(10),
    "preact_resnet18": ResNet(pre_activation=True).layers(10),
    "se_resnet18": ResNet(squeeze=16).layers(10),
    "densenet": densenet(10),
    "regnetx_200mf": regnet(10),
    "q_neurons_mnist_cnn": mnist_cnn("q-ELU(lambda=0.02)", 10),
    "q_neurons_cifar_cnn": cifar_cnn("q-ELU(lambda=0.02)", 10),
}


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "networks").glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_are_these_networks(path: Path) -> None:
    config = load_config(path)
    assert config.model.layers[1:] == CONFIGURATIONS[path.stem]
    network = config.model.build()
    assert network.outputs_for(784 if "mnist" in path.stem else 3072) == 10
    assert network.rows_for(7) == 7


SMALL: dict[str, Layers] = {
    "basic": ResNet((1, 2), width=2).layers(3),
    "bottleneck": ResNet((1, 1), width=2, bottleneck=True).layers(3),
    "pre-activation": ResNet((2, 1), width=2, pre_activation=True).layers(3),
    "squeeze": ResNet((1, 1), width=2, squeeze=2).layers(3),
    "dense": densenet(3, growth=2, blocks=(2, 1)),
    "groups": regnet(3, (4, 6, 4), (2, 1, 1), 2, 3),
}


class InTorch:
    """A network of ``SMALL``, run in torch.nn.functional; parameters are taken in the order in which its layers stand."""

    def __init__(self, params: Any) -> None:
        self.tensors = [torch.tensor(X, requires_grad=True) for X in leaves(params)]
        self.rest = iter(self.tensors)

    def conv(self, x: Any, kernel: int = 3, stride: int = 1, groups: int = 1) -> Any:
        W, b = next(self.rest), next(self.rest)
        weight = W.reshape(kernel, kernel, x.shape[1] // groups, -1).permute(3, 2, 0, 1)
        return F.conv2d(x, weight, b[0], stride, kernel // 2, groups=groups)

    def norm(self, x: Any, relu: bool = True) -> Any:
        gamma, beta = next(self.rest), next(self.rest)
        y = F.batch_norm(x, None, None, gamma[0], beta[0], training=True, eps=BatchNormalization().epsilon)
        return y.relu() if relu else y

    def linear(self, x: Any) -> Any:
        W, b = next(self.rest), next(self.rest)
        return F.linear(x, W, b[0])

    def basic(self, x: Any) -> Any:
        x = self.norm(self.conv(x))
        x = (x + self.norm(self.conv(self.norm(self.conv(x))), relu=False)).relu()
        main = self.norm(self.conv(self.norm(self.conv(x, stride=2))), relu=False)
        x = (main + self.norm(self.conv(x, 1, 2), relu=False)).relu()
        x = (x + self.norm(self.conv(self.norm(self.conv(x))), relu=False)).relu()
        return self.linear(x.mean((2, 3)))

    def bottleneck(self, x: Any) -> Any:
        x = self.norm(self.conv(x))
        for stride in (1, 2):
            main = self.norm(self.conv(self.norm(self.conv(self.norm(self.conv(x, 1)), 3, stride)), 1), relu=False)
            x = (main + self.norm(self.conv(x, 1, stride), relu=False)).relu()
        return self.linear(x.mean((2, 3)))

    def pre_activation(self, x: Any) -> Any:
        x = self.conv(x)
        for _ in range(2):
            x = x + self.conv(self.norm(self.conv(self.norm(x))))
        x = self.norm(x)
        x = self.conv(self.norm(self.conv(x, stride=2))) + self.conv(x, 1, 2)
        return self.linear(self.norm(x).mean((2, 3)))

    def squeeze(self, x: Any) -> Any:
        x = self.norm(self.conv(x))
        for stride in (1, 2):
            main = self.norm(self.conv(self.norm(self.conv(x, stride=stride))), relu=False)
            main = main * self.linear(self.linear(main.mean((2, 3))).relu()).sigmoid()[:, :, None, None]
            x = (main + (x if stride == 1 else self.norm(self.conv(x, 1, 2), relu=False))).relu()
        return self.linear(x.mean((2, 3)))

    def dense(self, x: Any) -> Any:
        x = self.conv(x)
        for _ in range(2):
            x = torch.cat([x, self.conv(self.norm(self.conv(self.norm(x), 1)))], 1)
        x = F.avg_pool2d(self.conv(self.norm(x), 1), 2)
        x = torch.cat([x, self.conv(self.norm(self.conv(self.norm(x), 1)))], 1)
        return self.linear(self.norm(x).mean((2, 3)))

    def groups(self, x: Any) -> Any:
        x = self.norm(self.conv(x))
        for width, stride, changes in ((4, 1, True), (4, 1, False), (6, 1, True), (4, 2, True)):
            main = self.norm(self.conv(self.norm(self.conv(x, 1)), 3, stride, width // 2))
            main = self.norm(self.conv(main, 1), relu=False)
            x = (main + (self.norm(self.conv(x, 1, stride), relu=False) if changes else x)).relu()
        return self.linear(x.mean((2, 3)))


@pytest.mark.parametrize("name", SMALL)
def test_outputs_and_gradients_are_those_of_torch(name: str, rng: np.random.Generator) -> None:
    network, ops = built(SMALL[name], 8), backend("numpy", "float64")
    images, DY = rng.normal(size=(5, 8, 8, 3)), rng.normal(size=(5, 3))
    params = map_tree(lambda X: X + 0.3 * rng.normal(size=X.shape), network.init(rng, 8 * 8 * 3))
    Y, cache = network.feedforward(ops, ops.matrices(params), ops.matrix(images.reshape(5, -1)))
    _, gradients = network.backpropagate(ops, ops.matrices(params), cache, ops.matrix(DY))
    theirs = InTorch(params)
    outputs = getattr(theirs, name.replace("-", "_"))(torch.tensor(images.transpose(0, 3, 1, 2)))
    outputs.backward(torch.tensor(DY))
    assert next(theirs.rest, None) is None
    np.testing.assert_allclose(Y, outputs.detach().numpy(), rtol=1e-9, atol=1e-9)
    for found, expected in zip(leaves(gradients), theirs.tensors, strict=True):
        np.testing.assert_allclose(found, expected.grad.numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", SMALL)
def test_an_onnx_file_gives_the_same_outputs(name: str, rng: np.random.Generator) -> None:
    runtime = pytest.importorskip("onnxruntime")
    network, ops = built(SMALL[name], 8), backend("numpy", "float64")
    X = rng.normal(size=(4, 8 * 8 * 3))
    params, statistics = network.init(rng, 192), network.first_state(rng, 192)
    session = runtime.InferenceSession(to_onnx(graph_of(network, 192, params, statistics)).SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})
    np.testing.assert_allclose(found, network.evaluate(ops, params, statistics, X), rtol=1e-4, atol=1e-5)


def kinds_of(layers: Layers) -> set[str]:
    """The names of the layers, those in blocks too."""
    found: set[str] = set()
    for layer in layers:
        if isinstance(layer, dict):
            found |= {layer["name"]} | kinds_of([x for key in ("f", "g", "layers") for x in layer.get(key, [])])
        else:
            found |= {layer.partition("(")[0]} & {each.__name__ for each in LAYERS}
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_layer_has_a_theorem(name: str) -> None:
    """That a composition is right if its parts are is a theorem of its own."""
    pytest.importorskip("sympy")
    from sympy_validation.table import table

    proved = {theorem.subject for theorem in table()}
    assert "Convolution" in kinds_of(CONFIGURATIONS[name])
    assert kinds_of(CONFIGURATIONS[name]) - {"Identity"} <= {subject.partition(".")[2] for subject in proved}
