import numpy as np
import pytest
import torch
from torch.nn import functional

from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.torch_front import TORCH
from tests.sympy_validation.foreign.points import agree, both


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


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("smooth_l1_loss", {"beta": 0.5}),
        ("huber_loss", {"delta": 0.5, "reduction": "sum"}),
        ("kl_div", {"reduction": "batchmean", "log_target": True}),
        ("binary_cross_entropy_with_logits", {"pos_weight": 2.0}),
    ],
)
def test_losses_have_their_options(name: str, given: dict[str, object]) -> None:
    def real(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        options = {k: torch.tensor(v) if k == "pos_weight" else v for k, v in given.items()}
        return np.asarray(getattr(functional, name)(torch.tensor(x), torch.tensor(y), **options))

    agree(lambda x, y: TORCH[name](x, y, **given), "x: N D, y: N D", real, style="torch")


def test_an_option_that_is_not_modelled_is_refused() -> None:
    with pytest.raises(NotCaptured, match="a loss with weight"):
        both(lambda x, y: TORCH["mse_loss"](x, y, weight=x), "x: N D, y: N D", style="torch")
    with pytest.raises(NotCaptured, match="ceil_mode"):
        both(lambda x: TORCH["max_pool1d"](x, 2, ceil_mode=True), "x: N D", style="torch")
