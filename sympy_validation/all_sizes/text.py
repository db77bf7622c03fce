"""Normal forms as readable text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, count

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.symbols import Index, Lookup, Number, Output, flat, is_number
from sympy_validation.all_sizes.terms import (
    CACHE_SIZE,
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
)

Names = Mapping[Index, str]


def text(P: Polynomial, names: Names | None = None) -> str:
    """P in the usual notation; indices without a name get the first free letters."""
    names = {**{index: index.name for index in P.free if index.name[0] in "hij"}, **(names or {})}
    for index in sorted(P.free - set(names), key=lambda index: P.key.find(str(index))):
        names[index] = _letter("ijklmnpqrstuvw", names)
    return _sum_of_terms(P, names)


def _letter(letters: str, names: Names) -> str:
    """The first letter that is not taken."""
    return next(letter for letter in chain(letters, (f"k{n}" for n in count(1))) if letter not in names.values())


def _sum_of_terms(P: Polynomial, names: Names) -> str:
    terms = [_term(m, c, names) for m, c in P.terms.items()]
    ordered = sorted(terms, key=lambda term: (term.startswith("-"), term))
    return " + ".join(ordered).replace("+ -", "- ") or "0"


def _term(m: Monomial, c: Number, names: Names) -> str:
    factors = sorted(_power(atom, exponent, names) for atom, exponent in m)
    if abs(c) != 1 or not factors:
        factors.insert(0, str(abs(c)))
    return "-" * (c < 0) + "·".join(factors)


def _power(atom: Atom, exponent: Number, names: Names) -> str:
    shown = "" if exponent == 1 else f"^{exponent}" if isinstance(exponent, int) else f"^({exponent})"
    return _atom(atom, names) + shown


def _atom(atom: Atom, names: Names) -> str:
    match atom:
        case Entry():
            indices = ",".join(_index(index, names) for index in flat(atom.row, atom.column))
            return f"{atom.variable.name}[{indices}]" if indices else atom.variable.name
        case Sensitivity():
            places = (atom.row, atom.column, atom.p, atom.q)
            row, column, p, q = (",".join(_index(index, names) for index in flat(place)) or "1" for place in places)
            return f"∂{atom.output.name}[{row},{column}]/∂{atom.argument}[{p},{q}]"
        case Count():
            return atom.size.name
        case Delta():
            return f"δ({_index(atom.i, names)},{_index(atom.j, names)})"
        case Selected():
            return f"[{_index(atom.index, names)} is the first of {_atom(atom.maximum, names)}]"
        case Indicator():
            return f"[{_sum_of_terms(atom.argument, names)} < 0]"
        case Application():
            return f"{atom.function.name}{_primes(atom.order)}({_sum_of_terms(atom.argument, names)})"
        case Exponential():
            return f"exp({_term(atom.exponent, 1, names)})"
        case Logarithm():
            return f"log({_sum_of_terms(atom.argument, names)})"
        case Base() | Root():
            return f"({_sum_of_terms(atom.argument, names)})"
        case Sum():
            return _bound("Σ", atom.indices, Polynomial({atom.body: 1}), names)
        case Maximum():
            return _bound("max", (atom.index,), atom.body, names)
    raise TypeError(type(atom).__name__)


def _index(index: Index, names: Names) -> str:
    """The name of an index, or its number, counted from 1."""
    if isinstance(index, Lookup):
        return f"{index.table}[{','.join(_index(argument, names) for argument in index.arguments)}]"
    return str(int(index.name[1:]) + 1) if is_number(index) else names[index]


def _bound(symbol: str, indices: tuple[Index, ...], body: Polynomial, names: Names) -> str:
    inner = {index: name for index, name in names.items() if index in body.free}
    ordered = sorted(indices, key=lambda index: body.key.find(str(index)))
    for index in ordered:
        inner[index] = _letter("klmnpqrstuvw", inner)
    letters = ",".join(inner[index] for index in ordered)
    return f"{symbol}_{letters if len(indices) == 1 else '{' + letters + '}'}({_sum_of_terms(body, inner)})"


def _primes(order: int) -> str:
    return "'" * order if order < 4 else f"^({order})"


def inner_atoms(P: Polynomial) -> Iterator[Atom]:
    """All atoms in P at any depth, each once, in terms of fresh indices."""
    seen: set[Atom] = set()
    waiting = [P]
    while waiting:
        new = sorted(waiting.pop().atoms - seen, key=lambda atom: atom.key)
        seen.update(new)
        waiting += [part for atom in new for part in parts_of(atom)]
        yield from new


@lru_cache(CACHE_SIZE)
def parts_of(atom: Atom) -> list[Polynomial]:
    """The polynomials directly inside an atom."""
    match atom:
        case Exponential():
            return [Polynomial({atom.exponent: 1})]
        case Sum():
            return [Polynomial({sums.opened(atom)[1]: 1})]
        case Maximum():
            return [sums.opened_maximum(atom)[1]]
        case Selected():
            return [sums.opened_maximum(atom.maximum)[1]]
        case Indicator() | Application() | Logarithm() | Base() | Root():
            return [atom.argument]
        case Entry(variable=Output() as output):
            return [argument.entry for argument in output.arguments]
    return []
