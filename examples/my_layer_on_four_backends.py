"""A layer of one's own, proved and then trained on four backends: the same numbers everywhere.

The layer is in my_layer.py beside this file.
"""

# %% Is its backward pass the gradient, for all sizes? And is a mistake noticed?
from pathlib import Path

from nerva_core.algebra.errors import NotInstalledError
from nerva_core.training import Trainer
from nerva_core.training.config import make_config
from sympy_validation.report import complaint
from sympy_validation.theorem import prove_or_try_entries
from sympy_validation.user_layers import user_theorems

FILE = Path(__file__).with_name("my_layer.py")
for verdict in prove_or_try_entries(user_theorems(f"{FILE}:Gate")):  # loads the file, and so makes the layer known by its name
    print(f"{verdict.theorem.statement}, {verdict.theorem.sizes}: {verdict.words}")
    assert verdict.status == "proved"
wrong = [verdict for verdict in prove_or_try_entries(user_theorems(f"{FILE}:WrongGate")) if verdict.status == "refuted"]
assert [verdict.theorem.quantity for verdict in wrong] == ["DX"]
print(complaint(wrong[0]))

# %% Train it. In float64 the backends differ in the last digits only
losses = {}
for backend in ("numpy", "jax", "torch", "tensorflow"):
    config = {
        "backend": backend,
        "dtype": "float64",
        "data": "Digits(train=500, test=200)",
        "model": {"layers": ["Gate(32)", "Gate(32)", "Linear(10)"]},
        "optimizer": "Adam",
        "schedule": "Constant(0.003)",
        "training": {"epochs": 3, "batch_size": 25},
    }
    try:
        *_, last = Trainer(make_config(config)).run()
    except NotInstalledError as error:
        print(error)
        continue
    losses[backend] = last.train_loss
    print(f"{backend:>10}: loss {last.train_loss:.15f}, test accuracy {100 * last.test_accuracy:.1f} %")
assert max(losses.values()) - min(losses.values()) < 1e-9 * min(losses.values())
