from __future__ import annotations

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.layers.densities import erdos_renyi


def test_the_densities_of_nervas_manual() -> None:
    densities = erdos_renyi(0.05, [3072, 1024, 1024, 10])
    assert [round(density, 6) for density in densities] == [0.042383, 0.063574, 1]


@pytest.mark.parametrize("overall", [0.001, 0.02, 0.3, 0.99, 1.0])
def test_so_many_of_all_weights_are_there(overall: float) -> None:
    sizes = [784, 1024, 30, 10]
    products = [784 * 1024, 1024 * 30, 30 * 10]
    densities = erdos_renyi(overall, sizes)
    assert sum(d * n for d, n in zip(densities, products, strict=True)) == pytest.approx(overall * sum(products))
    assert all(0 < d <= 1 for d in densities)


@pytest.mark.parametrize("overall", [0.0, -1.0, 1.5, float("nan")])
def test_a_density_is_a_part(overall: float) -> None:
    with pytest.raises(NervaError, match="greater than 0 and at most 1"):
        erdos_renyi(overall, [3, 4])
