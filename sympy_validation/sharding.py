"""The theorem behind workers and blocks: what an equation gives on rows in two parts is what it gives on all rows, for all sizes.

N = N₁ + N₂ rows are cut into the first N₁ and the last N₂. The equation runs once on variables of N rows, and once, by ``ShardedOps``, on
variables of N₁ and of N₂ rows. In the normal form of the first result every row index of N is then one of the first N₁ or one of the last
N₂, every sum over N rows is the sum of two, and the number N is N₁ + N₂; what remains must be the second result. As N₁ and N₂ may be cut
again, this holds for every partition of the rows. It is proved of every operation, and so, as the interpreter does one after the other, of
every equation that is made of them; and once more of the equations of layers and losses themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import map_shapes, named_leaves, with_leaves
from nerva_core.equations.losses import Loss
from nerva_core.interpreters.sharded import Cut, CutSize, ShardedOps, Value, sums_of
from nerva_core.interpreters.traced import Traced
from nerva_core.layers import Embedding, Layer
from sympy_validation.all_sizes import AllSizesOps, SymbolicMatrix, SymbolicScalar, powers, products, sums
from sympy_validation.all_sizes.atoms import Atom, Monomial
from sympy_validation.all_sizes.scalars import Conditions
from sympy_validation.all_sizes.symbols import Index, Size, Variable, factors_of, flat, fresh, place_of, product_of, row_index
from sympy_validation.all_sizes.terms import ZERO, Count, Delta, Entry, Maximum, Polynomial, Sum, combination, count_of, monomial, only
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.unknown import unknowns

Where = Mapping[Index, tuple[int, Index]]
"""For row indices of N: in which part a row is, and its index there."""


class NotCut(ArithmeticError):  # noqa: N818
    """A term of which it is not known what it is on parts of the rows."""


@dataclass(frozen=True)
class Cutting:
    """What a normal form in N rows is on two parts of them."""

    N: Size
    parts: tuple[Size, Size]
    variables: dict[Variable, tuple[Variable, ...]]
    """The variables of N rows, each with those of its parts."""

    def size(self, m: Any) -> CutSize | None:
        """A number of rows that has N as a factor, and those of its parts; None for another."""
        if self.N not in factors_of(m):
            return None
        return CutSize(m, tuple(product_of(*(n if factor == self.N else factor for factor in factors_of(m))) for n in self.parts))

    def matrices(self, A: SymbolicMatrix) -> list[Polynomial]:
        """The entries of the parts of A; of A itself, if its number of rows does not have the factor N."""
        size = self.size(A.rows)
        if size is None:
            return [self.polynomial(A.entry, {})]
        parts = []
        for k, rows in enumerate(size.blocks):
            pairs = list(zip(flat(A.i), flat(row_index(rows)), strict=True))
            where = {i: (k, j) for i, j in pairs if i.size == self.N}
            renamed = sums.substitute(A.entry, {i: j for i, j in pairs if i.size != self.N})
            parts.append(self.polynomial(renamed, where))
        return parts

    def polynomial(self, P: Polynomial, where: Where) -> Polynomial:
        """P, where each of its row indices of N is in a part."""
        return combination((self._monomial(m, where), c) for m, c in P.terms.items())

    def _monomial(self, m: Monomial, where: Where) -> Polynomial:
        return products.multiply(monomial(), *(powers.power(self._atom(atom, where), e) for atom, e in m))

    def _atom(self, atom: Atom, where: Where) -> Polynomial:
        if isinstance(atom, Count):
            return combination((count_of(n), 1) for n in self.parts) if atom.size == self.N else only(atom)
        if isinstance(atom, Entry):
            return self._entry(atom, where)
        if isinstance(atom, Sum):
            return self._sum(atom, where)
        if isinstance(atom, Delta) and {atom.i, atom.j} <= where.keys() and where[atom.i][0] != where[atom.j][0]:
            return ZERO
        if isinstance(atom, Maximum) and any(i.size == self.N for i in flat(sums.opened_maximum(atom)[0])):
            raise NotCut(f"{atom.key} is the largest element of all rows")
        return sums.rebuild(atom, lambda P: self.polynomial(P, where), lambda i: where[i][1] if i in where else i)

    def _entry(self, atom: Entry, where: Where) -> Polynomial:
        row, column = ([where[i][1] if i in where else i for i in flat(place)] for place in (atom.row, atom.column))
        parts = {where[i][0] for i in flat(atom.row) if i in where}
        if any(i.size == self.N for i in flat(atom.row, atom.column)) and (atom.variable not in self.variables or len(parts) != 1):
            raise NotCut(f"{atom.key} has {self.N} rows or columns, and no parts")
        variable = self.variables[atom.variable][parts.pop()] if parts else atom.variable
        return only(Entry(variable, place_of(row), place_of(column)))

    def _sum(self, atom: Sum, where: Where) -> Polynomial:
        """Σ over N rows is Σ over N₁ rows + Σ over N₂ rows."""
        indices, body = sums.opened(atom)
        cut = [i for i in indices if i.size == self.N]
        total = ZERO
        for choice in itertools.product(range(len(self.parts)), repeat=len(cut)):
            new = [fresh(self.parts[k]) for k in choice]
            inner = self._monomial(body, {**where, **dict(zip(cut, zip(choice, new, strict=True), strict=True))})
            total = total + sums.sum_over(inner, [*(i for i in indices if i.size != self.N), *new])
        return total


class ProvedOps(ShardedOps):
    """What is proved: the operations on cut matrices. A size is the number N₁ + N₂, and a function that is not known is elementwise."""

    inner: AllSizesOps
    cutting: Cutting

    def number(self, size: CutSize) -> Any:
        return SymbolicScalar(self.cutting.polynomial(count_of(size.total), {}), Conditions())

    def unknown(self, name: Any, X: Traced[Value], order: int = 0) -> Traced[Value]:
        """As the inner operations'."""
        if not isinstance(X.value, Cut):
            found: Traced[Value] = self.whole(unknowns(self.inner).unknown(name, self.results(X), order))
            return found
        return self.cut([self.inner.unknown(name, part, order) for part in X.value.parts], X.value.size, X.value.way)


