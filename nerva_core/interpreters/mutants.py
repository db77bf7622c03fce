"""Faulty versions of a piece of code: every mutant differs from it in one operation.

A proof or a test of the code is worth something if it refuses them. They are made by wrapping the matrix operations that the code
runs on, so the code is not edited, and they exist on every interpretation, numeric or symbolic:

    code = lambda ops: ops.call(layer.backpropagate, params, cache, DY)
    for mutation in list_mutations(ops, code):
        wrong = code(MutantOps(ops, mutation))

The kinds of faults are the entries of ``KINDS``; adding one is one entry. A mutation is listed if the shapes allow it; it may
still leave the function unchanged (the transpose of a symmetric matrix), or have no value (zeros under a reciprocal), which is
for the one who uses it to find out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps
from nerva_core.interpreters.traced import Operation, Recorder, TracingOps

INPUT = "input"
"""The ``kind`` of a mutation of an argument of the code, which has index 0: DY replaced by ones."""


@dataclass(frozen=True)
class Mutation:
    """The fault ``kind`` in the operation with number ``index`` = 1, 2, ..., which is called ``operation``."""

    index: int
    operation: str
    kind: str

    @property
    def description(self) -> str:
        """The fault in words: "operation 3, hadamard: second operand dropped"."""
        if self.kind == INPUT:
            return f"input {self.operation}: replaced by ones"
        return f"operation {self.index}, {self.operation}: {self.kind}"

    def __str__(self) -> str:
        return self.description


@dataclass(frozen=True, eq=False)
class Step(Generic[M]):
    """An operation that was done on ``ops`` and its result: what a fault is made from."""

    ops: MatrixOps[M]
    operation: Operation[M]
    result: M

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.operation.name

    @property
    def operands(self) -> tuple[M, ...]:
        """The matrices that it is applied to."""
        return self.operation.operands

    def shape(self, X: M) -> tuple[Any, Any]:
        """The shape of X."""
        return self.ops.shape(X)

    def has_shape_of_result(self, X: M) -> bool:
        """Whether X could stand in the place of the result."""
        same = self.shape(X) == self.shape(self.result) and self.ops.members(X) == self.ops.members(self.result)
        return bool(same)

    def is_square(self, X: M) -> bool:
        """Whether X may be transposed, and is more than a number."""
        m, n = self.shape(X)
        return bool(m == n and m != 1)

    def with_operand(self, k: int, X: M) -> M:
        """The operation with another k-th operand."""
        arguments, position = self.operation.arguments, self.operation.positions[k]
        arguments = (*arguments[:position], X, *arguments[position + 1 :])
        result: M = replace(self.operation, arguments=arguments).run(self.ops)
        return result


Fault = Callable[[Step[Any]], Any]
"""The faulty result of a step."""


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: the steps in which it makes sense, and what it gives."""

    applies: Callable[[Step[Any]], bool]
    fault: Fault


