"""Matrix operations on matrices that are cut: the equations run unchanged, and what they sum over rows is summed over all blocks.

A batch of N rows is cut into blocks, of which every worker has some. A value is *whole*, the same everywhere; or *cut* into blocks of its
rows or columns, or a family into groups of members; or *pending*: a sum over all blocks that is not added up yet. What is computed from
pending and whole values alone is done *later*, so that all sums that have gathered until one of them is needed are added up at once.

What an operation does with cut operands is stated beside its definition (``OperationRule.by`` and ``adds``); where nothing is, its
definition is run. What would need every row of a batch for every other is refused.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix import Scalar, Shape, Size
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.operation import Way
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.algebra.workers import fold, is_power_of_two
from nerva_core.interpreters.shapes import ShapeOps
from nerva_core.interpreters.traced import NATIVE, RULES, Interpreter, Operation, Traced, is_primitive

Matrix: TypeAlias = Any
"""A matrix of the operations that do the work."""


@dataclass(frozen=True)
class CutSize:
    """A number of rows, columns or members that are shared out: of all of them, and of each block that this worker has."""

    total: Size
    blocks: tuple[Size, ...]

    def part(self, chosen: slice) -> CutSize:
        """Some of the blocks of the same number."""
        return CutSize(self.total, self.blocks[chosen])

    def __index__(self) -> int:
        raise NervaError(f"{self.total} rows are shared out, and cannot be counted one by one; train with one worker, without blocks")

    def __mul__(self, k: Size) -> CutSize:
        return CutSize(self.total * k, tuple(n * k for n in self.blocks))

    __rmul__ = __mul__

    def __floordiv__(self, k: Any) -> Any:  # by a size that is shared out alike, as rows by examples, it is a number
        return self.total // k.total if isinstance(k, CutSize) else CutSize(self.total // k, tuple(n // k for n in self.blocks))


@dataclass(frozen=True, eq=False)
class Whole:
    """A matrix, or a family, that every worker has."""

    matrix: Matrix


@dataclass(frozen=True, eq=False)
class Cut:
    """A matrix, or a family, that is cut: this worker has some of the parts."""

    way: Way
    parts: tuple[Matrix, ...]
    size: CutSize


@dataclass(eq=False)
class Pending:
    """The sum of the parts of all workers, not yet added up."""

    parts: tuple[Matrix, ...]
    result: Matrix = None


@dataclass(eq=False)
class Later:
    """An operation on values of which one is pending, not yet done."""

    operation: Operation[Any] | None
    result: Matrix = None


Value: TypeAlias = Whole | Cut | Pending | Later

Add = Callable[[list[tuple[Matrix, ...]]], list[Matrix]]
"""For the parts of several sums, the sums over all workers, in the same order."""

MADE: dict[str, dict[int, Way]] = {"full": {1: "rows", 2: "columns"}, "row_repeat": {1: "rows"}, "column_repeat": {1: "columns"}}
"""The operations that make a matrix of a size that is given; which arguments are sizes."""

BY_TOTAL = ("scale", "divide")
"""The operations of which an argument is a size as a number."""


class ShardedOps(Interpreter[Value]):
    """Matrix operations on values that are cut, run by ``inner`` part by part; ``add`` adds up sums over all workers."""

    def __init__(self, inner: MatrixOps, add: Add) -> None:
        self.inner = inner
        self.add_up = add
        self._pending: list[weakref.ref[Pending]] = []
        self._shapes = ShapeOps()

    # What goes in and comes out.

    def whole(self, tree: Tree) -> Any:
        """A tree of matrices that every worker has."""
        return map_tree(lambda X: Traced(self, Whole(X)), tree)

    def cut(self, blocks: Sequence[Matrix], size: CutSize, way: Way = "rows") -> Traced[Value]:
        """The matrix of which this worker has these blocks."""
        return Traced(self, Cut(way, tuple(blocks), size))

    def results(self, tree: Tree) -> Any:
        """A tree of values as matrices, the same on every worker; the blocks of a cut one, as a tuple."""
        return map_tree(lambda X: X.value.parts if isinstance(X.value, Cut) else self._matrix(X.value), tree)

    def matrix(self, values: Any) -> Traced[Value]:
        """As the inner operations', which every worker has."""
        return Traced(self, Whole(cast("Backend", self.inner).matrix(values)))

    def take_rows(self, X: Traced[Value], numbers: tuple[CutSize, tuple[Any, ...]]) -> Traced[Value]:
        """The rows of a whole X with the numbers in the blocks of this worker."""
        inner, (size, blocks) = cast("Backend", self.inner), numbers
        return Traced(self, Cut("rows", tuple(inner.take_rows(self._matrix(X.value), block) for block in blocks), size))

    # Sizes.

    def size(self, value: Value) -> tuple[Size, Size]:
        if isinstance(value, Cut):
            m, n = self.inner.shape(value.parts[0])
            return (value.size, n) if value.way == "rows" else (m, value.size) if value.way == "columns" else (m, n)
        if isinstance(value, (Pending, Later)) and value.result is None:
            shape = self._shape(value)
            return shape.rows, shape.columns
        return self.inner.shape(self._matrix(value))

    def member_count(self, value: Value) -> Size:
        if isinstance(value, Cut):
            return value.size if value.way == "members" else self.inner.members(value.parts[0])
        return self._shape(value).members

    def size_power(self, n: Size, e: float) -> Scalar:
        return self.inner.size_power(self.number(n) if isinstance(n, CutSize) else n, e)

    def number(self, size: CutSize) -> Scalar:
        """A size as a number."""
        return size.total

    def _shape(self, value: Value) -> Shape:
        """The shape of a value, which is not computed for it."""
        if isinstance(value, Cut):
            return Shape(*self.size(value), self.member_count(value))
        if isinstance(value, Later) and value.result is None:
            assert value.operation is not None
            return self._shapes.operation(self._of_shapes(value.operation))
        X = value.parts[0] if isinstance(value, Pending) and value.result is None else self._matrix(value)
        return Shape(*self.inner.shape(X), self.inner.members(X))

    def _of_shapes(self, operation: Operation[Value]) -> Operation[Shape]:
        arguments = (self._shape(a) if k in operation.positions else a for k, a in enumerate(operation.arguments))
        return Operation(operation.name, tuple(arguments), operation.positions)

    # Sums over all workers.

    def _matrix(self, value: Value) -> Matrix:
        """The matrix of a value that is not cut; what is pending is added up for it."""
        if isinstance(value, Whole):
            return value.matrix
        if isinstance(value, Cut):
            raise NervaError(f"a matrix that is shared out by {value.way} is needed as a whole")
        if value.result is None:
            if isinstance(value, Later):
                assert value.operation is not None
                operation, value.operation = value.operation, None
                value.result = self._run(operation)
            else:
                self._add_up_pending()
        return value.result

    def _add_up_pending(self) -> None:
        """All that is still wanted of what is pending, at once."""
        wanted = [value for ref in self._pending if (value := ref()) is not None]
        for value, total in zip(wanted, self.add_up([value.parts for value in wanted]), strict=True):
            value.result, value.parts = total, ()
        self._pending = []

    # Operations.

    def operation(self, operation: Operation[Value]) -> Value:
        name, rule = operation.name, RULES[operation.name]
        cut = [value for value in operation.operands if isinstance(value, Cut)]
        sizes = [a for a in operation.arguments if isinstance(a, CutSize)] if name not in BY_TOTAL else []
        if not cut and not sizes:
            waits = any(isinstance(value, (Pending, Later)) and value.result is None for value in operation.operands)
            return Later(operation) if waits else Whole(self._run(operation))
        special: Callable[..., Value | None] | None = getattr(self, f"_{name}", None)
        found = special(*operation.arguments) if special else None
        if found is None and not cut and name in MADE:
            found = self._made(operation)
        if found is None and not sizes and self._fit(operation, cut):
            if cut[0].way in rule.by:
                found = Cut(cut[0].way, self._each(operation), self._size_of_result(operation, cut[0]))
            elif cut[0].way in rule.adds:
                found = self._sum(self._each(operation))
        return self._defined(operation) if found is None else found

    def _fit(self, operation: Operation[Value], cut: list[Cut]) -> bool:
        """Whether the parts of the operands belong together: what every part needs as a whole is so, and all else is cut alike."""
        whole = RULES[operation.name].whole
        for position in operation.positions:
            value = operation.arguments[position]
            if isinstance(value, Cut):
                if position in whole or (value.way, value.size) != (cut[0].way, cut[0].size):
                    return False
            elif position not in whole and not (cut[0].way == "members" and self._shape(value).members == 1):
                return False
        return True

    def _each(self, operation: Operation[Value]) -> tuple[Matrix, ...]:
        """The operation on each part."""
        count = next(len(value.parts) for value in operation.operands if isinstance(value, Cut))
        return tuple(self._run(operation, b) for b in range(count))

    def _run(self, operation: Operation[Value], b: int = 0) -> Matrix:
        """The operation on the inner matrices of its operands, on part b of those that are cut."""

        def inner(position: int, a: Any) -> Any:
            if position in operation.positions:
                return a.parts[b] if isinstance(a, Cut) else self._matrix(a)
            return self.number(a) if isinstance(a, CutSize) else a

        return getattr(self.inner, operation.name)(*(inner(position, a) for position, a in enumerate(operation.arguments)))

    def _size_of_result(self, operation: Operation[Value], cut: Cut) -> CutSize:
        """That of the operands, except where windows see more or fewer positions of each example."""
        if "members" in RULES[operation.name].by or cut.way != "rows" or operation.name in ("family", "member", "members_sum"):
            return cut.size
        size: CutSize = self._shapes.operation(self._of_shapes(operation)).rows
        return size

    def _made(self, operation: Operation[Value]) -> Value | None:
        """A matrix of a size that is shared out."""
        places = [k for k, a in enumerate(operation.arguments) if isinstance(a, CutSize)]
        if len(places) > 1:
            return None
        (place,) = places
        size: CutSize = operation.arguments[place]
        arguments = [self._matrix(a) if k in operation.positions else a for k, a in enumerate(operation.arguments)]
        make = getattr(self.inner, operation.name)
        parts = tuple(make(*arguments[:place], n, *arguments[place + 1 :]) for n in size.blocks)
        return Cut(MADE[operation.name][place], parts, size)

    def _sum(self, parts: tuple[Matrix, ...]) -> Pending:
        value = Pending(parts)
        self._pending.append(weakref.ref(value))
        return value

    def _defined(self, operation: Operation[Value]) -> Value:
        """What the definition of the operation gives."""
        if is_primitive(operation.name) or operation.name in NATIVE:
            raise NervaError(
                f"{operation.name} mixes the rows of a batch with one another, so they cannot be shared out; "
                "train without training.blocks and training.micro_batches, with one worker"
            )
        arguments = [Traced(self, a) if k in operation.positions else a for k, a in enumerate(operation.arguments)]
        result: Traced[Value] = getattr(MatrixOps, operation.name)(self, *arguments)
        return result.value

    # Operations that change what is cut.

    def _matmul(self, X: Value, Z: Value) -> Value | None:
        if isinstance(X, Cut) and isinstance(Z, Cut):
            fit = (X.way, Z.way, X.size) == ("columns", "rows", Z.size)
            return self._sum(tuple(x @ z for x, z in zip(X.parts, Z.parts, strict=True))) if fit else None
        if isinstance(X, Cut) and X.way == "rows":
            W = self._matrix(Z)
            return Cut("rows", tuple(part @ W for part in X.parts), X.size)
        if isinstance(Z, Cut) and Z.way == "columns":
            W = self._matrix(X)
            return Cut("columns", tuple(W @ part for part in Z.parts), Z.size)
        return None

    def _transpose(self, X: Cut) -> Value | None:
        if X.way == "members":
            return None
        return Cut("columns" if X.way == "rows" else "rows", tuple(map(self.inner.transpose, X.parts)), X.size)

    def _reshape(self, X: Value, m: Size, n: Size) -> Value | None:
        if not isinstance(X, Cut) or X.way != "rows" or not isinstance(m, CutSize):
            return None
        return Cut("rows", tuple(self.inner.reshape(part, k, n) for part, k in zip(X.parts, m.blocks, strict=True)), m)

    def _split(self, X: Value, m: Size, n: Size) -> Value | None:
        if not isinstance(X, Cut) or X.way != "rows":
            return None
        if isinstance(m, CutSize):  # one block of rows, which has them all
            return Cut("rows", tuple(self.inner.split(part, k, n) for part, k in zip(X.parts, m.blocks, strict=True)), m)
        across = self.inner.shape(X.parts[0])[1] // n
        return Cut("members", tuple(self.inner.split(part, m, n) for part in X.parts), X.size // m * across)

    def _join(self, F: Value, k: Size) -> Value | None:
        if not isinstance(F, Cut):
            return None
        if F.way == "rows" and k == 1:
            return Cut("rows", tuple(self.inner.join(part, 1) for part in F.parts), F.size)
        if F.way == "members" and isinstance(k, CutSize):
            rows = self.inner.shape(F.parts[0])[0]
            return Cut("rows", tuple(self.inner.join(part, n) for part, n in zip(F.parts, k.blocks, strict=True)), k * rows)
        return None


def sums_of(ops: MatrixOps) -> Add:
    """Adds up the parts of one worker, which is alone."""
    return lambda sums: [fold(parts, ops.add) for parts in sums]


class SumOfWorkers:
    """Adds up the parts of all workers: all sums of a call at once, side by side in one row."""

    def __init__(self, ops: Any, workers: int) -> None:
        self.ops, self.workers = ops, workers
        self._last: Matrix = None

    def __call__(self, sums: list[tuple[Matrix, ...]]) -> list[Matrix]:
        if is_power_of_two(len(sums[0])) and is_power_of_two(self.workers):
            sums = [(fold(parts, self.ops.add),) for parts in sums]
        shapes = [Shape(m, n, self.ops.members(parts[0])) for parts in sums for m, n in [self.ops.shape(parts[0])]]
        rows = [self._row(parts, shapes) for parts in zip(*sums, strict=True)]
        total = self.ops.all_sum(rows[0] if self._last is None else self._last, *rows)
        self._last = total
        return self._parts(total, shapes)

    def _row(self, matrices: Sequence[Matrix], shapes: list[Shape]) -> Matrix:
        flat = []
        for X, (m, n, k) in zip(matrices, shapes, strict=True):
            flat.append(self.ops.reshape(X if k == 1 else self.ops.join(X, k), 1, m * n * k))
        return flat[0] if len(flat) == 1 else self.ops.join_column_parts(*flat)

    def _parts(self, total: Matrix, shapes: list[Shape]) -> list[Matrix]:
        found, offset = [], 0
        for m, n, k in shapes:
            X = self.ops.segment(total, offset, k * m, n)
            found.append(X if k == 1 else self.ops.split(X, m, n))
            offset += k * m * n
        return found
