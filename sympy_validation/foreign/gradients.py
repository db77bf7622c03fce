"""The gradients that a backward pass gives, and those that it should give, as normal forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

from nerva_core.algebra.errors import NervaError, did_you_mean
from sympy_validation.all_sizes import calculus, powers, products, stopped, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.matrices import SymbolicMatrix
from sympy_validation.all_sizes.ops import AllSizesOps
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import NORMAL_CDF, NORMAL_PDF, UNIT, Index, Variable
from sympy_validation.all_sizes.terms import CACHE_SIZE, Application, Count, Entry, Polynomial, Root, Sum, combination, constant, only
from sympy_validation.foreign.code import Code, is_unit
from sympy_validation.foreign.constants import PI
from sympy_validation.foreign.elementwise import SINE
from sympy_validation.foreign.grammar import Input, Signature, factors_of_name
from sympy_validation.foreign.labels import Labels, label_input
from sympy_validation.foreign.placements import KNOWN, is_placement, normal_sum
from sympy_validation.foreign.proxies import replaced, use
from sympy_validation.foreign.run import Current, SymbolicRun
from sympy_validation.foreign.sizes import SumSize, count, undim
from sympy_validation.foreign.tensor import Storage, place, places, variable_tensor, vectorized
from sympy_validation.foreign.torch_tensor import summed_to


@dataclass
class Captured:
    """What one run on symbols has found."""

    run: SymbolicRun
    values: dict[str, Any]
    """The inputs, by name."""
    outputs: tuple[Any, ...]
    upstream: tuple[Any, ...]
    """The gradients of the outputs."""
    found: dict[str, Any]
    """The gradients that the backward pass gives; None for none."""
    wanted: dict[str, Any] = field(default_factory=dict)
    again: Callable[[Mapping[int, Any]], dict[str, Any]] | None = None
    """The backward pass once more, with the operations of these numbers changed."""


def input_tensor(x: Input, sizes: Mapping[str, int]) -> Any:
    """An input as symbols."""
    if x.given:
        return x.value
    if x.size:
        return undim(factors_of_size(x.size, sizes))
    dims = x.dims(sizes)
    if x.below:
        factors = factors_of_size(x.below, sizes)
        if len(factors) > 1:
            raise NervaError(f"labels are below a size, and {x.below} is a product")
        return label_input(x.name, dims, factors[0] if factors else 1)
    tensor = variable_tensor(x.name, dims, positive=x.positive, fixed=x.mask or x.const)
    if x.mask:
        return Storage.make(tensor.dims, vectorized(powers.indicator, tensor.array))
    return tensor


def factors_of_size(name: str, sizes: Mapping[str, int]) -> Any:
    """A size that is a number or a name."""
    return factors_of_name(name, sizes)


def check_names(code: Code, signature: Signature) -> None:
    """NervaError if the names are not those of the function's parameters."""
    names = [x.name for x in signature.inputs]
    for name in names:
        if name not in code.inputs and not code.accepts_any:
            raise NervaError(
                f"{code.name} has no parameter {name!r}; {did_you_mean(name, list(code.inputs)) if code.inputs else 'it has none'}"
            )
    missing = [name for name in code.required if name not in names]
    if missing:
        raise NervaError(f"{code.name} needs {', '.join(missing)} too: state the shapes, or values such as {missing[0]}=1")


def capture(code: Code, signature: Signature, sizes: Mapping[str, int]) -> Captured:
    """Run the code on symbols, forwards and backwards."""
    run = Current.start()
    use(code.style)
    values = {x.name: input_tensor(x, sizes) for x in signature.inputs}
    differentiable = [n for n in (*code.inputs, *values) if any(x.name == n and x.differentiable for x in signature.inputs)]
    differentiable = list(dict.fromkeys(differentiable))
    if code.style == "jax":
        from sympy_validation.foreign.jax_code import run_on_symbols

        outputs, back = run_on_symbols(code, values, differentiable)
    else:
        with replaced(code.module):
            outputs, back = code.run(
                {n: v if not isinstance(v, Storage) else Storage.make(v.dims, v.array) for n, v in values.items()}, differentiable
            )
    real = [Storage.of(x).copy() for x in outputs if not isinstance(x, Labels) and x is not None]
    upstream = tuple(variable_tensor("dY" if len(real) == 1 else f"dY{k + 1}", y.dims) for k, y in enumerate(real))
    if is_unit(back):
        if any(y.ndim for y in real):
            raise NervaError(
                f"the backward of {code.name} takes no gradient of the output, which must be a loss then, and has the shape {real[0].shape}"
            )
        upstream = tuple(Storage.of(1) for _ in real)
    given = iter([x.copy() for x in upstream])
    gradients = [None if isinstance(x, Labels) or x is None else next(given) for x in outputs]

    def backward(changes: Mapping[int, Any]) -> dict[str, Any]:
        run.recording, run.changes, run.operations = True, changes, []
        try:
            with nullcontext() if code.style == "jax" else replaced(code.module):
                found = back([None if x is None else x.copy() for x in gradients])
        finally:
            run.recording = False
        return {n: _found(found.get(n)) for n in differentiable}

    return Captured(run, values, tuple(real), upstream, backward({}), again=backward)


