import torch

from tests.sympy_validation.foreign.points import agree


def test_the_variance_is_by_n_less_one() -> None:
    agree(lambda x: x.var(-1, keepdim=True), "x: N D", lambda x: torch.tensor(x).var(-1, keepdim=True).numpy(), style="torch")
    agree(lambda x: x.var(0, unbiased=False), "x: N D", lambda x: torch.tensor(x).var(0, unbiased=False).numpy(), style="torch")


def test_split_takes_lengths_and_chunk_a_number() -> None:
    agree(lambda x: x.split(x.shape[1] // 2, 1)[1], "x: N (2 D)", lambda x: x[:, 3:], style="torch")
    agree(lambda x: x.chunk(2, dim=-1)[0], "x: N (2 D)", lambda x: x[:, :3], style="torch")


def test_gather_and_scatter() -> None:
    agree(lambda x, y: x.gather(1, y.unsqueeze(1)).squeeze(1), "x: N K, y: N in K", lambda x, y: x[[0, 1], y], style="torch")


def test_changes_in_place() -> None:
    def f(x):
        y = x.clone()
        y.mul_(2).add_(x)
        y[:, 1:].zero_()
        return y

    agree(f, "x: N 3", lambda x: f(torch.tensor(x)).numpy(), style="torch")
