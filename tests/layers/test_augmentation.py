"""Images that are moved and mirrored: what the matrices do, where the gradient goes, and the same run on every backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.layers import RandomCrop, RandomFlip, parse_layers
from nerva_core.layers.augmentation import Augmentation, selections
from nerva_core.training.config import make_config
from nerva_core.training.runs import Run
from nerva_core.training.trainer import Trainer
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.theorem import Theorem, prove
from sympy_validation.theorems.layers import layer_of

N, H, W, C = 40, 5, 7, 2
LAYERS: dict[str, Augmentation] = {"crop": RandomCrop(2, height=H, width=W), "flip": RandomFlip(0.5, height=H, width=W)}


def new_images(ops: Any, layer: Augmentation, X: Any, seed: int = 0) -> Any:
    noise = layer.draw(np.random.default_rng(seed), len(X), X.shape[1])
    Y, _ = layer.feedforward(ops, (), ops.matrix(X), *map(ops.matrix, noise))
    return ops.to_numpy(Y).reshape(-1, H, W, C)


@pytest.fixture
def images(rng: np.random.Generator) -> Any:
    return rng.normal(size=(N, H, W, C))


def test_a_crop_is_one_of_the_padded_image(ops: Backend, images: Any) -> None:
    """Each is one of the 25 windows of the image with two zeros around it; all movements occur."""
    padded, found = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0))), set()
    for n, Y in enumerate(new_images(ops, LAYERS["crop"], images.reshape(N, -1))):
        (place,) = [(i, j) for i in range(5) for j in range(5) if np.array_equal(padded[n, i : i + H, j : j + W], Y)]
        found.add(place)
    assert {i for i, _ in found} == {j for _, j in found} == set(range(5))


def test_a_flip_mirrors_some_images(ops: Backend, images: Any) -> None:
    new = new_images(ops, LAYERS["flip"], images.reshape(N, -1))
    mirrored = [np.array_equal(Y, X[:, ::-1]) for X, Y in zip(images, new, strict=True)]
    assert all(m or np.array_equal(Y, X) for X, Y, m in zip(images, new, mirrored, strict=True))
    assert 10 < sum(mirrored) < 30


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradient_goes_back_to_where_it_came_from(ops: Backend, images: Any, name: str) -> None:
    """⟨DY, A X B⟩ = ⟨DX, X⟩ for any X, as the layer is linear, and no element of DX has more than one of DY."""
    layer, X, DY = LAYERS[name], images.reshape(N, -1), np.arange(1.0, N * H * W * C + 1).reshape(N, -1)
    noise = [ops.matrix(R) for R in layer.draw(np.random.default_rng(0), N, H * W * C)]
    Y, cache = layer.feedforward(ops, (), ops.matrix(X), *noise)
    DX, _ = layer.backpropagate(ops, (), cache, ops.matrix(DY))
    dx = ops.to_numpy(DX)
    assert np.sum(ops.to_numpy(Y) * DY) == pytest.approx(np.sum(dx * X), rel=1e-12)
    assert np.isin(dx, [0, *DY.ravel()]).all()
    np.testing.assert_array_equal(ops.to_numpy(layer.evaluate(ops, (), (), ops.matrix(X))), ops.to_numpy(ops.matrix(X)))


def test_selections() -> None:
    np.testing.assert_array_equal(
        selections(np.array([[1, 2, 3], [-1, 0, 1]])), [[[0, 1, 0], [0, 0, 1], [0] * 3], [[0] * 3, [1, 0, 0], [0, 1, 0]]]
    )


def not_transposed(ops: Any, layer: Any, params: Any, cache: Any, DY: Any) -> Any:
    return layer.backpropagate(ops, params, cache._replace(A=ops.transpose(cache.A)), DY)


def test_a_gradient_that_moves_on_is_refuted() -> None:
    """Rows that move in the same direction again, in the place of back."""
    claim = LayerGradient(layer_of(RandomCrop), not_transposed)
    (verdict,) = prove([Theorem("crop", "DX", "", claim, "all sizes", expected="refuted")])
    assert verdict.status == "refuted"


def configure(backend: str = "numpy", **training: Any) -> Any:
    model = {"layers": "RandomCrop(1);RandomFlip(0.5);Conv(4,3,padding=1);ReLU;Flatten;Linear"}
    values = {"data": "Digits(train=96, test=40)", "backend": backend, "dtype": "float64", "model": model}
    return make_config({**values, "training": {"epochs": 2, "batch_size": 32, **training}})


def test_the_same_run_on_every_backend(ops: Any) -> None:
    ours, reference = (list(Trainer(configure(backend)).run()) for backend in (ops.name, "numpy"))
    assert ours[-1].train_loss == pytest.approx(reference[-1].train_loss, rel=1e-9)
    assert ours[-1].test_loss == pytest.approx(reference[-1].test_loss, rel=1e-9)


def test_the_size_comes_from_the_data_and_blocks_share_the_noise() -> None:
    whole, blocks = Trainer(configure()), Trainer(configure(blocks=4))
    first, second, third, *_ = whole.config.model.layers
    assert (first, second, third) == ("RandomCrop(1, height=8, width=8)", "RandomFlip(0.5, height=8, width=8)", "Images(8, 8)")
    assert [m.train_loss for m in blocks.run()] == pytest.approx([m.train_loss for m in whole.run()], rel=1e-12)


def test_a_run_continues_to_the_same_bits(tmp_path: Path) -> None:
    Run.start(configure(), tmp_path / "whole").train()
    Run.start(configure(epochs=1), tmp_path / "half").train()
    Run.resume(tmp_path / "half", epochs=2).train()
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "half"))
    assert one == other


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["RandomCrop(1)", "Linear(3)"], r"RandomCrop\(height=None, width=None, padding=1\) does not know the size of an image"),
        (["Images(8, 8)", "RandomFlip(height=8, width=8)", "Flatten"], "the rows are positions already: 8 x 8; put it first"),
        (["RandomFlip(height=5, width=8)", "Linear(3)"], "takes an image of 5 x 8 positions in each row, got 64 columns"),
        (["RandomCrop(0)"], "padding must be >= 1"),
        (["RandomFlip(1.5)"], "p must be > 0 and <= 1"),
    ],
)
def test_what_is_refused(layers: list[str], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_layers(layers).outputs_for(64)
