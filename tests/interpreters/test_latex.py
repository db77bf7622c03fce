"""The equations read from the code are those of the specification, and change with the code."""

import inspect
import re
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import rebuild
from nerva_core.equations.activations import ACTIVATIONS, ReLU, Tanh
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS
from nerva_core.equations.softmax import stable_log_softmax, stable_softmax
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.latex import equations
from nerva_core.interpreters.subjects import FUNCTIONS, TABLES, K, find
from nerva_core.layers import (
    ActivationLayer,
    BatchNormalization,
    Dropout,
    Linear,
    LinearDropout,
    LogSoftmax,
    Sequential,
    Softmax,
)
from tests.interpreters.printed import SPECIFICATION
from tests.interpreters.reading import compute


def normal(latex):
    """LaTeX without what does not change the mathematics: spaces, the sign of the product ·, braces around single things."""
    latex = re.sub(r"\\left|\\right|\\cdot|\\,|\\text|\\mathbf|[{}\s]", "", latex)
    return latex.replace("\\varepsilon", "\\epsilon")


def shown(subject):
    found = equations(subject)
    return [normal(equation.latex()) for equation in (*found.forward, *found.backward)]


@pytest.mark.parametrize(("subject", "printed"), SPECIFICATION.values(), ids=SPECIFICATION)
def test_the_equations_are_those_of_the_specification(subject, printed):
    assert shown(subject) == [normal(equation) for equation in printed]


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        ("ReLU", "relu(X) = max(X, 0)", "relu′(X) = [X ≥ 0]"),
        ("LeakyReLU", "leaky-relu(X) = max(α X, X)", "leaky-relu′(X) = {α if X < α X; 1 otherwise}"),
        ("AllReLU(0.3)", "all-relu(X) = {0.3 X if X < 0; X otherwise}", "all-relu′(X) = {0.3 if X < 0; 1 otherwise}"),
        ("Tanh", "tanh(X) = (e^X − e^(−X)) ⊙ (1/(e^X + e^(−X)))", "tanh′(X) = 4 (σ(2 X) ⊙ σ((−2) X))"),
        ("Sigmoid", "σ(X) = 1/(1 + e^(−X))", "σ′(X) = σ(X) ⊙ σ(−X)"),
        ("Softplus", "softplus(X) = log(1 + e^X)", "softplus′(X) = σ(X)"),
        ("GELU", "gelu(X) = X ⊙ Φ(X)", "gelu′(X) = Φ(X) + X ⊙ φ(X)"),
        ("QLimit", "qlimit(X) = X ⊙ act′(X)", "qlimit′(X) = act′(X) + X ⊙ act′′(X)"),
    ],
)
def test_activations(name, value, gradient):
    subject = ACTIVATIONS.parse(name) if "(" in name else find(name)[0]
    found = equations(subject)
    assert found.forward[-1].text() == value
    assert found.backward[-1].text() == gradient


@pytest.mark.parametrize(
    ("name", "update"),
    [
        ("GAF", ["θ′ = θ − η G(Dθ)"]),
        ("GAF(Momentum, variant=printed)", ["θ′ = θ + G(0 + 0.9 Δ − η Dθ)", "Δ′ = 0.9 Δ − η Dθ"]),
        ("GAF(GradientDescent, variant=momentum-buffer)", ["θ′ = θ + η G(0 − 1 Dθ)"]),
        ("GAF(GradientDescent, value_clipping(0.5))", ["θ′ = θ − η G(Dθ)"]),
    ],
)
def test_gradient_activation_in_an_update(name, update):
    found = equations(find(name)[0])
    assert [equation.text() for equation in found.forward] == update
    clipped = "value_clipping" in name
    assert [equation.text() for equation in found.where] == ["G(X) = min(max(X, −0.5), 0.5)" if clipped else "G(X) = α arctan(β X)"]


def test_gradient_activations():
    found = equations(find("Arctan")[0])
    assert [e.text() for e in found.forward] == ["G(X) = α arctan(β X)"]
    R = "R = 1/(1 + (β X) ⊙ (β X))"
    assert [e.text() for e in found.backward] == ["G′(X) = α β (1/(1 + (β X) ⊙ (β X)))", R, "G′′(X) = (−2) α β β ((β X) ⊙ R ⊙ R)"]
    for G in GRADIENT_ACTIVATIONS:
        assert equations(G()).forward[-1].left.text() == "G(X)"
        assert len(equations(G()).backward) >= 2 or G.__name__ == "NormClipping"


OPS = backend("numpy", dtype="float64")


