from pathlib import Path

from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.gradient_verdict import Rung
from sympy_validation.foreign.verdicts import decide

CODE = """
import jax
import jax.numpy as jnp

@jax.custom_vjp
def running(x, a):
    def step(h, xt):
        h = jnp.tanh(a * h + xt)
        return h, h
    return jax.lax.scan(step, jnp.zeros_like(x[0]), x)[1]

def fwd(x, a):
    h = running(x, a)
    return h, (h, a)

def bwd(res, g):
    h, a = res
    before = jnp.concatenate([jnp.zeros_like(h[:1]), h[:-1]])
    def step(c, each):
        gt, ht, hp = each
        d = (gt + c) * (1 - ht**2)
        return d * a, (d, d * hp)
    _, (dx, da) = jax.lax.scan(step, jnp.zeros_like(h[0]), (g, h, before), reverse=True)
    return dx, da.sum(0)

running.defvjp(fwd, bwd)
"""


def test_a_scan_is_followed_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "own_scan.py"
    path.write_text(CODE)
    found = decide(load_file(path), "running", "x: T C, a: C, T=2..2")
    assert found.rung is Rung.SOME_SIZES, found.words
    assert "T = 2 and all C" in found.sizes


FORMULAS = """
import math
from math import sqrt
import jax
import jax.numpy as jnp

@jax.custom_vjp
def scaled(x):
    return x / math.sqrt(x.shape[-1]) + x * x.shape[-1] ** -0.5 + x / sqrt(x.shape[0])

def bwd(n, g):
    return (g * (2 / math.sqrt(n.shape[-1]) + n.shape[0] ** -0.5),)

scaled.defvjp(lambda x: (scaled(x), x), bwd)
"""


def test_roots_of_sizes_are_numbers_of_formulas(tmp_path: Path) -> None:
    path = tmp_path / "own_formulas.py"
    path.write_text(FORMULAS)
    module = load_file(path)
    before = dict(vars(module))
    assert decide(module, "scaled", "x: N D").rung is Rung.PROVED
    assert vars(module) == before
