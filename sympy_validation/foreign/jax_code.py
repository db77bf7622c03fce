"""JAX: a ``custom_vjp`` function as the sequences of primitives that it traces to, with symbolic shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.code import Back, Code, as_tuple
from sympy_validation.foreign.errors import NotCaptured, SizeNeeded
from sympy_validation.foreign.jax_primitives import RULES
from sympy_validation.foreign.labels import Labels
from sympy_validation.foreign.products import Products
from sympy_validation.foreign.proxies import own_modules
from sympy_validation.foreign.signatures import parameters
from sympy_validation.foreign.sizes import Dim, SumSize, undim
from sympy_validation.foreign.tensor import Storage

MOST_STEPS = 16
"""The length of a scan that is unrolled."""


def custom_vjp(name: str, module: ModuleType, f: Any) -> Code:
    """The code of a ``custom_vjp`` function."""
    found = parameters(f.fun)
    inputs = tuple(p.name for p in found)
    required = tuple(p.name for p in found if p.default is p.empty)
    if f.fwd is None or f.bwd is None:
        raise NervaError(f"{name} has no forward and backward rule: {name}.defvjp(fwd, bwd) has not been called")

    compiled: dict[Any, tuple[Callable[..., Any], Callable[..., Any]]] = {}

    def run(values: Mapping[str, Any], differentiable: Sequence[str]) -> tuple[tuple[Any, ...], Back]:
        import jax

        given = [n for n in inputs if n in values]
        moving = [n for n in given if n in differentiable]
        fixed = [n for n in given if n not in moving and isinstance(values[n], jax.Array)]
        static = {n: values[n] for n in given if n not in moving and n not in fixed}
        key = (*moving, "", *fixed, repr(static))
        if key not in compiled:
            compiled[key] = _compiled(f, given, moving, fixed, static)
        forward, backward = compiled[key]
        xs, rest = [values[n] for n in moving], [values[n] for n in fixed]
        out = forward(rest, *xs)

        def pull(gradients: Sequence[Any]) -> dict[str, Any]:
            leaves, tree = jax.tree.flatten(out)
            return dict(zip(moving, backward(rest, jax.tree.unflatten(tree, list(gradients[: len(leaves)])), *xs), strict=True))

        return tuple(jax.tree.leaves(out)), pull

    return Code(name, module, "jax", inputs, required, run, f)


def _compiled(
    f: Any, given: Sequence[str], moving: Sequence[str], fixed: Sequence[str], static: Mapping[str, Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function and its rule backwards: each is compiled once for all points of the same shapes."""
    import jax

    def primal(rest: Sequence[Any], *xs: Any) -> Any:
        known = {**static, **dict(zip(fixed, rest, strict=True)), **dict(zip(moving, xs, strict=True))}
        return f(*(known[n] for n in given))

    def backward(rest: Sequence[Any], gradients: Any, *xs: Any) -> Any:
        return jax.vjp(lambda *ys: primal(rest, *ys), *xs)[1](gradients)

    return jax.jit(primal), jax.jit(backward)


class Scope:
    """The sizes as JAX has them."""

    def __init__(self, values: Mapping[str, Any], module: ModuleType) -> None:
        self.module = module
        from jax import export

        names = sorted({str(s) for v in values.values() for s in _sizes_of(v)})
        symbols = export.symbolic_shape(", ".join(names)) if names else ()
        self.symbols = dict(zip(names, symbols, strict=True))
        self.names = names

    def shape(self, x: Any) -> tuple[Any, ...]:
        """The shape of a tensor, for JAX."""
        return tuple(self.of(undim(factors)) for factors in x.dims)

    def of(self, size: Any) -> Any:
        """A size of ours, for JAX."""
        if isinstance(size, int):
            return size
        total: Any = 0
        for m, c in size.form.items():
            term: Any = c
            for s in m:
                term = term * self.symbols[str(s)]
            total = total + term
        return total

    def size(self, d: Any) -> Any:
        """A size of JAX, as ours."""
        if isinstance(d, (int, np.integer)):
            return int(d)
        text = str(d).replace(" ", "")
        total: Any = 0
        for sign, term in re.findall(r"([+-]?)([^+-]+)", text):
            factor: Any = -1 if sign == "-" else 1
            for part in term.split("*"):
                name, _, power = part.partition("^")
                if name.isdigit():
                    factor = factor * int(name)
                elif name in self.symbols:
                    for _ in range(int(power or 1)):
                        factor = _times(factor, Dim((Size(name),)))
                else:
                    raise SizeNeeded(self.names, f"the size {d}")
            total = _plus(total, factor)
        return total


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, tuple):
        return (a[0], a[1] * b)
    return (-1, b) if isinstance(a, int) and a < 0 else a * b