@pytest.mark.parametrize(
    "layer", [Linear(2), LinearDropout(2), Dropout(), BatchNormalization(0.1), Softmax(), LogSoftmax(), ActivationLayer(Tanh())], ids=repr
)
def test_the_text_says_what_the_code_computes(layer):
    """The equations are evaluated as they are printed, on random numbers, and compared with what the layer gives."""
    rng = np.random.default_rng(7)
    name = list(inspect.signature(layer.feedforward).parameters)[2]
    X, DY = rng.normal(size=(4, 3)), rng.normal(size=(4, layer.outputs_for(3)))
    params = rebuild(layer.shapes(3), [rng.normal(size=shape) for shape in layer.shapes(3)])
    noise = layer.draw(rng, 4, 3)
    Y, cache = layer.feedforward(OPS, params, X, *noise)
    DX, gradients = layer.backpropagate(OPS, params, cache, DY)
    found = equations(layer)
    fields = [identifier(field).text() for field in getattr(params, "_fields", ())]
    values = {"N": 4, "D": 3, "K": DY.shape[1], name: X, "DY": DY, "e": np.e, **dict(zip(fields, params, strict=True))}
    values |= dict(zip("R", noise, strict=False))
    values |= {"stable-softmax": lambda Z: stable_softmax(OPS, Z), "stable-log-softmax": lambda Z: stable_log_softmax(OPS, Z)}
    values |= {"tanh": np.tanh, "tanh′": lambda Z: 1 - np.tanh(Z) ** 2}
    compute([*found.forward, *found.backward], values)
    np.testing.assert_allclose(values["Y"], Y, rtol=1e-10)
    np.testing.assert_allclose(values[f"D{name}"], DX, rtol=1e-10, atol=1e-12)
    for field, gradient in zip(fields, gradients, strict=True):
        np.testing.assert_allclose(values[f"D{field}"], gradient, rtol=1e-10)


@pytest.mark.parametrize("name", ["Momentum", "Nesterov", "GradientDescent", "RMSProp"])
def test_the_text_of_an_update_says_what_the_code_computes(name):
    rng = np.random.default_rng(8)
    optimizer = find(name)[0]
    theta, Dtheta, state = (rng.uniform(0.1, 1, size=(2, 3)) for _ in range(3))
    numbers = {"mu": 0.7, "rho": 0.8, "epsilon": 0.01}
    concrete = replace(optimizer, **{key: value for key, value in numbers.items() if hasattr(optimizer, key)})
    start = concrete.init(OPS, theta)
    new, _ = concrete.update(OPS, rebuild(start, [state for _ in start]), theta, Dtheta, 0.3)
    values = {"θ": theta, "Dθ": Dtheta, "Δ": state, "v": state, "η": 0.3, "μ": 0.7, "ρ": 0.8, "ε": 0.01}
    text = [e for e in equations(optimizer).forward if "√" not in e.text()]
    if name == "RMSProp":
        values["root"] = np.sqrt(0.8 * state + 0.2 * Dtheta**2) + 0.01
    np.testing.assert_allclose(compute(text, values)["θ′"], new)


def test_functions_are_defined_below():
    assert [equation.text() for equation in equations(Softmax()).where] == [
        "stable-softmax(X) = softmax(subtract-rows-max(X))",
        "subtract-rows-max(X) = X − max(X)_row · 1_Kᵀ",
        "softmax(X) = E ⊙ (1/(E · 1_K) · 1_Kᵀ)",
        "E = e^X",
    ]
    assert [equation.text() for equation in equations(ActivationLayer(ReLU())).where] == ["relu(X) = max(X, 0)", "relu′(X) = [X ≥ 0]"]


@dataclass(frozen=True)
class Changed(Linear):
    def backpropagate(self, ops, params, cache, DY):
        (X,) = cache
        signs = ops.transpose(DY) @ X
        Db = 2 * ops.columns_sum(DY)
        return -(DY @ params.W), type(params)(-signs, Db)


def test_the_equations_change_with_the_code():
    assert [equation.text() for equation in equations(Changed(K)).backward] == [
        "signs = DYᵀ · X",
        "Db = 2 (1_Nᵀ · DY)",
        "DX = −DY · W",
        "DW = −signs",
    ]


@dataclass(frozen=True)
class Rebinding(Linear):
    def feedforward(self, ops, params, X):
        cache = (X,)
        X = X @ ops.transpose(params.W)
        X = X + ops.row_repeat(params.b, ops.shape(X)[0])
        return X, cache

    def backpropagate(self, ops, params, cache, DY):
        return super().backpropagate(ops, params, type(self)._cache(cache), DY)

    @staticmethod
    def _cache(cache):
        return cache


