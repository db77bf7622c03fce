import numpy as np
import pytest
import torch
from torch.nn import functional

from sympy_validation.foreign.torch_front import TORCH
from tests.sympy_validation.foreign.points import agree


@pytest.mark.parametrize("name", ["silu", "gelu", "mish", "softplus", "relu", "elu", "leaky_relu", "logsigmoid"])
def test_activations(name: str) -> None:
    agree(TORCH[name], "x: N D", lambda x: getattr(functional, name)(torch.tensor(x)).numpy(), style="torch")


def test_normalizations_and_losses() -> None:
    agree(
        lambda x, w: TORCH["layer_norm"](x, (x.shape[-1],), w),
        "x: N D, w: D",
        lambda x, w: functional.layer_norm(torch.tensor(x), (3,), torch.tensor(w)).numpy(),
        style="torch",
    )
    agree(
        lambda x, y: TORCH["cross_entropy"](x, y),
        "x: N K, y: N in K",
        lambda x, y: np.asarray(functional.cross_entropy(torch.tensor(x), torch.tensor(y))),
        style="torch",
    )
    agree(
        lambda q, k, v: TORCH["scaled_dot_product_attention"](q, k, v, is_causal=True),
        "q: T A, k: T A, v: T D",
        lambda q, k, v: functional.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), is_causal=True).numpy(),
        style="torch",
    )