def _plus(total: Any, term: Any) -> Any:
    return total - term[1] if isinstance(term, tuple) else total + term


def _sizes_of(value: Any) -> list[Size]:
    if isinstance(value, Dim):
        return [s for m in value.form for s in m]
    if not isinstance(value, (Storage, Labels)):
        return []
    factors = [f for d in value.dims for f in d] + ([value.size] if isinstance(value, Labels) else [])
    return [s for f in factors if isinstance(f, Size) for s in ([x for m, _ in f.terms for x in m] if isinstance(f, SumSize) else [f])]


def interpret(jaxpr: Any, constants: Sequence[Any], operands: Sequence[Any], scope: Scope) -> list[Any]:
    """The values of a sequence of primitives."""
    known: dict[Any, Any] = {}

    def read(v: Any) -> Any:
        return Storage.of(np.asarray(v.val).tolist() if np.ndim(v.val) == 0 else np.asarray(v.val)) if hasattr(v, "val") else known[v]

    known.update(zip(jaxpr.constvars, (Storage.of(np.asarray(c)) for c in constants), strict=True))
    known.update(zip(jaxpr.invars, operands, strict=True))
    for equation in jaxpr.eqns:
        results = _apply(equation, [read(v) for v in equation.invars], scope)
        results = results if isinstance(results, (list, tuple)) else [results]
        known.update(zip(equation.outvars, results, strict=True))
    return [read(v) for v in jaxpr.outvars]


def _apply(equation: Any, operands: list[Any], scope: Scope) -> Any:
    name, given = equation.primitive.name, equation.params
    if name == "scan":
        return _scan(given, operands, scope)
    if name == "cond":
        raise NotCaptured("a condition on values (lax.cond)")
    if name == "while":
        raise NotCaptured("a loop whose number of steps depends on values (lax.while_loop)")
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if key in given:
            inner = given[key]
            return (
                interpret(inner.jaxpr, inner.consts, operands, scope) if hasattr(inner, "jaxpr") else interpret(inner, [], operands, scope)
            )
    if name not in RULES:
        raise NotCaptured(f"the primitive {name}{_line(equation)}")
    return RULES[name](given, scope.size, *operands)


def _line(equation: Any) -> str:
    try:
        from jax._src import source_info_util

        return f" at {source_info_util.summarize(equation.source_info)}"
    except Exception:
        return ""


def _scan(given: Mapping[str, Any], operands: list[Any], scope: Scope) -> list[Any]:
    """A scan over an axis of known length, step by step."""
    length = scope.size(given["length"])
    if not isinstance(length, int):
        raise SizeNeeded(length.names(), f"a scan over {length}")
    if length > MOST_STEPS:
        raise NotCaptured(f"a scan over {length} steps")
    constants, carried = given["num_consts"], given["num_carry"]
    fixed, carry, xs = operands[:constants], operands[constants : constants + carried], operands[constants + carried :]
    steps: list[list[Any]] = [[] for _ in range(length)]
    for t in range(length)[:: -1 if given["reverse"] else 1]:
        parts = [
            x.element(0, t) if isinstance(x, Products) and x.dims[0] else x.without_axes([0]) if isinstance(x, Products) else x[t]
            for x in xs
        ]
        found = interpret(given["jaxpr"].jaxpr, given["jaxpr"].consts, [*fixed, *carry, *parts], scope)
        carry, steps[t] = found[:carried], found[carried:]
    return [*carry, *(Products.stack([step[k] for step in steps]) for k in range(len(steps[0])))]


