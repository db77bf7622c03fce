"""A plan gives what the plain equations give: for every layer, loss and optimizer of the tables, over several steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves, map_tree, stacked
from nerva_core.equations.losses import LOSSES, Loss, MeanSquaredError, SquaredError
from nerva_core.equations.optimizers import OPTIMIZERS, Adam, GradientDescent, Momentum, Optimizer
from nerva_core.layers import GRU, LAYERS, LSTM, RNN, Last, Layer, Linear, Sequences, Sequential, multilayer_perceptron
from nerva_core.training.step import TrainingState, training_step
from tests.conftest import installed, make_backend
from tests.helpers import examples, to_numpy, to_ops

PLANNED = ["numpy", pytest.param("torch", marks=pytest.mark.skipif(not installed("torch"), reason="torch is not installed"))]
ULPS = {"numpy": 0, "torch": 64}
"""How far the results may be from the plain ones after all steps, in units in the last place of the largest element of a matrix, or of 1:
NumPy's are the same; PyTorch rounds other intermediate values."""
N, D, EXAMPLES, STEPS = 6, 4, 20, 5


class Run:
    """A small training run, of which every call starts from the same state."""

    def __init__(
        self,
        name: str,
        network: Sequential,
        loss: Loss,
        optimizer: Optimizer,
        record: bool = True,
        batch: int = N,
        dtype: str = "float64",
    ) -> None:
        self.ops = make_backend(name, dtype)
        self.network, self.loss, self.optimizer, self.record = network, loss, optimizer, record
        rng = np.random.default_rng(7)
        K = network.outputs_for(D)
        self.params, self.statistics = network.init(rng, D), network.initial_state(D)
        self.data = (self.ops.matrix(rng.normal(size=(EXAMPLES, D))), self.ops.matrix(rng.dirichlet(np.ones(K), EXAMPLES)))
        self.inputs = stacked(
            [(rng.permutation(EXAMPLES)[:batch], network.draw(rng, batch, D), optimizer.scalars(0.05 / t, t)) for t in range(1, STEPS + 1)]
        )

    def given(self, steps: slice) -> Any:
        """The inputs of some of the steps."""
        return map_tree(lambda array: array[steps], self.inputs)

    def first(self) -> Any:
        """The inputs of the first step."""
        return map_tree(lambda array: array[0], self.inputs)

    def state(self) -> TrainingState:
        params = to_ops(self.ops, self.params)
        states = tuple(self.optimizer.init(self.ops, theta) for theta in leaves(params))
        return TrainingState(params, states, to_ops(self.ops, self.statistics))

    def step(self, ops: Any, state: Any, X: Any, T: Any, rows: Any, noise: Any, scalars: Any) -> Any:
        X, T = ops.take_rows(X, rows), ops.take_rows(T, rows)
        return training_step(ops, self.network, self.loss, self.optimizer, state, X, T, noise, scalars, self.record)

    def results(self, way: str) -> list[np.ndarray[Any, Any]]:
        """The outputs of all steps and the state after them; the steps go in two calls, so the state is handed on."""
        run, state, found = getattr(self.ops, way), self.state(), []
        with np.errstate(all="ignore"):
            for steps in (slice(0, 2), slice(2, STEPS)):
                state, outputs = run(self.step, state, self.data, self.given(steps))
                found.append(outputs)
        return [*found, *map(np.array, leaves(to_numpy(self.ops, state)))]


def assert_same(run: Run, ulps: float | None = None) -> None:
    ulps = ULPS[run.ops.name] if ulps is None else ulps
    for planned, plain in zip(run.results("run_steps"), run.results("run_plainly"), strict=True):
        assert planned.shape == plain.shape
        if ulps == 0:
            np.testing.assert_array_equal(planned, plain)
        else:
            np.testing.assert_allclose(planned, plain, rtol=0, atol=ulps * np.spacing(np.maximum(np.abs(plain).max(), plain.dtype.type(1))))


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("layer", examples(LAYERS), ids=repr)
def test_every_layer(name: str, layer: Layer) -> None:
    network = Sequential((Linear(3), layer, Linear(3)))  # an example of a layer may need as many inputs as it has outputs
    assert_same(Run(name, network, SquaredError(), Momentum()))


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("layer", [RNN(3), LSTM(3), GRU(2, bidirectional=True)], ids=repr)
def test_recurrent_layers(name: str, layer: Layer) -> None:
    """Families are recorded as such, with their members."""
    assert_same(Run(name, Sequential((Sequences(2), layer, Last(), Linear(3))), SquaredError(), Momentum()))


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("loss", examples(LOSSES), ids=repr)
def test_every_loss(name: str, loss: Loss) -> None:
    assert_same(Run(name, multilayer_perceptron("Tanh;Softmax", [D, 5, 3]), loss, Momentum()))


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("optimizer", [*examples(OPTIMIZERS), GradientDescent(), Adam()], ids=repr)
@pytest.mark.parametrize("record", [False, True])
def test_every_optimizer(name: str, optimizer: Optimizer, record: bool) -> None:
    assert_same(
        Run(name, multilayer_perceptron("ReLU;BatchNormalization;SReLU;Linear", [D, 5, 4, 3]), MeanSquaredError(), optimizer, record)
    )


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("seed", range(12))
def test_random_networks(name: str, seed: int) -> None:
    """Square shapes and sizes that coincide, where memory that is shared wrongly shows."""
    assert_same(random_run(name, seed))


