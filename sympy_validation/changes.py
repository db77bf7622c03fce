"""Changes of one operation of a piece of code: the mutation engine run backwards.

Every operation is changed by the faults of ``nerva_core.interpreters.mutants``, by factors that are sizes or hyper-parameters, and by the
terms and factors that the variables of the code at that line could be.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.interpreters.mutants import KINDS, Step
from nerva_core.interpreters.traced import Operation, Traced, TracingOps
from sympy_validation.faults import HERE

MACHINERY = tuple(HERE / folder for folder in ("nerva_core/interpreters", "nerva_core/algebra", "sympy_validation"))
WORDS = {
    "sign changed": "the sign is opposite",
    "doubled": "a factor 2 is missing",
    "transposed": "the result must be transposed",
    "first operand transposed": "the first operand must be transposed",
    "second operand transposed": "the second operand must be transposed",
    "operands swapped": "the operands are exchanged",
    "rows for columns": "rows and columns are exchanged",
    "first operand dropped": "the first operand is too much",
    "second operand dropped": "the second operand is too much",
    "left out": "this operation is too much",
    "function for derivative": "the function belongs here, not its derivative",
    "derivative for function": "the derivative belongs here, not the function",
    "branches swapped": "the branches are exchanged",
}
"""What is wrong if this change makes it right; the kinds that are not here speak for themselves or say too little."""
SILENT = ("replaced by zeros", "replaced by ones", "always the first branch", "always the second branch")
"""Changes that hide a mistake more often than they name it: tried last."""

BINARY = ("hadamard", "add", "subtract", "quotient")
"""Operations of two matrices of one shape, which may be taken for each other."""

OPERANDS = ("the first operand", "the second operand", "the third operand")

Variables = Mapping[str, Any]
Change = Callable[[Step[Any], Variables], Any]


@dataclass(frozen=True)
class Repair:
    """A change of the operation with number ``index``, in words, and the line that it is on."""

    words: str
    index: int
    change: Change
    place: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.words}" if self.place else self.words


@dataclass(frozen=True, eq=False)
class Site:
    """An operation of the code: the step, its line, the names of the matrices that its variables hold, and of the layer's numbers."""

    step: Step[Any]
    place: str
    variables: tuple[str, ...]
    numbers: tuple[str, ...]


class RepairedOps(TracingOps[Any]):
    """``inner`` with some operations changed by repairs; without any it keeps the ``sites`` of all operations."""

    def __init__(self, inner: MatrixOps, *repairs: Repair) -> None:
        super().__init__(inner)
        self.repairs = {repair.index: repair for repair in repairs}
        self.count = 0
        self.sites: list[Site] = []

    def wrap(self, tree: Tree) -> Any:
        """Also of what a user's cache may be: lists and dictionaries."""
        match tree:
            case list():
                return [self.wrap(item) for item in tree]
            case dict():
                return {key: self.wrap(item) for key, item in tree.items()}
            case tuple():
                items = [self.wrap(item) for item in tree]
                return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
        return super().wrap(tree)

    def hook(self, operation: Operation[Any], result: Any) -> Any:
        self.count += 1
        step = Step(self.inner, operation, result)
        if not self.repairs:
            place, variables = self._where()
            numbers = tuple(name for name in variables if name.startswith("self."))
            self.sites.append(Site(step, place, tuple(name for name in variables if name not in numbers), numbers))
        elif self.count in self.repairs:
            return self.repairs[self.count].change(step, self._where()[1])
        return result

    def _inner_value(self, X: Any) -> Any:
        """The matrix that a variable of the code stands for; None if it is none. Other tracing operations may stand between."""
        while isinstance(X, Traced):
            if X.ops is self:
                return X.value
            X = X.value
        return None

    def _where(self) -> tuple[str, Variables]:
        """The line of the code that does the operation, and the matrices and hyper-parameters that it has at hand."""
        frame = sys._getframe(2)
        while frame.f_back and any(Path(frame.f_code.co_filename).is_relative_to(folder) for folder in MACHINERY):
            frame = frame.f_back
        name = frame.f_code.co_filename
        variables = {key: X for key, X in ((key, self._inner_value(X)) for key, X in frame.f_locals.items()) if X is not None}
        for key, c in getattr(frame.f_locals.get("self"), "__dict__", {}).items():
            if not isinstance(c, (bool, str)) and hasattr(c, "__mul__"):
                variables[f"self.{key}"] = c
        return f"line {frame.f_lineno}, {linecache.getline(name, frame.f_lineno).strip()}", variables


