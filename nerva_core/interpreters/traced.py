"""Values on which no operation escapes: the base of every interpretation that looks at what the layer code does.

The operators of a ``Traced`` value call the operations of the same meaning, so ``X @ W`` and ``ops.matmul(X, W)`` are one thing.
``Interpreter`` turns each operation of ``MatrixOps``, whatever they are, into a call of one method, ``operation``;
``TracingOps`` is the interpreter that runs them on any other matrix operations, and lets ``hook`` see and replace each result.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod, update_abstractmethods
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar, Size
from nerva_core.algebra.operation import DEFAULT, OperationRule
from nerva_core.algebra.trees import Tree, map_tree

V = TypeVar("V")

OPERATIONS: dict[str, inspect.Signature] = {
    name: signature
    for part in reversed(MatrixOps.__mro__)
    for name, method in vars(part).items()
    if not name.startswith("_") and inspect.isfunction(method) and (signature := inspect.signature(method)).return_annotation == "M"
}
"""The operations: the methods of MatrixOps that give a matrix."""

RULES: dict[str, OperationRule] = {name: getattr(getattr(MatrixOps, name), "rule", DEFAULT) for name in OPERATIONS}
"""What is stated of each operation beside its definition."""

OPERANDS: dict[str, tuple[int, ...]] = {
    name: tuple(position for position, p in enumerate(list(signature.parameters.values())[1:]) if p.annotation == "M")
    for name, signature in OPERATIONS.items()
}
"""The positions of the arguments of each operation that are matrices; of one with any number of them, that of the first."""

_VARIADIC = {name for name, signature in OPERATIONS.items() if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())}


def operand_positions(name: str, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of the matrices among these arguments of an operation."""
    positions = OPERANDS[name]
    return tuple(range(positions[0], len(arguments))) if name in _VARIADIC else positions


def is_primitive(name: str) -> bool:
    """Whether the operation has no definition by others."""
    return bool(getattr(getattr(MatrixOps, name), "__isabstractmethod__", False))


class Traced(Generic[V]):
    """A matrix whose operators are operations of ``ops``. ``value`` is what the interpreter made of it."""

    __slots__ = ("ops", "value")
    __array_ufunc__ = None  # so that a NumPy scalar c leaves c * X to __rmul__

    def __init__(self, ops: Interpreter[V], value: V) -> None:
        self.ops = ops
        self.value = value

    def __add__(self, other: Traced[V]) -> Traced[V]:
        return self.ops.add(self, other)

    def __sub__(self, other: Traced[V]) -> Traced[V]:
        return self.ops.subtract(self, other)

    def __neg__(self) -> Traced[V]:
        return self.ops.negate(self)

    def __matmul__(self, other: Traced[V]) -> Traced[V]:
        return self.ops.matmul(self, other)

    def __rmul__(self, c: Scalar) -> Traced[V]:
        return self.ops.scale(c, self)

    def __truediv__(self, c: Scalar) -> Traced[V]:
        return self.ops.divide(self, c)

    def __mul__(self, other: Any) -> Traced[V]:
        if isinstance(other, Traced):
            raise NervaError("X * Y is not an operation: the elementwise product is ops.hadamard(X, Y), the matrix product X @ Y")
        raise NervaError("X * c is not an operation: write c * X")

    @property
    def T(self) -> Traced[V]:
        """Not an operation, because TensorFlow lacks it."""
        raise NervaError("X.T is not an operation: write ops.transpose(X)")

    def __repr__(self) -> str:
        return f"Traced({self.value!r})"


NATIVE = ("add", "subtract", "negate", "matmul", "scale", "divide")
"""The operations whose definition is an operator of the matrices: there is nothing to descend into."""


@dataclass(frozen=True, eq=False)
class Operation(Generic[V]):
    """One use of an operation, ``name(*arguments)``; ``positions`` says which arguments are matrices."""

    name: str
    arguments: tuple[Any, ...]
    positions: tuple[int, ...]

    @property
    def operands(self) -> tuple[V, ...]:
        """The arguments that are matrices."""
        return tuple(self.arguments[position] for position in self.positions)

    def run(self, ops: Any) -> Any:
        """Its result in ``ops``."""
        return getattr(ops, self.name)(*self.arguments)


if TYPE_CHECKING:
    _Defined: TypeAlias = Any  # the operations are defined at run time, below the class: for the type checker nothing is left abstract
else:
    _Defined = object