def random_run(name: str, seed: int, optimizer: Optimizer | None = None, batch: int | None = None) -> Run:
    """A network of random layers and sizes, with a random optimizer on random batches, unless they are given."""
    rng = np.random.default_rng(seed)
    middle = [str(rng.choice(["ReLU", "Tanh", "SReLU", "AllReLU", "Sigmoid", "LinearDropout"])) for _ in range(rng.integers(1, 4))]
    sizes = [D, *(int(rng.choice([3, D, N])) for _ in middle), 3]
    extra = [name if rng.random() < 0.5 else f"{name};BatchNormalization" for name in middle]
    network = multilayer_perceptron(";".join([*extra, "Linear"]), sizes)
    drawn = [*examples(OPTIMIZERS)][rng.integers(len(OPTIMIZERS.entries))]
    record = bool(rng.integers(2))
    return Run(name, network, SquaredError(), optimizer or drawn, record, batch=batch or int(rng.choice([1, D, N])))


@pytest.mark.parametrize("name", PLANNED)
def test_large_matrices_go_in_blocks_and_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.plan.program.Kernels.block", 8)
    for optimizer in (Momentum(), Adam()):
        layers = "ReLU;BatchNormalization;LinearDropout;SReLU;Linear"
        assert_same(Run(name, multilayer_perceptron(layers, [D, 5, N, N, 3]), SquaredError(), optimizer))


@pytest.mark.parametrize("name", PLANNED)
def test_a_state_of_ones_own_may_be_handed_in_at_any_time(name: str) -> None:
    """Leaves that share memory, the state of another batch size, and an old state after a new one."""
    run = Run(name, multilayer_perceptron("ReLU;Linear", [D, 5, 3]), SquaredError(), Adam())
    expected = run.results("run_plainly")
    state = run.state()  # Adam's two averages begin as one matrix
    before = map_tree(np.array, to_numpy(run.ops, state))
    inputs = run.given(slice(0, 1))
    state, first = run.ops.run_steps(run.step, state, run.data, inputs)
    other = run.inputs[0][:, :3], *run.inputs[1:]
    run.ops.run_steps(run.step, state, run.data, other)
    state, again = run.ops.run_steps(run.step, to_ops(run.ops, before), run.data, inputs)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, expected[0][:1], rtol=1e-12)


@pytest.mark.parametrize("name", PLANNED)
def test_what_is_swapped_in_the_state_is_copied_first(name: str) -> None:
    ops = make_backend(name, "float64")

    def swap(ops: Any, state: Any, X: Any) -> Any:
        a, b, c = state
        return (b, a, ops.transpose(c)), (ops.elements_sum(a),)

    state = (ops.matrix([[1, 2]]), ops.matrix([[3, 4]]), ops.matrix([[1, 2], [3, 4]]))
    (a, b, c), outputs = ops.run_steps(swap, state, (), (np.zeros((3, 1, 1)),))
    np.testing.assert_array_equal(outputs, [[3], [7], [3]])
    np.testing.assert_array_equal(ops.to_numpy(a), [[3, 4]])
    np.testing.assert_array_equal(ops.to_numpy(b), [[1, 2]])
    np.testing.assert_array_equal(ops.to_numpy(c), [[1, 3], [2, 4]])


def test_an_update_that_depends_on_the_value_of_a_number_is_refused_with_the_way_out() -> None:
    ops = make_backend("numpy", "float64")

    def step(ops: Any, state: Any, eta: Any) -> Any:
        (theta,) = state
        return ((eta * theta if eta > 0.1 else theta),), (theta,)

    with pytest.raises(NervaError, match="set compile = false"):
        ops.run_steps(step, (ops.matrix([[1.0]]),), (), (np.array([0.5]),))
