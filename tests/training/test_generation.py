"""A network that was trained on text writes it: what it has learned by heart, and the same for the same seed everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import Embedding, Layer, Linear, Sequences, Sequential
from nerva_core.training.config import make_config
from nerva_core.training.generation import TextWriter, choose, generate
from nerva_core.training.models import Model, load_model
from nerva_core.training.runs import MODEL, Run
from tests.conftest import make_backend

RHYME = "abcab" * 40
GPT = "Embedding(16);PositionEmbedding;Block(heads=2) * 2;LayerNorm;Linear"


def train(directory: Path, layers: str = GPT, epochs: int = 30, text: str = RHYME, **source: Any) -> tuple[Run, Model]:
    directory.mkdir()
    path = directory / "a.txt"
    path.write_text(text)
    values = {
        "data": {"name": "Text", "path": str(path), "length": 12, **source},
        "model": {"layers": layers},
        "loss": "SoftmaxCrossEntropy",
        "optimizer": "Adam",
        "schedule": "Constant(0.01)",
        "training": {"epochs": epochs, "batch_size": 4},
    }
    run = Run.start(make_config(values), directory / "run")
    run.train()
    return run, load_model(directory / "run" / MODEL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Model]:
    return train(tmp_path_factory.mktemp("text") / "rhyme")


def test_a_rhyme_is_learned_and_written(trained: tuple[Run, Model]) -> None:
    run, model = trained
    assert run.history[-1].test_loss < 0.1 < 0.5 < run.history[0].test_loss
    assert run.history[-1].test_accuracy == pytest.approx(1, abs=0.05)
    assert generate(model, "abcababc", 40, temperature=0) == ("abcab" * 10)[:48]


def test_the_same_seed_writes_the_same_text(trained: tuple[Run, Model], ops: Backend) -> None:
    """On every backend that of NumPy."""
    texts = [generate(trained[1], "abc", 30, 2.0, None, seed) for seed in range(3)]
    assert len(set(texts)) == 3
    assert [generate(trained[1], "abc", 30, 2.0, None, seed, ops) for seed in range(3)] == texts


@pytest.mark.parametrize(
    "layers",
    [GPT, "Embedding(8);LSTM(8);Linear", [{"name": "Tied", "width": 8, "layers": ["SinusoidalPositions", "Block(2, positions='rotary')"]}]],
    ids=["gpt", "lstm", "tied"],
)
def test_the_cache_changes_nothing(tmp_path: Path, layers: Any) -> None:
    """Outputs, before and after the text is as long as those of the training, are those for all positions at once."""
    _, model = train(tmp_path / "run", layers if isinstance(layers, str) else ["Sequences(12)", *layers], 1)
    assert model.network.can_go_on()
    writer, numbers = TextWriter(model, make_backend("numpy", "float64")), [0, 1, 2]
    for y in writer.outputs(numbers, 15, cache=True):
        seen = numbers[-12:]
        np.testing.assert_allclose(y, writer._rows(seen)[len(seen) - 1], atol=1e-13)
        numbers.append(int(np.argmax(y)))
    assert len(numbers) == 18
    for prompt in ("a", "abcabcabcabc", "abc" * 7):
        assert generate(model, prompt, 14, 2.0, None, 1) == generate(model, prompt, 14, 2.0, None, 1, cache=False)


@dataclass(frozen=True)
class SumsSoFar(Layer):
    """A user's layer over positions, which does not say so."""

    def feedforward(self, ops: Any, params: Any, X: Any) -> Any:
        return ops.lower_ones(ops.shape(X)[0]) @ X, ()

    def backpropagate(self, ops: Any, params: Any, cache: Any, DY: Any) -> Any:
        return ops.transpose(ops.lower_ones(ops.shape(DY)[0])) @ DY, ()


def test_a_layer_that_does_not_say_what_it_sees_is_noticed(trained: tuple[Run, Model]) -> None:
    network = Sequential((Sequences(12), Embedding(3, 3), SumsSoFar(), Linear(3)))
    params = network.init(np.random.default_rng(1), 12)
    model = replace(trained[1], network=network, params=params, state=network.initial_state(12))
    assert network.can_go_on()
    assert generate(model, "abc", 9, 1.0) == generate(model, "abc", 9, 1.0, cache=False)


