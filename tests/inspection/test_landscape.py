import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.equations.gradient_activations import Arctan, fixed_point
from nerva_core.inspection.landscape import LossCurve, loss_curve, on_examples, parabola, random_direction, suggest
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer

T = np.linspace(-2, 2, 41)


def trained() -> Trainer:
    model = {"layers": "ReLU;BatchNormalization;Linear", "sizes": [64, 8, 10]}
    trainer = Trainer(make_config({"data": "Digits(train=200, test=50)", "model": model, "training": {"epochs": 3, "batch_size": 50}}))
    list(trainer.run())
    return trainer


def test_a_direction_is_normalised_by_neuron() -> None:
    params = trained().to_numpy().params
    d = random_direction(np.random.default_rng(0), params)
    for step, theta in zip(leaves(d), leaves(params), strict=True):
        assert step.shape == theta.shape
        expected = np.linalg.norm(theta, axis=1) if len(theta) > 1 else [0.0]  # biases, γ and β stay
        assert np.linalg.norm(step, axis=1) == pytest.approx(expected)
    again, other = (next(leaves(random_direction(np.random.default_rng(seed), params))) for seed in (0, 1))
    assert np.array_equal(again, next(leaves(d)))
    assert not np.array_equal(other, again)


def test_the_loss_along_a_direction_is_that_of_the_moved_network() -> None:
    trainer = trained()
    before, (loss, _) = trainer.to_numpy(), trainer.evaluate(test=False)
    fractions: list[float] = []
    curve = loss_curve(trainer, [-0.5, 0.0, 0.5], directions=2, seed=7, progress=fractions.append)
    assert curve.losses.shape == (2, 3)
    assert curve.losses[:, 1] == pytest.approx([loss, loss])
    assert fractions == pytest.approx(np.arange(1, 7) / 6)
    for after, value in zip(leaves(trainer.to_numpy()), leaves(before), strict=True):
        assert np.array_equal(after, value)
    d = random_direction(np.random.default_rng(7), before.params)
    W, Dw = before.params[0].W, d[0].W
    moved = (
        before.params[0]._replace(W=W + 0.5 * Dw),
        before.params[1],
        before.params[2],
        before.params[3]._replace(W=before.params[3].W + 0.5 * d[3].W),
    )
    trainer.restore(3, before._replace(params=moved))
    assert curve.losses[0, 2] == pytest.approx(trainer.evaluate(test=False)[0])


def test_on_fewer_examples() -> None:
    trainer = trained()
    few = on_examples(trainer, 30)
    assert few.examples == 30
    assert few.epoch == trainer.epoch
    for a, b in zip(leaves(few.to_numpy()), leaves(trainer.to_numpy()), strict=True):
        assert np.array_equal(a, b)


def test_the_parabola_touches_the_curve_where_it_has_risen_by_1() -> None:
    losses = 0.2 + np.abs(T) ** 3
    reference = parabola(T, losses)
    at = np.isclose(np.abs(T), 1)
    assert reference[at] == pytest.approx(losses[at])
    assert reference[20] == 0.2
    inside = (np.abs(T) < 1) & (T != 0)
    assert (reference > losses)[inside].all()


@pytest.mark.parametrize("power", [3.0, 4.0])
def test_flat_near_the_optimum_asks_for_larger_gradients(power: float) -> None:
    found = suggest(LossCurve(T, np.abs(T)[None, :] ** power), [3.0, 0.2, 0.3])
    assert found.flatter
    assert found.alpha * found.beta == pytest.approx(2)
    assert found.typical_gradient == 0.3
    assert fixed_point(Arctan(found.alpha, found.beta)) == pytest.approx(0.3)


def test_sharp_near_the_optimum_asks_for_smaller_gradients() -> None:
    found = suggest(LossCurve(T, np.abs(T)[None, :]), [0.3])
    assert not found.flatter
    assert found.alpha * found.beta == pytest.approx(0.5)
    assert fixed_point(Arctan(found.alpha, found.beta)) == 0
    assert np.pi / 2 * found.alpha == pytest.approx(0.3)


def test_the_papers_setting_is_what_a_median_gradient_of_its_fixed_point_gives() -> None:
    found = suggest(LossCurve(T, T[None, :] ** 4), [0.11656])
    assert (found.alpha, found.beta) == pytest.approx((0.1, 20), rel=1e-4)


def test_without_gradients_there_is_no_suggestion() -> None:
    with pytest.raises(NervaError, match="record_gradients = true"):
        suggest(LossCurve(T, T[None, :] ** 2), [])
