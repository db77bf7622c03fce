from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends.plan.torch_kernels import TorchKernels
from backends.plan.torch_momentum import momentum
from tests.conftest import make_backend

torch: Any = pytest.importorskip("torch")


def test_what_is_not_the_update_of_momentum_is_not_replaced_by_it() -> None:
    kernels = TorchKernels(make_backend("torch", "float32"))
    Delta, Dtheta, theta, other = (torch.ones(2, 3) for _ in range(4))

    def fused(Y: Any = Delta, Z: Any = Delta, out: Any = Delta, new: Any = theta) -> bool:
        scale, subtract = ("scale", (0.9, Delta), out), ("subtract", (Y, Dtheta, 0.1), Delta)
        return len(kernels.sequence([scale, subtract, ("add", (theta, Z), new)])) == 1

    assert fused()
    assert not any((fused(Y=other), fused(Z=other), fused(out=other), fused(new=other), fused(Y=Delta[:1])))
    Delta, theta = Delta.double(), theta.double()
    assert not fused(Delta, Delta, Delta, theta)


@pytest.mark.parametrize("eta", [1e-6, 0.01, 2.0])
def test_it_is_the_update_written_out(eta: float, rng: np.random.Generator) -> None:
    Delta, Dtheta, theta = (torch.tensor(rng.normal(size=(4, 3)), dtype=torch.float32) for _ in range(3))
    new_Delta = 0.9 * Delta.double() - eta * Dtheta.double()
    new_theta = theta.double() + new_Delta
    update = momentum(torch, [("scale", (0.9, Delta), Delta), ("subtract", (Delta, Dtheta, eta), Delta), ("add", (theta, Delta), theta)])
    assert update is not None
    update()
    np.testing.assert_allclose(Delta, new_Delta, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theta, new_theta, rtol=0, atol=1e-6)
