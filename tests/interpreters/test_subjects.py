"""What a name means, and which of its numbers are symbols."""

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.equations.activations import ACTIVATIONS, ELU, Activation, LeakyReLU, QLimit
from nerva_core.equations.gradient_activations import Arctan
from nerva_core.equations.optimizers import Adam, WeightDecay
from nerva_core.interpreters.expressions import Scalar
from nerva_core.interpreters.subjects import AnyActivation, K, find, kind_of
from nerva_core.layers import ActivationLayer, BatchNormalization, Linear, QActivation, Sequential, Softmax, SReLU


@pytest.mark.parametrize("name", ["BatchNormalization", "batch_normalization", "batch normalization", "BATCHNORM"])
def test_names_are_those_of_the_tables(name):
    assert isinstance(find(name)[0], BatchNormalization)


def test_numbers_that_are_not_given_are_symbols():
    leaky, _ = find("LeakyReLU")
    assert isinstance(leaky, LeakyReLU)
    assert isinstance(leaky.alpha, Scalar)
    assert find("LeakyReLU(alpha=0.1)")[0] == LeakyReLU(0.1)
    assert find("leaky_relu(0.1)")[0] == LeakyReLU(0.1)
    adam = find("Adam(beta1=0.5)")[0]
    assert isinstance(adam, Adam)
    assert adam.beta1 == 0.5
    assert isinstance(adam.beta2, Scalar)


def test_what_must_be_given_has_a_stand_in():
    assert find("Linear")[0] == Linear(K)
    assert find("Linear(7)")[0] == Linear(7)
    assert find("ActivationLayer")[0].activation == AnyActivation()
    assert isinstance(find("WeightDecay(Adam)")[0], WeightDecay)
    activation = find("GAF(Adam)")[0].activation
    assert isinstance(activation, Arctan)
    assert isinstance(activation.alpha, Scalar)


def test_a_network_may_name_activations():
    network, _ = find("Sequential([Linear(5), LeakyReLU(0.1), Softmax])")
    assert network == Sequential((Linear(5), ActivationLayer(LeakyReLU(0.1)), Softmax()))


def test_the_q_activation_of_an_activation():
    assert find("q-elu(alpha=0.5, lambda=0.1)")[0] == QActivation(ELU(0.5), 0.1)
    assert find("q-limit")[0] == QLimit(AnyActivation())


def test_any_activation_is_not_in_the_table():
    assert issubclass(AnyActivation, Activation)
    assert "AnyActivation" not in ACTIVATIONS


def test_a_name_of_two_things():
    subject, others = find("srelu")
    assert isinstance(subject, SReLU)
    assert others == ["activation SReLU"]
    assert find("softmax")[1] == ["function softmax"]
    assert find("Linear")[1] == []
    assert find("Tanh")[1] == ["gradient activation Tanh"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Lineer", "cannot show 'Lineer'; did you mean 'Linear'"),
        ("batchnormalisation", "did you mean 'BatchNormalization'"),
        ("adamm", "did you mean 'Adam'"),
        ("CrossEntropie", "did you mean 'CrossEntropy'"),
        ("stablesoftmax", "did you mean 'stable_softmax'"),
        ("LeakyReLU(beta=1)", "LeakyReLU has no parameter 'beta'"),
        ("Dropout(p=2)", "p must be >= 0 and < 1"),
        ("q-ellu", "did you mean 'ELU'"),
        ("Linear(", "expected"),
    ],
)
def test_mistakes(name, message):
    with pytest.raises(NervaError, match=message.replace("(", r"\(")):
        find(name)


def test_kinds():
    assert kind_of(find("Linear")[0]) == ("layer", "Linear", "Forward", "Backward")
    assert kind_of(find("Arctan")[0]) == ("gradient activation", "Arctan", "Value", "Derivative")
    assert kind_of(find("MSE")[0])[:2] == ("loss", "MeanSquaredError")
    assert kind_of(find("subtract_rows_max")[0])[:2] == ("function", "subtract_rows_max")
    with pytest.raises(NervaError):
        kind_of("Linear")
