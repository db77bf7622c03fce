"""The papers' own networks for images, as lists of layers: convolutional networks (q-neurons), and residual ones of 32 x 32 pixels.

``width`` is the number of channels of the first convolution; all others are multiples of it, so that a smaller one has the same layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Layers = list[Any]
"""As a configuration has them."""


def mnist_cnn(activation: str, classes: int, dropout: bool = False, width: int = 32, momentum: float = 0.99, padding: int = 0) -> Layers:
    """The MNIST-CNN of q-neurons, section 3, for an activation in the notation of layers; ``width`` is 32 in the paper.

    The paper prints no padding; it is none unless one is given, the default of Keras, as are ε and the momentum of batch normalization.
    """
    norm = f"BatchNormalization(epsilon=0.001, momentum={momentum})"
    return [
        *(_unpadded(width, padding), activation, norm),
        *(_unpadded(width, padding), activation, "MaxPool", norm),
        *(_unpadded(2 * width, padding), activation, norm),
        *(_unpadded(2 * width, padding), activation, "MaxPool", "Flatten", norm),
        *(_dense(16 * width), activation, norm),
        *["Dropout(0.2)"] * dropout,
        _dense(classes),
    ]


def cifar_cnn(activation: str, classes: int, dropout: bool = False, width: int = 32, padding: int = 0) -> Layers:
    """The CIFAR-CNN of q-neurons, section 3, which has no batch normalization; ``width`` is 32 in the paper."""

    def drop(rate: float) -> Layers:
        return [f"Dropout({rate})"] * dropout

    return [
        *(_unpadded(width, padding), activation, _unpadded(width, padding), activation, "MaxPool", *drop(0.2)),
        *(_unpadded(2 * width, padding), activation, _unpadded(2 * width, padding), activation, "MaxPool", *drop(0.2)),
        *("Flatten", _dense(16 * width), activation, *drop(0.1)),
        _dense(classes),
    ]


def _unpadded(outputs: int, padding: int) -> str:
    """A convolution of 3 x 3, which has no padding unless one is given."""
    return f"Convolution({outputs}, padding={padding})" if padding else f"Convolution({outputs})"


def _dense(outputs: int) -> str:
    """A linear layer with the initial values of Keras."""
    return f"Linear({outputs}, weights=NormalizedXavier)"


HALVED = "AveragePool(2)"
"""Before a network: images of half the height and width, which the quick budget has."""
QUICK_WIDTH = 4
"""The width of residual networks in the quick budget; 64 in the papers."""
QUICK_REMARK = (
    f"{QUICK_WIDTH} channels in the first convolution where the paper has 64, few images, averaged to half their height and width, and few "
    "epochs: the verdicts are on this small network after a few dozen steps, and say little of the paper's."
)


@dataclass(frozen=True)
class ResNet:
    """A residual network for images of 32 x 32 pixels (He et al. 2016): a convolution, four stages of blocks, the mean of all positions.

    The first block of each stage but the first halves the grid and doubles the channels; where the shape changes, the shortcut is a
    projection. Convolutions have He's initial values.
    """

    blocks: Sequence[int] = (2, 2, 2, 2)
    """Of each stage."""
    width: int = 64
    bottleneck: bool = False
    """Blocks of three convolutions, 1 x 1, 3 x 3 and 1 x 1 with four times the channels, as from ResNet-50 on."""
    pre_activation: bool = False
    """Batch normalization and activation before each convolution of a block (He et al. 2016b)."""
    squeeze: int = 0
    """The reduction of squeeze-and-excitation at the end of every block (Hu et al. 2018), 16 in their paper; 0 for none."""
    activation: str = "ReLU"
    after: int = 0
    """After which stage, counted from 1, ``inserted`` stands; one more than there are is after the mean of all positions."""
    inserted: Any = None

    @property
    def features(self) -> int:
        """The columns that the last layer reads."""
        return (self.width << len(self.blocks) - 1) * (4 if self.bottleneck else 1)

    def layers(self, classes: int) -> Layers:
        """All of them."""
        layers: Layers = [_convolution(self.width, 3)]
        channels = self.width
        layers += [] if self.pre_activation else self._normalized()
        for stage, count in enumerate(self.blocks):
            for block in range(count):
                width, stride = self.width << stage, 2 if stage and not block else 1
                outputs = 4 * width if self.bottleneck else width
                layers += self._block(width, outputs, stride, channels != outputs or stride > 1)
                channels = outputs
            layers += [self.inserted] * (self.after == stage + 1)
        layers += self._normalized() if self.pre_activation else []
        last = [self.inserted] * (self.after == len(self.blocks) + 1)
        return [*layers, "GlobalAveragePool", *last, f"Linear({classes}, weights=Xavier)"]

    def _block(self, width: int, outputs: int, stride: int, changes: bool) -> Layers:
        convolutions = [_convolution(width, 3, stride), _convolution(width, 3)]
        if self.bottleneck:
            convolutions = [_convolution(width, 1), _convolution(width, 3, stride), _convolution(outputs, 1)]
        f: Layers = []
        for k, convolution in enumerate(convolutions):
            f += [*self._normalized(), convolution] if self.pre_activation else [*self._normalized() * (k > 0), convolution]
        excited = [f"SqueezeExcitation({self.squeeze})"] if self.squeeze else []
        shortcut = [_convolution(outputs, 1, stride)]
        if self.pre_activation:  # what is normalized first goes through the projection too
            f += excited
            return [*f[:2], {"name": "Add", "f": f[2:], "g": shortcut}] if changes else [{"name": "Residual", "layers": f}]
        f += ["BatchNormalization", *excited]
        block = {"name": "Add", "f": f, "g": [*shortcut, "BatchNormalization"]} if changes else {"name": "Residual", "layers": f}
        return [block, self.activation]

    def _normalized(self) -> Layers:
        return ["BatchNormalization", self.activation]


def densenet(classes: int, growth: int = 12, blocks: Sequence[int] = (6, 12, 24, 16), activation: str = "ReLU") -> Layers:
    """The DenseNet-BC for 32 x 32 pixels (Huang et al. 2017): DenseNet-CIFAR of Activated Gradients, k = 12, depth 121.

    A layer of a dense block puts ``growth`` new channels beside those it has seen; between blocks half of the channels are kept.
    """
    normalized, channels = ["BatchNormalization", activation], 2 * growth
    layers: Layers = [_convolution(channels, 3)]
    for number, count in enumerate(blocks):
        new = [*normalized, _convolution(4 * growth, 1), *normalized, _convolution(growth, 3)]
        layers += [{"name": "Concatenate", "f": ["Identity"], "g": new}] * count
        channels += count * growth
        if number < len(blocks) - 1:
            channels //= 2
            layers += [*normalized, _convolution(channels, 1), "AveragePool(2)"]
    return [*layers, *normalized, "GlobalAveragePool", f"Linear({classes}, weights=Xavier)"]


def regnet(
    classes: int, widths: Sequence[int] = (24, 56, 152, 368), blocks: Sequence[int] = (1, 1, 4, 7), group: int = 8, stem: int = 64
) -> Layers:
    """RegNetX (Radosavovic et al. 2020) for 32 x 32 pixels: RegNetX-200MF with a first convolution of stride 1 and ``stem`` channels.

    A block is a convolution of 1 x 1, one of 3 x 3 in groups of ``group`` channels, and one of 1 x 1, beside a shortcut; the first block of
    each stage from the third on halves the grid.
    """
    layers: Layers = [_convolution(stem, 3), "BatchNormalization", "ReLU"]
    channels = stem
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            stride = 2 if stage > 1 and not block else 1
            convolutions = [_convolution(width, 1), _convolution(width, 3, stride, width // group), _convolution(width, 1)]
            f = [each for convolution in convolutions for each in (convolution, "BatchNormalization", "ReLU")][:-1]
            g = [_convolution(width, 1, stride), "BatchNormalization"]
            changes = stride > 1 or channels != width
            layers += [{"name": "Add", "f": f, "g": g} if changes else {"name": "Residual", "layers": f}, "ReLU"]
            channels = width
    return [*layers, "GlobalAveragePool", f"Linear({classes}, weights=Xavier)"]


def _convolution(outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> str:
    """With a padding that keeps the grid, but for the stride."""
    options = [f"stride={stride}"] * (stride > 1) + [f"padding={kernel // 2}"] * (kernel > 1)
    options += [f"groups={groups}"] * (groups > 1) + ["weights=He"]
    return f"Convolution({outputs}, {kernel}, {', '.join(options)})"
