"""A plan, ready to run: a flat list of calls on fixed arrays."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from backends.plan.graph import CONSTANT, LEAF, POINTWISE, Graph, Node, Number
from backends.plan.memory import PACK, Buffer, Home, Layout, allocate
from backends.plan.rewrites import read_once
from nerva_core.numeric_backend import Backend
from nerva_core.trees import leaves

Call = Callable[[], Any]

Operation = tuple[str, tuple[Any, ...], Any]
"""Its name, arguments, and the array for the result."""


class Cell:
    """The place of a number: its value, and an array of shape () with it."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.value = 0.0

    def set(self, value: float) -> None:
        """Another value."""
        self.value = value
        self.array.fill(value) if isinstance(self.array, np.ndarray) else self.array.fill_(value)


class Made:
    """The result of an operation that makes its own memory, anew in each step; or a block of it. It is read where it lies."""

    def __init__(self) -> None:
        self.array: Any = None

    def get(self) -> Any:
        """The array, or the block of it."""
        return self.array

    def __getitem__(self, block: Any) -> Made:
        part = Made()
        part.get = lambda: self.array[block]  # type: ignore[method-assign]
        return part

    def keeping(self, make: Callable[[], Any]) -> Call:
        """A call that makes the array and keeps it."""

        def run() -> None:
            self.array = make()

        return run

    def forget(self) -> None:
        """Give the memory back."""
        self.array = None


class Kernels(ABC):
    """How a framework runs one operation into memory that is given."""

    views: ClassVar[frozenset[str]] = frozenset({"transpose", "row_repeat", "column_repeat", "part"})
    """The operations whose result lies in the memory of their operand."""
    elementwise: ClassVar[frozenset[str]]
    """Those that may write where an operand of the same shape lies."""
    block: ClassVar[int] = 2**15
    """The elements of a block: with three or four matrices it fits in the second-level cache."""

    def __init__(self, backend: Backend[Any]) -> None:
        self.backend = backend

    @abstractmethod
    def empty(self, count: int, dtype: Any) -> Any:
        """An array of shape (count,), aligned to cache lines."""

    @abstractmethod
    def own(self, array: Any, others: Sequence[Any]) -> Any:
        """The array, if it may be overwritten: it is contiguous and shares no memory with the others; else a copy."""

    @abstractmethod
    def calls(self, name: str, arguments: tuple[Any, ...], out: Any) -> list[Call]:
        """Calls without arguments that put the result of the operation in ``out``. Arguments are arrays, cells and constants."""

    def makes(self, node: Node) -> bool:
        """Whether ``maker`` has a way to compute this operation that is quicker than ``calls``."""
        return False

    def maker(self, name: str, arguments: tuple[Any, ...]) -> Callable[[], Any]:
        """A function that computes an operation into memory of its own."""
        raise NotImplementedError

    def rewrite(self, graph: Graph) -> None:  # noqa: B027
        """Change a graph that was recorded to what the framework does in fewer calls."""

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
    def loader(self, target: Any) -> Callable[[np.ndarray[Any, Any]], Any]:
        """A function that copies a NumPy array of the shape of ``target`` into it, converting it to its dtype."""

    @abstractmethod
    def collector(self, outputs: list[Any], steps: int) -> tuple[Callable[[int], Any], Callable[[], np.ndarray[Any, Any]]]:
        """(note, fetch): ``note(i)`` keeps the outputs of step i, and ``fetch()`` gives those of all steps, waiting once."""

    def running(self) -> Any:
        """A context in which the calls of a program run."""
        return contextlib.nullcontext()

    def plain(self, name: str, arguments: tuple[Any, ...], out: Any) -> Call:
        """The operation as the backend has it, copied to ``out``: for every operation that has no form of its own here."""
        function, copy = getattr(self.backend, name), self.copy

        def run() -> None:
            copy(function(*(a.value if isinstance(a, Cell) else a for a in arguments)), out)()

        return run