class Sharded:
    """Variables of N rows and of their parts, and equations that are run on both."""

    def __init__(self, interpreter: type[ProvedOps] = ProvedOps) -> None:
        """``interpreter``: what is tested; another one than ``ProvedOps`` to see that a wrong one is not proved."""
        self.space = SymbolicSizesSpace()
        self.ops = self.space.ops
        self.cutting = Cutting(self.space.size("N"), (self.space.size("N1"), self.space.size("N2")), {})
        self.sharded = interpreter(self.ops, sums_of(self.ops))
        self.sharded.cutting = self.cutting

    def variable(self, name: str, m: Any, n: Any, **options: bool) -> tuple[SymbolicMatrix, Any]:
        """The variable, and its parts as the sharded equation takes them; one whose rows are not cut as a whole."""
        A, size = self.ops.variable(name, m, n, **options), self.cutting.size(m)
        if size is None:
            return A, self.sharded.whole(A)
        parts = [self.ops.variable(f"{name}{k}", rows, n, **options) for k, rows in enumerate(size.blocks, 1)]
        self.cutting.variables[_variable(A)] = tuple(map(_variable, parts))
        return A, self.sharded.cut(parts, size)

    def categories(self, x: SymbolicMatrix, parts: Any, n: Any) -> None:
        """State what ``one_hot`` means: a row of the result is that of the same number of x, so that the parts of x give its parts."""
        whole, *others = (_variable(self.ops.one_hot(matrix, n)) for matrix in (x, *parts.value.parts))
        self.cutting.variables[whole] = tuple(others)

    def agree(self, plain: SymbolicMatrix, found: Any) -> bool:
        """Whether the result on parts is the parts of the result."""
        if isinstance(found.value, Cut) and found.value.way == "columns":
            plain, found = self.ops.transpose(plain), self.sharded.transpose(found)
        elif isinstance(found.value, Cut) and found.value.way == "members":
            plain, found = self.ops.join(plain, self.cutting.N), self.sharded.join(found, self.cutting.size(self.cutting.N))
        result = self.sharded.results(found)
        expected, parts = self.cutting.matrices(plain), result if isinstance(result, tuple) else (result,)
        if len(expected) != len(parts):
            return False
        return all(
            self.ops.is_zero(part.with_entry(P - self.cutting.polynomial(part.entry, {}))) for P, part in zip(expected, parts, strict=True)
        )

    def proved(self, equation: Callable[..., Mapping[str, Any]], *pairs: tuple[SymbolicMatrix, Any]) -> dict[str, bool]:
        """For each quantity of ``equation(ops, *matrices)``, whether sharded = unsharded is proved."""
        plain, found = equation(self.ops, *(A for A, _ in pairs)), equation(self.sharded, *(parts for _, parts in pairs))
        return {name: self.agree(value, found[name]) for name, value in plain.items()}