def changes(site: Site) -> Iterator[tuple[str, Change]]:
    """The changes in words, those that are likely to be meant first."""
    step = site.step
    kinds = [name for name, kind in KINDS.items() if kind.applies(step)]
    for name in sorted(kinds, key=lambda name: name not in WORDS):
        if name not in SILENT:
            yield WORDS.get(name) or _instead(step, name), _fault(name)
    if step.name in BINARY:
        for other in BINARY:
            if other != step.name and f"{other} instead" not in kinds:
                yield f"{other} belongs in the place of {step.name}", _operation(other)
    yield from _factors(step)
    yield from _terms(site)
    yield from _operand_terms(site)
    for name in kinds:
        if name in SILENT:
            yield f"it should be {name}", _fault(name)


def _instead(step: Step[Any], name: str) -> str:
    other = name.removesuffix(" instead")
    return f"{other} belongs in the place of {step.name}" if other != name else name


def _operation(name: str) -> Change:
    return lambda step, _: getattr(step.ops, name)(*step.operands)


def _fault(name: str) -> Change:
    return lambda step, _: KINDS[name].fault(step)


def _factors(step: Step[Any]) -> Iterator[tuple[str, Change]]:
    """Numbers, and the sizes of the operands and the result."""
    yield "a factor 2 is too much", lambda step, _: step.ops.divide(step.result, 2)
    matrices = (*step.operands, step.result)
    names = (*OPERANDS[: len(step.operands)], "the result")
    for position, name in enumerate(names):
        for axis, what in enumerate(("rows", "columns")):
            if step.shape(matrices[position])[axis] != 1:
                yield f"it must be divided by the number of {what} of {name}", _by_size(position, axis, divide=True)
                yield f"it must not be divided by the number of {what} of {name}", _by_size(position, axis, divide=False)


def _by_size(position: int, axis: int, divide: bool) -> Change:
    def change(step: Step[Any], _: Variables) -> Any:
        size = step.shape((*step.operands, step.result)[position])[axis]
        return step.ops.divide(step.result, size) if divide else step.ops.scale(size, step.result)

    return change


def _terms(site: Site) -> Iterator[tuple[str, Change]]:
    """Hyper-parameters as factors; variables of the code, their means and their sums as factors and as terms."""
    for name in site.numbers:
        yield f"the factor {name} is missing", _by_number(name, divide=False)
        yield f"the factor {name} is too much", _by_number(name, divide=True)
    for name in site.variables:
        for form in FORMS:
            term = form.format(name)
            yield f"the factor {term} is missing", _combined("hadamard", name, form)
            yield f"the term -{term} is missing", _combined("subtract", name, form)
            yield f"the term {term} is missing", _combined("add", name, form)


def _operand_terms(site: Site) -> Iterator[tuple[str, Change]]:
    """Variables of the code as factors and terms of one operand."""
    for k, operand in enumerate(OPERANDS[: len(site.step.operands)]):
        for name in site.variables:
            yield f"{operand} lacks the factor {name}", _combined("hadamard", name, "{}", k)
            yield f"{operand} lacks the term -{name}", _combined("subtract", name, "{}", k)
            yield f"{operand} lacks the term {name}", _combined("add", name, "{}", k)


def _by_number(name: str, divide: bool) -> Change:
    def change(step: Step[Any], variables: Variables) -> Any:
        return step.ops.divide(step.result, variables[name]) if divide else step.ops.scale(variables[name], step.result)

    return change


def _combined(operation: str, name: str, form: str, operand: int | None = None) -> Change:
    """The result, or an operand, combined with a form of a variable."""

    def change(step: Step[Any], variables: Variables) -> Any:
        X = step.result if operand is None else step.operands[operand]
        Z = getattr(step.ops, operation)(X, FORMS[form](step.ops, variables[name], *step.shape(X)))
        return Z if operand is None else step.with_operand(operand, Z)

    return change


def _as_it_is(ops: Any, X: Any, m: Any, n: Any) -> Any:
    """X, repeated if it is a column or a row of the m x n matrix."""
    rows, columns = ops.shape(X)
    if (rows, columns) == (m, n):
        return X
    if rows == m and columns == 1:
        return ops.column_repeat(X, n)
    if columns == n and rows == 1:
        return ops.row_repeat(X, m)
    raise ValueError("another shape")


def _reduced(name: str) -> Callable[..., Any]:
    def form(ops: Any, X: Any, m: Any, n: Any) -> Any:
        if ops.shape(X) != (m, n):
            raise ValueError("another shape")
        return _as_it_is(ops, getattr(ops, name)(X), m, n)

    return form


FORMS: dict[str, Callable[..., Any]] = {"{}": _as_it_is} | {
    f"{name}({{}})": _reduced(name) for name in ("columns_mean", "rows_mean", "columns_sum", "rows_sum")
}
