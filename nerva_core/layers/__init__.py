"""The layers, one family a file. Adding one: its file, and its line below."""

from nerva_core.layers.activation import ActivationLayer, SReLU
from nerva_core.layers.base import LAYERS, Layer
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.dab import DAB, StraightThrough
from nerva_core.layers.dropout import ActivationDropout, Dropout, LinearDropout
from nerva_core.layers.linear import Linear
from nerva_core.layers.perceptron import multilayer_perceptron, parse_layers
from nerva_core.layers.q_activation import QActivation
from nerva_core.layers.repeat import Repeat
from nerva_core.layers.sequential import Composite, Sequential
from nerva_core.layers.softmax import LogSoftmax, Softmax

__all__ = [
    "DAB",
    "LAYERS",
    "ActivationDropout",
    "ActivationLayer",
    "BatchNormalization",
    "Composite",
    "Dropout",
    "Layer",
    "Linear",
    "LinearDropout",
    "LogSoftmax",
    "QActivation",
    "Repeat",
    "SReLU",
    "Sequential",
    "Softmax",
    "StraightThrough",
    "multilayer_perceptron",
    "parse_layers",
]