class OperandShape(NamedTuple):
    """The shape of an operand of an operation: m x n, of each of so many matrices."""

    m: Any
    n: Any
    members: int = 1


def sharded_operation(name: str, given: Callable[[Any], Sequence[Any]], interpreter: type[ProvedOps] = ProvedOps) -> bool:
    """Whether sharded = unsharded is proved for an operation on the arguments that ``given(space)`` has, an ``OperandShape`` for a matrix.

    As the interpreter does one operation after the other, what is proved of all operations holds for all equations that are made of them.
    """
    setting = Sharded(interpreter)
    arguments = given(setting.space)
    operands = [a for a in arguments if isinstance(a, OperandShape)]
    pairs = [setting.variable(f"X{k}", X.m, _columns(X), positive=True) for k, X in enumerate(operands)]
    for X, pair in zip(operands, pairs, strict=True):
        if name in OF_NUMBERS and X.n == 1:
            setting.categories(*pair, setting.space.size("V"))

    def equation(ops: Any, *matrices: Any) -> dict[str, Any]:
        def size(m: Any) -> Any:
            return m if ops is setting.ops or not isinstance(m, Size) else setting.cutting.size(m) or m

        def value(X: Any, given: OperandShape) -> Any:
            return X if given.members == 1 else ops.split(X, size(given.m), given.n)

        values = map(value, matrices, operands)
        return {name: getattr(ops, name)(*(next(values) if isinstance(a, OperandShape) else size(a) for a in arguments))}

    return setting.proved(equation, *pairs)[name]


OF_NUMBERS = ("one_hot", "rows_at", "sums_at_rows")
"""The operations of which an operand, a column, holds the numbers of rows or categories."""


def _columns(X: OperandShape) -> Any:
    return X.n if X.members == 1 else product_of(X.members, X.n)


def sharded_layer(make: Callable[[Any], Layer], interpreter: type[ProvedOps] = ProvedOps) -> dict[str, bool]:
    """For the output and each gradient of a layer, whether sharded = unsharded is proved. NervaError if it mixes rows."""
    setting = Sharded(interpreter)
    layer = make(setting.space).for_any_data(setting.space)
    rows, D = layer.shape_of_input(setting.space)
    trees = [map_shapes(list, shapes) for shapes in (layer.shapes(D), layer.noise_shapes(rows, D))]
    X = setting.variable("X", rows, D)
    if isinstance(layer, Embedding):
        setting.categories(*X, layer.vocabulary)
    DY = setting.variable("DY", layer.rows_for(rows), layer.outputs_for(D))
    leaves = [
        setting.variable(f"{letter}{k}", *shape)
        for letter, tree in zip("pr", trees, strict=True)
        for k, (_, shape) in enumerate(named_leaves(tree))
    ]

    def equation(ops: MatrixOps, X: Any, DY: Any, *given: Any) -> dict[str, Any]:
        count = len(list(named_leaves(trees[0])))
        params, noise = with_leaves(trees[0], given[:count]), with_leaves(trees[1], given[count:])
        Y, cache = layer.feedforward(ops, params, X, *noise)
        DX, gradients = layer.backpropagate(ops, params, cache, DY)
        return {"Y": Y, "DX": DX, **{f"D{name}": gradient for name, gradient in named_leaves(gradients)}}

    return setting.proved(equation, X, DY, *leaves)


def sharded_loss(make: Callable[[Any], Loss], interpreter: type[ProvedOps] = ProvedOps) -> dict[str, bool]:
    """For the value and the gradient of a loss, whether sharded = unsharded is proved."""
    setting = Sharded(interpreter)
    loss = make(setting.space)
    N, K = setting.space.size("N"), setting.space.size("K")
    Y, T = (setting.variable(name, N, K, positive=True) for name in ("Y", "T"))
    return setting.proved(lambda ops, Y, T: {"L": loss.value(ops, Y, T), "DY": loss.gradient(ops, Y, T)}, Y, T)


def _variable(A: SymbolicMatrix) -> Variable:
    (atom,) = A.entry.atoms
    if not isinstance(atom, Entry):
        raise NervaError("a variable has one entry")
    return atom.variable
