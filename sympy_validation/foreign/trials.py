"""The real code at points, against what was captured of it and against difference quotients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from sympy_validation.foreign.code import Code, is_unit
from sympy_validation.foreign.gradients import factors_of_size
from sympy_validation.foreign.grammar import Signature
from sympy_validation.foreign.run import SymbolicRun
from sympy_validation.foreign.values import FloatPoint

CLOSE, NARROW = 1e-7, 1e-3
"""The relative differences that are a rounding, in 64 bits and after a cast to 32."""


@dataclass
class RealRun:
    """What the real code gives at a point."""

    outputs: list[Any]
    upstream: list[Any]
    found: dict[str, Any]


def inputs_at(signature: Signature, point: FloatPoint) -> dict[str, Any]:
    """The inputs as arrays of NumPy; masks are True and False."""
    found: dict[str, Any] = {}
    for x in signature.inputs:
        if x.given:
            found[x.name] = x.value
            continue
        if x.size:
            found[x.name] = int(np.prod(point.shape(factors_of_size(x.size, {})), dtype=int))
            continue
        factors = x.dims({})
        shape = point.shape([f for axis in factors for f in axis])
        whole = tuple(int(np.prod(point.shape(axis), dtype=int)) for axis in factors)
        if x.below:
            below = int(np.prod(point.shape(factors_of_size(x.below, {})), dtype=int))
            found[x.name] = point.table(x.name, shape, below).reshape(whole)
        else:
            values = point.choose(x.name, shape, x.positive)
            found[x.name] = (values < 0 if x.mask else values).reshape(whole)
    return found


def converted(style: str, value: Any, float_masks: bool) -> Any:
    """An array as the library has it, in memory of its own."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype == bool and float_masks:
        value = value.astype(float)
    if style == "torch":
        import torch

        return torch.tensor(value)
    if style == "jax":
        import jax.numpy as jnp

        return jnp.asarray(value)
    return value.copy()


def as_numbers(value: Any) -> Any:
    """What the code gives, as an array of NumPy."""
    if value is None:
        return None
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return np.asarray(value, dtype=float)


@contextmanager
def quiet(style: str) -> Any:
    """Without warnings and prints of the code, and with 64 bits in JAX."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        if style == "jax":
            import jax

            from sympy_validation.foreign.jax_code import _x64

            with jax.enable_x64(True) if hasattr(jax, "enable_x64") else _x64():
                yield
        else:
            yield


def is_real(y: Any) -> bool:
    """Whether an output is one of real numbers."""
    kind = str(getattr(y, "dtype", type(y).__name__))
    return "int" not in kind and "bool" not in kind and y is not None


def run_real(code: Code, signature: Signature, point: FloatPoint, float_masks: bool = False) -> RealRun:
    """Run the code in 64 bits."""
    given = inputs_at(signature, point)
    names = [x.name for x in signature.inputs if x.differentiable]
    names = [n for n in (*code.inputs, *names) if n in names]
    names = list(dict.fromkeys(names))
    with quiet(code.style):
        values = {n: converted(code.style, v, float_masks) for n, v in given.items()}
        outputs, back = (code.real or code.run)(values, names)
        arrays = [as_numbers(y) if is_real(y) else None for y in outputs]
        outputs_then = [None if a is None else a.copy() for a in arrays]
        count = sum(a is not None for a in arrays)
        upstream, gradients, k = list[Any](), list[Any](), 0
        for y in outputs_then:
            if y is None:
                gradients.append(None)
                continue
            k += 1
            dy = np.ones(()) if is_unit(back) else point.choose("dY" if count == 1 else f"dY{k}", y.shape, False).reshape(y.shape)
            upstream.append(dy)
            gradients.append(converted(code.style, dy, False) if dy.ndim or code.style != "numpy" else float(dy))
        found = back(gradients)
    return RealRun([y for y in outputs_then if y is not None], upstream, {n: as_numbers(found.get(n)) for n in names})


def close(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two arrays are equal but for rounding."""
    if a is None or b is None:
        return a is None and b is None
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.size != b.size:
        return False
    a = a.reshape(b.shape)
    scale = max(1.0, float(np.max(np.abs(b), initial=0)))
    return bool(np.all(np.isfinite(a)) and np.all(np.isfinite(b)) and np.max(np.abs(a - b), initial=0) <= tolerance * scale)


def defined(outcome: RealRun) -> bool:
    """Whether all that the code gives is finite."""
    values = [*outcome.outputs, *(g for g in outcome.found.values() if g is not None)]
    return all(np.all(np.isfinite(v)) for v in values)


def sizes_at(names: Sequence[str], known: Mapping[str, int], number: int) -> dict[str, int]:
    """Numbers for the sizes: small, and different from each other at first."""
    free = [name for name in names if name not in known]
    start = (2, 3, 2, 1, 3)[number % 5]
    return dict(known) | {name: start + (k * (1 + number) + number) % 3 for k, name in enumerate(free)}


def point_of(
    code: Code, signature: Signature, run: SymbolicRun, known: Mapping[str, int], number: int, rough: bool = False, small: bool = False
) -> tuple[FloatPoint, RealRun] | str:
    """A point at which the code has a value, and what it gives there; or why there is none."""
    error = "it has no value at the points that were tried"
    for attempt in range(4):
        shape_number = 0 if code.style == "jax" else number  # new shapes are new compilations
        sizes = sizes_at(signature.sizes(), known, shape_number + attempt // 2)
        for float_masks in (False, True):
            point = FloatPoint(run, sizes, seed=17 * number + attempt, positive=attempt % 2 == 1, rough=rough, small=small)
            try:
                outcome = run_real(code, signature, point, float_masks)
            except Exception as problem:
                error = f"{type(problem).__name__}: {str(problem).strip().splitlines()[0] if str(problem).strip() else ''}"
                continue
            if defined(outcome):
                return point, outcome
            error = "it has no value at the points that were tried"
            break
    return error


def difference_quotient(code: Code, signature: Signature, point: FloatPoint, name: str, h: float) -> Any:
    """The gradient of ⟨dY, Y⟩ by central differences of fourth order, from forward passes of the real code."""
    array = point.inputs[name]
    result = np.zeros(array.size)
    flat = array.ravel()

    def loss() -> float:
        outcome = run_real(code, signature, point)
        return float(sum(np.sum(y * dy) for y, dy in zip(outcome.outputs, outcome.upstream, strict=True)))

    for k in range(array.size):
        before, total = flat[k], 0.0
        for step, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            flat[k] = before + step * h
            total += weight * loss()
        flat[k] = before
        result[k] = total / (12 * h)
    return result.reshape(array.shape)