def test_a_variable_with_a_new_value_gets_a_prime():
    assert [equation.text() for equation in equations(Rebinding(K)).forward] == ["X′ = X · Wᵀ", "Y = X′ + 1_N · b"]


def named(ops, X, factor):
    return factor * ops.exp(X)


def expanded(ops, params, X):
    return X + ops.row_repeat(params.b, ops.shape(X)[0])


def two(ops, X):
    return X, ops.exp(X)


def with_options(ops, X, *, factor=2):
    return factor * X


@dataclass(frozen=True)
class Helped(Linear):
    def feedforward(self, ops, params, X):
        Z = X @ ops.transpose(params.W)
        return expanded(ops, params, named(ops, with_options(ops, two(ops, Z)[1], factor=5), 3.0)), (X,)


def test_functions_of_matrices_and_numbers_are_named_and_others_expanded():
    found = equations(Helped(K))
    assert [equation.text() for equation in found.forward] == ["Z = X · Wᵀ", "Y = named(5 e^Z, 3) + 1_N · b"]
    assert [equation.text() for equation in found.where] == ["named(X, 3) = 3 e^X"]


def test_a_function_is_defined_once():
    found = equations(Sequential((ActivationLayer(ReLU()), ActivationLayer(ReLU()))))
    assert [equation.text() for equation in found.where] == ["relu(X) = max(X, 0)", "relu′(X) = [X ≥ 0]"]


def test_a_result_that_was_there_before():
    assert [equation.text() for equation in equations(find("Identity")[0]).forward] == ["identity(X) = X"]
    assert [equation.text() for equation in equations(find("Identity")[0]).backward] == ["identity′(X) = 1"]


def test_a_network_names_what_is_between_its_layers():
    found = equations(Sequential((Linear(5), ActivationLayer(ReLU()), Linear(3))))
    assert [equation.text() for equation in (*found.forward, *found.backward)] == [
        "Z = X · Wᵀ + 1_N · b",
        "X′ = relu(Z)",
        "Y = X′ · (W′)ᵀ + 1_N · b′",
        "DW′ = DYᵀ · X′",
        "Db′ = 1_Nᵀ · DY",
        "DX′ = DY · W′",
        "DZ = DX′ ⊙ relu′(Z)",
        "DW = DZᵀ · X",
        "Db = 1_Nᵀ · DZ",
        "DX = DZ · W",
    ]


def test_shapes_of_the_quantities():
    found = equations(Linear(K))
    assert {equation.left.text(): str(equation.shape) for equation in found.backward} == {"DW": "(K, D)", "Db": "(1, K)", "DX": "(N, D)"}
    assert [(left.text(), str(shape)) for left, shape in found.given] == [
        ("X", "(N, D)"),
        ("W", "(K, D)"),
        ("b", "(1, K)"),
        ("DY", "(N, K)"),
    ]


@pytest.mark.parametrize("name", [name for table in TABLES for name in table.entries] + list(FUNCTIONS))
def test_everything_can_be_shown(name):
    subject, _ = find(name)
    found = equations(subject)
    texts = [equation.text() for equation in (*found.forward, *found.backward, *found.where)]
    assert len(set(texts)) == len(texts)
    assert all(left != right for left, _, right in (text.partition(" = ") for text in texts))


def test_reading_leaves_the_tracing_of_python_alone():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        equations(Linear(K))
        with pytest.raises(NervaError):
            equations(np.zeros(3))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_the_step_of_a_loop_is_shown_once_for_all_steps():
    """The state before it is that of step l - 1; going back, ΔH is the gradient through the steps after it."""
    found = equations(find("LSTM")[0])
    forward, backward = ([equation.text() for equation in part] for part in (found.forward, found.backward))
    assert forward[0] == "A = X · Wᵀ + 1_NL · b"
    assert forward[-6:] == [
        "G_l = tanh(Z_l_(3/4))",
        "O_l = σ(Z_l_(4/4))",
        "C_l = F_l ⊙ C_(l − 1) + I_l ⊙ G_l",
        "T_l = tanh(C_l)",
        "H_l = O_l ⊙ T_l",
        "Y = reshape(join((H_l)_l))_(NL × K)",
    ]
    assert backward[0] == "DH_l = DY_l + ΔH_l"
    assert {"ΔH_(l − 1) = DZ_l · U", "ΔC_(l − 1) = DC_l ⊙ F_l", "DW = DAᵀ · X"} <= {*backward}