def test_bytes(tmp_path: Path) -> None:
    _, model = train(tmp_path / "bytes", "Embedding(8);Linear", 30, "éa" * 100, unit="bytes")
    assert generate(model, "é", 4, temperature=0) == "éaéa"
    assert generate(model, "é", 5, temperature=0) == "éaéa\N{REPLACEMENT CHARACTER}"  # the half of a character


def test_the_mean_is_over_targets_not_over_padding(tmp_path: Path) -> None:
    """The loss of the same text, whose last sequence is short, is that of one sequence as long as the text."""
    losses = []
    for length in (19, 12):
        run, _ = train(tmp_path / str(length), "Embedding(8);Linear", 1, "ab" * 10 + "ba" * 10, length=length, test_fraction=0.5)
        fixed = run.trainer.network.init(np.random.default_rng(0), run.trainer.data.inputs)
        run.trainer.state = run.trainer.state._replace(params=run.trainer.ops.matrices(fixed))
        losses.append(run.trainer.evaluate(test=False))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_choose() -> None:
    y = np.log(np.array([0.1, 0.6, 0.3]))
    assert [choose(y, 1.0, None, u) for u in (0, 0.59, 0.61, 0.89, 0.91, 0.999999)] == [1, 1, 2, 2, 0, 0]
    assert [choose(y, 1.0, 2, u) for u in (0.66, 0.67, 0.999999)] == [1, 2, 2]
    assert [choose(y, 0.0, None, u) for u in (0, 0.99)] == [1, 1]
    assert choose(np.array([1e9, 0.0]), 1e-9, None, 0.5) == 0
    counts = np.bincount([choose(y, 0.5, None, u) for u in np.linspace(0, 1, 1000, endpoint=False)]) / 1000
    np.testing.assert_allclose(counts, np.array([0.01, 0.36, 0.09]) / 0.46, atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xyz", 5), "the character 'x' is not in the text of the training, which has 3 different"),
        (("", 5), "the prompt must have one character at least"),
        (("a", -1), "length must not be negative, got -1"),
        (("a", 5, -1.0), "temperature must be a number from 0 on, got -1.0"),
        (("a", 5, float("nan")), "temperature must be a number from 0 on, got nan"),
        (("a", 5, 1.0, 0), "top-k must be at least 1, got 0"),
    ],
)
def test_mistakes(trained: tuple[Run, Model], arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        generate(trained[1], *arguments)


def test_networks_that_cannot_write_are_refused(tmp_path: Path) -> None:
    _, model = train(tmp_path / "both", "Embedding(8);Block(heads=2, causal=false);Linear", 1)
    with pytest.raises(NervaError, match="a position sees those after it, so it cannot write text; make its attention causal"):
        generate(model, "abc", 5)
    Run.start(make_config({"data": "Checkerboard(n=20)", "model": {"layers": "Linear", "sizes": [2, 2]}}), tmp_path / "digits").train()
    with pytest.raises(NervaError, match="trained on Text, but this one was trained on Checkerboard"):
        generate(load_model(tmp_path / "digits" / MODEL), "a", 5)


@pytest.mark.parametrize(
    ("layers", "loss", "message"),
    [
        (GPT, "SoftmaxCrossEntropyOneHot", "which the loss SoftmaxCrossEntropyOneHot counts as data; use SoftmaxCrossEntropy"),
        ("Embedding(8);Flatten;Linear", "SoftmaxCrossEntropy", "a class at each of 12 positions, but the network gives 1 row"),
        ("Embedding(8);Linear(7)", "SoftmaxCrossEntropy", "the network has 7 outputs, but the data have 3 classes"),
    ],
)
def test_what_does_not_fit_the_targets_is_refused(tmp_path: Path, layers: str, loss: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(RHYME)
    data = {"name": "Text", "path": str(tmp_path / "a.txt"), "length": 12}
    with pytest.raises(NervaError, match=message):
        Run.start(make_config({"data": data, "model": {"layers": layers}, "loss": loss}), tmp_path / "run")
