"""A network at inference as a graph of tensor operations: the interpretation from which other formats are written.

``evaluate`` runs once on ``GraphOps``, whose values are nodes. Operations that no format has are taken apart by their definitions in
``MatrixOps``, so every layer can be exported, also one of the user's own. The number of rows is open. Repetition, which other formats
call broadcasting, is kept symbolic: a row that is repeated N times stays a row until somebody needs all of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.algebra.operations.windows import Windows
from nerva_core.algebra.trees import Tree, named_leaves, with_leaves
from nerva_core.interpreters.traced import RULES, Interpreter, Operation, Traced
from nerva_core.layers import Layer, Sequential

ELEMENTWISE = {
    "add": "add", "subtract": "subtract", "hadamard": "multiply", "negate": "negate", "exp": "exp", "log": "log",
    "reciprocal": "reciprocal", "sqrt": "sqrt", "arctan": "arctan", "tanh": "tanh", "sigmoid": "sigmoid", "abs": "abs",
    "sign": "sign", "maximum": "maximum", "minimum": "minimum", "less": "less", "where": "where",
}  # fmt: skip
"""The matrix operations that are elementwise operations of every format, by their names in graphs."""


@dataclass(frozen=True)
class Rows:
    """A multiple of the number of rows of the input, which is open."""

    factor: int = 1

    def __mul__(self, c: int) -> Rows:
        return Rows(self.factor * c)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        factor = other.factor if isinstance(other, Rows) else other
        if self.factor % factor:
            raise NervaError(f"the number of rows, {self}, is not shown to be a multiple of {other}")
        return self.factor // factor if isinstance(other, Rows) else Rows(self.factor // factor)

    def __repr__(self) -> str:
        return "N" if self.factor == 1 else f"{self.factor} N"


N = Rows()


@dataclass(frozen=True, eq=False)
class Node:
    """A tensor of a graph. ``repeated`` tells the axes along which it has one element that stands for all of ``shape``."""

    op: str
    operands: tuple[Node, ...]
    shape: tuple[Size, Size]
    repeated: tuple[bool, bool] = (False, False)
    value: Any = None
    """The array of a constant, the axis of a sum counted from the end, the name of a parameter."""
    members: Size = 1
    """Of a family, which is a tensor with a third axis, the first."""


class GraphOps(Interpreter[Node]):
    """Matrix operations that build a graph."""

    def size(self, value: Node) -> tuple[Size, Size]:
        return value.shape

    def member_count(self, value: Node) -> Size:
        return value.members

    def operation(self, operation: Operation[Node]) -> Node:
        node = self._made(operation)
        rule = RULES[operation.name].shape
        if operation.name in OF_FAMILIES or (callable(rule) and not operation.operands):
            return node
        members = next((X.members for X in operation.operands if X.members != 1), 1)
        return node if node.members == members else replace(node, members=members)

    def _made(self, operation: Operation[Node]) -> Node:
        if operation.name in ELEMENTWISE:
            first = operation.operands[0]
            rows, columns = (all(x.repeated[axis] for x in operation.operands) for axis in (0, 1))
            return Node(ELEMENTWISE[operation.name], operation.operands, first.shape, (rows, columns))
        if (own := getattr(self, f"_{operation.name}", None)) is not None and operation.name in OWN:
            result: Node = own(*operation.arguments)
            return result
        definition = getattr(MatrixOps, operation.name)
        if getattr(definition, "__isabstractmethod__", False):
            raise NervaError(f"the operation {operation.name!r} has no form in a graph yet, so this network cannot be exported")
        arguments = [Traced(self, a) if k in operation.positions else a for k, a in enumerate(operation.arguments)]
        defined: Traced[Node] = definition(self, *arguments)
        return defined.value

    def number(self, c: Any, m: Size = 1, n: Size = 1) -> Node:
        """The m x n matrix of c, a number or a size."""
        if isinstance(c, Rows):
            return Node("rows", (), (m, n), (True, True), c.factor)
        return Node("constant", (), (m, n), (True, True), np.full((1, 1), float(c)))

    def _full(self, c: Any, m: Size, n: Size) -> Node:
        return self.number(c, m, n)

    def _constant(self, rows: Any) -> Node:
        array = np.array(rows, dtype=float, ndmin=2)
        return Node("constant", (), array.shape, value=array)

    def _identity(self, n: Size) -> Node:
        if isinstance(n, Rows):
            raise NervaError("a matrix of N x N elements depends on the number of rows, so this network cannot be exported")
        return self._constant(np.eye(n))

    def _scale(self, c: Any, X: Node) -> Node:
        return Node("multiply", (self.number(c), X), X.shape, X.repeated)

    def _divide(self, X: Node, c: Any) -> Node:
        return Node("divide", (X, self.number(c)), X.shape, X.repeated)

    def _transpose(self, X: Node) -> Node:
        return Node("transpose", (X,), X.shape[::-1], X.repeated[::-1])

    def _matmul(self, X: Node, Z: Node) -> Node:
        X, Z = self.spread(X, 1), self.spread(Z, 0)
        return Node("matmul", (X, Z), (X.shape[0], Z.shape[1]), (X.repeated[0], Z.repeated[1]))

    def spread(self, X: Node, axis: int) -> Node:
        """X with all its elements along an axis."""
        if not X.repeated[axis]:
            return X
        repeated = (False, X.repeated[1]) if axis == 0 else (X.repeated[0], False)
        return Node("spread", (X,), X.shape, repeated, axis, X.members)

    def _diag(self, X: Node) -> Node:
        product = Node("multiply", (X, self._identity(X.shape[0])), X.shape)
        return Node("sum", (product,), (X.shape[0], 1), value=-1)

    def _Diag(self, x: Node) -> Node:
        n = x.shape[0] if x.shape[1] == 1 else x.shape[1]
        return Node("multiply", (x, self._identity(n)), (n, n))

    def _column_repeat(self, x: Node, n: Size) -> Node:
        return Node("same", (x,), (x.shape[0], n), (x.repeated[0], True))

    def _row_repeat(self, x: Node, m: Size) -> Node:
        return Node("same", (x,), (m, x.shape[1]), (True, x.repeated[1]))

    def _columns_sum(self, X: Node) -> Node:
        return self._sum(X, 0)

    def _rows_sum(self, X: Node) -> Node:
        return self._sum(X, 1)

    def _sum(self, X: Node, axis: int) -> Node:
        shape = (1, X.shape[1]) if axis == 0 else (X.shape[0], 1)
        repeated = (False, X.repeated[1]) if axis == 0 else (X.repeated[0], False)
        if X.repeated[axis]:
            return Node("multiply", (X, self.number(X.shape[axis])), shape, repeated)
        return Node("sum", (X,), shape, repeated, axis - 2)

    def _rows_max(self, X: Node) -> Node:
        return Node("same" if X.repeated[1] else "max", (X,), (X.shape[0], 1), (X.repeated[0], False), -1)

    # Rearrangement: operations that MatrixOps may have.

    def _reshape(self, X: Node, m: Size, n: Size) -> Node:
        return Node("reshape", (self.whole(X),), (m, n), value=_open(*((X.members,) if X.members != 1 else ()), m, n))

    def _take_columns(self, X: Node, columns: Any) -> Node:
        X = self.spread(X, 1)
        return Node("take", (X,), (X.shape[0], len(columns)), (X.repeated[0], False), [int(j) for j in columns])

    def _join_columns(self, X: Node, Y: Node) -> Node:
        return Node("join", (self.whole(X), self.whole(Y)), (X.shape[0], X.shape[1] + Y.shape[1]))

    def _sort_rows(self, X: Node) -> Node:
        X = self.spread(X, 1)
        return Node("sort", (X,), X.shape, X.repeated)

    def whole(self, X: Node) -> Node:
        """X with all its elements."""
        return self.spread(self.spread(X, 0), 1)

    def _family(self, *matrices: Node) -> Node:
        return Node("family", tuple(map(self.whole, matrices)), matrices[0].shape, members=len(matrices))

    def _member(self, F: Node, k: int) -> Node:
        return Node("member", (F,), F.shape, F.repeated, k)

    def _split(self, X: Node, m: Size, n: Size) -> Node:
        down, across = X.shape[0] // m, X.shape[1] // n
        return Node("split", (self.whole(X),), (m, n), value=_open(down, m, across, n), members=down * across)

    def _join(self, F: Node, k: Size) -> Node:
        (m, n), across = F.shape, F.members // k
        return Node("unsplit", (self.whole(F),), (k * m, across * n), value=_open(k, across, m, n))

    def _windows(self, X: Node, G: Windows) -> Node:
        rows, C = X.shape
        return Node("windows", (self.whole(X),), (rows // G.positions * G.places, G.offsets * C), value=G)

    def _convolve(self, X: Node, W: Node, G: Windows) -> Node:
        if X.members != 1:  # a convolution in groups: one after the other
            return self._family(*(self._convolve(self._member(X, k), self._member(W, k), G) for k in range(X.members)))
        shape = X.shape[0] // G.positions * G.places, W.shape[1]
        return Node("convolve", (self.whole(X), self.whole(W)), shape, value=G)

    def _rows_at(self, E: Node, x: Node) -> Node:
        return Node("rows_at", (self.whole(E), self.whole(x)), (x.shape[0], E.shape[1]))

    def _masked_softmax(self, S: Node, mask: Node) -> Node:
        return Node("softmax", (self.whole(S), self.whole(mask)), S.shape)

    # Stable forms of definitions that overflow or give 0 times infinity.

    def _log_sigmoid(self, X: Node) -> Node:
        return self._softplus(X, sign=-1.0)

    def _softplus(self, X: Node, sign: float = 1.0) -> Node:
        """log(1 + eˣ) = max(x, 0) + log(1 + e^(-|x|)); with the other sign, log σ(x) = min(x, 0) - log(1 + e^(-|x|))."""

        def node(op: str, *operands: Node) -> Node:
            return Node(op, operands, X.shape, X.repeated)

        rest = node("log", node("add", self.number(1), node("exp", node("negate", node("abs", X)))))
        clipped = node("maximum" if sign > 0 else "minimum", X, self.number(0))
        return node("add" if sign > 0 else "subtract", clipped, rest)

    def _normal_cdf(self, X: Node) -> Node:
        """(1 + erf(x / √2)) / 2."""
        E = Node("erf", (self._scale(2**-0.5, X),), X.shape, X.repeated)
        return self._scale(0.5, Node("add", (self.number(1), E), X.shape, X.repeated))

    def _normal_pdf(self, X: Node) -> Node:
        """e^(-x²/2) / √(2π)."""
        square = Node("multiply", (X, X), X.shape, X.repeated)
        return self._scale((2 * np.pi) ** -0.5, Node("exp", (self._scale(-0.5, square),), X.shape, X.repeated))

    def _xlogy(self, X: Node, Y: Node) -> Node:
        return self._unless_zero(X, Y, Node("log", (Y,), Y.shape, Y.repeated))

    def _quotient(self, X: Node, Y: Node) -> Node:
        return self._unless_zero(X, Y, Node("reciprocal", (Y,), Y.shape, Y.repeated))

    def _unless_zero(self, X: Node, Y: Node, factor: Node) -> Node:
        """X ⊙ factor, and 0 where x = 0."""
        repeated = (X.repeated[0] and Y.repeated[0], X.repeated[1] and Y.repeated[1])
        product = Node("multiply", (X, factor), X.shape, repeated)
        return Node("where", (Node("abs", (X,), X.shape, X.repeated), product, self.number(0, *X.shape)), X.shape, repeated)


def _open(*sizes: Size) -> list[int]:
    """Sizes as a tensor is reshaped to, with -1 for the one that depends on the number of rows."""
    return [-1 if isinstance(size, Rows) else size for size in sizes]


OF_FAMILIES = ("family", "member", "split", "join", "members_sum")
"""The operations that say themselves how many members their result has."""

OWN = {name[1:] for name in vars(GraphOps) if name.startswith("_") and hasattr(MatrixOps, name[1:])}
"""The operations that graphs have in a form of their own."""


@dataclass(frozen=True)
class Graph:
    """The output, as a function of the input and of parameters with names."""

    layer: Layer
    inputs: int
    output: Node
    parameters: dict[str, Any]
    """NumPy matrices, by the names under which nodes refer to them."""
    of_layer: Mapping[Node, str] = field(default_factory=dict)
    """In a sequence, the layer that a node belongs to, such as 0.Linear."""

    def nodes(self) -> Iterator[Node]:
        """Every node, after its operands."""
        return nodes_of(self.output)


def nodes_of(output: Node, known: Container[Node] = ()) -> Iterator[Node]:
    """Every node that is not known, after its operands."""
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(output, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif id(node) not in seen and node not in known:
            seen.add(id(node))
            stack += [(node, True), *((operand, False) for operand in reversed(node.operands))]


def graph_of(layer: Layer, inputs: int, params: Tree, state: Tree, shifts: Sequence[Any] = (), spread: Any = None) -> Graph:
    """The graph of ``layer.evaluate`` for inputs with that many columns, given (X - shift - ...) / spread if these are given."""
    ops = GraphOps()
    X = Traced(ops, Node("input", (), (N, inputs)))
    parameters: dict[str, Any] = {}

    def parameter(name: str, matrix: Any) -> Traced[Node]:
        parameters[name] = np.asarray(matrix)
        return Traced(ops, Node("parameter", (), parameters[name].shape, value=name))

    def tree_of(prefix: str, tree: Tree) -> Any:
        return with_leaves(tree, [parameter(f"{prefix}{name}".replace(".", "_"), matrix) for name, matrix in named_leaves(tree)])

    for k, shift in enumerate(shifts):
        X = X - ops.row_repeat(parameter(f"input_shift_{k}", np.reshape(shift, (1, -1))), N)
    if spread is not None:
        X = ops.hadamard(X, ops.row_repeat(parameter("input_scale", 1 / np.reshape(spread, (1, -1))), N))
    of_layer = dict.fromkeys(nodes_of(X.value), "")
    Y = _evaluated(ops, layer, tree_of("p", params), tree_of("s", state), X, of_layer)
    output = ops.spread(ops.spread(Y.value, 0), 1)
    return Graph(layer, inputs, output, parameters, of_layer)


def _evaluated(ops: GraphOps, layer: Layer, params: Tree, state: Tree, X: Traced[Node], of_layer: dict[Node, str]) -> Traced[Node]:
    """The output; of a sequence it is told which layer a node belongs to."""
    if not isinstance(layer, Sequential):
        return layer.evaluate(ops, params, state, X)
    for k, (each, p, s) in enumerate(zip(layer.layers, params, state, strict=True)):
        X = each.evaluate(ops, p, s, X)
        of_layer |= dict.fromkeys(nodes_of(X.value, of_layer), f"{k}.{repr(each).partition('(')[0]}")
    return X
