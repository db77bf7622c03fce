import numpy as np
import pytest

from nerva_core.equations.activations import ELU
from nerva_core.reproductions import q_figures
from nerva_core.reproductions.q_figures import density_of_q, density_of_q_activation


def test_the_density_of_a_q_activation_is_where_its_draws_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(q_figures, "DRAWS", 500)
    x, heights = np.array([-2.0, 1.0]), np.linspace(-2.05, 2.05, 42)
    density = q_figures._density(ELU(), 0.02, x, heights)
    assert density.shape == (41, 2)
    centres = (heights[:-1] + heights[1:]) / 2
    assert centres[density[:, 0].argmax()] == pytest.approx(-2 * np.exp(-2), abs=0.051)  # f'(x) x
    assert centres[density[:, 1].argmax()] == pytest.approx(1.0, abs=0.051)


def test_the_figures_are_drawn_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(q_figures, "DRAWS", 50)
    assert density_of_q().startswith(b"\x89PNG")
    assert density_of_q_activation({"elu": ELU()}, (0.02, 1.0)) == density_of_q_activation({"elu": ELU()}, (0.02, 1.0))
