"""Every layer: the hand-written backward is the gradient, with respect to the input and every parameter, for every DY."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nerva_core.layers import LAYERS, Layer, Repeat, Sequential
from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.attention import Attention, AttentionDropout, CrossAttention, DotProductAttention
from nerva_core.layers.augmentation import RandomCrop, RandomFlip
from nerva_core.layers.base import is_size_of
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.branches import Concatenate
from nerva_core.layers.convolution import Convolution
from nerva_core.layers.dropout import Dropout
from nerva_core.layers.grouped_query import GroupedQueryAttention
from nerva_core.layers.linear import Linear
from nerva_core.layers.pooling import MaxPool
from nerva_core.layers.position_encodings import RotaryPositions, SinusoidalPositions
from nerva_core.layers.recompute import Recompute
from nerva_core.layers.recurrence import Recurrent
from nerva_core.layers.residual import Residual
from nerva_core.layers.softmax import LogSoftmax, Softmax
from nerva_core.layers.sparse import SparseLinear
from nerva_core.layers.squeeze_excitation import SqueezeExcitation
from nerva_core.layers.trained_activations import SReLU
from nerva_core.layers.transformer import MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock
from nerva_core.layers.upsampling import TransposedConvolution
from nerva_core.layers.weight_normalization import WeightNorm
from nerva_core.layers.windowed import WindowedLayer
from sympy_validation.attempt import Method
from sympy_validation.claims import Make
from sympy_validation.hyperparameters import concrete
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.spaces.spaces import Space
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import Theorem

METHODS: tuple[Method, ...] = ("all sizes", "entries")


VALUES = {"Y": "the output is the surrogate Y", "R": "the penalty is the surrogate's R"}
"""What is claimed of a layer that states a surrogate, besides its gradients."""


def gradient_theorems(
    subject: str, make: Make, about: str = "", methods: tuple[Method, ...] = METHODS, **options: Any
) -> Iterator[Theorem]:
    """The theorems that a layer's backward is right, one for each gradient and method."""
    claim = LayerGradient(make)
    objective = {("Y", "R"): "(⟨DY, Y⟩ + R)", ("Y",): "⟨DY, Y⟩ of the surrogate Y"}.get(
        tuple(filter(VALUES.get, claim.quantities())), "⟨DY, Y⟩"
    )
    for method in methods:
        for quantity in claim.quantities():
            layer, _, name = quantity.rpartition(".")
            variable = f"{layer}.{name[1:]}" if layer else name[1:]
            statement = VALUES.get(quantity) or f"{quantity} = ∂{objective} / ∂{variable} for every DY"
            yield Theorem(subject, quantity, f"{statement}{about}", claim, method, **options)


def layer_of(entry: type[Layer]) -> Make:
    """The layer with symbols for its parameters, and 2 for a number that must be given and stays concrete."""
    hints = typing.get_type_hints(entry)
    required = [field.name for field in dataclasses.fields(entry) if field.default is field.default_factory is dataclasses.MISSING]
    given: dict[str, Any] = {name: 2 for name in required if hints[name] is int and not is_size_of(entry, name)}
    return lambda space: symbolic(entry, space, **given)


def sequence(*parts: type[Layer] | Callable[[Space, str], Layer]) -> Make:
    """The layers one after the other, with parameters of their own."""

    def make(space: Space) -> Sequential:
        layers = []
        for number, part in enumerate(parts):
            prefix = f"{number}."
            layers.append(symbolic(part, space, prefix) if isinstance(part, type) else part(space, prefix))
        return Sequential(tuple(layers))

    return make


def linear_to(size: str) -> Callable[[Space, str], Layer]:
    """A linear layer with the given number of outputs."""
    return lambda space, prefix: Linear(space.size(size))


TIMES = (1, 3, 4)
"""How often layers are repeated, besides twice, which is the default: from three on, the order of the uses in the backward matters."""
ABOUT = {
    "AttentionDropout": ", for every mask R",
    "ActivationLayer": ", for every differentiable activation",
    "BatchNormalization": ", for every ε > 0",
    "ChannelDropout": ", for every mask R",
    "Dropout": ", for every mask R",
    "LinearDropout": ", for every mask R",
    "RandomCrop": ", for all matrices A and B",
    "RandomFlip": ", for all matrices A and B",
    "SparseLinear": ", for every pattern",
    "SReLU": ", for every order of t_l and t_r",
}
"""What the statement of a layer's theorems adds."""

WITHOUT_ENTRIES = (
    *(MaxPool, Attention, AttentionDropout, CrossAttention, GroupedQueryAttention, RandomCrop, RandomFlip, SparseLinear),
    *(SqueezeExcitation, SinusoidalPositions, RotaryPositions),
)
"""Layers that SymPy does not prove entry by entry: it knows nothing of a largest element, does not finish the softmax of products, takes
long for images, takes the numbers of places for symbols, at which there is nothing; of unknown functions of means of products it expands
the powers, and it would write out the sines of a symbol."""

CHAIN_SIZES = ({"N": 3, "D": 4, "K": 2, "H": 5},)
CHAINS: dict[str, Make] = {
    "linear, activation": sequence(Linear, ActivationLayer),
    "linear, SReLU": sequence(Linear, SReLU),
    "linear, softmax": sequence(Linear, Softmax),
    "linear, log-softmax": sequence(Linear, LogSoftmax),
    "linear, batch normalization, activation": sequence(Linear, BatchNormalization, ActivationLayer),
    "linear, activation, dropout, linear": sequence(linear_to("H"), ActivationLayer, Dropout, Linear),
}
"""Compositions that are proved directly. The specification's combined layers (section 4) are among them."""


