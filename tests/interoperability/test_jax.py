from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree
from nerva_core.equations.activations import ELU, ReLU
from nerva_core.equations.optimizers import Adam, Optimizer
from nerva_core.interoperability import jax as interop
from nerva_core.layers import ActivationLayer, BatchNormalization, Dropout, Layer, Linear, QActivation, Sequential, SReLU
from nerva_core.training.config import make_config
from nerva_core.training.models import Model
from tests.conftest import load_frameworks, make_backend
from tests.helpers import assert_trees_equal
from tests.interoperability.cases import (
    DIFFERENTIABLE,
    EVERY_LAYER,
    LOSS,
    RULES,
    D,
    N,
    by_the_equations,
    data,
    inputs_of,
    trained_by_the_equations,
)

pytest.importorskip("jax")
load_frameworks()
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

ROOT = Path(__file__).parents[2]


def arrays(tree: Any) -> Any:
    return map_tree(jnp.asarray, tree)


@pytest.mark.parametrize("layer", EVERY_LAYER, ids=repr)
def test_the_gradients_are_those_of_the_equations(layer: Layer) -> None:
    """Compiled, with the state returned beside the output."""
    X, params, noise, DY = arrays(inputs_of(layer))
    f, state = interop.function(layer), arrays(layer.initial_state(D))

    @jax.jit
    def gradients(params: Any, X: Any, noise: Any) -> Any:
        Y, pullback, new = jax.vjp(lambda params, X: f(params, X, *noise, state=state), params, X, has_aux=True)
        return Y, pullback(DY), new

    Y, (grads, DX), new = gradients(params, X, noise)
    expected_Y, expected, expected_state = by_the_equations(make_backend("numpy", "float64"), layer)
    np.testing.assert_allclose(Y, expected_Y, rtol=0, atol=1e-12)
    for gradient, exact in zip([DX, *leaves(grads)], expected, strict=True):
        np.testing.assert_allclose(gradient, exact, rtol=0, atol=1e-12)
    assert type(grads) is type(params)
    assert_trees_equal(map_tree(np.asarray, new), expected_state, atol=1e-12)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=repr)
def test_the_gradients_are_those_of_differences(layer: Layer) -> None:
    """JAX's own check, by differences of the forward pass in float64."""
    X, params, noise, _ = arrays(inputs_of(layer))
    check_grads(jax.jit(lambda params, X: interop.function(layer)(params, X, *noise)), (params, X), order=1, modes=["rev"])


def test_a_wrong_backward_pass_is_seen_by_the_check_of_differences() -> None:
    class Wrong(Linear):
        def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
            DX, gradients = super().backpropagate(ops, params, cache, DY)
            return 2 * DX, gradients

    X, params, _, _ = arrays(inputs_of(Linear(2)))
    with pytest.raises(AssertionError):
        check_grads(lambda X: interop.function(Wrong(2))(params, X), (X,), order=1, modes=["rev"])


