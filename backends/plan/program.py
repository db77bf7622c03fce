"""A plan, ready to run: a flat list of calls on fixed arrays."""

from __future__ import annotations

import contextlib
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from backends.plan.graph import CONSTANT, LEAF, StepGraph, StepNode, StepNumber
from backends.plan.memory import PACK, Buffer, Layout, StateMemory, allocate
from backends.plan.rewrites import read_once, share_intervals
from backends.plan.runs import SUMS, OperationRun, by_rows, runs, viewed
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend
from nerva_core.algebra.trees import leaves

Call = Callable[[], Any]

Operation = tuple[str, tuple[Any, ...], Any]
"""Its name, arguments, and the array for the result."""


class Cell:
    """The memory of a number: its value, and an array of shape () with it."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.value = 0.0

    def set(self, value: float) -> None:
        """Another value."""
        self.value = value
        self.array.fill(value) if isinstance(self.array, np.ndarray) else self.array.fill_(value)


class Fresh(ABC):
    """A result that is in new memory in each step, or a block of it. It is read where it lies."""

    @abstractmethod
    def get(self) -> Any:
        """The array of this step."""


class FreshArray(Fresh):
    """The result of an operation that allocates its own memory."""

    def __init__(self) -> None:
        self.array: Any = None

    def get(self) -> Any:
        return self.array

    def __getitem__(self, block: Any) -> FreshBlock:
        return FreshBlock(self, block)

    def keeping(self, make: Callable[[], Any]) -> Call:
        """A call that makes the array and keeps it."""

        def run() -> None:
            self.array = make()

        return run

    def forget(self) -> None:
        """Give the memory back."""
        self.array = None


class FreshBlock(Fresh):
    """Some rows or columns of one."""

    def __init__(self, whole: FreshArray, block: Any) -> None:
        self.whole = whole
        self.block = block

    def get(self) -> Any:
        return self.whole.array[self.block]


def as_now(argument: Any) -> Any:
    """An argument as it is in this step, if it is a fresh result."""
    return argument.get() if isinstance(argument, Fresh) else argument


def number_now(c: Any) -> float:
    """A number as it is in this step."""
    value: float = c.value if isinstance(c, Cell) else c
    return value


def are_one(X: Any, Y: Any) -> bool:
    """Whether two tensors, or blocks of them, lie in the same memory."""
    return not isinstance(X, Fresh) and not isinstance(Y, Fresh) and X.data_ptr() == Y.data_ptr() and X.shape == Y.shape


class Kernels(ABC):
    """The operations of a framework, each run into memory that is given."""

    views: ClassVar[frozenset[str]] = frozenset(
        {"transpose", "row_repeat", "column_repeat", "segment", "member", "column_part", "column_range", "again"}
    )
    """The operations whose result lies in the memory of their operand."""
    elementwise: ClassVar[frozenset[str]]
    """Those that may write where an operand of the same shape lies."""
    block: int = 2**19
    """The elements, at most, of those blocks of matrices that a run needs at a time: a second-level cache or two."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @abstractmethod
    def empty(self, count: int, dtype: Any) -> Any:
        """An array of shape (count,), aligned to cache lines."""

    @abstractmethod
    def exclusive(self, array: Any, others: Sequence[Any]) -> Any:
        """The array, if it may be overwritten: it is contiguous and shares no memory with the others; else a copy."""

    @abstractmethod
    def calls(self, name: str, arguments: tuple[Any, ...], out: Any) -> list[Call]:
        """Calls without arguments that put the result of the operation in ``out``. Arguments are arrays, cells and constants."""

    def allocates(self, node: StepNode) -> bool:
        """Whether ``allocating`` has a way to compute this operation that is quicker than ``calls``."""
        return False

    def allocating(self, name: str, arguments: tuple[Any, ...]) -> Callable[[], Any]:
        """A function that computes an operation into memory of its own."""
        raise NotImplementedError

    def rewrite(self, graph: StepGraph) -> None:
        """Change a graph that was recorded to what the framework does in fewer calls."""
        share_intervals(graph, self.views)

    def sequence(self, operations: list[Operation]) -> list[Call]:
        """The calls of operations on elements that follow one another."""
        return [call for operation in operations for call in self.calls(*operation)]

    def constant(self, value: Any, uniform: float | None) -> Any:
        """The array for a constant, whose elements are all ``uniform`` if that is not None."""
        return value

    @abstractmethod
    def copy(self, source: Any, target: Any) -> Call:
        """A call that copies."""

    @abstractmethod
    def loader(self, target: Any) -> Callable[[Array], Any]:
        """A function that copies a NumPy array of the shape of ``target`` into it, converting it to its dtype."""

    @abstractmethod
    def collector(self, outputs: list[Any], steps: int) -> tuple[Callable[[int], Any], Callable[[], Array]]:
        """(note, fetch): ``note(i)`` keeps the outputs of step i, and ``fetch()`` gives those of all steps, waiting once."""

    def running(self) -> Any:
        """A context in which the calls of a program run."""
        return contextlib.nullcontext()

    def _contiguous(self, X: Any, out: Any) -> list[Call]:
        return [self.copy(X, out)]

    def plain(self, name: str, arguments: tuple[Any, ...], out: Any) -> Call:
        """The operation as the backend has it, copied to ``out``: for every operation that has no form of its own here."""
        function, copy = getattr(self.backend, name), self.copy

        def run() -> None:
            copy(function(*(a.value if isinstance(a, Cell) else a for a in arguments)), out)()

        return run


