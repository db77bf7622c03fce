"""Whole training runs against loops in plain NumPy, written from the papers, and against the optimizers of PyTorch.

A theorem is about the update rule; what the training loop hands to it, such as the number of the step, only a run shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.equations.schedules import SCHEDULES
from nerva_core.training.batches import ORDER, random_stream
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer

EPOCHS, BATCH = 3, 32  # of 100 examples: the last batch is smaller
Array = np.ndarray[Any, Any]
Rule = Callable[[Array, dict[str, Any], Array, float, int], Array]
"""(θ, memory, Dθ, η, number of the step from 1) -> θ'; the memory is empty at first."""


def descent(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    return theta - eta * G


def momentum(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    memory["v"] = 0.9 * memory.get("v", 0) - eta * G
    return theta + memory["v"]


def nesterov(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    memory["v"] = 0.9 * memory.get("v", 0) - eta * G
    return theta + 0.9 * memory["v"] - eta * G


def adam(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 1 of Kingma and Ba (2015)."""
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * G
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * G**2
    m, v = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return theta - eta * m / (np.sqrt(v) + 1e-8)


def rmsprop(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    memory["v"] = 0.9 * memory.get("v", 0) + 0.1 * G**2
    return theta - eta * G / (np.sqrt(memory["v"]) + 1e-8)


def coupled(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    return momentum(theta, memory, G + 0.01 * theta, eta, t)


def decoupled(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """AdamW of Loshchilov and Hutter (2019)."""
    return adam(theta, memory, G, eta, t) - eta * 0.01 * theta


def activated(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Adam that receives 0.1 arctan(20 Dθ)."""
    return adam(theta, memory, 0.1 * np.arctan(20 * G), eta, t)


def amsgrad(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * G
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * G**2
    memory["w"] = np.maximum(memory.get("w", 0), memory["v"])
    return theta - eta * memory["m"] / (1 - 0.9**t) / (np.sqrt(memory["w"] / (1 - 0.999**t)) + 1e-8)


def nadam(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """The pages of PyTorch, after Dozat (2016)."""
    now, after = (0.9 * (1 - 0.5 * 0.96 ** (i * 0.004)) for i in (t, t + 1))
    memory["product"] = memory.get("product", 1.0) * now
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * G
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * G**2
    m = after * memory["m"] / (1 - memory["product"] * after) + (1 - now) * G / (1 - memory["product"])
    return theta - eta * m / (np.sqrt(memory["v"] / (1 - 0.999**t)) + 1e-8)


def adagrad(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    memory["s"] = memory.get("s", 0) + G**2
    return theta - eta * G / (np.sqrt(memory["s"]) + 1e-10)


def adadelta(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 1 of Zeiler (2012)."""
    memory["v"] = 0.9 * memory.get("v", 0) + 0.1 * G**2
    step = np.sqrt((memory.get("u", 0) + 1e-6) / (memory["v"] + 1e-6)) * G
    memory["u"] = 0.9 * memory.get("u", 0) + 0.1 * step**2
    return theta - eta * step


def lion(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 2 of Chen et al. (2023)."""
    m = memory.get("m", 0)
    memory["m"] = 0.99 * m + 0.01 * G
    return theta - eta * (np.sign(0.9 * m + 0.1 * G) + 0.1 * theta)


def lamb(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 2 of You et al. (2020); the biases begin with 0, where the ratio is 1."""
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * G
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * G**2
    u = memory["m"] / (1 - 0.9**t) / (np.sqrt(memory["v"] / (1 - 0.999**t)) + 1e-6) + 0.01 * theta
    ratio = np.linalg.norm(theta) / np.linalg.norm(u) if theta.any() and u.any() else 1.0
    return theta - eta * ratio * u


def adafactor(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 4 of Shazeer and Stern (2018); the biases are rows, for which it is Algorithm 5."""
    beta, S = 1 - t**-0.8, G**2 + 1e-30
    memory["R"] = beta * memory.get("R", 0) + (1 - beta) * S.sum(axis=1)
    memory["C"] = beta * memory.get("C", 0) + (1 - beta) * S.sum(axis=0)
    U = G / np.sqrt(np.outer(memory["R"], memory["C"]) / memory["R"].sum())
    alpha = eta * max(0.1, math.sqrt((theta**2).mean()))
    return theta - alpha * U / max(1.0, math.sqrt((U**2).mean()))


def lookahead(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    """Algorithm 1 of Zhang et al. (2019)."""
    slow, fast = memory.setdefault("slow", theta), momentum(theta, memory, G, eta, t)
    if t % 5:
        return fast
    memory["slow"] = slow + 0.5 * (fast - slow)
    return memory["slow"]


def sgd(theta: Array, memory: dict[str, Any], G: Array, eta: float, t: int) -> Array:
    G = G + 0.01 * theta
    memory["v"] = 0.9 * memory.get("v", 0) + G
    return theta - eta * (G + 0.9 * memory["v"])


RULES: dict[str, Rule] = {
    "GradientDescent": descent,
    "SGD(momentum=0.9, decay=0.01, nesterov=true)": sgd,
    "Adafactor(epsilon2=0.1)": adafactor,
    "EMA(Momentum(mu=0.9), 0.9)": momentum,
    "Lookahead(Momentum(mu=0.9))": lookahead,
    "Momentum(mu=0.9)": momentum,
    "Nesterov(mu=0.9)": nesterov,
    "Adam": adam,
    "RMSProp": rmsprop,
    "WeightDecay(Momentum(mu=0.9), 0.01)": coupled,
    "WeightDecay(Adam, 0.01, decoupled=true)": decoupled,
    "AdamW(decay=0.01)": decoupled,
    "AMSGrad": amsgrad,
    "NAdam": nadam,
    "AdaGrad": adagrad,
    "Adadelta": adadelta,
    "Lion(decay=0.1)": lion,
    "LAMB": lamb,
    "GAF(Adam, arctan(0.1, 20))": activated,
    "GlobalNormClipping(Momentum(mu=0.9), 0.1)": momentum,
}

RATES: dict[str, Callable[[int], float]] = {
    "Constant(0.1)": lambda i: 0.1,
    "TimeBased(0.1, d=0.1)": lambda i: 0.1 / math.prod(1 + 0.1 * j for j in range(i)),
    "InverseTime(0.1, d=0.1)": lambda i: 0.1 / (1 + 0.1 * i),
    "StepBased(0.1, d=0.5, r=2)": lambda i: 0.1 * 0.5 ** ((1 + i) // 2),
    "Exponential(0.1, d=0.1)": lambda i: 0.1 * math.exp(-0.1 * i),
    "Geometric(0.1, r=0.9)": lambda i: 0.1 * 0.9**i,
    "MultiStep(0.1, milestones=[1, 3], gamma=0.1)": lambda i: 0.1 * 0.1 ** ((i >= 1) + (i >= 3)),
    "LinearDecay(0.1, n=11, w=2)": lambda i: 0.1 * min((i + 1) / 2, max(11 - i, 0) / 9),
    "Cosine(0.1, n=11, w=2)": lambda i: 0.1 * (i + 1) / 2 if i < 2 else 0.05 * (1 + math.cos(math.pi * (min(i, 11) - 2) / 9)),
}


def trainer(optimizer: str, schedule: str, by: str) -> Trainer:
    training = {"epochs": EPOCHS, "batch_size": BATCH, "schedule_by": by}
    model = {"layers": "Tanh;Linear", "sizes": [64, 7, 10]}
    data = "Digits(train=100, test=20)"
    return Trainer(
        make_config({"data": data, "dtype": "float64", "model": model, "optimizer": optimizer, "schedule": schedule, "training": training})
    )


def gradients(thetas: list[Array], X: Array, classes: Array) -> list[Array]:
    """Of the mean cross-entropy of softmax(tanh(X W₁ᵀ + b₁) W₂ᵀ + b₂)."""
    W1, b1, W2, b2 = thetas
    H = np.tanh(X @ W1.T + b1)
    P = np.exp(H @ W2.T + b2)
    P /= P.sum(axis=1, keepdims=True)
    P[np.arange(len(X)), classes] -= 1
    P /= len(X)
    back = (P @ W2) * (1 - H**2)
    return [back.T @ X, back.sum(axis=0, keepdims=True), P.T @ H, P.sum(axis=0, keepdims=True)]


def batches(run: Trainer) -> Iterator[tuple[int, Array, Array]]:
    """(epoch, X, classes) of every step, by the order that the seed gives."""
    for epoch in range(EPOCHS):
        order = random_stream(run.config.seed, ORDER, epoch).permutation(100)
        for start in range(0, 100, BATCH):
            rows = order[start : start + BATCH]
            yield epoch, run.data.Xtrain[rows].astype(float), run.data.Ttrain[rows]


def parameters(run: Trainer) -> list[Array]:
    return [np.array(theta) for layer in run.to_numpy().params for theta in layer]


def by_hand(run: Trainer, rule: Rule, rate: Callable[[int], float], by: str, threshold: float = math.inf) -> list[Array]:
    thetas, memories = parameters(run), [{}, {}, {}, {}]
    for i, (epoch, X, classes) in enumerate(batches(run)):
        found = gradients(thetas, X, classes)
        norm = math.sqrt(sum(float((G**2).sum()) for G in found))
        found = [G * min(1, threshold / norm) for G in found]
        eta = rate(i if by == "step" else epoch)
        thetas = [rule(theta, memory, G, eta, i + 1) for theta, memory, G in zip(thetas, memories, found, strict=True)]
    return thetas


def assert_same(run: Trainer, expected: list[Array]) -> None:
    before = parameters(run)
    list(run.run())
    for start, ours, theirs in zip(before, parameters(run), expected, strict=True):
        assert np.abs(theirs - start).max() > 1e-3  # it has moved
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", RULES)
def test_a_run_with_each_optimizer(optimizer: str) -> None:
    run = trainer(optimizer, "Geometric(0.05, r=0.9)", "step")
    threshold = 0.1 if optimizer.startswith("GlobalNorm") else math.inf
    assert_same(run, by_hand(run, RULES[optimizer], lambda i: 0.05 * 0.9**i, "step", threshold))


@pytest.mark.parametrize("by", ["epoch", "step"])
@pytest.mark.parametrize("schedule", RATES)
def test_a_run_with_each_schedule(schedule: str, by: str) -> None:
    run = trainer("GradientDescent", schedule, by)
    assert_same(run, by_hand(run, descent, RATES[schedule], by))


def test_every_optimizer_and_schedule_has_a_run() -> None:
    assert {text.partition("(")[0] for text in RULES} == {entry.__name__ for entry in OPTIMIZERS}
    assert {text.partition("(")[0] for text in RATES} == {entry.__name__ for entry in SCHEDULES}


@pytest.mark.parametrize(
    ("optimizer", "name", "options"),
    [
        ("GradientDescent", "SGD", {}),
        ("SGD(momentum=0.9, decay=0.01, nesterov=true)", "SGD", {"momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
        ("Momentum(mu=0.9)", "SGD", {"momentum": 0.9}),
        ("Nesterov(mu=0.9)", "SGD", {"momentum": 0.9, "nesterov": True}),
        ("WeightDecay(Momentum(mu=0.9), 0.01)", "SGD", {"momentum": 0.9, "weight_decay": 0.01}),
        ("Adam", "Adam", {"eps": 1e-8}),
        ("WeightDecay(Adam, 0.01, decoupled=true)", "AdamW", {"weight_decay": 0.01}),
        ("RMSProp", "RMSprop", {"alpha": 0.9}),
        ("AdamW", "AdamW", {"weight_decay": 0.01}),
        ("AMSGrad", "Adam", {"amsgrad": True}),
        ("NAdam", "NAdam", {}),
        ("AdaGrad", "Adagrad", {}),
        ("Adadelta", "Adadelta", {"lr": 1.0}),
    ],
)
def test_a_run_is_that_of_torch(optimizer: str, name: str, options: dict[str, Any], request: pytest.FixtureRequest) -> None:
    torch = pytest.importorskip("torch")
    options = {"lr": 0.01, **options}
    run = trainer(optimizer, f"Constant({options['lr']})", "epoch")
    thetas = [torch.tensor(theta, requires_grad=True) for theta in parameters(run)]
    torch.set_default_dtype(torch.float64)  # of the product of momenta that NAdam keeps
    request.addfinalizer(lambda: torch.set_default_dtype(torch.float32))
    theirs = getattr(torch.optim, name)(thetas, **options)
    for _, X, classes in batches(run):
        theirs.zero_grad()
        W1, b1, W2, b2 = thetas
        Y = torch.tanh(torch.tensor(X) @ W1.T + b1) @ W2.T + b2
        torch.nn.functional.cross_entropy(Y, torch.tensor(classes).long()).backward()
        theirs.step()
    assert_same(run, [theta.detach().numpy() for theta in thetas])
