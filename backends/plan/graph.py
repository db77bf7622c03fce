"""The operations of a step as a graph: recorded by running the step once, plainly.

Equal operations on equal operands are one node, so a value that is written twice, such as the mask of a ReLU, is computed once.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import Tree, leaves, map_tree
from nerva_core.interpreters.traced import NATIVE, Interpreter, Operation, Traced, unwrap

LEAF, CONSTANT = "leaf", "constant"

MADE_POINTWISE = frozenset({"where_not_negative"})
"""What graphs are rewritten to, of those below: operations of plans, which no backend has by these names."""

POINTWISE = frozenset(
    {
        *("add", "subtract", "negate", "scale", "divide", "hadamard", "reciprocal", "quotient", "abs", "sign"),
        *(
            "exp",
            "log",
            "sqrt",
            "arctan",
            "normal_cdf",
            "normal_pdf",
            "expm1",
            "log1p",
            "sigmoid",
            "log_sigmoid",
            "softplus",
            "tanh",
            "xlogy",
        ),
        *("less", "less_equal", "greater", "greater_equal", "equal", "where", "maximum", "minimum"),
        *MADE_POINTWISE,
    }
)
"""The operations that give every element from the same element of their operands."""


class Example(NamedTuple):
    """The shape and dtype of a value of the recorded step."""

    shape: tuple[int, ...]
    dtype: Any


class StepNode:
    """An operation on nodes, numbers and sizes; or a leaf, which the step is given; or a constant, which has its value."""

    __slots__ = ("arguments", "name", "operands", "order", "value")
    _count = itertools.count()

    def __init__(self, name: str, arguments: tuple[Any, ...], value: Any) -> None:
        self.name = name
        self.arguments = arguments
        self.operands = tuple(a for a in arguments if isinstance(a, StepNode))
        self.value = value
        """Its value in the recorded step; afterwards an Example, except of a constant."""
        self.order: tuple[int, ...] = (next(StepNode._count), 0)
        """Nodes run in the lexicographic order of these."""

    def run_before(self, reader: StepNode) -> None:
        """Run just before a node, after those that ran before it."""
        *position, step = reader.order
        self.order = (*position, step - 1)

    def run_after(self, *others: StepNode) -> None:
        """Run just after the last of some nodes."""
        self.order = (*max(node.order for node in others), 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its value."""
        return tuple(self.value.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of its value, in the framework's terms."""
        return self.value.dtype

    def __repr__(self) -> str:
        return self.name + (f"({', '.join(map(repr, self.arguments))})" if self.arguments else f"{self.order[0]}")


class StepNumber:
    """A number that the step is given, such as the learning rate, or that is computed from such numbers; ``value`` is an example."""

    __array_ufunc__ = None

    def __init__(self, table: dict[Any, StepNumber], function: Callable[..., Any] | None, arguments: tuple[Any, ...], value: Any) -> None:
        self.table = table
        self.function = function
        self.arguments = arguments
        self.value = value

    def _apply(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if not all(isinstance(a, (StepNumber, int, float)) for a in arguments):
            return NotImplemented
        if (function, arguments) not in self.table:
            value = function(*(a.value if isinstance(a, StepNumber) else a for a in arguments))
            self.table[function, arguments] = StepNumber(self.table, function, arguments, value)
        return self.table[function, arguments]

    def __add__(self, other: Any) -> Any:
        return self._apply(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._apply(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._apply(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._apply(operator.pow, other, self)

    def __neg__(self) -> Any:
        return self._apply(operator.neg, self)

    def _unknown(self, *_: Any) -> Any:
        raise NervaError("a number that changes from step to step has no value while the step is recorded; set compile = false to use it")

    __bool__ = __float__ = __int__ = __lt__ = __le__ = __gt__ = __ge__ = _unknown


def _identity(argument: Any) -> Any:
    """What tells an argument of an operation from another."""
    if isinstance(argument, (StepNode, StepNumber)):
        return argument
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.dtype.str, argument.tobytes()
    return (
        (tuple, *map(_identity, argument)) if isinstance(argument, (tuple, list)) else (type(argument), repr(argument))
    )  # 0.0 is not -0.0


class Builder:
    """The nodes of a graph, each of them once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._known: dict[Any, StepNode] = {}
        self._uniform: dict[StepNode, float | None] = {}

    def node(self, name: str, *arguments: Any) -> StepNode:
        """The node of an operation; a constant if it depends on nothing that changes."""
        key = (name, *map(_identity, arguments))
        if key not in self._known:
            value = getattr(self.backend, name)(*(a.value if isinstance(a, (StepNode, StepNumber)) else a for a in arguments))
            fixed = all(not isinstance(a, StepNumber) and (not isinstance(a, StepNode) or a.name == CONSTANT) for a in arguments)
            self._known[key] = StepNode(CONSTANT, (), value) if fixed else StepNode(name, arguments, value)
        return self._known[key]

    def uniform(self, constant: StepNode) -> float | None:
        """The number that all elements of a constant are, or None."""
        if constant not in self._uniform:
            values = self.backend.to_numpy(constant.value)
            self._uniform[constant] = float(values.flat[0]) if (values == values.flat[0]).all() else None
        return self._uniform[constant]


class StepRecorder(Interpreter[StepNode]):
    """Matrix operations that build nodes. What the backend does not override is recorded as its definition."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.builder = Builder(backend)

    def operation(self, operation: Operation[StepNode]) -> StepNode:
        return self.builder.node(operation.name, *operation.arguments)

    def size(self, value: StepNode) -> tuple[Size, Size]:
        m, n = self.backend.shape(value.value)
        return m, n

    def member_count(self, value: StepNode) -> Size:
        return self.backend.members(value.value)

    def perform(self, name: str, arguments: tuple[Any, ...], positions: tuple[int, ...]) -> Traced[StepNode]:
        definition = getattr(MatrixOps, name)
        if getattr(type(self.backend), name) is definition and name not in NATIVE:
            result: Traced[StepNode] = definition(self, *arguments)
            return result
        return super().perform(name, arguments, positions)

    def take_rows(self, X: Traced[StepNode], indices: Traced[StepNode]) -> Traced[StepNode]:
        """As the backend's."""
        return Traced(self, self.builder.node("take_rows", X.value, indices.value))

    def all_sum(self, before: Traced[StepNode], *parts: Traced[StepNode]) -> Traced[StepNode]:
        """As the backend's."""
        return Traced(self, self.builder.node("all_sum", before.value, *(part.value for part in parts)))

    def segment(self, X: Traced[StepNode], offset: int, m: int, n: int) -> Traced[StepNode]:
        """As the backend's."""
        return Traced(self, self.builder.node("segment", X.value, offset, m, n))

    def matrix(self, values: Any) -> Traced[StepNode]:
        """A constant."""
        return Traced(self, StepNode(CONSTANT, (), self.backend.matrix(values)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)


@dataclass
class StepGraph:
    """The nodes of a step: what it is given, and the results."""

    builder: Builder
    state: list[StepNode]
    data: list[StepNode]
    given: list[Any]
    """The leaves of one input: nodes, and numbers."""
    new_state: list[StepNode]
    outputs: list[StepNode]
    segments: dict[int, tuple[int, int | None, tuple[int, ...]]] = field(default_factory=dict)
    """After packing: for each leaf of the step's state the leaf of this one that holds it, its offset there (None: it is the leaf), its
    shape."""

    @property
    def results(self) -> list[StepNode]:
        """All that must be computed."""
        return [*self.new_state, *self.outputs]

    def nodes(self) -> list[StepNode]:
        """The nodes that a result depends on, in the order of the equations. What nothing depends on is not among them."""
        found, stack = set(self.results), list(self.results)
        while stack:
            new = [operand for operand in stack.pop().operands if operand not in found]
            found.update(new)
            stack += new
        return sorted(found, key=lambda node: node.order)

    def forget_values(self) -> None:
        """Keep only the shapes of the values of the recorded step."""
        for node in [*self.nodes(), *self.state, *self.data, *(leaf for leaf in self.given if isinstance(leaf, StepNode))]:
            if node.name != CONSTANT:
                node.value = Example(node.shape, node.dtype)


def record(backend: Backend, step: Callable[..., Any], state: Tree, data: Any, given: Any) -> StepGraph:
    """The graph of ``state, outputs = step(ops, state, *data, *given)``; ``given`` has arrays of integers, matrices and numbers."""
    ops, numbers = StepRecorder(backend), dict[Any, StepNumber]()

    def leaf(array: Any) -> Traced[StepNode]:
        return Traced(ops, StepNode(LEAF, (), array))

    def given_leaf(array: Array) -> Any:
        if array.dtype.kind != "i" and array.ndim == 0:
            return StepNumber(numbers, None, (), float(array))
        return leaf(array if array.dtype.kind == "i" else backend.matrix(array))

    traced = map_tree(leaf, state), map_tree(leaf, data), map_tree(given_leaf, given)
    new_state, outputs = step(ops, traced[0], *traced[1], *traced[2])
    lists = [list(leaves(unwrap(tree))) for tree in (*traced, new_state, outputs)]
    return StepGraph(ops.builder, lists[0], lists[1], lists[2], lists[3], lists[4])
