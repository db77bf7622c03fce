"""Sums over indices, Kronecker deltas, and the renaming of indices.

Bound indices have canonical names ``^level.number``, where the level exceeds all levels inside the sum. Nothing is ever substituted
under them: an atom that binds indices is first opened, which gives them fresh names, and closed again afterwards. So no index is
captured, and two sums that differ by the names or the order of their indices are the same atom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby, permutations
from itertools import product as cartesian
from math import factorial, prod

from sympy_validation.all_sizes import powers, products
from sympy_validation.all_sizes.atoms import Atom, Monomial, free_indices, marked
from sympy_validation.all_sizes.symbols import (
    Index,
    Indices,
    Lookup,
    Place,
    Renaming,
    Sorted,
    Unsorted,
    flat,
    fresh,
    inside,
    inverse,
    is_number,
    renamed_index,
)
from sympy_validation.all_sizes.terms import (
    CACHE_SIZE,
    ONE,
    ZERO,
    Application,
    Base,
    Count,
    Delta,
    Entry,
    Exponential,
    Indicator,
    Logarithm,
    Maximum,
    Polynomial,
    Root,
    Selected,
    Sensitivity,
    Sum,
    Undefined,
    combination,
    count_of,
    monomial,
    only,
)

MOST_ORDERS = 720
"""The number of orders of equivalent indices that are compared; beyond it sums may be equal without being recognised as such."""


def delta(i: Place, j: Place) -> Polynomial:
    """1 if i = j, else 0."""
    if i.size != j.size:
        raise ValueError(f"indices of dimensions of different sizes {i.size} and {j.size}")
    return products.multiply(*(_delta(a, b) for a, b in zip(flat(i), flat(j), strict=True)))


def looks_up(p: Index, i: Index) -> bool:
    """Whether p is y(i): then δ(i,p) does not give i another name."""
    return isinstance(p, Lookup) and i in inside(p)


def _delta(i: Index, j: Index) -> Polynomial:
    if is_number(i) and is_number(j):
        return ONE if i == j else ZERO
    return ONE if i == j else only(Delta(*sorted((i, j), key=str)))


# Renaming -------------------------------------------------------------------------------------------------------------


def substitute(P: Polynomial, renaming: Renaming) -> Polynomial:
    """P with other indices in place of some of its free ones, in normal form."""
    if P.free.isdisjoint(renaming):
        return P
    return combination((_substitute_monomial(m, renaming), c) for m, c in P.terms.items())


def _substitute_monomial(m: Monomial, renaming: Renaming) -> Polynomial:
    same = tuple(factor for factor in m if factor[0].free.isdisjoint(renaming))
    changed = (powers.power(_substitute_atom(atom, renaming), e) for atom, e in m if not atom.free.isdisjoint(renaming))
    return products.multiply(monomial(*same), *changed)


def _substitute_atom(atom: Atom, renaming: Renaming) -> Polynomial:
    return _renamed(atom, tuple(sorted(((i, j) for i, j in renaming.items() if i in atom.free), key=lambda pair: pair[0].name)))


@lru_cache(CACHE_SIZE)
def _renamed(atom: Atom, pairs: tuple[tuple[Index, Index], ...]) -> Polynomial:
    renaming = dict(pairs)
    if isinstance(atom, Sum):
        return _renamed_sum(atom, renaming)
    return rebuild(atom, lambda P: substitute(P, renaming), lambda i: renamed_index(i, lambda k: renaming.get(k, k)))


def _renamed_sum(atom: Sum, renaming: Renaming) -> Polynomial:
    """Opens, renames and closes a sum. The names in between are the same every time, so that caches work, unless they are in use."""
    names = [Index(f"~{atom.level}.{k}", index.size) for k, index in enumerate(atom.indices)]
    if not atom.free.union(*map(inside, renaming.values())).isdisjoint(names):
        names = [fresh(index.size) for index in atom.indices]
    body = substitute(monomial(*atom.body), {**renaming, **dict(zip(atom.indices, names, strict=True))})
    return sum_over(body, names)


def rebuild(atom: Atom, change: Callable[[Polynomial], Polynomial], rename: Callable[[Index], Index] = lambda i: i) -> Polynomial:
    """The atom made anew from changed parts. Of ``Base`` and ``Root`` this is the argument, of which the caller takes the power."""
    match atom:
        case Entry():
            return only(Entry(atom.variable, *(_rename(rename, place) for place in (atom.row, atom.column))))
        case Selected():
            k, argument = opened_maximum(atom.maximum)
            return selected(change(argument), k, rename(atom.index))
        case Sensitivity():
            row, column, p, q = (_rename(rename, place) for place in (atom.row, atom.column, atom.p, atom.q))
            return only(Sensitivity(atom.output, atom.argument, row, column, p, q))
        case Count():
            return only(atom)
        case Delta():
            return delta(rename(atom.i), rename(atom.j))
        case Indicator():
            return powers.indicator(change(atom.argument))
        case Application():
            return powers.apply(atom.function, change(atom.argument), atom.order)
        case Exponential():
            return powers.exponential(change(monomial(*atom.exponent)))
        case Logarithm():
            return powers.logarithm(change(atom.argument))
        case Base() | Root():
            return change(atom.argument)
        case Sum():
            indices, body = opened(atom)
            return sum_over(change(monomial(*body)), indices)
        case Maximum():
            k, argument = opened_maximum(atom)
            return maximum(change(argument), k)
    raise TypeError(type(atom).__name__)


def _rename(rename: Callable[[Index], Index], place: Place) -> Place:
    return Indices(map(rename, place)) if isinstance(place, Indices) else rename(place)


def opened(atom: Sum) -> tuple[list[Index], Monomial]:
    """Fresh indices, and the body of the sum in terms of these."""
    indices = [fresh(index.size) for index in atom.indices]
    body = substitute(monomial(*atom.body), dict(zip(atom.indices, indices, strict=True)))
    return indices, _unscaled(body)


def opened_maximum(atom: Maximum) -> tuple[Index, Polynomial]:
    """A fresh index, and the body of the maximum in terms of it."""
    k = fresh(atom.index.size)
    return k, substitute(atom.body, {atom.index: k})


def _unscaled(P: Polynomial) -> Monomial:
    """Renaming indices to fresh ones gives one monomial with coefficient 1, because no rule makes a choice that depends on names."""
    if P.single is None or P.single[1] != 1:
        raise AssertionError(f"renaming changed more than names: {P.key}")
    return P.single[0]


# Sums -----------------------------------------------------------------------------------------------------------------


def sum_over(P: Polynomial, indices: Sequence[Place]) -> Polynomial:
    """The sum of P over indices that occur nowhere else."""
    bound = flat(*indices)
    return combination((_sum_monomial(m, bound), c) for m, c in P.terms.items()) if bound else P


def _sum_monomial(m: Monomial, bound: list[Index]) -> Polynomial:
    for rule in (_collapse_delta, _merge_inner_sums, _cancel_stochastic_row, _unsort, _reduce_fraction):
        result = rule(m, bound)
        if result is not None:
            return result
    return products.multiply(*_components(m, bound))


def _omit(m: Monomial, atom: Atom) -> Polynomial:
    return monomial(*(factor for factor in m if factor[0] is not atom))


def _collapse_delta(m: Monomial, bound: list[Index]) -> Polynomial | None:
    """Σ_i δ(i,p) F(i) = F(p): p is within bounds, because it is an index of the same dimension."""
    for atom, _ in m:
        if isinstance(atom, Delta) and (atom.i in bound or atom.j in bound):
            i, p = (atom.i, atom.j) if atom.i in bound else (atom.j, atom.i)
            if looks_up(p, i):
                continue
            return sum_over(substitute(_omit(m, atom), {i: p}), [index for index in bound if index != i])
    return None


def _merge_inner_sums(m: Monomial, bound: list[Index]) -> Polynomial | None:
    """Σ_i F(i) (Σ_k G(i,k))ⁿ is one sum over i and n copies of k."""
    for atom, exponent in m:
        if isinstance(atom, Sum) and isinstance(exponent, int) and exponent > 0 and not atom.free.isdisjoint(bound):
            copies = [opened(atom) for _ in range(exponent)]
            merged = products.multiply(_omit(m, atom), *(monomial(*body) for _, body in copies))
            return sum_over(merged, [*bound, *chain(*(indices for indices, _ in copies))])
    return None


def _cancel_stochastic_row(m: Monomial, bound: list[Index]) -> Polynomial | None:
    """Σ_k T(i,k) = 1 where T is declared to have rows that sum to 1, and k occurs nowhere else."""
    for k in bound:
        inner = tuple(factor for factor in m if k in factor[0].free)
        if inner and _is_stochastic_row(inner, k):
            return sum_over(_omit(m, inner[0][0]), [index for index in bound if index != k])
    return None


def _unsort(m: Monomial, bound: list[Index]) -> Polynomial | None:
    """Σ_j F(π(i,j)) = Σ_k F(k) where j occurs in indices π(i,j) only, as π(i,j) is every index once."""
    for atom, _ in m:
        for index in _indices(atom):
            if isinstance(index, Sorted) and (j := index.arguments[-1]) in bound:
                k = fresh(index.size)
                unsorted = Unsorted(inverse(index.table), (*index.arguments[:-1], k), index.size)
                everywhere = substitute(monomial(*m), {j: unsorted})
                if str(unsorted) not in everywhere.key:
                    return sum_over(everywhere, [k, *(other for other in bound if other != j)])
    return None


def _indices(atom: Atom) -> Iterator[Index]:
    """The indices of the entries and deltas in an atom, with those that are looked up."""
    if isinstance(atom, Entry | Delta):
        yield from flat(atom.row, atom.column) if isinstance(atom, Entry) else (atom.i, atom.j)
    if isinstance(atom, Exponential | Application | Base | Indicator | Logarithm | Root):
        inner = monomial(*atom.exponent) if isinstance(atom, Exponential) else atom.argument
        yield from chain(*map(_indices, inner.atoms))


def _is_stochastic_row(inner: Monomial, k: Index) -> bool:
    (atom, exponent), *others = inner
    return not others and exponent == 1 and isinstance(atom, Entry) and atom.variable.row_stochastic and atom.column == k != atom.row


def _reduce_fraction(m: Monomial, bound: list[Index]) -> Polynomial | None:
    """Merging has hidden the factors S(i) in Σ_i Σ_k F(i,k) S(i)⁻¹, where S(i) = Σ_k F(i,k). They are made visible for each denominator,
    by holding its indices; if the product of the factors then has a simpler form, that is taken.
    """
    for denominator, exponent in m:
        if exponent < 0 and isinstance(denominator, Sum | Base) and not denominator.free.isdisjoint(bound):
            held = [index for index in bound if index in denominator.free]
            factors = list(_components(m, [index for index in bound if index not in held]))
            reduced = products.multiply(*factors)
            if reduced != _juxtapose(factors):
                return sum_over(reduced, held)
    return None


def _juxtapose(factors: list[Polynomial]) -> Polynomial:
    """The product of single terms, without making it normal."""
    exponents: Counter[Atom] = Counter()
    for factor in factors:
        exponents.update(dict(next(iter(factor.terms))))
    coefficient = prod(next(iter(factor.terms.values())) for factor in factors)
    return Polynomial({tuple(sorted(exponents.items(), key=lambda factor: factor[0].key)): coefficient})


def _components(m: Monomial, bound: list[Index]) -> Iterator[Polynomial]:
    """The factors of Σ m: what is free of the bound indices, one sum for each set of connected factors, a size for each unused index."""
    yield monomial(*(factor for factor in m if factor[0].free.isdisjoint(bound)))
    waiting = list(bound)
    while waiting:
        component = {waiting[0]}
        while True:
            factors = tuple(factor for factor in m if not factor[0].free.isdisjoint(component))
            reached = {index for index in free_indices(factors) if index in bound} | component
            if reached == component:
                break
            component = reached
        yield _close(factors, [index for index in waiting if index in component]) if factors else count_of(waiting[0].size)
        waiting = [index for index in waiting if index not in component]


def _close(body: Monomial, bound: list[Index]) -> Polynomial:
    """The sum as an atom. Of the names for the indices, those that give the least text are taken."""
    level = 1 + max(atom.level for atom, _ in body)
    best: Sum | None = None
    for order in _orders(body, bound):
        names = [Index(f"^{level}.{k}", index.size) for k, index in enumerate(order)]
        _check_names(names, free_indices(body) - set(bound))
        renamed = _unscaled(substitute(monomial(*body), dict(zip(order, names, strict=True))))
        candidate = Sum(tuple(names), renamed)
        if best is None or candidate.key < best.key:
            best = candidate
    assert best is not None
    return only(best)


def _check_names(names: Collection[Index], free: frozenset[Index]) -> None:
    """The level of a bound name exceeds all others, so it cannot be in use. Should a mistake make it so, there is no proof."""
    if not free.isdisjoint(names):
        raise AssertionError(f"an index would be captured: one of {[str(name) for name in names]}")


def _orders(body: Monomial, bound: list[Index]) -> Iterator[tuple[Index, ...]]:
    """The orders of the indices that respect their sizes and signatures, which do not depend on names."""
    sizes = Counter(index.size for index in bound)
    # A signature is only needed to tell indices of one size from each other.
    signatures = {index: (str(index.size), marked(body, {index: "!"}) if sizes[index.size] > 1 else "") for index in bound}
    groups = [list(group) for _, group in groupby(sorted(bound, key=signatures.__getitem__), key=signatures.__getitem__)]
    if prod(factorial(len(group)) for group in groups) > MOST_ORDERS:
        yield tuple(chain(*groups))
        return
    for order in cartesian(*(permutations(group) for group in groups)):
        yield tuple(chain(*order))


def maximum(P: Polynomial, k: Place) -> Polynomial:
    """The largest value of P over an index that occurs nowhere else."""
    for index in flat(k):
        P = _maximum(P, index)
    return P


def _maximum(P: Polynomial, k: Index) -> Polynomial:
    if k not in P.free:
        return P
    level = 1 + max(atom.level for atom in P.atoms)
    name = Index(f"^{level}.0", k.size)
    _check_names([name], P.free)
    return only(Maximum(name, substitute(P, {k: name})))


def selected(P: Polynomial, k: Index, at: Index) -> Polynomial:
    """1 if ``at`` is the first k at which P is largest, else 0. Undefined if P does not depend on k: the first is not known then."""
    largest = _maximum(P, k)
    atom = largest.single[0][0][0] if largest.single and len(largest.single[0]) == 1 else None
    if not isinstance(atom, Maximum) or largest != only(atom):
        raise Undefined("the first of equal elements has a number that symbolic sizes do not have")
    return only(Selected(at, atom))