def test_vmap_is_a_loop() -> None:
    params, state = interop.init("Linear(4); BatchNormalization; q-elu", D, dtype="float64")
    f, (X, _, _, _) = interop.function("Linear(4); BatchNormalization; q-elu"), arrays(inputs_of(Linear(1)))
    keys, batches = jax.random.split(jax.random.key(3), 2), jnp.stack([X, 2 * X])
    both = jax.jit(jax.vmap(lambda key, X: f(params, X, *interop.draw("Linear(4); BatchNormalization; q-elu", key, X), state=state)))
    Y, new = both(keys, batches)
    for k in range(2):
        noise = interop.draw("Linear(4); BatchNormalization; q-elu", keys[k], batches[k])
        expected, expected_state = f(params, batches[k], *noise, state=state)
        np.testing.assert_allclose(Y[k], expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(new[1].mean[k], expected_state[1].mean, rtol=0, atol=1e-12)


def test_noise_is_drawn_from_the_key() -> None:
    X = jnp.ones((2, 4, D), "float32")
    (first,) = interop.draw(Dropout(), jax.random.key(1), X)
    assert first.shape == (8, D)
    assert first.dtype == "float32"
    assert set(np.unique(first)) == {0, 2}
    np.testing.assert_array_equal(jax.jit(lambda key: interop.draw(Dropout(), key, X))(jax.random.PRNGKey(1))[0], first)
    assert not np.array_equal(interop.draw(Dropout(), jax.random.key(2), X)[0], first)
    assert interop.draw(Dropout(), jax.random.key(1), X, evaluation=True) == ()
    layer = QActivation(activation=EVERY_LAYER[0].activation, evaluation="noise")
    noise = interop.draw(layer, jax.random.key(1), X, evaluation=True)
    assert interop.evaluate(layer, (), (), X, *noise).shape == X.shape


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layer", DIFFERENTIABLE, ids=repr)
def test_a_second_derivative_equals_differences(layer: Layer) -> None:
    """The Hessian of ⟨DY, Y⟩ times a vector, where DY is constant, against differences of the gradient."""
    X, params, noise, DY = arrays(inputs_of(layer))
    V, h = jnp.asarray(np.random.default_rng(4).normal(size=X.shape)), 1e-6
    gradient = jax.jit(jax.grad(lambda X: (interop.function(layer)(params, X, *noise) * DY).sum()))
    product = jax.jit(jax.grad(lambda X: (gradient(X) * V).sum()))(X)
    np.testing.assert_allclose(product, (gradient(X + h * V) - gradient(X - h * V)) / (2 * h), rtol=0, atol=1e-6)


def test_what_cannot_be_is_refused() -> None:
    params, _ = interop.init(Linear(2), D)
    f, X = interop.function(Linear(2)), jnp.ones((2, D), "float32")
    for wrong, message in {
        "columns": (jnp.ones((2, 5), "float32"), r"got W of shape \(2, 3\)"),
        "dtype": (X.astype("bfloat16"), "X is bfloat16, but the parameter W of Linear is float32"),
        "list": ([[1.0]], "got list"),
    }.values():
        with pytest.raises(NervaError, match=message):
            f(params, wrong)
    normalization, _ = interop.init("BatchNormalization", D)
    with pytest.raises(NervaError, match="at least two rows in training"):
        interop.function("BatchNormalization")(normalization, X[:1])


# optax ----------------------------------------------------------------------


TRAINED = Sequential((BatchNormalization(), Linear(4), QActivation(ELU()), Linear(3), ActivationLayer(ReLU())))
"""No bias stands before a normalization: its gradient is 0 but for rounding, and Adam and its kin divide that by its own size."""


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_training_with_a_transformation_is_ours(rule: Optimizer, dtype: Any) -> None:
    """Four steps; optax adds θ' - θ to θ, which rounds twice, and XLA may contract products and sums: a few units in the last place."""
    optax = pytest.importorskip("optax")
    eta, ops = 0.1, make_backend("jax", dtype)
    rng = np.random.default_rng(5)
    noises = [TRAINED.draw(rng, N, D) for _ in range(4)]
    params, state = interop.init(TRAINED, D, dtype=dtype)
    X, T = map_tree(ops.matrix, data())
    transformation, f = interop.gradient_transformation(rule, lambda count: eta), interop.function(TRAINED)
    kept = transformation.init(params)
    for noise in noises:
        (Y, state), pullback = jax.vjp(lambda p, r=noise, s=state: f(p, X, *map_tree(ops.matrix, r), state=s), params)
        zero = map_tree(jnp.zeros_like, state)
        (gradients,) = pullback((ops.divide(LOSS.gradient(ops, Y, T), N), zero))
        updates, kept = transformation.update(gradients, kept, params)
        params = optax.apply_updates(params, updates)
    expected = trained_by_the_equations(ops, TRAINED, rule, eta, noises)
    for actual, exact in zip(leaves((params, state)), expected, strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, exact, rtol=0, atol={"float32": 2e-6, "float64": 4e-15}[dtype])


def test_a_transformation_is_compiled_with_a_schedule_and_any_tree() -> None:
    optax = pytest.importorskip("optax")
    transformation = interop.gradient_transformation(Adam(), lambda count: 0.1 / (1 + count))
    params = {"kernel": jnp.arange(24, dtype="float32").reshape(2, 3, 4), "bias": jnp.ones(3, "float32")}

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        updates, state = transformation.update(jax.tree.map(lambda p: p - 1, params), state, params)
        return optax.apply_updates(params, updates), state

    theirs = optax.adam(lambda count: 0.1 / (1 + count))
    state, other, other_state = transformation.init(params), params, theirs.init(params)
    for _ in range(3):
        params, state = step(params, state)
        updates, other_state = theirs.update(jax.tree.map(lambda p: p - 1, other), other_state, other)
        other = optax.apply_updates(other, updates)
    assert state.count == 3
    for name in params:
        np.testing.assert_allclose(params[name], other[name], rtol=1e-5)
    with pytest.raises(NervaError, match="needs the parameters"):
        transformation.update(params, state)


def test_trees_without_parameters_and_of_mixed_dtypes() -> None:
    pytest.importorskip("optax")
    rule = interop.gradient_transformation("Adam", 0.1)
    assert rule.update({}, rule.init({}), {})[0] == {}
    params = {"narrow": jnp.zeros(3, "float32"), "wide": jnp.zeros(3, "float64")}
    gradients = {name: jnp.full(3, 1e-3, p.dtype) for name, p in params.items()}
    updates, _ = rule.update(gradients, rule.init(params), params)
    for name, p in params.items():
        (alone,) = rule.update([gradients[name]], rule.init([p]), [p])[0]
        assert updates[name].dtype == p.dtype
        np.testing.assert_array_equal(updates[name], alone)
    with pytest.raises(NervaError, match="got 1 gradients, 2 parameters and 2 states"):
        rule.update({"wide": gradients["wide"]}, rule.init(params), params)


def test_a_trained_network_in_a_module_of_flax_as_documented() -> None:
    pytest.importorskip("flax")
    block = re.search(r"```py\n(import flax.*?)```", (ROOT / "docs" / "interoperability.md").read_text(), re.DOTALL)
    assert block
    network = Sequential((Linear(4), SReLU(), Linear(2)))
    params = network.init(np.random.default_rng(0), 3)
    model = Model(make_config({}), network, 3, params, network.initial_state(3))
    ours, apply = interop.to_jax(model)
    names: dict[str, Any] = {"jax": jax, "params": ours, "apply": apply, "X": jnp.ones((4, 3))}
    exec(block[1], names)
    assert_trees_equal(map_tree(np.asarray, names["variables"]["params"]["network"]), map_tree(np.float32, params))
    found = names["gradients"]["params"]["network"]
    head = names["variables"]["params"]["Dense_0"]["kernel"]
    expected = jax.grad(lambda params: (apply(params, names["X"]) @ head).sum())(ours)
    assert_trees_equal(map_tree(np.asarray, found), map_tree(np.asarray, expected), rtol=1e-6)


def test_second_derivatives_go_through_the_cache() -> None:
    f = interop.function("Tanh")
    with jax.enable_x64(True):
        x = jnp.float64(0.7)
        second = jax.grad(jax.grad(lambda x: f((), x.reshape(1, 1))[0, 0]))(x)
        np.testing.assert_allclose(second, -2 * np.tanh(0.7) * (1 - np.tanh(0.7) ** 2), rtol=1e-12)


def test_a_network_on_images_in_a_compiled_function() -> None:
    """N x H x W x C; sizes in the caches of pooling stay numbers under ``jit``. The oracle is JAX's autodiff of its own convolution."""
    layer, positions = "Conv(4, 3, padding=1); ReLU; MaxPool(2); Flatten; Linear(2)", (4, 6)
    params, _ = interop.init(layer, 3, positions=positions, dtype="float64")
    f = interop.function(layer, positions)
    X = jax.random.normal(jax.random.key(0), (2, 4, 6, 3), "float64")

    def theirs(params: Any, X: Any) -> Any:
        Y = jax.lax.conv_general_dilated(X, params[0].W.reshape(3, 3, 3, 4), (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        Y = jax.lax.reduce_window(jax.nn.relu(Y + params[0].b), -jax.numpy.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return Y.reshape(2, -1) @ params[4].W.T + params[4].b

    ours, expected = (jax.jit(jax.value_and_grad(lambda *a, g=g: (g(*a) ** 2).sum(), argnums=(0, 1)))(params, X) for g in (f, theirs))
    for actual, exact in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(actual, exact, rtol=0, atol=1e-10)
    assert interop.function("Conv(5, 3)", positions)(interop.init("Conv(5, 3)", 3, positions=positions, dtype="float64")[0], X).shape == (
        2, 2, 4, 5)  # fmt: skip
    with pytest.raises(NervaError, match=r"X must have the axes \(\.\.\., 4, 6, channels\), got the shape \(2, 6, 4, 3\)"):
        f(params, X.swapaxes(1, 2))