def run_on_symbols(code: Code, values: Mapping[str, Any], differentiable: Sequence[str]) -> tuple[tuple[Any, ...], Back]:
    """The forward rule and the backward rule on symbols, and the primal function for the outputs."""
    import jax

    f, scope = code.object, Scope(values, code.module)
    given = {n: values[n] for n in code.inputs if n in values}
    static = {n: scope.of(v) if isinstance(v, Dim) else v for n, v in given.items() if not isinstance(v, (Storage, Labels))}
    traced = {n: v for n, v in given.items() if n not in static}
    structs = [_struct(v, scope) for v in traced.values()]

    def with_all(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*xs: Any) -> Any:
            found = {**static, **dict(zip(traced, xs, strict=True))}
            return function(*(found[n] for n in given))

        return call

    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else _x64():
        primal = _trace(with_all(f.fun), structs, scope)
        forward, shape = _trace_with_shape(with_all(f.fwd), structs, scope)
    outputs = interpret(primal.jaxpr, primal.consts, list(traced.values()), scope)
    found = interpret(forward.jaxpr, forward.consts, list(traced.values()), scope)
    out_tree, residual_tree = shape
    n = len(jax.tree.leaves(out_tree))
    leaves, tree = jax.tree.flatten(residual_tree)

    def back(gradients: Sequence[Any]) -> dict[str, Any]:
        skipped = [list(given)[k] for k in getattr(f, "nondiff_argnums", ())]

        def pulled(residuals: Any, *cotangents: Any) -> Any:
            rest = jax.tree.unflatten(jax.tree.structure(out_tree), list(cotangents))
            return f.bwd(*(static[name] for name in skipped), jax.tree.unflatten(tree, residuals), rest)

        cotangents = [jax.ShapeDtypeStruct(s.shape, s.dtype) for s in jax.tree.leaves(out_tree)]
        with jax.enable_x64(True) if hasattr(jax, "enable_x64") else _x64():
            traced_back, result_shape = _trace_with_shape(pulled, [leaves, *cotangents], scope)
        values_back = iter(interpret(traced_back.jaxpr, traced_back.consts, [*found[n:], *gradients], scope))
        names = [name for name in given if name not in skipped]
        parts = as_tuple(result_shape)
        if len(parts) != len(names):
            raise NervaError(
                f"the backward rule of {code.name} returns {len(parts)} gradients for {len(names)} inputs ({', '.join(names)})"
            )
        result = {}
        for name, part in zip(names, parts, strict=True):
            inner = [next(values_back) for _ in jax.tree.leaves(part)]
            result[name] = inner[0] if inner else None
        return {name: result.get(name) for name in differentiable}

    return tuple(outputs), back


def _x64() -> Any:
    from jax.experimental import enable_x64

    return enable_x64()


def _struct(v: Any, scope: Scope) -> Any:
    import jax
    import jax.numpy as jnp

    kind = jnp.int32 if isinstance(v, Labels) else jnp.float64 if v.variable is not None else jnp.bool_
    return jax.ShapeDtypeStruct(scope.shape(v), kind)


def _trace(f: Callable[..., Any], structs: Sequence[Any], scope: Scope) -> Any:
    return _trace_with_shape(f, structs, scope)[0]


def _trace_with_shape(f: Callable[..., Any], structs: Sequence[Any], scope: Scope) -> Any:
    import jax

    try:
        with sizes_in_formulas(scope.module):
            return jax.make_jaxpr(f, return_shape=True)(*structs)
    except (NotCaptured, NervaError):
        raise
    except Exception as error:
        if (
            "Inconclusive" in type(error).__name__
            or "symbolic dim" in str(error).lower()
            or "DimExpr" in str(error)
            or "floordiv" in str(error)
        ):
            words = set(re.findall(r"[A-Za-z_]\w*", str(error)))
            names = [name for name in scope.names if name in words] or scope.names
            raise SizeNeeded(names, f"JAX needs a size as a number: {str(error).splitlines()[0]}") from error
        raise


class Formulas:
    """The module math, whose functions take sizes of JAX too."""

    def __getattr__(self, name: str) -> Any:
        return of_sizes(getattr(math, name))


def of_sizes(f: Any) -> Any:
    """A function of math; of a size of JAX it is that of jax.numpy."""
    if not callable(f):
        return f

    def call(*operands: Any) -> Any:
        import jax.numpy as jnp

        if any(type(x).__name__ == "_DimExpr" for x in operands):
            return getattr(jnp, f.__name__)(*operands)
        return f(*operands)

    return call


@contextmanager
def sizes_in_formulas(module: ModuleType) -> Iterator[None]:
    """While it is traced, code may write √d and d ** -0.5 of a size, as it may of a number."""
    import jax.numpy as jnp
    from jax import export

    kind: Any = type(export.symbolic_shape("n")[0])
    power = kind.__pow__

    def general_power(d: Any, e: Any, *rest: Any) -> Any:
        return power(d, e, *rest) if isinstance(e, int) and e >= 0 else jnp.asarray(d, float) ** e

    own = {id(math): Formulas()} | {id(f): of_sizes(f) for f in vars(math).values() if callable(f)}
    found = [(vars(m), name, value) for m in own_modules(module) for name, value in vars(m).items() if id(value) in own]
    kind.__pow__, kind.sqrt, kind.log = general_power, lambda d: jnp.sqrt(d), lambda d: jnp.log(d)
    for names, name, value in found:
        names[name] = own[id(value)]
    try:
        yield
    finally:
        kind.__pow__ = power
        del kind.sqrt, kind.log
        for names, name, value in found:
            names[name] = value