ELEMENTWISE = ("add", "subtract", "hadamard", "quotient", "xlogy", "maximum", "minimum")
COMPARISONS = ("less", "less_equal", "greater", "greater_equal")
SYMMETRIC = ("identity", "Diag", "full", "zeros", "ones", "fill")
MEANS = {"columns_sum": "columns_mean", "rows_sum": "rows_mean", "columns_mean": "columns_sum", "rows_mean": "rows_sum"}
OTHER_OPERATIONS = {
    "add": ("subtract",),
    "subtract": ("add",),
    "hadamard": ("add", "subtract"),
    "quotient": ("hadamard",),
    "xlogy": ("hadamard",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "scale": ("divide",),
    "divide": ("scale",),
    "sqrt": ("inv_sqrt",),
    "inv_sqrt": ("sqrt", "reciprocal"),
    "reciprocal": ("inv_sqrt",),
    "exp": ("expm1",),
    "expm1": ("exp",),
    "log": ("log1p",),
    "log1p": ("log",),
    "sigmoid": ("tanh",),
    "tanh": ("sigmoid",),
    "arctan": ("tanh",),
    "softplus": ("sigmoid",),
    "log_sigmoid": ("sigmoid",),
    "normal_cdf": ("normal_pdf",),
    "normal_pdf": ("normal_cdf",),
    "ones": ("zeros",),
    "zeros": ("ones",),
    **{name: (other,) for name, other in MEANS.items()},
}
"""What an operation is mistaken for. (< and <= differ on a null set only, so they are not.)"""
ROWS_AND_COLUMNS = {
    "columns_sum": "rows_sum",
    "columns_mean": "rows_mean",
    "columns_max": "rows_max",
    "column_repeat": "row_repeat",
}
ROWS_AND_COLUMNS |= {rows: columns for columns, rows in ROWS_AND_COLUMNS.items()}
SCALINGS = {"scale": 0, "divide": 1}
"""The position of the number c in c X and X / c."""


def _is_zeros(step: Step[Any]) -> bool:
    """Whether the operation is the matrix of zeros, which is its own negative and double."""
    return step.name == "zeros" or (step.name == "full" and step.operation.arguments[0] == 0)


def _is_ones(step: Step[Any]) -> bool:
    return step.name == "ones" or (step.name == "full" and step.operation.arguments[0] == 1)


def _like(ops: MatrixOps[M], name: str, X: M) -> M:
    """Zeros or ones of the shape of X."""
    full: M = getattr(ops, name)(*ops.shape(X))
    return full if ops.members(X) == 1 else ops.add(ops.scale(0, X), full)


def _full_like(name: str) -> Fault:
    return lambda step: _like(step.ops, name, step.result)


def _scales_by(step: Step[Any], *numbers: int) -> bool:
    """Whether the operation is c X or X / c with c one of the numbers."""
    return step.name in SCALINGS and any(step.operation.arguments[SCALINGS[step.name]] == c for c in numbers)


def _mistaken_for(other: str) -> FaultKind:
    def applies(step: Step[Any]) -> bool:
        return other in OTHER_OPERATIONS.get(step.name, ()) and not _scales_by(step, -1, 0, 1)

    def fault(step: Step[Any]) -> Any:
        arguments = step.operation.arguments
        return replace(step.operation, name=other, arguments=arguments[::-1] if step.name in SCALINGS else arguments).run(step.ops)

    return FaultKind(applies, fault)


def _dropped(k: int) -> FaultKind:
    """Without its k-th operand an operation is its other operand, if that has the shape; where the first term of X - Y goes, -Y stays."""

    def applies(step: Step[Any]) -> bool:
        binary = step.name in ELEMENTWISE or step.name in ("matmul", "dot")
        return binary and step.has_shape_of_result(step.operands[1 - k])

    def fault(step: Step[Any]) -> Any:
        rest = step.operands[1 - k]
        return step.ops.negate(rest) if step.name == "subtract" and k == 0 else rest

    return FaultKind(applies, fault)


def _is_unary(step: Step[Any]) -> bool:
    """Whether the operation may be left out: its operand has the shape of its result, and leaving it out is more than a change of sign."""
    single = len(step.operands) == 1 and step.name not in ("negate", "fill")
    return single and not _scales_by(step, -1, 1) and step.has_shape_of_result(step.operands[0])


def _transposed(k: int) -> FaultKind:
    def applies(step: Step[Any]) -> bool:
        binary = step.name in ELEMENTWISE or step.name in COMPARISONS or step.name == "matmul"
        return binary and step.is_square(step.operands[k])

    return FaultKind(applies, lambda step: step.with_operand(k, step.ops.transpose(step.operands[k])))


def _operands_swapped() -> FaultKind:
    def applies(step: Step[Any]) -> bool:
        noncommutative = step.name in COMPARISONS or step.name in ("quotient", "xlogy")
        return noncommutative or (step.name == "matmul" and all(step.is_square(X) for X in step.operands))

    return FaultKind(applies, lambda step: replace(step.operation, arguments=step.operation.arguments[::-1]).run(step.ops))


def _rows_for_columns() -> FaultKind:
    """The operation of the other axis, where the matrix is square: X · 1 for (1ᵀ · X)ᵀ, xᵀ · 1ᵀ for 1 · x."""

    def applies(step: Step[Any]) -> bool:
        return step.name in ROWS_AND_COLUMNS and (step.is_square(step.result) or step.is_square(step.operands[0]))

    def fault(step: Step[Any]) -> Any:
        X, *size = step.operation.arguments
        other = getattr(step.ops, ROWS_AND_COLUMNS[step.name])
        return other(step.ops.transpose(X), *size) if size else step.ops.transpose(other(X))

    return FaultKind(applies, fault)


def _rule_mistaken(right: str, wrong: str) -> FaultKind:
    """``apply`` of the method ``wrong`` of an activation, where the code has ``right``."""

    def applies(step: Step[Any]) -> bool:
        f = step.operation.arguments[0] if step.name == "apply" else None
        return getattr(f, "__name__", "") == right and hasattr(getattr(f, "__self__", None), wrong)

    return FaultKind(applies, lambda step: step.ops.apply(getattr(step.operation.arguments[0].__self__, wrong), step.operands[0]))


def _where(k: int, other: int) -> FaultKind:
    """``where(C, X, Y)`` that takes its operand ``other`` in the place of k."""
    return FaultKind(lambda step: step.name == "where", lambda step: step.with_operand(k, step.operands[other]))


KINDS: dict[str, FaultKind] = {
    "sign changed": FaultKind(lambda step: not _is_zeros(step), lambda step: step.ops.negate(step.result)),
    "doubled": FaultKind(lambda step: not _is_zeros(step), lambda step: step.ops.scale(2, step.result)),
    "replaced by zeros": FaultKind(lambda step: not (_is_zeros(step) or step.name == "ones"), _full_like("zeros")),
    "replaced by ones": FaultKind(lambda step: not (_is_ones(step) or step.name == "zeros"), _full_like("ones")),
    **{f"{other} instead": _mistaken_for(other) for other in sorted({other for others in OTHER_OPERATIONS.values() for other in others})},
    "first operand dropped": _dropped(0),
    "second operand dropped": _dropped(1),
    "left out": FaultKind(_is_unary, lambda step: step.operands[0]),
    "transposed": FaultKind(
        lambda step: step.name not in (*SYMMETRIC, "transpose") and step.is_square(step.result),
        lambda step: step.ops.transpose(step.result),
    ),
    "first operand transposed": _transposed(0),
    "second operand transposed": _transposed(1),
    "operands swapped": _operands_swapped(),
    "rows for columns": _rows_for_columns(),
    "mean for sum": FaultKind(
        lambda step: step.name in ("elements_sum", "dot"),
        lambda step: step.ops.divide(step.ops.divide(step.result, step.shape(step.operands[0])[0]), step.shape(step.operands[0])[1]),
    ),
    "branches swapped": FaultKind(
        lambda step: step.name == "where",
        lambda step: step.ops.where(step.operands[0], step.operands[2], step.operands[1]),
    ),
    "always the first branch": _where(2, 1),
    "always the second branch": _where(1, 2),
    "function for derivative": _rule_mistaken("gradient", "value"),
    "derivative for function": _rule_mistaken("value", "gradient"),
}
"""Every kind of fault by the words that describe it."""
MAGNITUDE = ("sign changed", "doubled")
"""The kinds that make no sense for the condition of a ``where``, which is 0 or 1."""


class _Inputs(TracingOps[M]):
    """Tracing operations that name the matrices which ``call`` hands to the code."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        names = list(inspect.signature(function).parameters)[1:]
        changed = [self.input(name, a) if self.is_matrix(a) else a for name, a in zip(names, arguments, strict=False)]
        return super().call(function, *changed, *arguments[len(changed) :])

    def input(self, name: str, X: M) -> M:
        """What the code is given for its argument ``name``."""
        return X


class _Listing(_Inputs[M], Recorder[M]):
    def __init__(self, inner: MatrixOps[M], descend: bool) -> None:
        super().__init__(inner, descend)
        self.inputs: list[str] = []

    def input(self, name: str, X: M) -> M:
        self.inputs.append(name)
        return X


class MutantOps(_Inputs[M]):
    """``inner`` with one faulty operation. Operations are counted from 1 over the life of the object, so use it for one run."""

    def __init__(self, inner: MatrixOps[M], mutation: Mutation, descend: bool = False) -> None:
        super().__init__(inner, descend)
        self.mutation = mutation
        self.count = 0

    def hook(self, operation: Operation[M], result: M) -> M:
        self.count += 1
        if self.count != self.mutation.index:
            return result
        if operation.name != self.mutation.operation:
            raise NervaError(
                f"operation {self.count} was {self.mutation.operation} when the mutants were listed, and is {operation.name}: "
                "the code must do the same operations for all sizes and values"
            )
        changed: M = KINDS[self.mutation.kind].fault(Step(self.inner, operation, result))
        return changed

    @property
    def happened(self) -> bool:
        """Whether the operation with the number of the mutation was done."""
        return self.mutation.kind == INPUT or self.count >= self.mutation.index

    def input(self, name: str, X: M) -> M:
        is_it = self.mutation.kind == INPUT and self.mutation.operation == name
        return _like(self.inner, "ones", X) if is_it else X


def list_mutations(ops: MatrixOps[M], code: Callable[[TracingOps[M]], Any], descend: bool = False) -> list[Mutation]:
    """All mutations of the operations that ``code`` does on the tracing operations it is given.

    ``code(ops)`` wraps its matrices itself (``ops.wrap``) or, better, by ``ops.call(function, *arguments)``: then each argument
    that is a matrix, such as DY, may be replaced by ones too. What is not to be mutated (the forward) runs on the plain ``ops``,
    outside. The shapes decide what is possible, so list them with the operations that the mutants will run on. With ``descend``,
    which the mutants then need too, the operations are those of the definitions in MatrixOps.
    """
    listing = _Listing(ops, descend)
    code(listing)
    conditions = {id(operation.operands[0]) for operation, _ in listing.steps if operation.name == "where"}
    return [Mutation(0, name, INPUT) for name in listing.inputs] + [
        Mutation(index, operation.name, kind)
        for index, (operation, result) in enumerate(listing.steps, start=1)
        for kind, rule in KINDS.items()
        if rule.applies(Step(ops, operation, result)) and not (id(result) in conditions and kind in MAGNITUDE)
    ]