class Program:
    """The calls of a plan on the arrays of one state and data."""

    def __init__(self, graph: Graph, kernels: Kernels, state: list[Any], data: list[Any]) -> None:
        self.graph, self.kernels = graph, kernels
        self.data = data
        layout = allocate(graph, kernels.views, kernels.elementwise)
        self.arrays: dict[Node, Any] = dict(zip([*graph.state, *graph.data], [*state, *data], strict=True))
        self.state = state
        self._buffers: dict[Buffer, Any] = {}
        self._made = self._read_where_made(layout)
        self._cells: dict[Number, Cell] = {}
        self._derived: list[tuple[Cell, Any, tuple[Any, ...]]] = []
        self._loaders = [self._loader(leaf) for leaf in graph.given]
        self._outputs = [self._array(node, layout) for node in graph.outputs]
        self.calls = [call for run in self._runs(layout) for call in self._in_blocks(run, layout)] + self._final_copies(layout)

    def run(self, inputs: Any) -> np.ndarray[Any, Any]:
        """Run a step for each input, updating the state; the outputs of all steps."""
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
        if isinstance(leaf, Number):
            return self._cell(leaf)
        self.arrays[leaf] = self.kernels.empty(int(np.prod(leaf.shape)), leaf.dtype).reshape(leaf.shape)
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

    def _cell(self, number: Number) -> Cell:
        if number not in self._cells:
            arguments = tuple(self._cell(a) if isinstance(a, Number) else a for a in number.arguments)
            cell = Cell(self.kernels.empty(1, self.kernels.backend.full(0, 1, 1).dtype).reshape(()))
            self._cells[number] = cell
            if number.function is not None:
                self._derived.append((cell, number.function, arguments))
            cell.set(number.value)
        return self._cells[number]

    def _array(self, node: Node, layout: Layout) -> Any:
        """The array in which the value of a node lies."""
        if node not in self.arrays:
            self.arrays[node] = self._locate(node, layout)
        return self.arrays[node]

    def _locate(self, node: Node, layout: Layout) -> Any:
        if node.name == CONSTANT:
            return self.kernels.constant(node.value, self.graph.builder.uniform(node))
        if node in self._made:
            return Made()
        if node.name in self.kernels.views:
            return self._view(node, layout)
        if node in layout.inside:
            pack, offset = layout.inside[node]
            return part(self._array(pack, layout), offset, *node.shape)
        place = layout.place[node]
        if isinstance(place, Home):
            return self.state[place.index]
        if place not in self._buffers:
            self._buffers[place] = self.kernels.empty(place.count, place.dtype)
        return self._buffers[place].reshape(node.shape)

    def _view(self, node: Node, layout: Layout) -> Any:
        operand, *sizes = node.arguments
        array = self._array(operand, layout)
        return part(array, *sizes) if node.name == "part" else getattr(self.kernels.backend, node.name)(array, *sizes)

    def _runs(self, layout: Layout) -> list[list[Node]]:
        """What is computed, in runs of elementwise operations on matrices of one shape that may go block by block."""
        runs: list[list[Node]] = []
        for node in layout.nodes:
            if node.name == PACK or node.name in self.kernels.views:
                continue
            if runs and self._joins(node, runs[-1], layout):
                runs[-1].append(node)
            else:
                runs.append([node])
        return runs

    def _read_where_made(self, layout: Layout) -> set[Node]:
        """The results that stay where the framework made them: one elementwise operation reads each, and nothing else."""
        return set(read_once(layout.nodes, self.kernels.makes, self.graph.results))

    def _joins(self, node: Node, run: list[Node], layout: Layout) -> bool:
        """Whether block after block gives the same: each operation reads only what lies in the rows of its own block."""
        if not all((member.name in POINTWISE or member in self._made) and member.shape == node.shape for member in (node, *run)):
            return False
        if node in self._made:  # before the first block, from what is there
            return not any(self._viewed(operand) in run for operand in node.operands)
        members = [member for member in (node, *run) if member not in self._made]
        views = [o for member in members for o in member.operands if o.name in self.kernels.views]
        return all(view.name.endswith("repeat") and self._viewed(view) not in run for view in views)

    def _viewed(self, node: Node) -> Node:
        """What a view is a view of."""
        return self._viewed(node.operands[0]) if node.name in self.kernels.views else node

    def _in_blocks(self, run: list[Node], layout: Layout) -> list[Call]:
        """The calls of a run; with large matrices, all operations on a block that fits in the cache before the next block."""
        for node in run:
            self._array(node, layout)
        made, others = [node for node in run if node in self._made], [node for node in run if node not in self._made]
        calls = [self.arrays[node].keeping(self.kernels.maker(*self._operation(node, layout)[:2])) for node in made]
        for block in self._blocks(*run[0].shape) if len(others) > 1 else [...]:
            calls += self.kernels.sequence([self._operation(node, layout, block) for node in others])
        return calls + [self.arrays[operand].forget for node in others for operand in node.operands if operand in self._made]

    def _blocks(self, rows: int, columns: int) -> list[Any]:
        """What to index a matrix with for its blocks, of some rows, or of some elements of its only row."""
        size = max(1, self.kernels.block // columns) if rows > 1 else self.kernels.block
        total = rows if rows > 1 else columns
        if total < 2 * size:
            return [...]
        slices = [slice(start, start + size) for start in range(0, total, size)]
        return slices if rows > 1 else [(slice(None), block) for block in slices]

    def _operation(self, node: Node, layout: Layout, block: Any = ...) -> Operation:
        """An operation on blocks of its arguments."""

        def argument(a: Any) -> Any:
            if isinstance(a, Node):
                return self._array(a, layout) if block is ... else self._array(a, layout)[block]
            return self._cell(a) if isinstance(a, Number) else a

        arguments = tuple(map(argument, node.arguments))
        out = None if node in self._made else argument(node)
        return node.name, arguments, out

    def _final_copies(self, layout: Layout) -> list[Call]:
        """New values into their places. What lies in the memory of the old state goes through a buffer: a copy may overwrite it before."""
        first, then = [], []

        def saved(node: Node) -> Any:
            source = self._array(node, layout)
            if layout.root.get(node, node).name != LEAF:
                return source
            buffer = self.kernels.empty(int(np.prod(node.shape)), node.dtype).reshape(node.shape)
            first.append(self.kernels.copy(source, buffer))
            return buffer

        for node, k in layout.copies:
            if node is not self.graph.state[k]:
                then.append(self.kernels.copy(saved(node), self.state[k]))
        self._outputs = [saved(node) for node in self.graph.outputs] if then else self._outputs
        return first + then


def part(array: Any, offset: int, m: int, n: int) -> Any:
    """m n elements of a row, from an offset on, as a matrix."""
    return array.reshape(-1)[offset : offset + m * n].reshape(m, n)