class Program:
    """The calls of a plan on the arrays of one state and data."""

    def __init__(self, graph: StepGraph, kernels: Kernels, state: list[Any], data: list[Any]) -> None:
        self.graph, self.kernels = graph, kernels
        self.data = data
        fresh = read_once(graph.nodes(), kernels.allocates, graph.results)
        layout = allocate(graph, runs(graph, kernels.views, kernels.block, fresh.__contains__), kernels.views, kernels.elementwise)
        self.arrays: dict[StepNode, Any] = dict(zip([*graph.state, *graph.data], [*state, *data], strict=True))
        self.state = state
        self._buffers: dict[Buffer, Any] = {}
        self._fresh = set(fresh)
        """The results that stay where the framework put them: one elementwise operation reads each, and nothing else."""
        self._cells: dict[StepNumber, Cell] = {}
        self._derived: list[tuple[Cell, Any, tuple[Any, ...]]] = []
        self._loaders = [self._loader(leaf) for leaf in graph.given]
        self._outputs = [self._array(node, layout) for node in graph.outputs]
        self.calls = [call for run in layout.runs for call in self._calls(run, layout)] + self._final_copies(layout)

    def run(self, inputs: Any) -> Array:
        """OperationRun a step for each input, updating the state; the outputs of all steps."""
        arrays = list(leaves(inputs))
        note, fetch = self.kernels.collector(self._outputs, len(arrays[0]))
        calls = self.calls
        with self.kernels.running():
            for i, given in enumerate(zip(*arrays, strict=True)):
                self._load(given)
                for call in calls:
                    call()
                note(i)
            return fetch()

    def _loader(self, leaf: Any) -> Any:
        if isinstance(leaf, StepNumber):
            return self._cell(leaf)
        self.arrays[leaf] = self._empty(leaf)
        return self.kernels.loader(self.arrays[leaf])

    def _load(self, given: Sequence[Any]) -> None:
        changed = False
        for load, value in zip(self._loaders, given, strict=True):
            if not isinstance(load, Cell):
                load(value)
            elif load.value != value:
                load.set(float(value))
                changed = True
        if changed:
            for cell, function, arguments in self._derived:
                cell.set(function(*(a.value if isinstance(a, Cell) else a for a in arguments)))

    def _cell(self, number: StepNumber) -> Cell:
        if number not in self._cells:
            arguments = tuple(self._cell(a) if isinstance(a, StepNumber) else a for a in number.arguments)
            cell = Cell(self.kernels.empty(1, self.kernels.backend.full(0, 1, 1).dtype).reshape(()))
            self._cells[number] = cell
            if number.function is not None:
                self._derived.append((cell, number.function, arguments))
            cell.set(number.value)
        return self._cells[number]

    def _array(self, node: StepNode, layout: Layout) -> Any:
        """The array in which the value of a node lies."""
        if node not in self.arrays:
            self.arrays[node] = self._locate(node, layout)
        return self.arrays[node]

    def _locate(self, node: StepNode, layout: Layout) -> Any:
        if node.name == CONSTANT:
            return self.kernels.constant(node.value, self.graph.builder.uniform(node))
        if node in self._fresh:
            return FreshArray()
        if node.name in self.kernels.views:
            return self._view(node, layout)
        if node in layout.inside:
            pack, offset = layout.inside[node]
            return segment(self._array(pack, layout), offset, *node.shape)
        place = layout.place[node]
        if isinstance(place, StateMemory):
            return self.state[place.index]
        if place not in self._buffers:
            self._buffers[place] = self.kernels.empty(place.count, place.dtype)
        return self._buffers[place].reshape(layout.blocks.get(node, node.shape))

    def _view(self, node: StepNode, layout: Layout) -> Any:
        operand, *sizes = node.arguments
        array = self._array(operand, layout)
        return segment(array, *sizes) if node.name == "segment" else getattr(self.kernels.backend, node.name)(array, *sizes)

    def _calls(self, run: OperationRun, layout: Layout) -> list[Call]:
        """The calls of a run: for every block, those of all operations."""
        nodes = [node for node in run.nodes if node.name != PACK]
        for node in nodes:
            self._array(node, layout)
        if nodes and nodes[0] in self._fresh:
            name, arguments, _ = self._operation(nodes[0], layout)
            return [self.arrays[nodes[0]].keeping(self.kernels.allocating(name, arguments))]
        if run.block is None:
            calls = self.kernels.sequence([self._operation(node, layout) for node in nodes])
        else:
            calls = self._in_blocks(run, layout)
        return calls + [self.arrays[operand].forget for node in nodes for operand in node.operands if operand in self._fresh]

    def _operation(self, node: StepNode, layout: Layout) -> Operation:
        """An operation on whole matrices."""
        return node.name, tuple(self._argument(a, layout) for a in node.arguments), self._array(node, layout)

    def _in_blocks(self, run: OperationRun, layout: Layout) -> list[Call]:
        """The calls of a run block by block. A sum over a block is added to that over those before it."""
        sums = {node: self._empty(node) for node in run.nodes if node.name in SUMS}
        calls: list[Call] = []
        for k, block in enumerate(run.blocks()):
            operations = []
            for node in run.nodes:
                arguments = list(map(self._argument, node.arguments, itertools.repeat(layout)))
                for position in by_rows(node):
                    arguments[position] = self._block(node.arguments[position], layout, run, block)
                out = self._array(node, layout) if node in sums else self._block(node, layout, run, block)
                if node in sums and k:
                    operations += [(node.name, tuple(arguments), sums[node]), ("add", (out, sums[node]), out)]
                else:
                    operations.append((node.name, tuple(arguments), out))
            calls += self.kernels.sequence(operations)
        return calls

    def _block(self, node: StepNode, layout: Layout, run: OperationRun, block: slice) -> Any:
        """The block of a matrix; the first one, of a value that is in memory for one block only, or that is the same in all of them."""
        array, lies = self._array(node, layout), block
        if viewed(node, self.kernels.views) in layout.blocks or (node.name == CONSTANT and self.graph.builder.uniform(node) is not None):
            lies = slice(block.stop - block.start)
        return array[lies] if run.by_rows else array[:, lies]

    def _argument(self, a: Any, layout: Layout) -> Any:
        """The array or the cell of an argument; itself, if it is neither node nor number."""
        return self._array(a, layout) if isinstance(a, StepNode) else self._cell(a) if isinstance(a, StepNumber) else a

    def _empty(self, node: StepNode) -> Any:
        return self.kernels.empty(int(np.prod(node.shape)), node.dtype).reshape(node.shape)

    def _final_copies(self, layout: Layout) -> list[Call]:
        """New values into their places. What lies in the memory of the old state goes through a buffer: a copy may overwrite it before."""
        first, then = [], []

        def saved(node: StepNode) -> Any:
            source = self._array(node, layout)
            if layout.root.get(node, node).name != LEAF:
                return source
            buffer = self._empty(node)
            first.append(self.kernels.copy(source, buffer))
            return buffer

        for node, k in layout.copies:
            if node is not self.graph.state[k]:
                then.append(self.kernels.copy(saved(node), self.state[k]))
        self._outputs = [saved(node) for node in self.graph.outputs] if then else self._outputs
        return first + then


def segment(array: Any, offset: int, m: int, n: int) -> Any:
    """m n elements of a flat, from an offset on, as a matrix."""
    return array.reshape(-1)[offset : offset + m * n].reshape(m, n)