def _found(x: Any) -> Any:
    return None if x is None else Storage.of(x).copy()


def loss(theorem: Captured) -> Polynomial:
    """Σ dY ⊙ Y, whose gradients the backward pass gives."""
    summands = [((dy * y).sum().array[()], 1) for dy, y in zip(theorem.upstream, theorem.outputs, strict=True)]
    return combination(summands)


def derivative(L: Polynomial, x: Any, name: str) -> Any:
    """∂L / ∂x, in the shape of x."""
    variable: Variable = x.variable
    at = places(x.dims)

    def element(indices: Any) -> Polynomial:
        renaming = {i: Index("p" + i.name, i.size) for i in indices.indices if i.name[0] != "#"}
        p = place([renaming.get(i, i) for i in indices.indices])
        P = calculus.derivative(L, variable, p, UNIT)
        return sums.substitute(P, {new: old for old, new in renaming.items()})

    return Storage.make(x.dims, vectorized(lambda i: normal(element(i)), at))


def normal(P: Polynomial) -> Polynomial:
    """With the normal density written out, Φ(-x) as 1 - Φ(x), cosines for the derivatives of sines, and what was stopped released."""
    return _normal(stopped.release(P))


@lru_cache(CACHE_SIZE)
def _normal(P: Polynomial) -> Polynomial:
    if not any(text in P.key for text in (NORMAL_PDF.name, NORMAL_CDF.name, SINE.name, "Count(", "from")):
        return P
    return combination((products.multiply(*(powers.power(_normal_atom(atom), e) for atom, e in m)), c) for m, c in P.terms.items())


def _normal_atom(atom: Atom) -> Polynomial:
    match atom:
        case Application(function=function) if function == NORMAL_PDF:
            x = _normal(atom.argument)
            density = powers.exponential(multiply(x, x).times(Fraction(-1, 2)))
            return multiply(density, powers.power(multiply(constant(2), PI), Fraction(-1, 2)))
        case Application(function=function, order=0) if function == NORMAL_CDF:
            x = _normal(atom.argument)
            mirrored = bool(x.terms) and x.terms[min(x.terms, key=str)] < 0
            return constant(1) - powers.apply(NORMAL_CDF, -x) if mirrored else powers.apply(NORMAL_CDF, x)
        case Application(function=function, order=order) if function == SINE and order > 1:
            return -_normal(powers.apply(SINE, atom.argument, order - 2))
        case Count(size=size) if isinstance(size, SumSize):
            return count([size])
        case Entry() if is_placement(atom):
            return KNOWN[atom.variable.name].at(cast(Index, atom.row), cast(Index, atom.column))
        case Sum() if "from" in atom.key:
            return normal_sum(atom, _normal)
    return sums.rebuild(atom, _normal)


def want(theorem: Captured, name: str, L: Polynomial) -> Any:
    """The gradient that is right."""
    if name not in theorem.wanted:
        theorem.wanted[name] = derivative(L, theorem.values[name], name)
    return theorem.wanted[name]


def fitted(found: Any, dims: Sequence[Any], style: str) -> Any:
    """What autograd makes of a gradient: it sums over axes along which the input was repeated."""
    if style == "torch" and found.dims != tuple(dims) and found.ndim >= len(dims):
        return summed_to(found, list(dims))
    return found


ROUNDED = "up to the rounding of constants in the code"


ALMOST = 1e-7
"""The relative difference of coefficients that are taken for the digits of one number."""


def almost(P: Polynomial, Q: Polynomial) -> bool:
    """Whether two normal forms have the same terms, with coefficients that are equal to seven digits once roots and π are written out."""
    rest, scale = (written_out(X) for X in (products.clear_denominators(P - Q), P))
    largest = max(map(abs, scale.values()), default=0.0)
    return all(abs(c) <= ALMOST * largest for c in rest.values())


def written_out(P: Polynomial) -> dict[Monomial, float]:
    """The terms with the roots of numbers and the powers of π in their coefficients."""
    found: dict[Monomial, float] = {}
    for m, c in P.terms.items():
        coefficient, rest = float(c), list[tuple[Atom, Any]]()
        for atom, e in m:
            if isinstance(atom, Root) and atom.argument.terms.keys() <= {()}:
                coefficient *= float(atom.argument.terms[()]) ** float(e)
            elif only(atom) == PI:
                coefficient *= math.pi ** float(e)
            else:
                rest.append((atom, e))
        found[tuple(rest)] = found.get(tuple(rest), 0.0) + coefficient
    return found


def equal(a: Any, b: Any, run: SymbolicRun) -> bool:
    """Whether two tensors are proved to be equal; the run then has the conditions."""
    if a.dims != b.dims:
        return False
    ops = AllSizesOps()
    ops._conditions = run.conditions
    for at, P in a.elements_in_order():
        Q = normal(b.array[at])
        left, right = (SymbolicMatrix(1, 1, X, run.conditions) for X in (normal(P), Q))
        if ops.is_zero(SymbolicMatrix(1, 1, left.entry - right.entry, run.conditions)):
            continue
        if not ops.is_rounded(left, right) and not almost(left.entry, right.entry):
            return False
        run.conditions.add(ROUNDED)
    return True