def two_layers(space: Space) -> Sequential:
    """Two arbitrary layers. By induction, what is proved of them holds for any number of layers."""
    D, H, K = space.size("D"), space.size("H"), space.size("K")
    return Sequential((space.any_layer("f", H, D), space.any_layer("g", K, H)))


OF_ANY_MATRIX = (DotProductAttention, SinusoidalPositions, RotaryPositions, RandomCrop)
"""Layers whose numbers and switches determine a matrix alone, in the place of which the proof has any: a mask, sines and cosines, noise."""


def _of_entry(entry: type[Layer]) -> Iterator[Theorem]:
    """The theorems of one layer of the table."""
    methods: tuple[Method, ...] = ("all sizes",) if entry in WITHOUT_ENTRIES else METHODS
    make = MAKES.get(entry) or layer_of(entry)
    if issubclass(entry, WindowedLayer):
        about, conditions = ", for any windows", tuple[str, ...]()
    else:
        about, conditions = ABOUT.get(entry.__name__, ""), () if issubclass(entry, OF_ANY_MATRIX) else concrete(entry, {}, {})
    yield from gradient_theorems(f"layers.{entry.__name__}", make, about, methods, conditions=conditions)


def _grouped(kind: type[Any], space: Space) -> Layer:
    """A convolution in any number of groups, each of as many channels and outputs."""
    G = space.size("G")
    layer: Layer = kind(G * space.size("K"), groups=G)
    return layer


def _normalized(space: Space) -> WeightNorm:
    return WeightNorm(Convolution(space.size("K")))


def _with(make: Make, switch: str, space: Space) -> Layer:
    """The layer with a switch on."""
    layer: Layer = dataclasses.replace(make(space), **{switch: True})
    return layer


def three_layers(space: Space) -> Sequential:
    """Multi-head attention, whose parts are any layers: from D columns to 3 D, to D, and to D."""
    D, H, K = space.size("D"), space.size("H"), space.size("K")
    return Sequential((space.any_layer("f", H, D), space.any_layer("g", K, H), space.any_layer("h", D, K)))


def two_residuals(space: Space) -> Sequential:
    """A transformer block, whose parts inside the residuals are any layers."""
    D = space.size("D")
    return Sequential(tuple(Residual(Sequential((space.any_layer(name, D, D),))) for name in "fg"))


def two_widths(space: Space) -> Concatenate:
    """Two branches of different widths."""
    D = space.size("D")
    f, g = (Sequential((space.any_layer(name, space.size(K), D),)) for name, K in (("f", "K"), ("g", "H")))
    return Concatenate(f, g)


def any_recomputed(space: Space) -> Recompute:
    """Any layer, computed again."""
    return Recompute(Sequential((space.any_layer("f", space.size("K"), space.size("D")),)))


MAKES: dict[type[Layer], Make] = {Concatenate: two_widths, WeightNorm: lambda space: WeightNorm(Linear(space.size("K")))}
"""Layers that are proved with other parts than those that their types name."""


SWITCHED: tuple[tuple[type[Layer], str], ...] = (
    *((Attention, "causal"), (Attention, "padded"), (AttentionDropout, "padded"), (CrossAttention, "padded")),
    (GroupedQueryAttention, "padded"),
)
"""Layers that are proved once more with a switch on."""

PARTS: dict[type[Layer], Make] = {
    MultiHeadAttention: three_layers,
    MultiHeadCrossAttention: three_layers,
    Recompute: any_recomputed,
    TransformerBlock: two_residuals,
}
"""Compositions of layers of the table, each proved with any layers for its parts, whose own theorems stand beside."""


def theorems() -> Iterator[Theorem]:
    """The table for the layers."""
    for entry in LAYERS:
        if entry is not Sequential and entry not in PARTS and not issubclass(entry, Recurrent):  # whose theorems are in recurrent.py
            yield from _of_entry(entry)
    for entry, parts in PARTS.items():
        about = ", if the equations of its parts are right"
        yield from gradient_theorems(f"layers.{entry.__name__}", parts, about, methods=("all sizes",))
    for entry in (Convolution, TransposedConvolution):
        yield from gradient_theorems(
            f"layers.{entry.__name__}(groups)", partial(_grouped, entry), ", for any windows", methods=("all sizes",)
        )
    yield from gradient_theorems("layers.WeightNorm(Convolution)", _normalized, ", for any windows", methods=("all sizes",))
    for entry, switch in SWITCHED:
        switched = partial(_with, layer_of(entry), switch)
        yield from gradient_theorems(f"layers.{entry.__name__}({switch})", switched, ", for any mask", methods=("all sizes",))
    for times in TIMES:
        repeated, conditions = partial(symbolic, Repeat, times=times), (f"for times = {times}",)
        yield from gradient_theorems(f"layers.Repeat({times} times)", repeated, methods=("all sizes",), conditions=conditions)
    statement = ", if f's and g's own equations are right"
    yield from gradient_theorems("layers.Sequential(any f, any g)", two_layers, statement, methods=("all sizes",))
    for name, make in CHAINS.items():
        yield from gradient_theorems(f"layers.Sequential({name})", make, entry_sizes=CHAIN_SIZES)
