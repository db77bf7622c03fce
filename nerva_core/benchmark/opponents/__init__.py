"""The opponents: the same network, written in each framework as its users would, trained by the framework's own differentiation.

They share nothing with our equations but the initial values and the batches, and must arrive at the same losses before they are
timed.
"""

from nerva_core.benchmark.contenders import Contender
from nerva_core.benchmark.opponents.jax import JaxScan
from nerva_core.benchmark.opponents.keras import KerasJax, KerasTensorFlow, KerasTorch
from nerva_core.benchmark.opponents.scikit_learn import ScikitLearn
from nerva_core.benchmark.opponents.tensorflow import TensorFlowFunction, TensorFlowXla
from nerva_core.benchmark.opponents.torch import TorchChannelsLast, TorchCompiled, TorchEager

OPPONENTS: tuple[type[Contender], ...] = (
    ScikitLearn,
    TorchEager,
    TorchChannelsLast,
    TorchCompiled,
    KerasTorch,
    JaxScan,
    KerasJax,
    TensorFlowFunction,
    TensorFlowXla,
    KerasTensorFlow,
)
"""Adding one: its class, and its line here."""