class Interpreter(MatrixOps[Traced[V]], Generic[V], _Defined):  # type: ignore[misc]
    """Matrix operations in which every operation is ``operation``. Operands are unwrapped before it and its result is wrapped."""

    @abstractmethod
    def operation(self, operation: Operation[V]) -> V:
        """The value that the operation gives."""

    @abstractmethod
    def size(self, value: V) -> tuple[Size, Size]:
        """The shape of a value."""

    @abstractmethod
    def member_count(self, value: V) -> Size:
        """The number of members of a value that is a family; 1 of a matrix."""

    def shape(self, X: Traced[V]) -> tuple[Size, Size]:
        return self.size(self._unwrapped("shape", X))

    def members(self, F: Traced[V]) -> Size:
        return self.member_count(self._unwrapped("members", F))

    def perform(self, name: str, arguments: tuple[Any, ...], positions: tuple[int, ...]) -> Traced[V]:
        """Unwrap the operands, do the operation, wrap its result."""
        plain = tuple(self._unwrapped(name, a) if position in positions else a for position, a in enumerate(arguments))
        return Traced(self, self.operation(Operation(name, plain, positions)))

    def _unwrapped(self, name: str, X: Any) -> V:
        if not isinstance(X, Traced):
            hint = "; nothing broadcasts: write ops.full, ops.ones or ops.fill" if isinstance(X, (int, float)) else ""
            raise NervaError(f"{name}: expected a matrix, got {X!r}{hint}")
        if X.ops is not self:
            raise NervaError(f"{name}: the matrix {X!r} belongs to another interpretation")
        value: V = X.value
        return value


def _operation_method(name: str, signature: inspect.Signature) -> Callable[..., Any]:
    def method(self: Interpreter[V], *arguments: Any, **named: Any) -> Traced[V]:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        given = bound.args[1:]
        return self.perform(name, given, operand_positions(name, given))

    method.__name__, method.__doc__ = name, getattr(MatrixOps, name).__doc__
    return method


for _name, _signature in OPERATIONS.items():
    setattr(Interpreter, _name, _operation_method(_name, _signature))
update_abstractmethods(Interpreter)


class TracingOps(Interpreter[M]):
    """Matrix operations that run on ``inner`` and show every operation to ``hook``.

    An operation is seen at the level at which the code calls it: ``columns_mean``, and not the operations of its definition. With
    ``descend`` it is seen as its definition in MatrixOps, down to the primitives. What ``inner`` offers beyond MatrixOps is passed
    on and seen too. The function given to ``apply`` runs on ``inner``, unless ``descend``.
    """

    def __init__(self, inner: MatrixOps[M], descend: bool = False) -> None:
        self.inner = inner
        self.descend = descend

    def hook(self, operation: Operation[M], result: M) -> M:
        """What takes the place of the result of the operation; by default the result."""
        return result

    def operation(self, operation: Operation[M]) -> M:
        return self.hook(operation, operation.run(self.inner))

    def perform(self, name: str, arguments: tuple[Any, ...], positions: tuple[int, ...]) -> Traced[M]:
        if self.descend and name in OPERATIONS and not is_primitive(name) and name not in NATIVE:
            result: Traced[M] = getattr(MatrixOps, name)(self, *arguments)
            return result
        return super().perform(name, arguments, positions)

    def size(self, value: M) -> tuple[Size, Size]:
        return self.inner.shape(value)

    def member_count(self, value: M) -> Size:
        return self.inner.members(value)

    def size_power(self, n: Size, e: float) -> Scalar:
        return self.inner.size_power(n, e)

    def wrap(self, tree: Tree) -> Any:
        """The matrices in nested tuples as traced values; what ``inner`` gives no shape, such as a number, stays as it is."""
        return map_tree(lambda leaf: Traced(self, leaf) if self.is_matrix(leaf) else leaf, tree)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(ops, *arguments)``, run by these operations on matrices of ``inner``, with its result as matrices of ``inner``."""
        return unwrap(function(self, *self.wrap(arguments)))

    def scan_inside(
        self, body: Callable[..., tuple[Any, Any]], state: Tree, given: tuple[Traced[M], ...], *more: Any, **named: Any
    ) -> tuple[Any, Any]:
        """``scan`` by the loop of ``inner``, around the body in these operations: one that is compiled is not taken step by step."""

        def plain(state: Tree, *members: M) -> Any:
            return unwrap(body(self.wrap(state), *self.wrap(members)))

        found: tuple[Any, Any] = self.wrap(self.inner.scan(plain, unwrap(state), unwrap(given), *more, **named))
        return found

    def is_matrix(self, leaf: Any) -> bool:
        """Whether ``inner`` gives it a shape."""
        try:
            return len(self.inner.shape(leaf)) == 2
        except Exception:  # what a framework raises for a value that is not a matrix is its own affair
            return False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name) if not name.startswith("_") and name != "inner" else None
        if found is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._extra_operation(name) if inspect.ismethod(found) else found

    def _extra_operation(self, name: str) -> Callable[..., Any]:
        """An operation that only ``inner`` has: one that gives a matrix if it is given one."""

        def method(*arguments: Any) -> Any:
            positions = tuple(i for i, argument in enumerate(arguments) if isinstance(argument, Traced))
            return self.perform(name, arguments, positions) if positions else self.wrap(getattr(self.inner, name)(*arguments))

        return method


class Recorder(TracingOps[M]):
    """Tracing operations that keep ``steps``: every operation with its result, in the order in which they were done."""

    def __init__(self, inner: MatrixOps[M], descend: bool = False) -> None:
        super().__init__(inner, descend)
        self.steps: list[tuple[Operation[M], M]] = []

    def hook(self, operation: Operation[M], result: M) -> M:
        self.steps.append((operation, result))
        return result


def unwrap(tree: Tree) -> Any:
    """The values of the traced matrices in nested tuples."""
    return map_tree(lambda leaf: leaf.value if isinstance(leaf, Traced) else leaf, tree)
