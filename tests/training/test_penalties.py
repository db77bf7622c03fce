from typing import Any

import pytest

from nerva_core.layers import DAB, Linear, Sequential, parse_layers
from nerva_core.training.config import make_config
from nerva_core.training.penalties import BY_FAR, penalty_ratio, penalty_warning
from nerva_core.training.trainer import Trainer


def trainer(middle: Any, epochs: int = 3, backend: str = "numpy", **settings: Any) -> Trainer:
    layers = ["Linear(64)", "ReLU", "Linear(32)", middle, "Linear(10)"]
    given = {
        "data": "Digits",
        "optimizer": "Adam",
        "schedule": "Constant(0.002)",
        "model": {"layers": layers},
        "training": {"epochs": epochs},
    }
    return Trainer(make_config({"backend": backend, **given, **settings}, "test"))


def bridge(**options: Any) -> dict[str, Any]:
    return {"name": "DAB", "hard": "Signum", "bridge": ["Linear(32)", "Tanh", "Linear(32)"], **options}


def test_a_classifier_with_the_defaults_trains() -> None:
    """The paper's formula, the mean of sums over the features at γ = 10, leaves this network at chance; it can be asked for."""
    accuracy = {reduction: list(trainer(bridge(**given)).run())[-1].test_accuracy for reduction, given in PAPER_AND_DEFAULT.items()}
    assert accuracy["default"] is not None
    assert accuracy["default"] > 0.85
    assert accuracy["paper"] is not None
    assert accuracy["paper"] < 0.3


PAPER_AND_DEFAULT: dict[str, dict[str, Any]] = {"default": {}, "paper": {"reduction": "mean"}}


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "tensorflow"])
def test_who_is_warned(backend: str) -> None:
    pytest.importorskip(backend)
    found = trainer(bridge(reduction="mean"), backend=backend)
    ratio = penalty_ratio(found)
    assert ratio is not None
    assert ratio > 5 * BY_FAR
    assert f"{ratio:.0f} times that of the loss" in penalty_warning(found)
    assert penalty_warning(trainer(bridge(), backend=backend)) == ""
    assert penalty_ratio(trainer("Tanh", backend=backend)) is None


def test_the_ratio_scales_with_gamma() -> None:
    one, ten = (penalty_ratio(trainer(bridge(gamma=gamma))) for gamma in (1, 10))
    assert one is not None
    assert ten == pytest.approx(10 * one, rel=1e-4)
    assert penalty_ratio(trainer(bridge(gamma=0))) == 0


def test_bridges_in_layers_of_layers_are_found() -> None:
    network = parse_layers(["Linear(4)", {"name": "Repeat", "layers": ["Linear(4)", bridge(bridge=["Linear(4)"])], "times": 2}, bridge()])
    assert str(network.without_penalty()).count("gamma=0.0") == str(network).count("gamma=10.0") == 2
    plain = Sequential((Linear(3),))
    assert plain.without_penalty() is plain
    assert DAB.__dataclass_fields__["gamma"].default == 10.0
